"""Authentication, sessions, signed links and origin checks."""
