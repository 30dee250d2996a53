"""Mistakes, and the types of errors by which scripts written for Brian 2 catch them.

`python tests/objects/brian2_mistakes.py > tests/objects/golden/brian2_mistakes.json` in an environment with
Brian 2 2.9 writes the expected names: of the error and of its cause, or null where nothing is raised.
`test_same_mistakes_as_brian2.py` makes the same mistakes with `eccles.brian2`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

MISTAKES: dict[str, Callable[[Any], Any]] = {
    # construction of groups
    "no neurons": lambda b: b.NeuronGroup(0, "v : 1"),
    "number with a unit": lambda b: b.NeuronGroup(3 * b.mV, "v : 1"),
    "number as text": lambda b: b.NeuronGroup("3", "v : 1"),
    "model is a number": lambda b: b.NeuronGroup(3, 5),
    "equation without a unit": lambda b: b.NeuronGroup(3, "dv/dt = -v/ms"),
    "scaled unit": lambda b: b.NeuronGroup(3, "v : mV"),
    "unknown flag": lambda b: b.NeuronGroup(3, "v : 1 (strange)"),
    "flag of synapses": lambda b: b.NeuronGroup(3, "dv/dt = -v/ms : 1 (event-driven)"),
    "defined twice": lambda b: b.NeuronGroup(3, "v : 1\nv : volt"),
    "reserved name": lambda b: b.NeuronGroup(3, "t : second"),
    "cycle of subexpressions": lambda b: b.NeuronGroup(3, "x = y : 1\ny = x : 1"),
    "reset without threshold": lambda b: b.NeuronGroup(3, "v : 1", reset="v = 0"),
    "bad event name": lambda b: b.NeuronGroup(3, "v : 1", events={"1st": "v > 0"}),
    "dt and clock": lambda b: b.NeuronGroup(3, "v : 1", dt=1 * b.ms, clock=b.Clock(dt=1 * b.ms)),
    "illegal object name": lambda b: b.NeuronGroup(3, "v : 1", name="1 group"),
    "event for run_on_event": lambda b: b.NeuronGroup(3, "v : 1").run_on_event("other", "v = 0"),
    "monitor of a group without threshold": lambda b: b.SpikeMonitor(b.NeuronGroup(3, "v : 1")),
    # state
    "volt to a pure number": lambda b: setattr(b.NeuronGroup(3, "v : 1"), "v", 3 * b.mV),
    "number to a voltage": lambda b: setattr(b.NeuronGroup(3, "v : volt"), "v", 3),
    "text of another unit": lambda b: setattr(b.NeuronGroup(3, "v : volt"), "v", "3*nA"),
    "wrong number of values": lambda b: setattr(b.NeuronGroup(3, "v : 1"), "v", [1, 2]),
    "unknown attribute set": lambda b: setattr(b.NeuronGroup(3, "v : 1"), "w", 3),
    "unknown attribute read": lambda b: b.NeuronGroup(3, "v : 1").w,
    "subexpression set": lambda b: setattr(b.NeuronGroup(3, "v : 1\nx = v : 1"), "x", 3),
    "N set": lambda b: setattr(b.NeuronGroup(3, "v : 1"), "N", 4),
    "index out of range": lambda b: b.NeuronGroup(3, "v : 1").v[3],
    "text index that is no condition": lambda b: b.NeuronGroup(3, "v : 1").v["i + 1"],
    "unknown name in text": lambda b: setattr(b.NeuronGroup(3, "v : 1"), "v", "unheard_of"),
    # parts
    "part with a step": lambda b: b.NeuronGroup(10, "v : 1")[::2],
    "part with gaps": lambda b: b.NeuronGroup(10, "v : 1")[[1, 3]],
    "part out of range": lambda b: b.NeuronGroup(10, "v : 1")[12:],
    "empty part": lambda b: b.NeuronGroup(10, "v : 1")[3:3],
    # links and timed arrays
    "link to another unit": lambda b: setattr(
        b.NeuronGroup(3, "x : volt (linked)"), "x", b.linked_var(b.NeuronGroup(3, "y : 1"), "y")
    ),
    "link without a declaration": lambda b: setattr(
        b.NeuronGroup(3, "x : 1"), "x", b.linked_var(b.NeuronGroup(3, "y : 1"), "y")
    ),
    "value to a linked variable": lambda b: setattr(b.NeuronGroup(3, "x : 1 (linked)"), "x", 3),
    "link between sizes": lambda b: setattr(
        b.NeuronGroup(3, "x : 1 (linked)"), "x", b.linked_var(b.NeuronGroup(4, "y : 1"), "y")
    ),
    "timed array at a number": lambda b: b.TimedArray([1, 2], dt=1 * b.ms)(3),
    "timed array without unit of time": lambda b: b.TimedArray([1, 2], dt=1),
    # sources
    "spikes at numbers": lambda b: b.SpikeGeneratorGroup(3, [0], [1]),
    "spike of nobody": lambda b: b.SpikeGeneratorGroup(3, [3], [1] * b.ms),
    "more times than indices": lambda b: b.SpikeGeneratorGroup(3, [0], [1, 2] * b.ms),
    "period too short": lambda b: b.SpikeGeneratorGroup(3, [0], [5] * b.ms, period=4 * b.ms),
    "rates without unit": lambda b: b.PoissonGroup(3, rates=5),
    "input to an unknown variable": lambda b: b.PoissonInput(
        b.NeuronGroup(3, "v : 1"), "w", N=1, rate=5 * b.Hz, weight=1
    ),
    "weight of another unit": lambda b: b.PoissonInput(
        b.NeuronGroup(3, "v : 1"), "v", N=1, rate=5 * b.Hz, weight=1 * b.mV
    ),
    # monitors, operations, networks
    "unknown variable monitored": lambda b: b.StateMonitor(b.NeuronGroup(3, "v : 1"), "w", record=True),
    "element out of range monitored": lambda b: b.StateMonitor(b.NeuronGroup(3, "v : 1"), "v", record=[3]),
    "spikes of some neurons": lambda b: b.SpikeMonitor(
        b.NeuronGroup(3, "v : 1", threshold="v > 1"), record=[0, 1]
    ),
    "operation with two arguments": lambda b: b.NetworkOperation(lambda x, y: None),
    "number in a network": lambda b: b.Network(3),
    "unknown name in a network": lambda b: b.Network(b.NeuronGroup(3, "v : 1"))["nobody"],
    "restore without store": lambda b: b.Network(b.NeuronGroup(3, "v : 1")).restore(),
    "dt of zero": lambda b: setattr(b.defaultclock, "dt", 0 * b.ms),
    "dt without unit": lambda b: setattr(b.defaultclock, "dt", 0.1),
}


def run(b: Any, *objects: Any, duration: Any = None, **more: Any) -> None:
    """Run objects for a moment."""
    b.Network(*objects).run(1 * b.ms if duration is None else duration, **more)


MISTAKES |= {
    # what shows at the run
    "negative duration": lambda b: run(b, b.NeuronGroup(3, "v : 1"), duration=-1 * b.ms),
    "duration without unit": lambda b: run(b, b.NeuronGroup(3, "v : 1"), duration=1),
    "units of an equation": lambda b: run(b, b.NeuronGroup(3, "dv/dt = -v : volt")),
    "units within an equation": lambda b: run(b, b.NeuronGroup(3, "dv/dt = (3*nA - v)/ms : volt")),
    "unknown name in an equation": lambda b: run(b, b.NeuronGroup(3, "dv/dt = -v/tau_m : 1")),
    "syntax of a threshold": lambda b: run(b, b.NeuronGroup(3, "v : 1", threshold="v >")),
    "threshold that is a number": lambda b: run(b, b.NeuronGroup(3, "v : 1", threshold="v + 1")),
    "units of a threshold": lambda b: run(b, b.NeuronGroup(3, "v : volt", threshold="v > 1")),
    "units of a reset": lambda b: run(b, b.NeuronGroup(3, "v : volt", threshold="v > 1*mV", reset="v = 1")),
    "unknown function": lambda b: run(b, b.NeuronGroup(3, "dv/dt = strange(v)/ms : 1", method="euler")),
    "array as a constant": lambda b: run(
        b, b.NeuronGroup(3, "dv/dt = -v/a : 1", namespace={"a": np.arange(3) * b.ms}, method="euler")
    ),
    "method that does not fit": lambda b: run(b, b.NeuronGroup(3, "dv/dt = -v**3/ms : 1", method="exact")),
    "unknown method": lambda b: run(b, b.NeuronGroup(3, "dv/dt = -v/ms : 1", method="best")),
    "link to nothing": lambda b: run(b, b.NeuronGroup(3, "x : 1 (linked)\ndv/dt = x/ms : 1", method="euler")),
    "unknown slot": lambda b: run(b, _with_code(b, when="never")),
    "units in regular code": lambda b: run(b, _with_code(b, "v = 3*mV")),
    "syntax in regular code": lambda b: run(b, _with_code(b, "v = ")),
    "refractory of another unit": lambda b: run(
        b, b.NeuronGroup(3, "v : 1", threshold="v > 1", refractory="3*mV")
    ),
    "refractory number": lambda b: run(b, b.NeuronGroup(3, "v : 1", threshold="v > 1", refractory=3)),
    "two spikes in a step": lambda b: run(b, b.SpikeGeneratorGroup(1, [0, 0], [0.11, 0.12] * b.ms)),
    "monitor without its group": lambda b: run(
        b, b.StateMonitor(b.NeuronGroup(3, "v : 1"), "v", record=True)
    ),
    "two objects of one name": lambda b: run(
        b, b.NeuronGroup(3, "v : 1", name="one"), b.NeuronGroup(3, "v : 1", name="one")
    ),
    "two networks": lambda b: _in_two_networks(b),
    "magic mixture": lambda b: _magic_mixture(b),
    "new dt between steps": lambda b: _new_dt(b),
    "error in an operation": lambda b: run(b, b.NetworkOperation(lambda: 1 / 0)),
    "rate too high": lambda b: run(b, b.PoissonGroup(3, rates="5*mV")),
}


def _with_code(b: Any, code: str = "v += 1", **more: Any) -> Any:
    group = b.NeuronGroup(3, "v : 1")
    group.run_regularly(code, **more)
    return group


def _in_two_networks(b: Any) -> None:
    group = b.NeuronGroup(3, "v : 1")
    run(b, group)
    run(b, group)


def _magic_mixture(b: Any) -> None:
    old = b.NeuronGroup(3, "v : 1")
    b.run(1 * b.ms)
    new = b.NeuronGroup(3, "v : 1")
    b.run(1 * b.ms)
    assert old is not new


def _new_dt(b: Any) -> None:
    group = b.NeuronGroup(3, "v : 1")
    net = b.Network(group)
    net.run(0.5 * b.ms)
    b.defaultclock.dt = 0.3 * b.ms
    net.run(0.6 * b.ms)


def outcome(name: str, b: Any) -> list[list[str]] | None:
    """The names of the error's class and its bases, and those of its cause; None without an error."""
    b.start_scope()
    b.defaultclock.dt = 0.1 * b.ms
    try:
        MISTAKES[name](b)
    except Exception as error:
        chain = [error] if error.__cause__ is None else [error, error.__cause__]
        return [[base.__name__ for base in type(e).__mro__] for e in chain]
    finally:
        b.start_scope()
        b.defaultclock.dt = 0.1 * b.ms
    return None


if __name__ == "__main__":
    import brian2  # pyright: ignore[reportMissingImports]  (only needed to make the expected values)

    brian2.prefs.codegen.target = "numpy"
    expected = {name: outcome(name, brian2) for name in MISTAKES}
    short = {
        name: None if found is None else [names[0] for names in found] for name, found in expected.items()
    }
    print(json.dumps(short, indent=1))
