"""Files over HTTP: ranges, downloads, clips, the dashboard."""
