"""The WebSocket: protocol, channels, commands."""
