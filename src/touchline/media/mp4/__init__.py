"""MP4 files: writing, walking, scanning, cutting."""
