"""Explicit one-step methods, written as a few lines of mathematics.

    k = dt*f(x, t)
    x_new = x + dt*f(x + k/2, t + dt/2)

is the midpoint rule: `x` stands for the vector of all state variables, `f(x, t)` for the right-hand
sides without noise, `g(x, t)` for the noise intensities, `dW` for the increments of the noise (normal,
variance dt). Every line names a value, the last one is `x_new`. Several independent noises: what `g`
and `dW` are multiplied into is a value per noise; where it is added to something else, or is assigned
to `x_new`, it is summed over the noises. A line for `error` says how far off `x_new` may be, for whoever
chooses the length of steps by it.

All built-in Runge-Kutta and stochastic methods are written this way (one way to do each thing), so
users' own methods stand on equal feet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Literal

from eccles.errors import EquationError, Source, Span
from eccles.integrate.build import FreshNames, T, assign, call, frozen_rate, mul, simultaneous, total
from eccles.integrate.noise import Diffusion, NonlinearNoise, split_noise
from eccles.integrate.problem import Problem, Step
from eccles.language.nodes import (
    Assignment,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    children,
    names_in,
    replace_children,
    substitute,
    walk,
)
from eccles.language.parser import parse_expression

__all__ = ["ExplicitIntegrator"]

Noise = Literal["additive", "multiplicative"]
PerNoise = dict[str, Expr]
LINE = re.compile(r"\s*([A-Za-z]\w*)\s*=(?!=)\s*(.+?)\s*")
GIVEN = {"x", "t", "dt", "dW"}


class ExplicitIntegrator:
    """A method described in the language above.

    Parameters
    ----------
    description : str
        Lines `name = expression`, the last for `x_new`.
    stochastic : {None, 'additive', 'multiplicative'}
        The noise that it can integrate: none, with intensities free of state variables, or any.
    custom_check : callable, optional
        `custom_check(problem)` returns a further reason against the method, or None.
    name, summary : str
        What it is called, and what to say about it.

    Raises
    ------
    EquationError
        If the description is malformed.
    """

    def __init__(
        self,
        description: str,
        stochastic: Noise | None = None,
        custom_check: Callable[[Problem], str | None] | None = None,
        *,
        name: str = "explicit",
        summary: str = "an explicit method of your own",
    ) -> None:
        self.name = name
        self.summary = summary
        self.description = description
        self.stochastic = stochastic
        self._check = custom_check

    @property
    def is_text(self) -> bool:
        """Whether the description is all there is, without Python code."""
        return self._check is None

    @cached_property
    def lines(self) -> tuple[Assignment, ...]:
        """The description, read when it is first needed."""
        return _parse(self.description)

    def reason_against(self, problem: Problem) -> str | None:
        """None if the noise, if any, is of a kind that the method can integrate."""
        try:
            diffusion = split_noise(problem)
        except NonlinearNoise as reason:
            return str(reason)
        if diffusion.noises and self.stochastic is None:
            return f"it has no way to deal with noise ('{diffusion.noises[0]}')"
        if self.stochastic == "additive" and not diffusion.is_additive:
            return "it can deal with additive noise only, and here the noise is scaled by state variables"
        return self._check(problem) if self._check is not None else None

    def step(self, problem: Problem) -> Step:
        """One step."""
        return _Stepper(problem, self.lines, self.name).step()


def _parse(description: str) -> tuple[Assignment, ...]:
    """The lines of a description, checked."""
    source = Source(description, "integration method")
    known = set(GIVEN)
    lines: list[Assignment] = []
    for text in re.split(r"[\n;]", description):
        text = text.partition("#")[0]
        if not text.strip():
            continue
        found = LINE.fullmatch(text)
        start = description.find(text.strip())
        span = Span(source, start, start + len(text.strip()))
        if found is None:
            raise EquationError("a line of an integration method reads 'name = expression'", span=span)
        target, expression = found.groups()
        if target in known or target in ("f", "g"):
            raise EquationError(f"'{target}' is given and cannot be assigned", span=span)
        value = parse_expression(expression, "integration method")
        if problem := _mistake_in(value, known):
            raise EquationError(problem, span=span)
        known.add(target)
        lines.append(Assignment(target, "=", value))
    if not lines or lines[-1].target != "x_new":
        raise EquationError(
            "an integration method ends with a line for 'x_new'", hint="For example x_new = x + dt*f(x, t)."
        )
    return tuple(lines)


def _mistake_in(value: Expr, known: set[str]) -> str | None:
    unknown = sorted(names_in(value) - known)
    if unknown:
        return f"'{unknown[0]}' is none of {', '.join(sorted(known))}"
    for node in walk(value):
        match node:
            case Call("f" | "g" as function, args) if len(args) != 2:
                return f"{function} takes two arguments, as in {function}(x, t)"
            case Call("f" | "g" as function, (_, time)) if not names_in(time) <= {"t", "dt"}:
                return f"the second argument of {function} is a time, made of t and dt"
    return None


class _Stepper:
    """Works out the lines of a method for given equations."""

    def __init__(self, problem: Problem, lines: tuple[Assignment, ...], method: str) -> None:
        self.problem = problem
        self.lines = lines
        self.method = method
        self.diffusion = _with_frozen(split_noise(problem), problem.frozen)
        self.names = FreshNames()
        self.statements: list[Assignment] = []
        self.values: dict[str, dict[str, Expr | PerNoise]] = {}
        self.states: dict[Expr, dict[str, Expr]] = {Name("x"): {}}
        self.increments: dict[str, Expr] = {}
        rates = [
            *self.diffusion.drift.values(),
            *(g for row in self.diffusion.intensity.values() for g in row.values()),
        ]
        self.read = set().union(*map(names_in, rates))

    def step(self) -> Step:
        if any("dW" in names_in(line.value) for line in self.lines):
            self._bind_increments()
        *intermediate, last = self.lines
        for line in intermediate:
            self.values[line.target] = {
                variable: self._bind(f"_{line.target}_{variable}", self._value(line.value, variable))
                for variable in self.problem.variables
            }
        updates = {
            variable: _summed(self._value(last.value, variable)) for variable in self.problem.variables
        }
        statements = (*self.statements, *simultaneous(updates, self.names))
        noise = tuple(f"_{noise}" for noise in self.diffusion.noises)
        return Step(self.method, statements, noise, errors=self._errors())

    def _errors(self) -> tuple[tuple[str, str], ...]:
        """The temporaries that hold the line for `error`; what is a number needs no watching."""
        found = self.values.get("error", {})
        return tuple((variable, value.id) for variable, value in found.items() if isinstance(value, Name))

    def _bind_increments(self) -> None:
        for noise in self.diffusion.noises:
            target = self.names.fresh(noise.replace("xi", "_dW", 1))
            self.statements.append(assign(target, mul(call("sqrt", Name("dt")), Name(f"_{noise}"))))
            self.increments[noise] = Name(target)

    def _bind(self, stem: str, value: Expr | PerNoise) -> Expr | PerNoise:
        """Give a value a name, so that it is computed once."""
        if isinstance(value, dict):
            return {noise: self._bind_one(f"{stem}_{noise}", part) for noise, part in value.items()}
        return self._bind_one(stem, value)

    def _bind_one(self, stem: str, value: Expr) -> Expr:
        if isinstance(value, Name | Number):
            return value
        target = self.names.fresh(stem)
        self.statements.append(assign(target, value))
        return Name(target)

    def _value(self, expr: Expr, variable: str) -> Expr | PerNoise:
        """What an expression of the description means for one state variable."""
        match expr:
            case Name("x"):
                return Name(variable)
            case Name("dW"):
                return {noise: self.increments[noise] for noise in self.diffusion.intensity[variable]}
            case Name(id) if id in self.values:
                return self.values[id][variable]
            case Call("f", (state, time)):
                return self._at(self.diffusion.drift[variable], state, time)
            case Call("g", (state, time)):
                row = self.diffusion.intensity[variable]
                return {noise: self._at(g, state, time) for noise, g in row.items()}
            case _:
                return _combined(expr, [self._value(child, variable) for child in children(expr)])

    def _at(self, rate: Expr, state: Expr, time: Expr) -> Expr:
        """A rate at another state and time."""
        moved = rate if time == T else self.problem.at_time(rate, time)
        return substitute(moved, self._state(state))

    def _state(self, state: Expr) -> dict[str, Expr]:
        """State variable -> its value in the state that an expression of the description stands for."""
        if state not in self.states:
            needed = [variable for variable in self.problem.variables if variable in self.read]
            values = {variable: _summed(self._value(state, variable)) for variable in needed}
            self.states[state] = {
                variable: self._bind_one(f"_{variable}", value) for variable, value in values.items()
            }
        return self.states[state]


def _with_frozen(diffusion: Diffusion, frozen: frozenset[str]) -> Diffusion:
    """The same with rates that vanish during refractoriness."""
    drift = {x: frozen_rate(f) if x in frozen else f for x, f in diffusion.drift.items()}
    intensity = {
        x: {noise: frozen_rate(g) if x in frozen else g for noise, g in row.items()}
        for x, row in diffusion.intensity.items()
    }
    return Diffusion(drift, intensity)


def _summed(value: Expr | PerNoise) -> Expr:
    """One number: the sum over noises of what is there per noise."""
    return total(value.values()) if isinstance(value, dict) else value


def _combined(expr: Expr, parts: list[Expr | PerNoise]) -> Expr | PerNoise:
    """An operation applied to values, noise by noise; added to anything else, noise is summed first."""
    noises = {noise: None for part in parts if isinstance(part, dict) for noise in part}
    per_noise = [isinstance(part, dict) for part in parts]
    if not any(per_noise):
        return replace_children(expr, tuple(_summed(part) for part in parts))
    if isinstance(expr, Binary) and expr.op in ("+", "-") and not all(per_noise):
        return replace_children(expr, tuple(_summed(part) for part in parts))
    return {
        noise: replace_children(
            expr, tuple(part[noise] if isinstance(part, dict) else part for part in parts)
        )
        for noise in noises
    }
