"""The shapes of the API's JSON, for its documentation and its tests.

Handlers answer with what the call returned and do not send it through these models again: an
answer about a running recording must not fail because a field is new. The contract tests hold
both together.
"""
