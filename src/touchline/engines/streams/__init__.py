"""Streams: client reports, statistics, content."""
