"""Request and response bodies of the engines half."""
