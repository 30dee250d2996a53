"""Settings that scripts for Brian 2 make: accepted, and without effect here.

There is one way to run, so there is no target, device or cache to choose.
"""

from __future__ import annotations

from typing import Any

from eccles.errors import silence

__all__ = ["BrianLogger", "get_device", "prefs", "set_device"]


class Preferences:
    """Keeps what is set; `prefs.codegen.target = 'numpy'` and `prefs['codegen.target']` are the same."""

    def __init__(self, prefix: str = "", values: dict[str, Any] | None = None) -> None:
        object.__setattr__(self, "_prefix", prefix)
        object.__setattr__(self, "_values", {} if values is None else values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        key = self._prefix + name
        return self._values[key] if key in self._values else Preferences(f"{key}.", self._values)

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[self._prefix + name] = value

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def reset_to_defaults(self) -> None:
        """Forget what was set."""
        self._values.clear()


prefs = Preferences()


class BrianLogger:
    """The levels of Brian 2's log; warnings here are silenced by their name."""

    @staticmethod
    def suppress_name(name: str, filter_log_file: bool = False) -> None:
        """Do not show warnings of this name."""
        silence(name)

    @staticmethod
    def suppress_hierarchy(name: str, filter_log_file: bool = False) -> None:
        """Accepted."""

    @staticmethod
    def log_level_debug() -> None:
        """Accepted."""

    log_level_error = log_level_warn = log_level_info = log_level_diagnostic = log_level_debug


class RuntimeDevice:
    """The only way to run."""

    name = "runtime"

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to build."""

    def reinit(self) -> None:
        """Nothing to do."""

    def activate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do."""

    def delete(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do."""


_device = RuntimeDevice()


def set_device(name: str, **kwargs: Any) -> None:
    """Accepted: every device runs as native code in this process."""


def get_device() -> RuntimeDevice:
    """The only device."""
    return _device
