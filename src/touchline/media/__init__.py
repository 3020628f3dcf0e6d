"""Media formats with the standard library alone: MP4, H.264, MPEG-TS, timelines."""
