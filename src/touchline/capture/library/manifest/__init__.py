"""What a match folder says about itself: its manifest, its file names, and both read back."""
