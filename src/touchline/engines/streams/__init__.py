"""Streams: client reports, statistics and content."""
