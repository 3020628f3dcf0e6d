"""How a session's packets travel."""
