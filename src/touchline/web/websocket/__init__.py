"""The WebSocket: protocol, channels and commands."""
