"""Simulated cameras: what the demo and the tests run against, over real sockets."""
