"""Authentication, sessions, signed links, origins."""
