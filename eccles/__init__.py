r"""Eccles: a spiking-network simulator and plasticity laboratory.

Models are equations with units, in the language of Brian 2; the whole simulation loop is native code,
made in about a tenth of a second without a compiler.

    from eccles import *

    neurons = NeuronGroup(3, "dx/dt = rate : 1\\nrate : hertz", threshold="x > 1", reset="x = 0")
    neurons.rate = [200, 210, 220] * Hz
    spikes = SpikeMonitor(neurons)
    run(1*second)

`eccles.brian2` is the face for scripts written for Brian 2.
"""

from eccles import units
from eccles.engine.clock import Clock
from eccles.errors import (
    DimensionMismatchError,
    EcclesError,
    EcclesWarning,
    EquationError,
    ModelError,
    RunError,
    SetupError,
    UnitError,
    silence,
)
from eccles.explain import explain
from eccles.language.equations import Equations
from eccles.language.functions import function
from eccles.monitors import EventMonitor, PopulationRateMonitor, SpikeMonitor, StateMonitor
from eccles.objects import (
    MagicError,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    Subgroup,
    Synapses,
    TimedArray,
    defaultclock,
    linked_var,
    network_operation,
    restore,
    run,
    seed,
    start_scope,
    stop,
    store,
)
from eccles.results import open_sweep
from eccles.sweeps import record, rerun, sweep, zipped
from eccles.units import *  # noqa: F403  (the names of units are data: see units/names.py)

__version__ = "0.1.0"

__all__ = [
    "Clock",
    "DimensionMismatchError",
    "EcclesError",
    "EcclesWarning",
    "EquationError",
    "Equations",
    "EventMonitor",
    "MagicError",
    "ModelError",
    "Network",
    "NetworkOperation",
    "NeuronGroup",
    "PoissonGroup",
    "PoissonInput",
    "PopulationRateMonitor",
    "RunError",
    "SetupError",
    "SpikeGeneratorGroup",
    "SpikeMonitor",
    "StateMonitor",
    "Subgroup",
    "Synapses",
    "TimedArray",
    "UnitError",
    "defaultclock",
    "explain",
    "function",
    "linked_var",
    "network_operation",
    "open_sweep",
    "record",
    "rerun",
    "restore",
    "run",
    "seed",
    "silence",
    "start_scope",
    "stop",
    "store",
    "sweep",
    "zipped",
    *units.__all__,
]
