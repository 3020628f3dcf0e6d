"""The settings of the capture half."""
