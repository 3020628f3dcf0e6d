"""Detection of the play, and a virtual camera that follows it."""
