"""What a rule makes of two spike trains, and of pairs of spikes: all conditions in one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.engine.clock import Clock, to_seconds
from eccles.errors import SetupError
from eccles.lab import checked
from eccles.lab.rules.rule import Rule
from eccles.lab.sources import generator
from eccles.objects import Network, Synapses, magic
from eccles.units import Quantity, hertz, ms, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["curve", "response", "window"]


def response(
    rule: Rule,
    pre: Sequence[Any],
    post: Sequence[Any],
    *,
    variables: str | Sequence[str] | None = None,
    delay: Quantity = 0 * ms,
    duration: Quantity | None = None,
    initial: Any = None,
    dt: Quantity = 0.1 * ms,
) -> xr.Dataset:
    """The variables of a synapse after its two neurons have spiked at given times.

    Each condition has a synapse and two neurons of its own; all are in one network.

    Parameters
    ----------
    rule : Rule
        One whose postsynaptic neuron needs no equations, as it is only told when to spike.
    pre, post : sequence of (n,), time
        The spike trains of each condition, in a list or as the rows of an array. One train alone, such as
        that of a protocol, is one condition.
    variables : str or sequence of str, optional
        Which variables of the synapse to give; by default the weight.
    delay : time, optional
        Of all synapses; `rule.delays` says where it arises.
    duration : time, optional
        How long to simulate; by default until the last spike has reached all synapses.
    initial : mapping, optional
        Values at the start other than those of the rule, (condition,) each.
    dt : time, optional
        The time step, which matters for clock-driven equations only.

    Returns
    -------
    Dataset
        Each variable over the dimension `condition`, in SI units.

    Raises
    ------
    SetupError
        If there are not as many pre as post trains, a neuron spikes twice at a time, a synapse has no such
        variable, or the rule needs a neuron of its own.
    """
    names = [rule.weight] if variables is None else [variables] if isinstance(variables, str) else variables
    return _before_and_after(rule, pre, post, names, delay, duration, initial, dt)[1]


def _before_and_after(
    rule: Rule,
    pre: Sequence[Any],
    post: Sequence[Any],
    names: Sequence[str],
    delay: Quantity,
    duration: Quantity | None,
    initial: Any,
    dt: Quantity,
) -> tuple[xr.Dataset, xr.Dataset]:
    trains = [
        checked.trains(side, f"{what}synaptic spike trains") for side, what in ((pre, "pre"), (post, "post"))
    ]
    n = len(trains[0])
    if n != len(trains[1]):
        raise SetupError(
            f"there are {n} presynaptic and {len(trains[1])} postsynaptic spike trains",
            hint="Each condition has one of each, which may be empty: []*ms.",
        )
    if rule.post_equations:
        raise SetupError(
            f"the rule '{rule.name}' needs a postsynaptic neuron with equations of its own",
            hint="Make the network yourself: rule.synapses(pre, post), rule.post_equations in the neuron.",
        )
    with magic.private_scope():
        clock = Clock(dt)  # one for all: what has another clock has no exact times
        source, target = (generator(side, clock) for side in trains)
        synapses = rule.synapses(source, target, {"j": "i"}, delay=delay, initial=initial, namespace={})
        for name in names:
            rule.check_variable(synapses, name)
        network = Network(source, target, synapses)
        before = _values(synapses, names, n)
        network.run(_end([*trains[0], *trains[1]], delay, rule) if duration is None else duration)
    return before, _values(synapses, names, n)


def _values(synapses: Synapses, names: Sequence[str], n: int) -> xr.Dataset:
    import xarray as xr

    found = {name: getattr(synapses, name) for name in names}
    return xr.Dataset(
        {
            name: (
                "condition",
                np.broadcast_to(np.asarray(value[:], float), (n,)).copy(),
                {"units": str(value.dim)},
            )
            for name, value in found.items()
        }
    )


def _end(trains: Sequence[np.ndarray], delay: Quantity, rule: Rule) -> Quantity:
    last = max(float(np.max(train, initial=0.0)) for train in trains)
    lag = float(rule.parameters[rule.lag]) if rule.lag else 0.0
    wait = to_seconds(delay, "the delay") + to_seconds(rule.rest, f"the rest of the rule '{rule.name}'")
    return (last + lag + wait) * second


def curve(
    rule: Rule,
    gaps: Any = None,
    *,
    n_pairs: int = 1,
    rate: Quantity = 1 * hertz,
    delay: Quantity = 0 * ms,
    duration: Quantity | None = None,
    initial: Any = None,
    dt: Quantity = 0.1 * ms,
) -> xr.DataArray:
    """The change of the weight by pairs of spikes with a fixed gap.

    Parameters
    ----------
    gaps : (gap,), time, optional
        Post minus pre; by default from -100 to 100 ms.
    n_pairs : int, optional
        How many pairs.
    rate : frequency, optional
        How often a pair comes.
    delay, duration, initial, dt
        As for `response`.

    Returns
    -------
    DataArray
        The weight at the end minus that at the start, over `gap` (s).

    Raises
    ------
    SetupError
        If the postsynaptic neuron does nothing in the rule, the rule needs one with equations of its own, or
        gaps are no finite times.
    DimensionMismatchError
        If gaps or the rate have another unit.
    """
    if not rule.has_post:
        raise SetupError(
            f"the postsynaptic neuron does nothing in the rule '{rule.name}': there is no curve over gaps",
            hint="rule.response(pre, post, variables=...) says what spike trains do to it.",
        )
    gap = checked.times(np.linspace(-100, 100, 201) * ms if gaps is None else gaps, "gaps", one=True)
    onsets = np.arange(checked.count(n_pairs, "n_pairs")) / checked.frequency(rate, "the rate of pairs")
    pre = [Quantity(max(-g, 0.0) + onsets, dim=second.dim) for g in gap]
    post = [Quantity(max(g, 0.0) + onsets, dim=second.dim) for g in gap]
    before, after = _before_and_after(rule, pre, post, [rule.weight], delay, duration, initial, dt)
    import xarray as xr

    return xr.DataArray(
        (after - before)[rule.weight].values,
        {"gap": ("gap", gap, {"units": "s", "long_name": "post minus pre"})}, ("gap",),
        name=rule.weight, attrs={**after[rule.weight].attrs, "long_name": f"change of {rule.weight}"},
    )  # fmt: skip


def window(rule: Rule, gaps: Any = None, *, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw `curve`; the gap in ms."""
    changes = curve(rule, gaps, **options)
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(layout="constrained")
    x, y = changes["gap"].values * 1e3, changes.values
    for side in (x < 0, x > 0):  # the curve may jump where the spikes coincide
        ax.plot(x[side], y[side], color="C0")
    ax.plot(x[x == 0], y[x == 0], "o", color="C0", markersize=4)
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    units = changes.attrs["units"]
    ax.set(xlabel="post minus pre (ms)", title=rule.name,
           ylabel=f"change of {rule.weight}" + ("" if units == "1" else f" ({units})"))  # fmt: skip
    return ax
