"""Devices that scripts for Brian 2 choose: every one runs as native code in this process.

So there is nothing to build, and results are there as soon as `run()` returns.
"""

from __future__ import annotations

from typing import Any

from eccles.errors import SetupError, nearest

__all__ = [
    "Device",
    "all_devices",
    "check_cache",
    "clear_cache",
    "device",
    "get_device",
    "reinit_devices",
    "reset_device",
    "set_device",
]


class Device:
    """What stands for a device of Brian 2; building it does nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to build."""

    def reinit(self) -> None:
        """Nothing to forget."""

    def activate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to start."""

    def delete(self, *args: Any, **kwargs: Any) -> None:
        """Nothing on disk to delete."""

    def run(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: a program is not kept to be run again with other values.

        Raises
        ------
        NotImplementedError
        """
        raise NotImplementedError(
            "device.run(...) is not supported: set the variables and call run() again, "
            "which uses the compiled program again"
        )

    def insert_code(self, slot: str, code: str) -> None:
        """Not supported: there is no C++ program to insert code into.

        Raises
        ------
        NotImplementedError
        """
        raise NotImplementedError("device.insert_code is not supported: there is no C++ program")

    def __repr__(self) -> str:
        return f"<Device '{self.name}'>"


all_devices = {name: Device(name) for name in ("runtime", "cpp_standalone")}


class CurrentDevice:
    """Passes on to the device that was chosen last."""

    def __init__(self) -> None:
        self.__dict__["current"] = all_devices["runtime"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["current"], name)

    def __repr__(self) -> str:
        return repr(self.__dict__["current"])


device = CurrentDevice()


def set_device(name: str, build_on_run: bool = True, **kwargs: Any) -> None:
    """Choose a device; the choice changes nothing.

    Raises
    ------
    SetupError
        If it is none of Brian 2's own devices.
    """
    if name not in all_devices:
        near = nearest(name, all_devices)
        raise SetupError(
            f"there is no device '{name}'",
            hint=f"Did you mean '{near}'?" if near else f"Devices: {', '.join(all_devices)}.",
        )
    device.__dict__["current"] = all_devices[name]


def get_device() -> Device:
    """The device that was chosen last."""
    return device.__dict__["current"]


def reset_device(*args: Any) -> None:
    """Choose the runtime device again."""
    set_device("runtime")


def reinit_devices() -> None:
    """Begin anew: objects made so far are forgotten by `run()`."""
    from eccles.objects.magic import start_scope

    start_scope()


def clear_cache(target: str) -> None:
    """Accepted: the cache of compiled programs needs no care (`eccles cache` shows and empties it)."""


def check_cache(target: str) -> None:
    """Accepted: the cache of compiled programs keeps itself small."""
