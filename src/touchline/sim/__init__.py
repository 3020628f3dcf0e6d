"""Simulated cameras, engines and VPNs for the demo and the tests, over real sockets."""
