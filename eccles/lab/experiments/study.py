"""What an experiment of the laboratory is, and what it gives: data, a table, a figure, and what to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["Outcome", "Study"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an experiment gave.

    Attributes
    ----------
    data : Dataset
        Everything, labelled: what was measured and what the model gives, with units.
    table : mapping of str to sequence
        The main numbers: name of a column, with its unit, to its values.
    draw : callable
        Makes the figure.
    findings : sequence of str
        What came out, in sentences with numbers.
    notes : sequence of str
        What is uncertain, and what the model cannot say.
    models : mapping of str to str
        The model text of rules and neurons that took part, by what they are.
    """

    data: xr.Dataset
    table: Mapping[str, Sequence[Any]]
    draw: Callable[[], Figure]
    findings: Sequence[str] = ()
    notes: Sequence[str] = ()
    models: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Study:
    """An experiment that can be run by its name.

    Attributes
    ----------
    name : str
        As on the command line: `eccles lab run NAME`.
    title : str
        The question, in a line.
    source : str
        The publication whose data or figure it is about.
    run : callable
        Runs it: `run(quick=False)`; quick takes seconds at most, with fewer trials where there are any.
    """

    name: str
    title: str
    source: str
    run: Callable[..., Outcome]
