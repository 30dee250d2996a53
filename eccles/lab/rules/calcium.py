"""The calcium-based rule of Graupner & Brunel: changes while calcium is above two thresholds.

Spikes let calcium in: `C_pre` a time `D` after a presynaptic spike, `C_post` at a postsynaptic one; it decays
with `tau_Ca`. The efficacy rho of the synapse has two stable states, DOWN (0) and UP (1), with a barrier at
`rho_star`. It rises while calcium is above `theta_p` and falls while it is above `theta_d`, with noise then:

    tau drho/dt = -rho (1 - rho) (rho_star - rho)
                  + gamma_p (1 - rho) [c > theta_p] - gamma_d rho [c > theta_d]
                  + sigma sqrt(tau) sqrt([c > theta_p] + [c > theta_d]) xi

`calcium(stepped=True)` is this equation as it stands, in small steps of time: 600000 of them for 60 pairs at
1 Hz. By default the rule goes from spike to spike instead, 120 of them, and is exact where the other has
errors of the order of the step:

- calcium is above a threshold for `tau_Ca log(c/theta)` after a spike, so these times are known to rounding;
- without the first term the equation is linear while the thresholds passed remain the same: an
  Ornstein-Uhlenbeck process, whose mean and variance after any time are known;
- the first term alone has a closed solution for `rho_star = 1/2`, which all published sets have;
- the two are joined by a splitting of second order over the time that calcium is above threshold (tens of
  milliseconds, while the first term acts over minutes). Its error is below 1e-8 for each spike.

Two standard normal numbers, drawn at each spike, say what noise does until the next. So the efficacy has a
value at any time, with the right distribution at each time and the right joint distribution at spikes. What
a monitor sees between two spikes is a smooth curve with these ends, not a path of the noise.
"""

from __future__ import annotations

from typing import Any

from eccles.errors import SetupError
from eccles.lab import data
from eccles.lab.parts import Preset, chosen
from eccles.lab.rules.rule import Rule
from eccles.units import second

__all__ = ["PRESETS", "calcium"]

SOURCE = (
    "Graupner & Brunel 2012, PNAS 109:3991; the noise as corrected there later (doi 10.1073/pnas.1220044110)"
)
TABLE = "graupner2012_parameters"


def _presets() -> dict[str, Preset]:
    source, found = data.source_of(TABLE), {}
    for row in data.rows(TABLE):
        parameters = {
            column.removesuffix("_s"): value * second if column.endswith("_s") else value
            for column, value in row.items()
            if column not in ("set", "beta", "b")  # of a population of synapses: see calcium_theory
        }
        found[row["set"]] = Preset(parameters, source)
    return found


PRESETS = _presets()

STEPPED = """
drho/dt = ({drift})/tau{noise} : 1 (clock-driven)
c = c_0*exp(-(t - t_0)/tau_Ca) : 1  # calcium
c_0 : 1
t_0 : second
"""
DRIFT = "-rho*(1 - rho)*(rho_star - rho) + gamma_p*(1 - rho)*int(c > theta_p) - gamma_d*rho*int(c > theta_d)"
NOISE = " + sigma*sqrt((int(c > theta_p) + int(c > theta_d))/tau)*xi"

# one line for each thing, in the order of time: what was at the last spike, and what has become of it
EXACT = """
c_0 : 1  # calcium right after the last spike, which was at t_0
t_0 : second
c = c_0*exp(-(t - t_0)/tau_Ca) : 1
above_p = clip(tau_Ca*log(c_0/theta_p), 0*second, t - t_0) : second  # since then
above_d = clip(tau_Ca*log(c_0/theta_d), 0*second, t - t_0) : second
time_p_0 : second
time_d_0 : second
time_p = time_p_0 + above_p : second  # in all
time_d = time_d_0 + above_d : second
both = clip(above_p, 0*second, above_d)/tau : 1  # first above both thresholds, for so many tau
only_p = above_p/tau - both : 1  # then above one of them
only_d = above_d/tau - both : 1
one = only_p + only_d : 1
decay_both = (gamma_p + gamma_d)*both : 1
decay_one = gamma_p*only_p + gamma_d*only_d : 1
rho_0 : 1
pull_1 = both/2 : 1  # between these the two states attract: y is rho - 1/2
y_0 = rho_0 - 0.5 : 1
y_1 = y_0/sqrt(exp(-pull_1/2) + 4*y_0**2*(1 - exp(-pull_1/2))) : 1
rho_1 = (0.5 + y_1)*exp(-decay_both) + gamma_p*both*exprel(-decay_both){noise_1} : 1
pull_2 = (both + one)/2 : 1
y_2 = (rho_1 - 0.5)/sqrt(exp(-pull_2/2) + 4*(rho_1 - 0.5)**2*(1 - exp(-pull_2/2))) : 1
rho_2 = (0.5 + y_2)*exp(-decay_one) + gamma_p*only_p*exprel(-decay_one){noise_2} : 1
pull_3 = (t - t_0)/tau - pull_1 - pull_2 : 1
y_3 = (rho_2 - 0.5)/sqrt(exp(-pull_3/2) + 4*(rho_2 - 0.5)**2*(1 - exp(-pull_3/2))) : 1
rho = 0.5 + y_3 : 1
"""
NOISE_1 = " + sigma*sqrt(2*both*exprel(-2*decay_both))*z_both"
NOISE_2 = " + sigma*sqrt(one*exprel(-2*decay_one))*z_one"
DRAWN = """
z_both : 1
z_one : 1
"""


def calcium(preset: str = "DP", *, noise: bool = True, stepped: bool = False, **parameters: Any) -> Rule:
    """The calcium-based rule of Graupner & Brunel 2012.

    Its weight is the efficacy `rho`, from 0 to 1 but for noise; `c` is the calcium. `time_p` and `time_d` are
    how long calcium has been above each threshold (not where `stepped`). To begin elsewhere than with
    `rho_0 = 0.5` (`rho` where `stepped`), give `initial`.

    Parameters
    ----------
    preset : str, optional
        'DP', 'DPD', "DPD'", 'P', 'D', "D'" (figure 2), 'hippocampal slices', 'hippocampal cultures' or
        'cortical slices'.
    noise : bool, optional
    stepped : bool, optional
        Whether to solve the equation in small steps, with `rho` as a clock-driven variable, rather than
        from spike to spike.
    **parameters
        Those that are to differ: `tau_Ca`, `C_pre`, `C_post`, `theta_p`, `theta_d`, `gamma_p`, `gamma_d`,
        `sigma`, `tau`, `D`; and `rho_star` where `stepped`.

    Raises
    ------
    SetupError
        If there is no such preset or parameter, or `rho_star` is asked for where it has to be 1/2.
    """
    found = chosen(PRESETS, preset, "calcium")
    values = dict(found.parameters)
    if not noise:
        del values["sigma"]
    if stepped:
        text = STEPPED.format(drift=DRIFT, noise=NOISE if noise else "")
        at_a_spike, initial = "c_0 = c + {}; t_0 = t", {"rho": 0.5}
    else:
        if parameters.pop("rho_star", values.pop("rho_star")) != 0.5:
            raise SetupError(
                "from spike to spike the rule can only be solved with rho_star = 0.5",
                hint="calcium(stepped=True) solves it in small steps, with any rho_star.",
            )
        text = EXACT.format(noise_1=NOISE_1 if noise else "", noise_2=NOISE_2 if noise else "")
        text += DRAWN if noise else ""
        at_a_spike = "rho_0 = rho; time_p_0 = time_p; time_d_0 = time_d; c_0 = c + {}; t_0 = t"
        at_a_spike += "; z_both = randn(); z_one = randn()" if noise else ""
        initial = {"rho_0": 0.5}
    return Rule(
        "calcium-based rule",
        text,
        on_pre=at_a_spike.format("C_pre").replace("; ", "\n"),
        on_post=at_a_spike.format("C_post").replace("; ", "\n"),
        parameters=values,
        weight="rho",
        initial=initial,
        lag="D",
        rest=1 * second,
        source=f"{SOURCE}\nnumbers: {found}",
        preset=preset,
    ).changed(**parameters)
