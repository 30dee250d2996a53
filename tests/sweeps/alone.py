"""What each condition of a sweep has to give: its model run alone, in a loop of conditions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from eccles import rerun, sweep
from eccles.objects import magic
from eccles.sweeps.parameters import Grid
from eccles.sweeps.seeds import Seeds

SEED = 7


def alone(
    model: Callable[..., Any], what: list[str], seed: int, values: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Run a model that returns its names; the final values of variables, flat."""
    known = inspect.signature(model).parameters
    with magic.private_scope(), magic.default_clock(), magic.random_numbers(seed):
        names = model(**{name: value for name, value in values.items() if name in known})
        found = {}
        for text in what:
            group, variable = text.split(".")
            found[text] = np.ravel(names[group].view(variable, units=False).read(None))
        return found


def assert_equal_results(a: Any, b: Any) -> None:
    """All variables of two results have the same bits."""
    assert set(a.data_vars) == set(b.data_vars)
    for name in a.data_vars:
        np.testing.assert_array_equal(a[name].to_numpy(), b[name].to_numpy(), err_msg=name)


def _assert_same_again(result: Any) -> None:
    """Run from its data alone, the sweep gives the same."""
    if "plan" in result:
        assert_equal_results(result, rerun(result))
    else:
        assert "network operation" in result.attrs["why_no_plan"]


def assert_as_alone(
    model: Callable[..., Any],
    what: list[str],
    *,
    independent: bool = False,
    threads: int = 1,
    **parameters: Any,
) -> Any:
    """A sweep gives the bits that its model gives alone, in every condition."""
    result = sweep(model, record=what, seed=SEED, threads=threads, independent=independent, **parameters)
    assert not result["failed"].any(), result.attrs["failures"]
    _assert_same_again(result)
    grid, seeds = Grid(parameters), Seeds(SEED, independent)
    for number in range(grid.n_conditions):
        condition = grid.condition(number)
        expected = alone(model, what, seeds.of(condition), condition)
        for text in what:
            values = result[text].to_numpy().reshape(grid.n_conditions, -1)[number]
            size = expected[text].size
            np.testing.assert_array_equal(values[:size], expected[text], err_msg=f"{text} at {condition}")
            assert np.isnan(values[size:]).all()
    return result
