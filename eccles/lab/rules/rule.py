"""What a plasticity rule is: model text of a synapse, numbers with units, and three conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from eccles.errors import DimensionMismatchError, SetupError
from eccles.lab.parts import (
    all_numbers,
    block,
    changed,
    check_time_constants,
    frozen,
    meanings,
    one_of,
    parameter_lines,
)
from eccles.objects import Synapses
from eccles.objects.group import Group
from eccles.objects.semantics import in_face
from eccles.units import Quantity, get_dimensions, ms, second

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["Coincidence", "Delays", "Rule", "make_pairs"]

Coincidence = Literal["pre_first", "post_first", "discard"]
Delays = Literal["axonal", "dendritic", "split"]

BEFORE_PLASTICITY = -2  # orders of pathways at one instant: those of pre and post are -1 and 1
AFTER_POST = 2
AFTER_ALL = 3


@dataclass(frozen=True, eq=False)
class Rule:
    r"""A plasticity rule.

    It is data: everything that happens stands in its text, in the model language, so it can be printed, read
    and changed. Those of `eccles.lab.rules` are made in the same way as one of your own:

        rule = Rule("mine", "w : 1\ndx/dt = -x/tau : 1 (event-driven)\ndy/dt = -y/tau : 1 (event-driven)",
                    on_pre="x += 1; w -= A*y", on_post="y += 1; w += A*x",
                    parameters={"tau": 20*ms, "A": 0.01})

    Parameters
    ----------
    name : str
        What it is called in tables and figures.
    equations : str
        The variables of each synapse, the weight among them.
    on_pre, on_post : str, optional
        Statements for each synapse at which a presynaptic (postsynaptic) spike arrives.
    parameters : mapping, optional
        What names in the text stand for, with units.
    weight : str, optional
        The variable that the rule is about.
    initial : mapping, optional
        Values of variables at the start; all others begin with 0.
    bounds : (low, high) or None, optional
        Where the weight is cut off after every change by a spike.
    coincidence : {'pre_first', 'post_first', 'discard'}, optional
        What happens where spikes of both sides reach the synapse at the same time: the presynaptic one comes
        first, the postsynaptic one comes first, or the two do not count as a pair (the text has to see
        to this).
    delays : {'axonal', 'dendritic', 'split'}, optional
        Where the delay of a synapse is: before it, so that presynaptic spikes reach it late; behind it, so
        that the postsynaptic spike reaches it late; or half of it on each side. Where the
        postsynaptic neuron does not matter, it can only be axonal.
    lasting : bool, optional
        Whether the weight lasts, so that it stands still while a test pulse measures it. What is short-term
        goes on, and is measured.
    now : str, optional
        The variable that is the weight at any time, where `weight` itself is brought up to date at events
        only.
    transmits : {'before', 'after'}, optional
        Whether a presynaptic spike acts on its target before or after `on_pre`.
    on_events : mapping of str to str, optional
        Statements for each synapse at other events of its postsynaptic neuron, by the name of the event.
    lag : str, optional
        The parameter that says how long after the arrival of a presynaptic spike `on_pre` happens; by default
        it happens at once. Transmission does not wait for it.
    rest : time, optional
        For how long spikes go on changing the weight: `response` and `curve` wait for so long after the last.
    post_equations : str, optional
        Lines that the equations of the postsynaptic neurons need for the rule.
    post_events : mapping of str to str, optional
        Events that the postsynaptic neurons need for it: name and condition, the `events` of `NeuronGroup`.
    post_initial : mapping, optional
        Values of their variables at the start, or names of parameters; they are set when synapses are made.
    method : str, optional
        How to integrate clock-driven equations, where the automatic choice is not the best.
    source : str, optional
        Where the rule is from.
    preset : str, optional
        Where its numbers are from.

    Raises
    ------
    SetupError
        If a convention is not known or does not go with the text, the bounds are not in order, or a parameter
        whose name begins with `tau` is not positive.
    """

    name: str
    equations: str
    on_pre: str = ""
    on_post: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weight: str = "w"
    initial: Mapping[str, Any] = field(default_factory=dict)
    bounds: tuple[Any, Any] | None = None
    coincidence: Coincidence = "pre_first"
    delays: Delays = "axonal"
    lasting: bool = True
    now: str = ""
    transmits: Literal["before", "after"] = "before"
    on_events: Mapping[str, str] = field(default_factory=dict)
    lag: str = ""
    rest: Quantity = 1 * ms
    post_equations: str = ""
    post_events: Mapping[str, str] = field(default_factory=dict)
    post_initial: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    source: str = ""
    preset: str = ""

    def __post_init__(self) -> None:
        for name, allowed in (
            ("coincidence", get_args(Coincidence)),
            ("delays", get_args(Delays)),
            ("transmits", ("before", "after")),
        ):
            if getattr(self, name) not in allowed:
                raise SetupError(
                    f"{name} of the rule '{self.name}' cannot be {getattr(self, name)!r}",
                    hint=f"It is one of {', '.join(map(repr, allowed))}.",
                )
        for name in ("parameters", "initial", "on_events", "post_events", "post_initial"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        if self.lag and self.lag not in self.parameters:
            raise SetupError(
                f"the lag of the rule '{self.name}' has to be one of its parameters, not '{self.lag}'"
            )
        if self.delays != "axonal" and not self.has_post:
            raise SetupError(
                f"a delay of the rule '{self.name}' can only be axonal: "
                "the postsynaptic neuron does nothing in it"
            )
        check_time_constants(self.parameters, f"the rule '{self.name}'")
        self._check_bounds()

    @property
    def has_post(self) -> bool:
        """Whether the postsynaptic neuron matters: its spikes, or its variables."""
        return bool(self.on_post.strip() or self.post_equations.strip())

    @property
    def current(self) -> str:
        """The variable that is the weight at any time."""
        return self.now or self.weight

    def _check_bounds(self) -> None:
        if self.bounds is None:
            return
        if not isinstance(self.bounds, tuple | list) or len(self.bounds) != 2:
            raise SetupError(
                f"bounds of the rule '{self.name}' are (low, high), or None, not {self.bounds!r}"
            )
        for bound in self.bounds:
            if isinstance(bound, str) and bound not in self.parameters:
                raise SetupError(
                    f"the bound '{bound}' of the rule '{self.name}' is none of its parameters",
                    hint=f"A bound is a number or a parameter: {', '.join(self.parameters)}.",
                )
            if not isinstance(bound, str) and not get_dimensions(bound).is_dimensionless:
                raise SetupError(
                    f"a bound with a unit ({bound}) has to be a parameter of the rule",
                    hint="Give its name: bounds=('w_min', 'w_max').",
                )
        low, high = (all_numbers(self.parameters[b] if isinstance(b, str) else b) for b in self.bounds)
        if low is None or high is None or not np.min(low) < np.max(high):
            raise SetupError(
                f"bounds of the rule '{self.name}' have to be two numbers in order, not {self.bounds}"
            )

    # -- looking at it ----------------------------------------------------------------------------

    def __str__(self) -> str:
        """The whole rule as text."""
        said = {"pre_first": "pre first", "post_first": "post first", "discard": "no pair"}[self.coincidence]
        kept = "" if self.bounds is None else f" in [{self.bounds[0]}, {self.bounds[1]}]"
        conventions = [
            f"weight: {self.weight}{kept}",
            f"coincident spikes: {said}",
            f"delay: {self.delays}",
            f"after the arrival of a presynaptic spike: {self.lag}" if self.lag else "",
            f"weight at any time: {self.now}" if self.now else "",
            "short-term: goes on in a test pulse" if not self.lasting else "",
            "transmission: after these statements" if self.transmits == "after" else "",
            f"method: {self.method}" if self.method else "",
        ]
        lines = [
            self.name + (f" ({self.preset})" if self.preset else ""),
            *block("synapse", self.equations),
            *block("at a presynaptic spike", self.on_pre),
            *block("at a postsynaptic spike", self.on_post),
            *(line for event, text in self.on_events.items() for line in block(f"at '{event}'", text)),
            *block("postsynaptic neuron", self.post_equations),
            *block("its events", "\n".join(f"{event}: {text}" for event, text in self.post_events.items())),
            *block("parameters", parameter_lines(self.parameters)),
            *block("at the start", parameter_lines({**self.initial, **self.post_initial})),
            *block("conventions", "\n".join(conventions)),
            *block("source", self.source),
        ]  # fmt: skip
        return "\n".join(lines)

    # -- another one ------------------------------------------------------------------------------

    def changed(self, **parameters: Any) -> Rule:
        """The same rule with other parameters.

        Raises
        ------
        SetupError
            If the rule has no such parameter.
        DimensionMismatchError
            If one has another unit.
        """
        for name in ("bounds", "coincidence", "delays", "initial"):
            if name in parameters and name not in self.parameters:
                raise SetupError(
                    f"'{name}' is no parameter of the rule '{self.name}', but a convention",
                    hint=f"Change it afterwards: rule.with_conventions({name}=...).",
                )
        return replace(self, parameters=changed(self.parameters, parameters, f"the rule '{self.name}'"))

    def with_conventions(
        self,
        *,
        bounds: tuple[Any, Any] | Literal["as it is"] | None = "as it is",
        coincidence: Coincidence | None = None,
        delays: Delays | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> Rule:
        """The same rule with other conventions.

        'discard' needs text of its own, so it can only be chosen where a rule is made.
        """
        if coincidence is not None and coincidence != self.coincidence and "discard" in (
            coincidence, self.coincidence,
        ):  # fmt: skip
            raise SetupError(
                f"the rule '{self.name}' has to be made anew to change between 'discard' and an order",
                hint="Give coincidence= where the rule is made, as in pair(coincidence='discard').",
            )
        return replace(
            self,
            bounds=self.bounds if bounds == "as it is" else bounds,
            coincidence=coincidence or self.coincidence,
            delays=delays or self.delays,
            initial={**self.initial, **(initial or {})},
        )

    # -- what it does -------------------------------------------------------------------------------

    def response(
        self,
        pre: Sequence[Any],
        post: Sequence[Any],
        *,
        variables: str | Sequence[str] | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """The variables of the synapse after two spike trains; see `eccles.lab.rules.response.response`."""
        from eccles.lab.rules.response import response

        return response(self, pre, post, variables=variables, **options)

    def curve(self, gaps: Any = None, **options: Any) -> xr.DataArray:
        """The change of the weight by pairs of spikes; see `eccles.lab.rules.response.curve`."""
        from eccles.lab.rules.response import curve

        return curve(self, gaps, **options)

    def window(self, gaps: Any = None, *, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the change of the weight over the gap between the spikes of a pair.

        Parameters
        ----------
        gaps, **options
            As for `curve`.
        ax : matplotlib Axes, optional
            Where to draw; a new figure otherwise.
        """
        from eccles.lab.rules.response import window

        return window(self, gaps, ax=ax, **options)

    # -- making synapses --------------------------------------------------------------------------

    def synapses(
        self,
        pre: Any,
        post: Any = None,
        connect: bool | str | Mapping[str, Any] = True,
        *,
        transmission: str = "",
        delay: Quantity = 0 * ms,
        initial: Mapping[str, Any] | None = None,
        namespace: Mapping[str, Any] | None = None,
        name: str = "synapses*",
        **options: Any,
    ) -> Synapses:
        """Synapses that follow the rule.

        Parameters
        ----------
        pre, post : group
            `post` is `pre` itself by default.
        connect : bool, str or dict, optional
            What `Synapses.connect` is given: a condition, or its arguments as in `{"j": "i"}`. By default all
            pairs are connected. With False none: call `connect` yourself, and then set what the rule begins
            with (its `initial`), or all is 0.
        transmission : str, optional
            What a presynaptic spike does to its target, such as `"v_post += w*mV"`. Without it the
            synapse changes, but has no effect on its target.
        delay : time, optional
            From the presynaptic spike to its effect on the target; `delays` of the rule says where it arises.
        initial : mapping, optional
            Values at the start other than those of the rule.
        namespace : mapping, optional
            What other names in `transmission` stand for; by default those of the calling script.
        **options
            As for `Synapses`.

        Returns
        -------
        Synapses
            Its attribute `rule` is the rule.

        Raises
        ------
        SetupError
            If `pre` or `post` is no group, a value at the start is that of no variable, or there are no
            synapses yet to have it.
        DimensionMismatchError
            If the delay is no time.
        """
        for side in (pre, post):
            if side is not None and not isinstance(side, Group):
                raise SetupError(
                    f"synapses are between groups of neurons, not {type(side).__name__}",
                    hint="A model of a neuron becomes a group by its method: lif().group(10).",
                )
        if get_dimensions(delay) is not second.dim:
            raise DimensionMismatchError(
                f"a delay is a time, as in 2*ms, not {delay!r}", get_dimensions(delay), second.dim
            )
        on_pre, on_post, delays = self._pathways(transmission, delay)
        if self.on_events:
            options["on_event"] = {**{name: name for name in self.on_events}, **options.get("on_event", {})}
        make: Any = in_face(Synapses, getattr(pre, "semantics", Synapses.semantics))
        synapses = make(
            pre, post, self.equations, on_pre=on_pre, on_post=on_post, delay=delays,
            namespace=meanings(self.parameters, namespace), name=name, **{"method": self.method, **options},
        )  # fmt: skip
        synapses.add_attribute("rule")
        synapses.rule = self
        for variable, value in self.post_initial.items():
            known = self.parameters[value] if isinstance(value, str) else value
            setattr(pre if post is None else post, variable, known)
        if "pre" in on_pre and self.coincidence == "post_first":
            synapses.pre.order = AFTER_POST
        if "transmission" in on_pre:
            synapses.transmission.order = BEFORE_PLASTICITY if self.transmits == "before" else AFTER_ALL
        if connect is False:
            if initial:
                raise SetupError("without synapses there is nothing that initial= could be set for")
            return synapses
        make_pairs(synapses, connect)
        for variable, value in {**self.initial, **(initial or {})}.items():
            self.check_variable(synapses, variable, to_set=True)
            setattr(synapses, variable, value)
        return synapses

    def check_variable(self, synapses: Synapses, name: str, *, to_set: bool = False) -> None:
        """Raise a SetupError if a synapse of the rule has no such variable, or none that can be set."""
        variables = {variable.name: variable for variable in synapses.equations.values()}
        found = one_of(variables, name, "variable", f"a synapse of the rule '{self.name}'")
        if to_set and found.kind == "subexpression":
            raise SetupError(
                f"'{name}' of the rule '{self.name}' is computed from other variables, and cannot be set",
                hint=f"The rule begins with {', '.join(self.initial)}." if self.initial else None,
            )

    def _pathways(
        self, transmission: str, delay: Any
    ) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
        """Statements for spikes of either side, and the delay of each pathway."""
        clip = "" if self.bounds is None else f"{self.weight} = clip({self.weight}, {{}}, {{}})"
        clip = clip.format(*(b if isinstance(b, str) else repr(float(b)) for b in self.bounds or ()))
        on_pre, on_post, *on_events = (
            "\n".join(part for part in (text, clip) if part) if text.strip() else ""
            for text in (self.on_pre, self.on_post, *self.on_events.values())
        )
        before = {"axonal": delay, "dendritic": None, "split": delay / 2}[self.delays]
        if self.lag:
            before = self.parameters[self.lag] + (0 * ms if before is None else before)
        behind = {"axonal": None, "dendritic": delay, "split": delay / 2}[self.delays]
        pre = {"pre": on_pre} if on_pre else {}
        post = {"post": on_post} if on_post else {}
        post |= dict(zip(self.on_events, on_events, strict=True))
        if transmission.strip():
            pre["transmission"] = transmission
        given = {"pre": before, "post": behind, "transmission": delay}
        return pre, post, {k: v for k, v in given.items() if k in {**pre, **post} and v is not None}


def make_pairs(synapses: Synapses, connect: bool | str | Mapping[str, Any]) -> None:
    """Connect pairs of neurons: all, those of a condition, or as the arguments of `Synapses.connect` say."""
    synapses.connect(
        **(connect if isinstance(connect, Mapping) else {} if connect is True else {"condition": connect})
    )
