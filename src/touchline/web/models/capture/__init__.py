"""Request and response bodies of the capture half."""
