"""JSON lines over Unix sockets: messages, frame feed, listening time."""
