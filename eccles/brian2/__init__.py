"""The compatible face: `from eccles.brian2 import *` instead of `from brian2 import *`.

The same classes as `eccles`, told apart by one `Semantics` value: names in model text get their values
at `run()`, model text is checked there, and event-driven variables read as of their last update. The
names of NumPy come along as Brian 2 users expect; those of pylab are there too, but import matplotlib
only when they are used. Modules below this one are where scripts look for single names.
"""

# ruff: noqa: F401  (what is imported here is offered: see __all__)

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy

from eccles import objects as _objects
from eccles import units as _units
from eccles.brian2 import numpy_, pylab
from eccles.brian2.devices.device import (
    all_devices,
    check_cache,
    clear_cache,
    device,
    get_device,
    reinit_devices,
    reset_device,
    set_device,
)
from eccles.brian2.functions import Function, implementation
from eccles.brian2.preferences import BrianPreference, PreferenceError, prefs
from eccles.brian2.utils.logger import BrianLogger, get_logger, logger, std_silent
from eccles.engine.clock import Clock
from eccles.errors import DimensionMismatchError, EquationError
from eccles.integrate.explicit import ExplicitIntegrator as ExplicitStateUpdater
from eccles.integrate.problem import UnsupportedEquationsException
from eccles.language.equations import Equations
from eccles.language.functions import BUILTINS
from eccles.monitors import EventMonitor, PopulationRateMonitor, SpikeMonitor, StateMonitor
from eccles.objects import magic as _magic
from eccles.objects.group import Group
from eccles.objects.group import SimulationObject as BrianObject
from eccles.objects.linked import linked_var
from eccles.objects.magic import defaultclock, start_scope
from eccles.objects.network import BrianObjectException, MagicError, MagicNetwork, magic_network, run, stop
from eccles.objects.operations import NetworkOperation, network_operation
from eccles.objects.regular import CodeRunner
from eccles.objects.semantics import BRIAN2, in_face
from eccles.objects.sources import SpikeSource, Subgroup
from eccles.objects.timed import TimedArray
from eccles.units import *  # noqa: F403
from eccles.units import functions as _functions
from eccles.units import ms as _ms

np = numpy_

__version__ = "2.9.0"  # the version of Brian 2 whose behaviour this follows
__version_tuple__ = (2, 9, 0)


NeuronGroup = in_face(_objects.NeuronGroup, BRIAN2)
Synapses = in_face(_objects.Synapses, BRIAN2)
PoissonGroup = in_face(_objects.PoissonGroup, BRIAN2)
PoissonInput = in_face(_objects.PoissonInput, BRIAN2)
SpikeGeneratorGroup = in_face(_objects.SpikeGeneratorGroup, BRIAN2)
Network = in_face(_objects.Network, BRIAN2)

# integration methods are called by their name
exact = linear = "exact"
euler, rk2, rk4, heun, milstein = "euler", "rk2", "rk4", "heun", "milstein"
exponential_euler, independent = "exponential_euler", "independent"
gsl_rk2, gsl_rk4, gsl_rkf45, gsl_rkck, gsl_rk8pd = "gsl_rk2", "gsl_rk4", "gsl_rkf45", "gsl_rkck", "gsl_rk8pd"

brian_prefs = prefs
VariableOwner = Group
Nameable = Trackable = BrianObject


class Expression(str):
    """An expression as an object; its text is used."""

    __slots__ = ()


class Statements(str):
    """Statements as an object; their text is used."""

    __slots__ = ()


class NumpyCodeObject:
    """Accepted as `codeobj_class`: there is one way to run."""


class CythonCodeObject:
    """Accepted as `codeobj_class`: there is one way to run."""


def seed(value: int | None = None) -> None:
    """Make random numbers reproducible, those of NumPy too; without a value, make them different again."""
    _magic.seed(value)
    numpy.random.seed(None if value is None else value % 2**32)  # noqa: NPY002  (the one that scripts draw from)


def store(name: str = "default", filename: Any = None) -> None:
    """Keep the state of the objects of the calling script; see `Network.store`."""
    magic_network.gather()
    magic_network.store(name, filename)


def restore(name: str = "default", filename: Any = None, restore_random_state: bool = False) -> None:
    """Go back to a state kept by `store`."""
    magic_network.restore(name, filename, restore_random_state)


def collect(level: int = 0) -> set[Any]:
    """The objects that `run()` would run."""
    return set(_magic.collect(level))


def get_local_namespace(level: int = 0) -> dict[str, Any]:
    """The names that the calling script sees, `level` calls further out."""
    return dict(_magic.users_names(level))


def scheduling_summary(net: Any = None) -> str:
    """A table of what runs when within a time step."""
    return (net or magic_network).scheduling_summary()


def profiling_summary(net: Any = None, show: int | None = None) -> NoReturn:
    """Not supported: the whole loop is one program, whose parts have no times of their own.

    Raises
    ------
    NotImplementedError
    """
    raise NotImplementedError(
        "profiling_summary is not supported: all objects run as one compiled program. "
        "Time the call of run(), with and without an object."
    )


def restore_initial_state() -> None:
    """Forget all objects, preferences and the seed, as if Eccles had just been imported."""
    start_scope()
    defaultclock.dt = 0.1 * _ms
    prefs.reset_to_defaults()
    reset_device()
    seed()


def _unsupported(name: str, instead: str) -> type:
    """A class that says why there is no such object."""

    def refuse(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{name} is not supported by Eccles. {instead}")

    return type(name, (), {"__new__": refuse, "__doc__": f"Not supported. {instead}", "__module__": __name__})


_POINT = "Neurons are points; write compartments as neurons coupled by synapses."
SpatialNeuron = _unsupported("SpatialNeuron", _POINT)
Morphology = _unsupported("Morphology", _POINT)
Soma = _unsupported("Soma", _POINT)
Cylinder = _unsupported("Cylinder", _POINT)
Section = _unsupported("Section", _POINT)
BinomialFunction = _unsupported("BinomialFunction", "Use binomial(n, p) in model text.")
ImportExport = _unsupported("ImportExport", "Use get_states() and set_states().")
StateUpdateMethod = _unsupported("StateUpdateMethod", "Use ExplicitStateUpdater, or a method by its name.")

DEFAULT_CONSTANTS: Mapping[str, float] = {"pi": numpy.pi, "e": numpy.e, "inf": numpy.inf}
DEFAULT_FUNCTIONS: Mapping[str, Any] = BUILTINS
DEFAULT_UNITS: Mapping[str, Any] = {name: getattr(_units, name) for name in _units.__all__}

_OWN = [
    "BinomialFunction", "BrianLogger", "BrianObject", "BrianObjectException", "BrianPreference", "Clock",
    "CodeRunner", "Cylinder", "CythonCodeObject", "DEFAULT_CONSTANTS", "DEFAULT_FUNCTIONS", "DEFAULT_UNITS",
    "DimensionMismatchError", "EquationError", "Equations", "EventMonitor", "ExplicitStateUpdater",
    "Expression", "Function", "Group", "ImportExport", "MagicError", "MagicNetwork", "Morphology", "Nameable",
    "Network", "NetworkOperation", "NeuronGroup", "NumpyCodeObject", "PoissonGroup", "PoissonInput",
    "PopulationRateMonitor", "PreferenceError", "Section", "Soma", "SpatialNeuron", "SpikeGeneratorGroup",
    "SpikeMonitor", "SpikeSource", "StateMonitor", "StateUpdateMethod", "Statements", "Subgroup", "Synapses",
    "TimedArray", "Trackable", "UnsupportedEquationsException", "VariableOwner", "all_devices", "brian_prefs",
    "check_cache", "clear_cache", "collect", "defaultclock", "device", "euler", "exact", "exponential_euler",
    "get_device", "get_local_namespace", "get_logger", "gsl_rk2", "gsl_rk4", "gsl_rk8pd", "gsl_rkck",
    "gsl_rkf45", "heun", "implementation", "independent", "linear", "linked_var", "logger", "magic_network",
    "milstein", "network_operation", "prefs", "profiling_summary", "reinit_devices", "reset_device",
    "restore", "restore_initial_state", "rk2", "rk4", "run", "scheduling_summary", "seed", "set_device",
    "start_scope", "std_silent", "stop", "store",
]  # fmt: skip

# without NumPy and pylab
ONLY = sorted({*_OWN, *_units.__all__, *_functions.__all__} - {"restore_initial_state"})

# Python's own functions of these names stay what they are
_PYTHONS = {"abs", "bool", "max", "min", "pow", "round", "bytes", "long", "str", "object"}

__all__ = sorted({*pylab.names(), *numpy_.__all__, *_units.__all__, *_OWN, "np", "numpy"} - _PYTHONS)


_MODULES = ("codegen", "core", "devices", "equations", "groups", "input", "monitors", "only", "stateupdaters",
            "synapses", "units", "utils")  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in numpy_.__all__:
        return getattr(numpy_, name)
    try:
        return pylab.lazy(name)
    except KeyError:
        raise AttributeError(f"module 'eccles.brian2' has no attribute '{name}'") from None
