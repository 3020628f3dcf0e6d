"""MP4 files: write, walk, scan, cut."""
