"""Test pulses: the postsynaptic potential of each synapse, in a branch of the simulation.

The branch is a copy of the network as it is at that moment (`eccles.objects.description`). In it weights are
constants, and the postsynaptic neurons do not spike. It is run twice, once with a spike that arrives at a
synapse of each neuron and once without; the difference is the postsynaptic potential (PSP). Everything else
is alike in both: other input, noise, spikes of other neurons. The simulation itself goes on as if nothing had
happened. Where a neuron has several synapses, each has a run of its own, for all neurons at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import to_seconds
from eccles.engine.walk import SAME
from eccles.errors import DimensionMismatchError, SetupError, unheard
from eccles.lab.rules.rule import Rule
from eccles.monitors import StateMonitor
from eccles.objects import Network, NeuronGroup, Synapses, magic
from eccles.objects.description import branched, describe, rebuild
from eccles.objects.memento import Memento
from eccles.objects.network import magic_network
from eccles.objects.pathway import Pathway
from eccles.objects.swept import tracer
from eccles.objects.timing import main_clock
from eccles.units import Quantity, get_dimensions, ms, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["epsp"]

FIRST_PULSE = 2**31  # ordinals of test pulses: no neuron spikes that often


def epsp(
    synapses: Synapses,
    at: Any = None,
    *,
    variable: str = "v",
    window: Quantity = 100 * ms,
    sample: Quantity = 0.05 * ms,
    interval: Quantity | None = None,
    freeze: str | Sequence[str] | None = None,
    network: Network | None = None,
    report: Any = None,
) -> xr.Dataset:
    """Measure the postsynaptic potential of each synapse by a test pulse.

    Parameters
    ----------
    synapses : Synapses
    at : time or sequence of times, optional
        When: the simulation is run on to each of these times, which takes the place of `run()`. Without it
        the measurement is done now.
    variable : str, optional
        The variable of the postsynaptic neurons that is measured.
    window : time, optional
        How long after the arrival of the pulse.
    sample : time, optional
        How far samples are apart at most.
    interval : time, optional
        Measure the response to a second pulse, this long after the first, as well.
    freeze : str or sequence of str, optional
        The variables of the synapses that stay as they are: the weight. By default that of the rule that the
        synapses follow, if it is `lasting`; otherwise `w`, if there is one that is neither computed from
        others nor itself the weight that does not last.
    network : Network, optional
        The one that the synapses are in; by default that of the last run, or what `run()` would simulate.
    report : optional
        Progress of the simulation between measurements, as in `run`.

    Returns
    -------
    Dataset
        Over `synapse`, and over `test` if `at` has several times: `trace` (over `time`, from the arrival of
        the pulse at the synapse on), and its shape as `psp_shape` gives it: `amplitude`, `latency` and
        `peak_time` (from the presynaptic spike on, so with the delay), `time_to_peak` (from the arrival on),
        `rise_10_90`, `rise_20_80`, `slope`, `half_width`, `decay`, `area`; with an interval also
        `second_trace` and `paired_pulse_ratio`. In SI units. `source` and `target` are the neurons.

    Raises
    ------
    SetupError
        If there are no synapses, if nothing of theirs happens at a presynaptic spike, if the network cannot
        be copied (network operations), or a time lies in the past.

    Examples
    --------
    >>> result = epsp(synapses, at=[0, 10]*second)
    >>> (result.amplitude[1]/result.amplitude[0]).values  # part of baseline
    """
    if tracer() is not None:
        raise SetupError("epsp() has no place in a model that is swept", hint="Measure after the sweep.")
    network = _network_of(synapses, network)
    probe = _Probe(
        synapses, network, variable, to_seconds(window, "the window"), to_seconds(sample, "the sample"),
        None if interval is None else to_seconds(interval, "the interval"), _frozen(synapses, freeze),
    )  # fmt: skip
    if at is None:
        return probe.measure()
    times = _times(at, network)
    found = []
    for k, t in enumerate(times):
        if t > network.t_:
            network.run((t - network.t_) * second, report=report)
        found.append(probe.measure(k))
    if np.ndim(at) == 0:
        return found[0]
    import xarray as xr

    test = ("test", np.array(times), {"units": "s", "long_name": "time of the test"})
    return xr.concat(found, dim="test", combine_attrs="override").assign_coords(test=test)


def _network_of(synapses: Synapses, network: Network | None) -> Network:
    """The network that is simulated, and that the synapses are in."""
    if network is None:
        network = synapses.network() if synapses.network is not None else None
    if network is None:
        magic_network.gather()
        network = magic_network
    if synapses not in network:
        raise SetupError(
            f"{synapses.name} is not in the network that is simulated",
            hint="Give the network: epsp(synapses, network=...).",
        )
    return network


def _frozen(synapses: Synapses, given: str | Sequence[str] | None) -> dict[str, str]:
    """The variables that stay as they are, and which variable each is to be equal to.

    Where the weight of a rule is brought up to date at spikes only, it is what it would be if one came now.
    """
    rule = getattr(synapses, "rule", None)
    weights = {rule.weight: rule.current, rule.current: rule.current} if isinstance(rule, Rule) else {}
    lasting = not isinstance(rule, Rule) or rule.lasting
    if given is not None:
        current = weights if lasting else {}
        return {name: current.get(name, name) for name in ([given] if isinstance(given, str) else given)}
    if weights and lasting:
        return weights
    found = synapses.equations.get("w")
    return {} if found is None or found.kind == "subexpression" or "w" in weights else {"w": "w"}


def _times(at: Any, network: Network) -> list[float]:
    """The times of tests in seconds, in order, none of them in the past."""
    if get_dimensions(at) is not second.dim:
        raise DimensionMismatchError(
            "tests are done at times, as in at=[0, 10]*second", get_dimensions(at), second.dim
        )
    times = np.atleast_1d(np.asarray(at, float))
    if times.ndim != 1 or not len(times) or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
        raise SetupError("the times of tests have to be in ascending order")
    if times[0] < network.t_ - SAME:
        raise SetupError(
            f"a test at {times[0]:g} s is in the past: the simulation is at {network.t_:g} s already",
            hint="Give all times in one call: epsp(...) runs the simulation on from one to the next.",
        )
    return times.tolist()


@dataclass(frozen=True, eq=False)
class _Probe:
    """A measurement that can be done again and again; times in seconds."""

    synapses: Synapses
    network: Network
    variable: str
    window: float
    sample: float
    interval: float | None
    frozen: dict[str, str]

    def __post_init__(self) -> None:
        synapses = self.synapses
        if not len(synapses):
            raise SetupError(f"{synapses.name} has no synapses yet", hint="Call connect(...) first.")
        if not any(p.side == "pre" and p.code.strip() for p in synapses.pathways()):
            raise SetupError(f"nothing happens at {synapses.name} when a presynaptic spike arrives")
        if not isinstance(synapses.target.whole, NeuronGroup):
            raise SetupError(
                f"{synapses.target.name} is no group of neurons with a potential, but spikes as it is told",
                hint="Let the synapses end on a NeuronGroup, with transmission='v_post += w*mV' or the like.",
            )
        if synapses.target.symbol(self.variable) is None:
            raise SetupError(f"{synapses.target.name} has no variable '{self.variable}' to measure")
        for name in ("window", "sample", "interval"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise SetupError(f"the {name} has to be a positive time, not {value:g} s")
        if self.interval is not None and self.interval < self.sample:
            raise SetupError("the second pulse has to come at least a sample after the first")

    def measure(self, number: int = 0) -> xr.Dataset:
        """The responses as the network is now; `number` tells one test from others of the same network."""
        import xarray as xr

        from eccles.lab.measure.psp import psp_shape

        branch = _Branch(self, FIRST_PULSE + 2 * number)
        first = branch.responses()
        trace = self._labelled(branch, first)
        delay = xr.DataArray(branch.delays, dims="synapse")
        shape = psp_shape(trace, onset=0.0)
        for name in ("latency", "peak_time"):
            shape[name] = (shape[name] + delay).assign_attrs(shape[name].attrs)
        result = shape.assign(trace=trace)
        if self.interval is not None:
            second_trace = self._labelled(branch, branch.responses(self.interval))
            result["second_trace"] = second_trace.assign_attrs(long_name="response to the second pulse alone")
            ratio = psp_shape(second_trace, onset=0.0)["amplitude"] / shape["amplitude"]
            result["paired_pulse_ratio"] = ratio.assign_attrs(units="1", long_name="paired-pulse ratio")
            result.attrs["interval"] = self.interval
        synapses = self.synapses
        return result.assign_coords(
            source=("synapse", np.array(synapses.i[:])), target=("synapse", np.array(synapses.j[:])),
            delay=("synapse", branch.delays, {"units": "s"}),
        )  # fmt: skip

    def _labelled(self, branch: _Branch, responses: np.ndarray) -> xr.DataArray:
        import xarray as xr

        symbol = self.synapses.target.symbol(self.variable)
        unit = symbol.dim.symbol() if symbol is not None else "1"
        time = ("time", branch.sample * np.arange(responses.shape[1]),
                {"units": "s", "long_name": "time since the arrival of the pulse"})  # fmt: skip
        return xr.DataArray(
            responses, {"time": time}, ("synapse", "time"), attrs={"units": unit, "long_name": "response"}
        )


class _Branch:
    """A copy of the network, and what it does with and without a pulse.

    Attributes
    ----------
    sample : float
        Seconds between samples.
    delays : (synapse,)
        From the presynaptic spike to its first effect on the target, in seconds.
    """

    def __init__(self, probe: _Probe, ordinal: int) -> None:
        self._ordinal = ordinal
        self._seed = magic.seed_value()
        with self._aside():
            kept = {name: _values(probe.synapses, source) for name, source in probe.frozen.items()}
            description = branched(
                describe(probe.network),
                frozen={probe.synapses.name: kept},
                silent=[probe.synapses.target.whole.name],
            )
            self._network = rebuild(description)
            synapses = self._network[probe.synapses.name]
            assert isinstance(synapses, Synapses)
            self._pathways = [p for p in synapses.pathways() if p.side == "pre"]
            target, step = np.array(synapses.j[:]), synapses.clock.dt_
            grid = main_clock([synapses.target.whole], self._network.spike_times) is None
            self.sample = step if grid else step / math.ceil(step / probe.sample * (1 - 1e-9))
            self._late = 1 if grid else 0  # on the grid, the effect is seen one step after the arrival
            if self.sample != step:  # all that was in step stays so
                for clock in {id(o.clock): o.clock for o in self._network._everything()}.values():
                    if clock.dt_ == step:
                        clock.dt = self.sample * second
            neurons, self._rows = np.unique(target, return_inverse=True)
            self._monitor = StateMonitor(synapses.target, probe.variable, neurons, clock=synapses.clock)
            self._variable = probe.variable
            self._network.add(self._monitor)
        self._ranks = _ranks(target)
        self.delays = np.min([p.delays() for p in _acting(self._pathways)], axis=0)
        self._n_samples = math.ceil(probe.window / self.sample * (1 - 1e-9)) + 1
        wait = np.max([p.delays() for p in self._pathways]) + (probe.interval or 0.0)
        self._lead = math.ceil(wait / self.sample * (1 - 1e-9)) + 1  # samples until the last pulse arrives
        self._length = self.sample * (self._lead + self._n_samples + self._late)
        with self._aside():
            for pathway in self._pathways:  # spikes that come too late, so that all runs have one program
                pathway.deliver(np.zeros(1), np.array([self._length + self.sample]), ordinal)
            self._network.get_ready(self._length)
            self._start = Memento(self._network)
            self._nothing = self._run(np.zeros(0, int), [])

    def _aside(self) -> AbstractContextManager[Any]:
        """Within, nothing that happens is noticed by the user's simulation."""
        stack = ExitStack()
        for context in (magic.private_scope(), magic.random_numbers(self._seed, anew=False), unheard()):
            stack.enter_context(context)
        return stack

    def responses(self, later: float | None = None) -> np.ndarray:
        """What the last pulse adds, (synapse, time) from its arrival on.

        Parameters
        ----------
        later : float, optional
            How many seconds after another one it comes; without it there is one pulse only.
        """
        found = np.empty((len(self._ranks), self._n_samples))
        last = self.sample * self._lead
        with self._aside():
            for rank in range(int(self._ranks.max()) + 1):
                which = np.flatnonzero(self._ranks == rank)
                first = [] if later is None else [last - later]
                without = self._run(which, first) if first else self._nothing
                found[which] = (self._run(which, [*first, last]) - without)[self._rows[which]]
        return found

    def _run(self, which: np.ndarray, arrivals: list[float]) -> np.ndarray:
        """The variable with pulses that arrive at these synapses, (neuron, time) from the last one on."""
        self._start.put_back()
        for pathway in self._pathways:
            early = self.delays[which] - pathway.delays()[which]
            for k, arrival in enumerate(arrivals):
                pathway.deliver(which, arrival - early, self._ordinal + k)
        self._network.run(self._length * second)
        begin = self._lead + self._late
        values = np.asarray(getattr(self._monitor, self._variable))
        return values[:, begin : begin + self._n_samples].copy()


def _values(synapses: Synapses, name: str) -> np.ndarray:
    if name not in synapses.equations:
        raise SetupError(f"{synapses.name} have no variable '{name}' that could be kept as it is")
    return np.array(synapses.view(name, units=False)[:])


def _acting(pathways: list[Pathway]) -> list[Pathway]:
    """Those that change variables of the target; all, if it only reads what they do to the synapse."""
    changing = [p for p in pathways if any(a.target.endswith("_post") for a in p.statements)]
    return changing or pathways


def _ranks(targets: np.ndarray) -> np.ndarray:
    """The number of each synapse among those of its target, (synapse,)."""
    order = np.argsort(targets, kind="stable")
    begins = np.searchsorted(targets[order], targets[order])  # of the synapses of the same target
    ranks = np.empty(len(targets), np.int64)
    ranks[order] = np.arange(len(targets)) - begins
    return ranks
