"""The settings of the engines half."""
