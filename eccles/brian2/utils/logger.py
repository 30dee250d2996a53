"""Brian 2's log, as far as scripts speak to it."""

from __future__ import annotations

import logging
from typing import Any

from eccles.errors import silence

__all__ = ["BrianLogger", "get_logger", "logger", "std_silent"]


class BrianLogger:
    """A logger by name; as a class, the levels of the log. Warnings of Eccles are silenced by their name."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log at the level 'debug'."""
        self._logger.debug(message)

    def info(self, message: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log at the level 'info'."""
        self._logger.info(message)

    def warn(self, message: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log at the level 'warning'."""
        self._logger.warning(message)

    def error(self, message: str, name_suffix: str | None = None, once: bool = False) -> None:
        """Log at the level 'error'."""
        self._logger.error(message)

    @staticmethod
    def suppress_name(name: str, filter_log_file: bool = False) -> None:
        """Do not show warnings of this name."""
        silence(name)

    @staticmethod
    def suppress_hierarchy(name: str, filter_log_file: bool = False) -> None:
        """Accepted: there is no hierarchy."""

    @staticmethod
    def log_level_debug() -> None:
        """Accepted: there is no such log."""

    log_level_error = log_level_warn = log_level_info = log_level_diagnostic = log_level_debug


def get_logger(name: str) -> BrianLogger:
    """The logger of this name."""
    return BrianLogger(name)


logger = get_logger("brian2")


class std_silent:
    """Accepted: nothing prints that would have to be silenced."""

    def __init__(self, *args: Any) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *args: Any) -> None:
        pass
