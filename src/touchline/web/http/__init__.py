"""Responses, errors, metrics and dependencies of all routes."""
