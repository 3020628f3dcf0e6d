"""Where the play is, and how a camera follows it."""
