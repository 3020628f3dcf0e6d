"""Bodies that clients send, and answers that the routes build themselves.

An answer is not passed through its type again: a response about a running recording must not fail
because a field is new. mypy and the contract tests keep both consistent.
"""
