"""Competition of synapses by STDP: Song, Miller & Abbott 2000.

A leaky integrate-and-fire neuron gets 1000 excitatory Poisson inputs with additive pair STDP, and 200
inhibitory ones that are not plastic. Weights end near their bounds, and the neuron fires at much the same
rate whatever that of its inputs is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from eccles.lab.experiments.study import Outcome, Study
from eccles.lab.neurons.neuron import Neuron, Transmission
from eccles.lab.rules.pair import pair
from eccles.lab.rules.rule import Rule
from eccles.objects import Network, PoissonGroup, Synapses, magic
from eccles.sweeps import record, sweep
from eccles.units import Hz, Quantity, ms, mV, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["CELL", "EXCITATORY", "INHIBITORY", "STUDY", "run", "simulate"]

SOURCE = "Song, Miller & Abbott 2000, Nat Neurosci 3:919"

CELL = Neuron(
    "leaky integrate-and-fire, conductances in units of the leak",
    "dv/dt = (E_L - v + I_in)/tau_m : volt",
    threshold="v > V_th",
    reset="v = V_reset",
    parameters={"E_L": -70 * mV, "V_th": -54 * mV, "V_reset": -60 * mV, "tau_m": 20 * ms},
    initial={"v": "E_L"},
    input_unit="volt",
    source=SOURCE,
)
EXCITATORY = Transmission(
    "excitatory conductance", "dg_ex/dt = -g_ex/tau_ex : 1", "g_ex*(E_ex - v)", "g_ex_post += w*g_max",
    {"E_ex": 0 * mV, "tau_ex": 5 * ms, "g_max": 0.015}, SOURCE,
)  # fmt: skip
INHIBITORY = Transmission(
    "inhibitory conductance", "dg_in/dt = -g_in/tau_in : 1", "g_in*(E_in - v)", "g_in_post += g_inh",
    {"E_in": -70 * mV, "tau_in": 5 * ms, "g_inh": 0.05}, SOURCE,
)  # fmt: skip

N_EXCITATORY, N_INHIBITORY, INHIBITORY_RATE = 1000, 200, 10 * Hz
IN_FULL = 2400.0  # seconds
N_WINDOWS = 12  # of the whole time, for which weights and rates are kept
SETTLED = 8  # of them are over when the steady state begins


def simulate(
    rates: Sequence[float], duration: float, rule: Rule, w_start: float | str = "rand()", seed: int = 1
) -> xr.Dataset:
    """Weights and output rate over time, for several rates of the excitatory inputs.

    Parameters
    ----------
    rates : (input_rate,)
        In Hz.
    duration : float
        In seconds.
    rule : Rule
    w_start : float or str, optional
        The weights at the start; by default spread evenly over the whole range.
    seed : int, optional

    Returns
    -------
    Dataset
        `w` over (input_rate, synapse, time), and `rate`, that of the output in hertz, over
        (input_rate, window).
    """
    import xarray as xr

    def model(rate: Quantity) -> None:
        excitatory = PoissonGroup(N_EXCITATORY, rate)
        inhibitory = PoissonGroup(N_INHIBITORY, INHIBITORY_RATE)
        cell = CELL.group(1, EXCITATORY, INHIBITORY)
        S = rule.synapses(
            excitatory, cell, transmission=EXCITATORY.on_pre, initial={"w": w_start},
            namespace=EXCITATORY.parameters,
        )  # fmt: skip
        fixed = Synapses(inhibitory, cell, on_pre=INHIBITORY.on_pre, namespace=INHIBITORY.parameters)
        fixed.connect()
        Network(excitatory, inhibitory, cell, S, fixed).run(duration * second)

    wanted = {"w": record.trace("S.w", dt=duration / N_WINDOWS * second), "spikes": "cell.spikes"}
    with magic.private_scope():
        found = sweep(model, rate=np.asarray(rates, float) * Hz, seed=seed, record=wanted, progress=False)
    edges = np.linspace(0, duration, N_WINDOWS + 1)
    spikes = [np.asarray(found.eccles.spikes("spikes", rate=rate * Hz)[0]) for rate in rates]
    counts = np.stack([np.histogram(times, edges)[0] for times in spikes])
    window = {"units": "s", "long_name": "time"}
    return xr.Dataset(
        {
            "w": (("input_rate", "synapse", "time"), found["w"].values, {"units": "1"}),
            "rate": (("input_rate", "window"), counts / np.diff(edges), {"units": "Hz"}),
        },
        {
            "input_rate": ("input_rate", np.asarray(rates, float), {"units": "Hz"}),
            "time": ("time", found["time"].values, {"units": "s"}),
            "window": ("window", (edges[1:] + edges[:-1]) / 2, window),
        },
    )


def run(quick: bool = False) -> Outcome:
    """The steady state at 10 to 40 Hz; `quick`: at two rates, and before all of it is steady."""
    rule = pair("Song 2000")
    rates, duration = ((20, 40), 150.0) if quick else ((10, 20, 30, 40), IN_FULL)
    data = simulate(rates, duration, rule)
    middle = float(data["w"].sel(input_rate=20).isel(time=-1).mean())
    still = simulate(rates, duration / 40, rule.changed(A_plus=0.0, A_minus=0.0), middle)
    data["rate_fixed"] = (
        still["rate"]
        .mean("window", keep_attrs=True)
        .assign_attrs(long_name=f"output rate with all weights {middle:.2f}")
    )
    halves = [slice(SETTLED, (SETTLED + N_WINDOWS) // 2), slice((SETTLED + N_WINDOWS) // 2, N_WINDOWS)]
    for k, half in enumerate(halves, 1):
        data[f"rate_{k}"] = data["rate"].isel(window=half).mean("window", keep_attrs=True)
    data["rate_steady"] = (data["rate_1"] + data["rate_2"]) / 2
    at_bounds = _near_bounds(data["w"])
    data["at_bounds"] = at_bounds.assign_attrs(units="1", long_name="weights within a tenth of the bounds")
    start, first, end = (at_bounds.isel(time=n).values for n in (0, SETTLED, N_WINDOWS))
    steady, fixed = data["rate_steady"].values, data["rate_fixed"].values
    change = float(np.abs(end - first).max())
    drift = np.abs(data["rate_2"].values / data["rate_1"].values - 1)
    notes = [
        "Amplitudes and time constants of the rule agree in several public copies; threshold, reset, E_ex "
        "and tau_ex were seen in one; E_L, tau_m, g_max, the inhibitory conductances (0.05, 5 ms, -70 mV) "
        "and their rate were not checked against the paper.",
        "All pairs of spikes count. Weights begin spread evenly over their range, which shortens the way.",
    ]
    if quick:
        notes.append(
            f"After {duration:g} s the weights are still on their way; the full study takes {IN_FULL:g} s."
        )
    return Outcome(
        data,
        {
            "input rate (Hz)": list(data["input_rate"].values),
            "output rate (Hz)": list(steady),
            "first half (Hz)": list(data["rate_1"].values),
            "second half (Hz)": list(data["rate_2"].values),
            "with fixed weights (Hz)": list(fixed),
            "weights within a tenth of the bounds": list(end),
            "mean weight": list(data["w"].isel(time=-1).mean("synapse").values),
        },
        partial(_draw, data),
        [
            f"Weights part: {100 * end.min():.0f} to {100 * end.max():.0f} % end within a tenth of a bound "
            f"({100 * start.mean():.0f} % at the start).",
            f"Inputs of {rates[0]:g} to {rates[-1]:g} Hz give outputs of {steady.min():.1f} to "
            f"{steady.max():.1f} Hz; with fixed weights of {middle:.2f} they give {fixed[0]:.1f} to "
            f"{fixed[-1]:.1f} Hz.",
            f"Between the two halves of the last third the output rate changes by {100 * drift.max():.0f} % "
            f"at most; the part of weights near a bound changes by {100 * change:.0f} points over them.",
        ],
        notes,
        {"rule": str(rule), "cell": str(CELL), "excitation": str(EXCITATORY), "inhibition": str(INHIBITORY)},
    )


def _near_bounds(w: xr.DataArray) -> xr.DataArray:
    return ((w < 0.1) | (w > 0.9)).mean("synapse")


def _draw(data: xr.Dataset) -> Figure:
    from matplotlib.figure import Figure

    rates = data["input_rate"].values
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=[1.1, 1])
    left, right = halves[0].subgridspec(len(rates), 1), halves[1].subgridspec(2, 1)
    panels = [figure.add_subplot(left[k]) for k in range(len(rates))]
    for k, (ax, rate) in enumerate(zip(panels, rates, strict=True)):
        values = data["w"].isel(time=-1).sel(input_rate=rate).values
        ax.hist(
            values,
            np.linspace(0, 1, 21).tolist(),
            weights=np.full(len(values), 100 / len(values)),
            color=f"C{k}",
        )
        ax.set_title(f"inputs of {rate:g} Hz", loc="right", y=0.72, fontsize="medium", color=f"C{k}")
        ax.set(xlim=(0, 1), ylim=(0, 75), ylabel="synapses (%)", yticks=[0, 25, 50, 75])
        ax.tick_params(labelbottom=k == len(rates) - 1)
    panels[-1].set(xlabel="weight at the end (1: the largest)")
    above, below = figure.add_subplot(right[0]), figure.add_subplot(right[1])
    above.plot(rates, data["rate_fixed"], "s--", color="0.55", label="fixed weights")
    above.plot(rates, data["rate_steady"], "o-", color="k", label="STDP")
    above.set(xlabel="input rate (Hz)", ylabel="output rate (Hz)", xticks=rates)
    above.set_yscale("symlog", linthresh=10, linscale=0.6)
    above.set_ylim(0, 2 * float(data["rate_fixed"].max()))
    above.legend(frameon=False)
    for k, rate in enumerate(rates):
        below.plot(data["window"], data["rate"].sel(input_rate=rate), color=f"C{k}", label=f"{rate:g} Hz")
    top = 1.3 * float(data["rate"].isel(window=slice(2, None)).max())
    below.set(xlabel="time (s)", ylabel="output rate (Hz)", ylim=(0, top))
    below.axvspan(*data["time"].values[[SETTLED, -1]], color="0.93", zorder=0)
    below.set_xlim(0, float(data["time"][-1]))
    below.legend(title="inputs", frameon=False, ncols=2, loc="upper right")
    below.text(0.99, 0.03, "taken as steady", transform=below.transAxes, ha="right", color="0.4")
    for ax in (*panels, above, below):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


STUDY = Study(
    "song-2000",
    "Does spike-timing-dependent plasticity sort synapses, and keep the rate of their neuron?",
    SOURCE,
    run,
)
