"""HTTP to engines and VPN containers: bounded clients and answers."""
