"""Files over HTTP: ranges, downloads, clips and the dashboard."""
