"""JSON schemas of the API, for its documentation and its tests.

Handlers return the result of the call without passing it through these models again: a response
about a running recording must not fail because a field is new. The contract tests keep both
consistent.
"""
