"""VPN containers: state, control API, forwarded ports."""
