"""The voltage-based rule of Clopath et al. 2010: what the membrane did decides, not when it spiked.

    dw/dt = -A_LTD X(t) [ubar_minus - theta_minus]+
            + A_LTP xbar [u - theta_plus]+ [ubar_plus - theta_minus]+

X is the presynaptic spike train, xbar its low-pass; ubar_minus and ubar_plus are low-passes of the voltage
`u`. Both are read some milliseconds late (`delay_ubar`), so that a spike does not see itself. The paper
does not say so; the code of the authors and NEST do it, and the published curves need it.

The model language has no delay of a variable. Here a cascade of `stages` low-passes delays it: each takes a
part of the delay. The more stages, the closer to a pure delay: at the end of the published protocols (15
bursts of 5 pairs at 10 to 50 Hz) weights differ from those with a pure delay by up to 0.8 % of their initial
value with 8 stages, 0.5 % with 12 and 0.4 % with 16, most at 50 Hz.

Potentiation is an integral over the voltage of the postsynaptic neuron, so it is clock-driven: its error is
of the order of the time step, though spikes come at exact times.
"""

from __future__ import annotations

from typing import Any

from eccles.lab import checked
from eccles.lab.parts import Preset, chosen
from eccles.lab.rules.rule import Rule
from eccles.units import Quantity, ms, mV

__all__ = ["PRESETS", "voltage"]

SOURCE = "Clopath, Büsing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344"
PRESETS = {
    "visual cortex": Preset(
        {
            "theta_minus": -70.6 * mV, "theta_plus": -45.3 * mV, "A_LTD": 14e-5 / mV, "A_LTP": 8e-5 / mV**2,
            "tau_x": 15 * ms, "tau_minus": 10 * ms, "tau_plus": 7 * ms, "delay_ubar": 4 * ms,
        },
        SOURCE + "; the authors' code, ModelDB 144566",
        "The delay is not in the paper: 3 steps of 1 ms after the update in the authors' code, 4 ms in NEST.",
    ),
}  # fmt: skip


def voltage(
    preset: str = "visual cortex", *, stages: int = 12, homeostasis: Quantity | None = None, **parameters: Any
) -> Rule:
    """The voltage-based rule of Clopath et al. 2010.

    Its postsynaptic neuron needs `rule.post_equations` and a voltage `u` that has the shape of spikes, such
    as that of `eccles.lab.neurons.clopath`:

        post = clopath().group(1, equations=rule.post_equations, namespace=rule.parameters)

    The low-passes begin with `theta_minus`, which is the resting potential in the published set.

    Parameters
    ----------
    preset : str, optional
        'visual cortex'.
    stages : int, optional
        Of the cascade that delays the low-passes; 0 for no delay.
    homeostasis : voltage, optional
        A reference for the mean depolarization ubarbar, the low-pass of `u - theta_minus` with `tau_ubarbar`
        (1 s): depression is larger by `ubarbar**2/u_ref**2`. Without it, it is not changed.
    **parameters
        Those that are to differ: `theta_minus`, `theta_plus` (voltages), `A_LTD` (1/voltage), `A_LTP`
        (1/voltage**2), `tau_x`, `tau_minus`, `tau_plus`, `delay_ubar` (times); with `homeostasis`,
        `tau_ubarbar`.

    Raises
    ------
    SetupError
        If there is no such preset or parameter, or `stages` is no whole number from 0 on.
    DimensionMismatchError
        If a parameter, or `homeostasis`, has another unit.
    """
    checked.count(stages, "the number of stages", least=0)
    published = chosen(PRESETS, preset, "voltage")
    values = dict(published.parameters)
    if not stages:
        del values["delay_ubar"]
    lines = [line for side in ("minus", "plus") for line in _low_pass(side, stages)]
    depression = "A_LTD"
    if homeostasis is not None:
        values |= {"u_ref": 1 * mV, "tau_ubarbar": 1000 * ms}
        parameters = {"u_ref": homeostasis, **parameters}
        lines.append("dubarbar/dt = (u - theta_minus - ubarbar)/tau_ubarbar : volt")
        depression = "A_LTD*ubarbar_post**2/u_ref**2"
    return Rule(
        "voltage-based rule",
        "dw/dt = A_LTP*xbar*over*before : 1 (clock-driven)\n"
        "over = (u_post - theta_plus)*int(u_post > theta_plus) : volt\n"
        "before = late_plus_post*int(late_plus_post > 0*volt) : volt\n"
        "dxbar/dt = -xbar/tau_x : hertz (clock-driven)",
        on_pre=f"w -= {depression}*late_minus_post*int(late_minus_post > 0*volt)\nxbar += 1/tau_x",
        parameters=values,
        initial={"w": 0.5},
        post_equations="\n".join(lines),
        post_initial={
            name: "theta_minus"
            for side in ("minus", "plus")
            for name in (f"ubar_{side}", *(f"ubar_{side}_{k + 1}" for k in range(stages)))
        },
        method="rk4",  # the coefficients of the exact solution would follow the voltage
        source=f"{SOURCE}\nnumbers: {published}",
        preset=preset,
    ).changed(**parameters)


def _low_pass(side: str, stages: int) -> list[str]:
    """The low-pass of the voltage on one side, and the cascade that delays it."""
    name = f"ubar_{side}"
    lines = [f"d{name}/dt = (u - {name})/tau_{side} : volt"]
    for k in range(1, stages + 1):
        stage = f"ubar_{side}_{k}"
        lines.append(f"d{stage}/dt = ({name} - {stage})*{stages}/delay_ubar : volt")
        name = stage
    return [*lines, f"late_{side} = {name} - theta_minus : volt"]
