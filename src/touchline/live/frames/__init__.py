"""The coded frames of each camera, kept for whoever wants them."""
