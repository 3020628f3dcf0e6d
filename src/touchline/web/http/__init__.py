"""Answers, errors, metrics and dependencies of all routes."""
