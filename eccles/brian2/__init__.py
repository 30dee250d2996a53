"""The compatible face: `from eccles.brian2 import *` instead of `from brian2 import *`.

The same classes as `eccles`, told apart by one `Semantics` value: names in model text get their values
at `run()`, model text is checked there, and event-driven variables read as of their last update. The
names of NumPy come along as Brian 2 users expect; those of pylab are there too, but import matplotlib
only when they are used.
"""

from __future__ import annotations

from typing import Any

import numpy

from eccles import monitors, objects, units
from eccles.brian2 import numpy_, pylab
from eccles.brian2.preferences import BrianLogger, get_device, prefs, set_device
from eccles.engine.clock import Clock
from eccles.errors import DimensionMismatchError, EquationError
from eccles.integrate.explicit import ExplicitIntegrator as ExplicitStateUpdater
from eccles.integrate.problem import UnsupportedEquationsException
from eccles.language.equations import Equations
from eccles.objects.magic import defaultclock, seed, start_scope
from eccles.objects.network import (
    BrianObjectException,
    MagicError,
    magic_network,
    restore,
    run,
    stop,
    store,
)
from eccles.objects.semantics import BRIAN2
from eccles.units import *  # noqa: F403

np = numpy_

__version__ = "2.9.0"  # the version of Brian 2 whose behaviour this follows
__version_tuple__ = (2, 9, 0)


def _compatible(cls: type) -> Any:
    """The same class with the semantics of this face."""
    return type(cls.__name__, (cls,), {"semantics": BRIAN2, "__doc__": cls.__doc__, "__module__": __name__})


NeuronGroup = _compatible(objects.NeuronGroup)
Synapses = _compatible(objects.Synapses)
PoissonGroup = _compatible(objects.PoissonGroup)
PoissonInput = _compatible(objects.PoissonInput)
SpikeGeneratorGroup = _compatible(objects.SpikeGeneratorGroup)
Network = _compatible(objects.Network)
SpikeMonitor = monitors.SpikeMonitor
EventMonitor = monitors.EventMonitor
StateMonitor = monitors.StateMonitor
PopulationRateMonitor = monitors.PopulationRateMonitor
Subgroup = objects.Subgroup
NetworkOperation = objects.NetworkOperation
network_operation = objects.network_operation
TimedArray = objects.TimedArray
linked_var = objects.linked_var


def implementation(*args: Any, **kwargs: Any) -> Any:
    """Accepted and ignored: functions are compiled from their Python source."""
    return lambda function: function


def collect(level: int = 0) -> set[Any]:
    """The objects that `run()` would run."""
    from eccles.objects import magic

    return set(magic.collect(level))


_OWN = [
    "BrianLogger", "BrianObjectException", "Clock", "DimensionMismatchError", "EquationError", "Equations",
    "EventMonitor", "ExplicitStateUpdater", "MagicError", "Network", "NetworkOperation", "NeuronGroup",
    "PoissonGroup", "PoissonInput", "PopulationRateMonitor", "SpikeGeneratorGroup", "SpikeMonitor",
    "StateMonitor", "Subgroup", "Synapses", "TimedArray", "UnsupportedEquationsException", "collect",
    "defaultclock", "get_device", "implementation", "linked_var", "magic_network", "network_operation", "np",
    "numpy", "prefs", "restore", "run", "seed", "set_device", "start_scope", "stop", "store",
]  # fmt: skip

__all__ = sorted(
    {*pylab.names(), *numpy_.__all__, *units.__all__, *_OWN}
    - {"sum", "min", "max", "abs", "round", "pow", "any", "all", "bool"}
)


def __getattr__(name: str) -> Any:
    if name in numpy_.__all__:
        return getattr(numpy_, name)
    try:
        return pylab.lazy(name)
    except KeyError:
        raise AttributeError(f"module 'eccles.brian2' has no attribute '{name}'") from None
