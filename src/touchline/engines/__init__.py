"""The engines half: provisions streaming engines, watches, measures and replaces them."""
