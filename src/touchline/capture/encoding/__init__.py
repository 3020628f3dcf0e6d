"""Encoding of camera pictures as H.264: sizes, crop, encoders and presets."""
