"""Pictures that simulated cameras show, drawn without any library."""
