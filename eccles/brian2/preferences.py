"""Settings that scripts for Brian 2 make.

Most choose how code is generated, compiled and logged. There is one way here, so they are kept and
without effect. Those that would change results are refused if they ask for something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from eccles.errors import SetupError, nearest

__all__ = ["BrianPreference", "PreferenceError", "prefs"]


class PreferenceError(SetupError):
    """There is no such preference, or it cannot have this value."""


@dataclass
class BrianPreference:
    """A preference that a script defines for itself: default, documentation, check."""

    default: Any
    docs: str = ""
    validator: Callable[[Any], bool] | None = None
    representor: Callable[[Any], str] = repr


# what exists without effect: name -> value
WITHOUT_EFFECT: dict[str, Any] = {
    "GSL.directory": None,
    "codegen.loop_invariant_optimisations": True,
    "codegen.max_cache_dir_size": 1000,
    "codegen.string_expression_target": "numpy",
    "codegen.target": "auto",
    "codegen.cpp.compiler": "",
    "codegen.cpp.define_macros": [],
    "codegen.cpp.extra_compile_args": None,
    "codegen.cpp.extra_compile_args_gcc": [],
    "codegen.cpp.extra_compile_args_msvc": [],
    "codegen.cpp.extra_link_args": [],
    "codegen.cpp.headers": [],
    "codegen.cpp.include_dirs": [],
    "codegen.cpp.libraries": [],
    "codegen.cpp.library_dirs": [],
    "codegen.cpp.msvc_architecture": "",
    "codegen.cpp.msvc_vars_location": "",
    "codegen.cpp.runtime_library_dirs": [],
    "codegen.generators.cpp.flush_denormals": False,
    "codegen.generators.cpp.restrict_keyword": "__restrict",
    "codegen.runtime.cython.cache_dir": None,
    "codegen.runtime.cython.delete_source_files": True,
    "codegen.runtime.cython.multiprocess_safe": True,
    "codegen.runtime.numpy.discard_units": False,
    "core.outdated_dependency_error": True,
    "core.stop_on_keyboard_interrupt": True,
    "devices.cpp_standalone.extra_make_args_unix": ["-j"],
    "devices.cpp_standalone.extra_make_args_windows": [],
    "devices.cpp_standalone.make_cmd_unix": "make",
    "devices.cpp_standalone.openmp_spatialneuron_strategy": None,
    "devices.cpp_standalone.openmp_threads": 0,
    "devices.cpp_standalone.run_cmd_unix": "./main",
    "devices.cpp_standalone.run_environment_variables": {},
    "logging.console_log_level": "INFO",
    "logging.delete_log_on_exit": True,
    "logging.display_brian_error_message": True,
    "logging.file_log": True,
    "logging.file_log_level": "DIAGNOSTIC",
    "logging.file_log_max_size": 10000000,
    "logging.save_script": True,
    "logging.std_redirection": True,
    "logging.std_redirection_to_file": True,
}
# what would change results: name -> the only value, and what to do instead
FIXED: dict[str, tuple[Any, str]] = {
    "core.default_float_dtype": (np.float64, "Give dtype=float32 to the groups that shall store less."),
    "core.default_integer_dtype": (np.int32, "Integer variables have 32 bits."),
    "core.network.default_schedule": (
        ["start", "groups", "thresholds", "synapses", "resets", "end"],
        "Set the attribute 'schedule' of the network.",
    ),
    "legacy.refractory_timing": (False, "Refractory periods are counted in whole steps."),
}
DEFAULTS = {**WITHOUT_EFFECT, **{name: value for name, (value, _) in FIXED.items()}}


class Preferences:
    """Settings by name: `prefs.codegen.target = 'numpy'` or `prefs['codegen.target'] = 'numpy'`."""

    def __init__(self) -> None:
        self.__dict__.update(_values={}, _own={}, _prefix="")

    @classmethod
    def _part(cls, whole: Preferences, prefix: str) -> Preferences:
        part = cls()
        part.__dict__.update(_values=whole._values, _own=whole._own, _prefix=f"{prefix}.")
        return part

    def _known(self) -> list[str]:
        return [*DEFAULTS, *self._own]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        key = self._prefix + name
        if any(known.startswith(f"{key}.") for known in self._known()):
            return self._part(self, key)
        return self._get(key)

    def _get(self, key: str) -> Any:
        if key in self._values:
            return self._values[key]
        if key in self._own:
            return self._own[key].default
        if key in DEFAULTS:
            return DEFAULTS[key]
        raise self._unknown(key)

    def _unknown(self, key: str) -> PreferenceError:
        near = nearest(key, self._known())
        return PreferenceError(
            f"there is no preference '{key}'", hint=f"Did you mean '{near}'?" if near else None
        )

    def __setattr__(self, name: str, value: Any) -> None:
        self._set(self._prefix + name, value)

    def _set(self, key: str, value: Any) -> None:
        if key not in self._known():
            raise self._unknown(key)
        if key in FIXED:
            only, instead = FIXED[key]
            if not (value is only or np.array_equal(value, only) or _same_type(value, only)):
                raise PreferenceError(
                    f"the preference '{key}' cannot be {value!r}, only {only!r}", hint=instead
                )
        own = self._own.get(key)
        if own is not None and own.validator is not None and not own.validator(value):
            raise PreferenceError(f"the preference '{key}' cannot be {value!r}: {own.docs}")
        self._values[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._get(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._set(key, value)

    def __contains__(self, key: str) -> bool:
        return key in self._known()

    def register_preferences(self, prefbasename: str, prefbasedoc: str, **own: BrianPreference) -> None:
        """Add preferences of a script's own."""
        self._own.update({f"{prefbasename}.{name}": preference for name, preference in own.items()})

    def reset_to_defaults(self) -> None:
        """Forget what was set."""
        self._values.clear()

    @property
    def as_file(self) -> str:
        """All preferences as text, one per line."""
        return "".join(f"{key} = {self._get(key)!r}\n" for key in sorted(self._known()))


def _same_type(value: Any, only: Any) -> bool:
    try:
        return np.dtype(value) == np.dtype(only)
    except TypeError:
        return False


prefs = Preferences()
