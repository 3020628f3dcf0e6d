"""JSON lines over Unix sockets: messages, control server, frame feed, listening time."""
