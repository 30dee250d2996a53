"""`import brian2` means `eccles.brian2`, for scripts that stay untouched.

A finder in front of all others answers for `brian2` and its submodules. Each gets a module of its own that
passes names on: first from those modules of Eccles that do the same work, then from `eccles.brian2`. So
scripts may import a class from wherever Brian 2 keeps it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from eccles.errors import nearest

__all__ = ["SUBMODULES", "brian2_is_eccles"]

FACE = "eccles.brian2"

# submodules that scripts import -> modules of Eccles whose names come first there
SUBMODULES: dict[str, tuple[str, ...]] = {
    "codegen": (),
    "core": (),
    "core.clocks": ("eccles.engine.clock",),
    "core.functions": ("eccles.language.functions",),
    "core.magic": (),
    "core.namespace": (),
    "core.network": ("eccles.objects.progress",),
    "core.operations": (),
    "core.preferences": ("eccles.brian2.preferences",),
    "core.variables": ("eccles.objects.variables",),
    "devices": ("eccles.brian2.devices.device",),
    "devices.device": ("eccles.brian2.devices.device",),
    "equations": ("eccles.language.equations",),
    "equations.equations": ("eccles.language.equations",),
    "groups": (),
    "groups.group": ("eccles.objects.group",),
    "groups.neurongroup": (),
    "groups.subgroup": (),
    "input": (),
    "input.poissongroup": (),
    "input.poissoninput": (),
    "input.spikegeneratorgroup": (),
    "input.timedarray": (),
    "monitors": (),
    "monitors.ratemonitor": (),
    "monitors.spikemonitor": (),
    "monitors.statemonitor": (),
    "numpy_": ("eccles.brian2.numpy_",),
    "only": (),
    "stateupdaters": ("eccles.integrate",),
    "stateupdaters.base": ("eccles.integrate",),
    "stateupdaters.explicit": ("eccles.integrate.explicit",),
    "synapses": (),
    "synapses.synapses": (),
    "units": ("eccles.units",),
    "units.allunits": ("eccles.units.allunits",),
    "units.constants": ("eccles.units.constants",),
    "units.fundamentalunits": ("eccles.units",),
    "units.stdunits": ("eccles.units",),
    "units.unitsafefunctions": ("eccles.units.functions",),
    "utils": (),
    "utils.logger": ("eccles.brian2.utils.logger",),
}


@contextmanager
def brian2_is_eccles() -> Iterator[None]:
    """Inside, `import brian2` and imports of its submodules give Eccles."""
    finder = _Finder()
    _forget()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget()


def _forget() -> None:
    for name in [n for n in sys.modules if n == "brian2" or n.startswith("brian2.")]:
        del sys.modules[name]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and makes the stand-ins."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        root, _, submodule = fullname.partition(".")
        if root != "brian2":
            return None
        if submodule and submodule not in SUBMODULES:
            near = nearest(submodule, SUBMODULES)
            raise ModuleNotFoundError(
                f"'{fullname}' is not supported by Eccles"
                + (f" (did you mean 'brian2.{near}'?)" if near else ""),
                name=fullname,
            )
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        submodule = spec.name.partition(".")[2]
        names = (*SUBMODULES.get(submodule, ()), FACE)
        return _StandIn(spec.name, [importlib.import_module(name) for name in names])

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to execute: names are looked up when they are asked for."""


class _StandIn(ModuleType):
    """A module whose names are those of other modules."""

    def __init__(self, name: str, sources: list[ModuleType]) -> None:
        super().__init__(name, sources[-1].__doc__)
        self._sources = sources

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._public_names()
        if not (name.startswith("__") and name not in ("__version__", "__version_tuple__")):
            for source in self._sources:
                value = getattr(source, name, self)
                if value is not self:
                    return value
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        return self._public_names()

    def _public_names(self) -> list[str]:
        """What `from ... import *` gives."""
        first = self._sources[0]
        if self.__name__ == "brian2.only":
            return _without_pylab()
        return list(getattr(first, "__all__", None) or dir(first))


def _without_pylab() -> list[str]:
    """The names of Brian 2 itself and the units, without those of NumPy and pylab."""
    from eccles import brian2, units
    from eccles.brian2 import numpy_, pylab
    from eccles.units import functions

    alien = {*pylab.names(), *numpy_.__all__}
    return sorted({*(set(brian2.__all__) - alien), *units.__all__, *functions.__all__})
