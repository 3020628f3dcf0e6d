"""Network cameras: sessions and packets."""
