"""Test pulses: the EPSPs that the weights of an experiment make in a neuron at rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import Clock
from eccles.lab.measure import epsp
from eccles.lab.neurons import Neuron, Transmission
from eccles.lab.rules import Rule
from eccles.language.equations import Equations
from eccles.objects import Network, SpikeGeneratorGroup, Synapses, magic
from eccles.results.labels import dimension_of
from eccles.units import Quantity, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["side_by_side", "tested"]

AT_ONCE = 4000  # EPSPs that are measured in one network: their traces are in memory together
REST = 0.5  # seconds in which the neuron comes to rest before its tests


def tested(
    data: xr.Dataset,
    rule: Rule,
    neuron: Neuron,
    transmission: Transmission,
    delay: Quantity,
    dt: Quantity,
) -> xr.Dataset:
    """The data of an experiment with the EPSPs of all its tests.

    Equal weights make equal EPSPs, so each weight is measured once. All are synapses side by side, onto
    copies of the neuron.

    Parameters
    ----------
    data : Dataset
        With `weight`, (..., test).

    Returns
    -------
    Dataset
        With `amplitude` and what else `epsp` measures, (..., test), and `epsp`, the mean trace over the tests
        (and trials) of each phase, (..., phase, lag).
    """
    weights = data["weight"].values
    different, which = np.unique(weights[np.isfinite(weights)], return_inverse=True)
    place = np.full(weights.shape, -1)
    place[np.isfinite(weights)] = which
    dims = data["weight"].dims
    n_together = 2 if "trial" in dims else 1  # trials and tests are the last dimensions
    after = np.broadcast_to(data["follow_up"].values, weights.shape[-n_together:])
    together = place.reshape(*weights.shape[:-n_together], -1)
    traces = _Mean(together, after.reshape(-1))
    measured: dict[str, list[np.ndarray]] = {}
    lag: Any = None
    attributes: dict[str, Any] = {}
    for start in range(0, len(different), AT_ONCE):
        part = different[start : start + AT_ONCE]
        found = side_by_side(part, rule, neuron, transmission, delay, dt)
        lag = found["time"]
        attributes = {str(name): _in_symbols(found[name].attrs) for name in found.data_vars}
        for name in found.data_vars:
            if found[name].dims == ("synapse",):
                measured.setdefault(str(name), []).append(found[name].values)
        traces.add(start, found["trace"].transpose("synapse", "time").values)
    new: dict[str, Any] = {}
    for name, parts in measured.items():
        all_values = np.append(np.concatenate(parts), np.nan)  # the last one for weights that are NaN
        new[name] = (dims, all_values[place], attributes[name])
    result = data.assign(new)
    if not len(different):
        return result
    over = dims[:-n_together]
    result = result.assign(epsp=((*over, "phase", "lag"), traces.mean(), attributes["trace"]))
    return result.assign_coords(phase=["before", "after"], lag=("lag", lag.values, lag.attrs))


def side_by_side(
    weights: np.ndarray, rule: Rule, neuron: Neuron, transmission: Transmission, delay: Quantity, dt: Quantity
) -> xr.Dataset:  # fmt: skip
    """What `epsp` says of synapses with these weights, (synapse,), onto copies of the neuron at rest."""
    equation = Equations(rule.equations)[rule.weight]
    with magic.private_scope():
        clock = Clock(dt)
        source = SpikeGeneratorGroup(1, [], [] * second, clock=clock)  # test pulses need no spikes of its own
        cells = neuron.group(len(weights), transmission, namespace={}, clock=clock)
        synapses = Synapses(
            source, cells, f"{rule.weight} : {equation.unit_text}",
            on_pre=re.sub(r"\bw\b", rule.weight, transmission.on_pre), delay=delay,
            namespace=dict(transmission.parameters), clock=clock,
        )  # fmt: skip
        synapses.connect()
        synapses.view(rule.weight, units=False)[:] = weights
        network = Network(source, cells, synapses)
        network.run(REST * second)
        return epsp(synapses, freeze=rule.weight, network=network)


def _in_symbols(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Attributes with the usual symbol of their unit: V, not m^2 kg s^-3 A^-1."""
    return {**attributes, "units": dimension_of(attributes.get("units", "1")).symbol()}


class _Mean:
    """The mean trace before and after the induction, added up from parts.

    Parameters
    ----------
    place : (..., test) int
        Which of the different weights each test has; -1 for none.
    after : (test,) bool
    """

    def __init__(self, place: np.ndarray, after: np.ndarray) -> None:
        self._place = place.reshape(-1, place.shape[-1])
        self._shape = place.shape[:-1]
        self._after = after
        self._sum: np.ndarray | None = None

    def add(self, start: int, traces: np.ndarray) -> None:
        """The traces of the different weights from `start` on, (synapse, time)."""
        if self._sum is None:
            self._sum = np.zeros((len(self._place), 2, traces.shape[1]))
        for phase in (0, 1):
            columns = self._place[:, self._after == bool(phase)] - start
            for row, own in enumerate(columns):
                here = own[(own >= 0) & (own < len(traces))]
                which, counts = np.unique(here, return_counts=True)
                self._sum[row, phase] += counts @ traces[which] / columns.shape[1]

    def mean(self) -> np.ndarray:
        """(..., phase, time); NaN where a weight is missing."""
        assert self._sum is not None
        mean = self._sum
        for phase in (0, 1):
            mean[(self._place[:, self._after == bool(phase)] < 0).any(axis=1), phase] = np.nan
        return mean.reshape(*self._shape, 2, -1)
