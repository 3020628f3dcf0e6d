"""Processes as the kernel reports and limits them: /proc and control groups."""
