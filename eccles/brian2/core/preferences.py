"""Where scripts look for preferences."""

from eccles.brian2.preferences import BrianPreference, PreferenceError, prefs

__all__ = ["BrianPreference", "PreferenceError", "prefs"]
