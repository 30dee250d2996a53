"""What an experiment gave: labelled data, a table, a figure, and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.lab.experiments.pulse import Pulse
from eccles.lab.experiments.study import Outcome
from eccles.lab.neurons import Neuron, Transmission
from eccles.lab.protocols import Protocol
from eccles.lab.rules import Rule
from eccles.results.conditions import conditions, labels_at, select, units_of
from eccles.results.labels import named, scale_of, shown_condition

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["Result", "condition_name"]

MOST_PROTOCOLS = 3  # that are told in words
MOST_FINDINGS = 12


@dataclass(frozen=True, eq=False)
class Result:
    """An experiment with a synapse.

    Attributes
    ----------
    data : Dataset
        In SI units, over the swept parameters, `trial` where there are several, and:

        - `weight`, `percent` (of the mean at baseline) over `test`, the time after the induction; `follow_up`
          tells the tests after it from those before;
        - `course`, the weight over `time` in the induction: some 200 samples, so a fast protocol is seen
          coarsely;
        - with a neuron `amplitude` and what else `eccles.lab.measure.epsp` measures over `test`, and `epsp`,
          the mean potential before and after the induction over `lag`;
        - `pre_spikes`, `post_spikes` of the protocols; `post_count`, where the neuron was driven, how many
          spikes it had.
    rules : mapping of str to Rule
    protocols : array of Protocol
        Over the dimensions of `data` that the protocols depend on.
    neuron, transmission : optional
    pulse : Pulse, optional
        What made the neuron spike.
    """

    data: xr.Dataset
    rules: Mapping[str, Rule]
    protocols: Any
    neuron: Neuron | None = None
    transmission: Transmission | None = None
    pulse: Pulse | None = None

    def select(self, **condition: Any) -> Result:
        """The part with these values of parameters: `result.select(gap=10*ms)`.

        Raises
        ------
        SetupError
            If there is no such parameter or value.
        """
        chosen = condition.get("rule", list(self.rules))
        kept = [chosen] if isinstance(chosen, str) else list(chosen)
        rules = {name: rule for name, rule in self.rules.items() if name in kept}
        return replace(self, data=select(self.data, condition), rules=rules)

    @property
    def table(self) -> dict[str, list[Any]]:
        """The main numbers, a row for each condition: name of a column, with its unit, to its values.

        `before` and `after` are means over tests and trials; s.d. is that of trials, each the mean over its
        tests.
        """
        data = _phases(self.data)
        over_trials = data.mean("trial", keep_attrs=True) if "trial" in data.dims else data
        columns: dict[str, list[Any]] = {}
        places = list(conditions(over_trials))
        for name, (_, units) in labels_at(over_trials, places[0]).items():
            labels = [labels_at(over_trials, place)[name][0].item() for place in places]
            scale, unit = scale_of(labels, units) if _symbol(units) else (None, "")
            columns[named(name, unit)] = labels if scale is None else [label / scale for label in labels]
        for name, title in (("weight", "weight"), ("amplitude", "EPSP")):
            if name in data:
                values = over_trials[name]
                scale, unit = scale_of(values.values, _symbol(units_of(values)))
                for phase in ("before", "after"):
                    part = values.sel(phase=phase)
                    columns[named(f"{title} {phase}", unit)] = [float(part[p]) / scale for p in places]
        after = over_trials["percent"].sel(phase="after")
        columns["after, percent of baseline"] = [float(after[place]) for place in places]
        if "trial" in data.dims:
            spread = data["percent"].sel(phase="after").std("trial", ddof=1)
            columns["s.d. over trials"] = [float(spread[place]) for place in places]
        if "post_count" in over_trials:
            columns["post spikes"] = [float(over_trials["post_count"][place]) for place in places]
        return columns

    def figure(self, **condition: Any) -> Figure:
        """Protocol, weight, EPSP and percent of baseline in one figure. Needs matplotlib.

        Parameters
        ----------
        **condition
            Which conditions to draw, as for `select`; by default all, or some of them where there are many.
        """
        from eccles.lab.experiments.figure import figure_of

        return figure_of(self.select(**condition) if condition else self)

    def outcome(self, *, findings: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Outcome:
        """All of it, as a `Study` returns it and a report shows it.

        Parameters
        ----------
        findings, notes : tuple of str, optional
            Sentences of your own, before those that can be said of any experiment.
        """
        return Outcome(
            self.data, self.table, self.figure,
            findings=(*findings, *self.findings()), notes=(*notes, *self.notes()), models=self.models(),
        )  # fmt: skip

    def models(self) -> dict[str, str]:
        """The text of all that took part, by what it is."""
        parts: dict[str, Any] = {f"rule: {name}": rule for name, rule in self.rules.items()}
        if self.neuron is not None:
            parts["neuron"] = self.neuron
        if self.transmission is not None:
            parts["transmission"] = self.transmission
        protocols = list(dict.fromkeys(str(p) for p in np.ravel(self.protocols) if isinstance(p, Protocol)))
        more = f"\n... and {len(protocols) - MOST_PROTOCOLS} more" if len(protocols) > MOST_PROTOCOLS else ""
        return {
            **{name: str(part) for name, part in parts.items()},
            "protocol": "\n".join(protocols[:MOST_PROTOCOLS]) + more,
        }

    def findings(self) -> list[str]:
        """A sentence for each condition; of many, for the lowest and the highest."""
        what = "EPSP" if "amplitude" in self.data else "weight"
        data = _phases(self.data)
        mean = data.mean("trial", keep_attrs=True) if "trial" in data.dims else data
        after = mean["percent"].sel(phase="after")
        said = [(condition_name(mean, place), float(after[place])) for place in conditions(mean)]
        known = [s for s in said if np.isfinite(s[1])]
        left_out = []
        if len(known) < len(said):
            left_out.append(
                f"Left out: {len(said) - len(known)} of {len(said)} conditions, which failed or had "
                f"no {what} at baseline."
            )
        if len(known) > MOST_FINDINGS:
            (low, least), (high, most) = (pick(known, key=lambda s: s[1]) for pick in (min, max))
            return [
                f"The {what} after the induction is between {least:.4g} % of baseline ({low}) "
                f"and {most:.4g} % ({high}).",
                *left_out,
            ]
        return [
            *(f"The {what} is {percent:.4g} % of baseline after the induction"
              + (f" ({name})." if name else ".") for name, percent in known),
            *left_out,
        ]  # fmt: skip

    def notes(self) -> list[str]:
        """What to know of this experiment."""
        found = ["Tests are no spikes to the rule: they read the weight, and measure its EPSP at rest."]
        if self.pulse is not None:
            found.append(f"The postsynaptic neuron is driven by {self.pulse}, and by the synapse.")
            asked = self.data["post_spikes"].notnull().sum("post_spike")
            wrong = (self.data["post_count"] != asked) & ~self.data["failed"]
            if bool(wrong.any()):
                found.append(
                    f"In {int(wrong.sum())} of {wrong.size} runs the postsynaptic neuron had more or fewer "
                    "spikes than the protocol asks for: see post_count."
                )
        if bool(self.data["failed"].any()):
            found.append(f"{int(self.data['failed'].sum())} of {self.data['failed'].size} conditions failed.")
        sources = [f"{rule.name}: {rule.source}." for rule in self.rules.values() if rule.source]
        return found + list(dict.fromkeys(sources))


def condition_name(data: xr.Dataset, place: Mapping[str, int]) -> str:
    """The parameters of a condition that vary: 'gap = 10 ms, rate = 20 Hz'."""
    several = {
        name: (value, _symbol(units))
        for name, (value, units) in labels_at(data, place).items()
        if name != "trial" and data[name].size > 1
    }
    return shown_condition(several)


def _phases(data: xr.Dataset) -> xr.Dataset:
    """Means over the tests before and after the induction, over `phase`."""
    import xarray as xr

    names = [n for n in ("weight", "amplitude", "percent") if n in data]
    parts = [
        data[names].where(data["follow_up"] == after).mean("test", keep_attrs=True) for after in (False, True)
    ]
    found = xr.concat(parts, xr.Variable("phase", ["before", "after"]))
    others = [n for n in ("post_count", "failed") if n in data]
    return found.assign({n: data[n] for n in others})


def _symbol(units: str) -> str:
    return "" if units == "1" else units
