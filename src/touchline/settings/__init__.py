"""Settings tree, names of the earlier system, and messages for invalid settings."""

from touchline.settings.tree import HttpSettings, Settings, SettingsInvalid, load_settings

__all__ = ["HttpSettings", "Settings", "SettingsInvalid", "load_settings"]
