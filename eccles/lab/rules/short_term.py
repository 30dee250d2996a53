"""Short-term plasticity: how much a spike releases depends on the spikes just before it.

Between spikes everything is linear, so each variable decays by an exponential of its own and nothing is
stepped. With three states, recovered (x), active (y) and inactive (z), the equation of z depends on y; that
of `q = z + y*tau_rec/(tau_rec - tau_I)` does not: `q' = -q/tau_rec`.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from eccles.errors import SetupError
from eccles.lab.parts import Preset, all_numbers, changed, chosen
from eccles.lab.rules.rule import Rule
from eccles.units import ms

__all__ = ["PRESETS", "short_term"]

TSODYKS_1998 = "Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821"
TSODYKS_2000 = "Tsodyks, Uziel & Markram 2000, J Neurosci 20:RC50"
MAASS_2002 = "Maass & Markram 2002, Neural Netw 15:155"
NEST = "Demonstration of a depressing and a facilitating synapse in the documentation of NEST"


def _numbers(U: float, tau_rec: float, tau_fac: float, tau_I: float | None = None) -> dict[str, Any]:
    """Parameters by name; times in ms."""
    times = {"tau_rec": tau_rec * ms, "tau_fac": tau_fac * ms}
    return {"U": U, **times, **({} if tau_I is None else {"tau_I": tau_I * ms})}


PRESETS = {
    "Tsodyks 1998 depressing": Preset(
        _numbers(0.5, 800, 0, 3),
        f"{TSODYKS_1998}, figure 1A",
        "U is 0.5 in the text; the printed curve has been said to look more like 0.6.",
    ),
    "Tsodyks 1998 facilitating": Preset(_numbers(0.03, 130, 530, 1.5), f"{TSODYKS_1998}, figure 1B"),
    "Tsodyks 2000 excitatory to excitatory": Preset(
        _numbers(0.5, 800, 0, 3), TSODYKS_2000, "Mean values of the network, seen in one public copy only."
    ),
    "Tsodyks 2000 excitatory to inhibitory": Preset(
        _numbers(0.04, 100, 1000, 3),
        TSODYKS_2000,
        "Mean values of the network, seen in one public copy only.",
    ),
    "Maass 2002 excitatory to excitatory": Preset(
        _numbers(0.5, 1100, 50, 3), MAASS_2002, "Mean values of the network, seen in one public copy only."
    ),
    "NEST depressing": Preset(_numbers(0.67, 450, 0), NEST, "Made to show the effect, not measured."),
    "NEST facilitating": Preset(_numbers(0.1, 100, 1000), NEST, "Made to show the effect, not measured."),
}

TWO_STATES = """
    dx/dt = (1 - x)/tau_rec : 1 (event-driven)
"""
THREE_STATES = """
    x = 1 - q + y*tau_I/(tau_rec - tau_I) : 1
    dy/dt = -y/tau_I : 1 (event-driven)
    z = q - y*tau_rec/(tau_rec - tau_I) : 1
    dq/dt = -q/tau_rec : 1 (event-driven)
"""
FACILITATION = "du/dt = -u/tau_fac : 1 (event-driven)\n"
RELEASE_OF_TWO = "released = u*x\nx -= released"
RELEASE_OF_THREE = "released = u*x\ny += released\nq += released*tau_rec/(tau_rec - tau_I)"


def short_term(
    preset: str = "Tsodyks 1998 depressing", *, states: Literal[2, 3] = 2, **parameters: Any
) -> Rule:
    r"""Short-term depression and facilitation of Tsodyks and Markram.

    At a presynaptic spike the fraction `u` of the recovered resources `x` is released:

        u += U*(1 - u);  released = u*x;  x -= released

    Between spikes x recovers to 1 with `tau_rec` and u decays to 0 with `tau_fac`; with `tau_fac = 0` there
    is no facilitation, and u is U at each spike. With three states what was released is active (`y`) for
    a time `tau_I`, then inactive (`z`), and only then recovers: `y' = -y/tau_I`, `z' = y/tau_I - z/tau_rec`,
    `x = 1 - y - z`. All of this is exact.

    The rule sets the synaptic variable `released`, and leaves the absolute strength `w` (1 at first) alone.
    The transmission says what an amount of 1 does, and comes after the release (`rule.transmits` is 'after'):

        rule = short_term("Tsodyks 1998 facilitating", states=3)
        S = rule.synapses(source, target, transmission="v_post += w*released*mV")
        S = rule.synapses(source, target, transmission="I_post += w*released*250*pA", delay=1*ms)

    An exponential current of the target that decays with tau_I is the active fraction `y`, up to a factor.

    Parameters
    ----------
    preset : str, optional
        One of `PRESETS`.
    states : {2, 3}, optional
        Two states (recovered or not), or three.
    **parameters
        `U` (1), `tau_rec`, `tau_fac` and, with three states, `tau_I` (times) other than those of the preset.

    Raises
    ------
    SetupError
        If U is not in (0, 1], a time constant is not positive (`tau_fac` may be 0), or, with three states,
        tau_I equals tau_rec.

    References
    ----------
    Tsodyks & Markram 1997, PNAS 94:719; Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821
    (facilitation); Tsodyks, Uziel & Markram 2000, J Neurosci 20:RC50 (three states); Maass & Markram 2002,
    Neural Netw 15:155 (two states).
    """
    if states not in (2, 3):
        raise SetupError(f"short-term plasticity has 2 or 3 states, not {states!r}")
    found = chosen(PRESETS, preset, "short_term")
    known = dict(found.parameters)
    if states == 2:
        known.pop("tau_I", None)
    elif "tau_I" not in known and "tau_I" not in parameters:
        raise SetupError(
            f"'{preset}' does not say how long what was released stays active",
            hint="With three states give tau_I, as in tau_I=3*ms.",
        )
    else:
        known.setdefault("tau_I", 3 * ms)
    known = changed(known, parameters, "short_term")
    _check(known)
    with_tau_fac = all_numbers(known["tau_fac"])  # in a sweep without 0, one text serves all conditions
    facilitates = bool(np.all(with_tau_fac != 0)) or float(known["tau_fac"]) != 0
    if not facilitates:
        del known["tau_fac"]
    return Rule(
        f"short-term plasticity, {states} states",
        "w : 1\nreleased : 1\n"
        + (FACILITATION if facilitates else "u : 1\n")
        + (TWO_STATES if states == 2 else THREE_STATES),
        on_pre=("u += U*(1 - u)\n" if facilitates else "u = U\n")
        + (RELEASE_OF_TWO if states == 2 else RELEASE_OF_THREE),
        parameters=known,
        weight="released",
        lasting=False,
        initial={"w": 1.0, **({"x": 1.0} if states == 2 else {})},
        transmits="after",
        source=str(found),
        preset=preset,
    )


def _check(known: dict[str, Any]) -> None:
    numbers = {name: all_numbers(value) for name, value in known.items()}
    U, tau_rec, tau_I = (numbers.get(name) for name in ("U", "tau_rec", "tau_I"))
    if U is not None and not np.all((U > 0) & (U <= 1)):
        raise SetupError(f"U is the fraction that a first spike releases, in (0, 1], not {known['U']!r}")
    if tau_I is not None and tau_rec is not None and np.intersect1d(tau_I, tau_rec).size:
        raise SetupError(
            f"tau_I and tau_rec are the same ({known['tau_I']!r}); the form used here needs them to differ",
            hint="Change one of them a little: the result depends on them continuously.",
        )
