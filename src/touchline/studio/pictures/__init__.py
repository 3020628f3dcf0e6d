"""Reads, pairs and writes pictures of footage."""
