"""Coded frames to synced segments."""
