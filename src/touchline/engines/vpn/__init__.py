"""VPN containers: state, control API and forwarded ports."""
