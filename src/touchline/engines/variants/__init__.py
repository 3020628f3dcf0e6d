"""Engine variants: images, arguments, environment, custom variant and templates."""
