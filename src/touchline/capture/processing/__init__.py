"""Post-processing jobs: archives, renderings, uploads."""
