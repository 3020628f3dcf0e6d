"""HTTP clients for engines and VPN containers, with bounded answers."""
