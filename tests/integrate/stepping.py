"""Run the statements of a step on NumPy arrays: what the tests of integrators share."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
import scipy.special

from eccles.integrate.flow import Flow
from eccles.integrate.matrix import coefficients
from eccles.integrate.problem import Problem, Step
from eccles.language.evaluate import evaluate
from eccles.language.nodes import Expr
from eccles.language.parser import parse_expression
from eccles.language.printer import show

Values = dict[str, np.ndarray]


def problem(text: str, **flags) -> Problem:
    """A problem from lines `v = right-hand side of dv/dt`."""
    lines = [line.split("=", 1) for line in text.strip().splitlines()]
    return Problem({name.strip(): parse_expression(rhs.strip()) for name, rhs in lines}, **flags)


FUNCTIONS = {
    "_select": np.where,
    "abs": np.abs,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "cos": np.cos,
    "exp": np.exp,
    "expm1": np.expm1,
    "exprel": scipy.special.exprel,
    "int": lambda x: np.asarray(x).astype(int),
    "sign": np.sign,
    "sin": np.sin,
    "sqrt": np.sqrt,
}


def value_of(expr: Expr, values: Mapping[str, object], functions: Mapping[str, Callable] | None = None):
    meanings = {**FUNCTIONS, **(functions or {})}
    return evaluate(expr, lambda name: values[name], lambda function, args: meanings[function](*args))


def advance(
    step: Step,
    state: Mapping[str, object],
    constants: Mapping[str, object] | None = None,
    *,
    dt: float,
    times: int = 1,
    noise: Callable[[str, int], np.ndarray] | None = None,
    functions: Mapping[str, Callable] | None = None,
) -> Values:
    """The state after some steps; `noise(name, n)` gives the standard normal numbers of step n."""
    fixed = {"not_refractory": True, "dt": dt, **(constants or {})}
    for item in step.hoisted:
        fixed[item.name] = value_of(item.expr, fixed, functions)
    entry_value = functools.partial(value_of, values=fixed, functions=functions)
    for system in step.systems:
        fixed.update(coefficients(system, entry_value, dt))
    now = {name: np.asarray(value, dtype=float) for name, value in state.items()}
    for n in range(times):
        values = {**fixed, **now, "t": n * dt}
        values |= {name: noise(name, n) for name in step.noise} if noise is not None else {}
        for statement in step.statements:
            assert statement.op == "="
            values[statement.target] = value_of(statement.value, values, functions)
        now = {name: np.asarray(values[name], dtype=float) for name in now}
    return now


def advance_far(
    step: Step, state: Mapping[str, float], constants: Mapping[str, object], *, dt: float, times: int
) -> dict[str, float]:
    """The state after very many steps of one element: as `advance`, compiled to Python and quicker."""
    fixed = {"not_refractory": True, "dt": dt, **constants}
    fixed |= {item.name: float(value_of(item.expr, fixed)) for item in step.hoisted}
    for system in step.systems:
        found = coefficients(system, functools.partial(value_of, values=dict(fixed)), dt)
        fixed |= {name: float(value) for name, value in found.items()}
    lines = [f"{statement.target} = {show(statement.value)}" for statement in step.statements]
    names = ", ".join(state)
    code = "\n    ".join(
        [f"def run({names}, times):", "for _ in range(times):", *[f"    {a}" for a in lines]]
    )
    scope: dict = {**fixed, "_select": lambda condition, a, b: a if condition else b}
    exec(f"{code}\n    return {names},", scope)
    return dict(zip(state, scope["run"](*state.values(), times), strict=True))


def flown(
    flow: Flow,
    state: Mapping[str, object],
    constants: Mapping[str, object] | None = None,
    *,
    span: float | np.ndarray,
    t: float = 0.0,
    functions: Mapping[str, Callable] | None = None,
) -> Values:
    """The state after a span, and whatever else the statements of a flow assign."""
    values = {"not_refractory": True, **(constants or {})}
    values |= {item.name: value_of(item.expr, values, functions) for item in flow.hoisted}
    values |= {**state, "dt": span, "t": t}
    for statement in flow.statements:
        values[statement.target] = value_of(statement.value, values, functions)
    return {name: np.asarray(value, dtype=float) for name, value in values.items()}


def order_of(errors: list[float]) -> float:
    """The order of convergence that errors at dt, dt/2, dt/4 ... show: the slope of the last halving."""
    return math.log2(errors[-2] / errors[-1])
