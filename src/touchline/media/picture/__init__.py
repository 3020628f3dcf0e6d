"""Pictures of simulated cameras, drawn without any library."""
