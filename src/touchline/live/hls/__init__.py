"""HLS packaging."""
