"""From a model function to a network with settings: one structure for many conditions.

The model is called with a `Swept` stand-in for each parameter. Where that does not work because a value
is needed at once (a size, a condition of Python code), the conditions are divided along that parameter's
axis, and the model is called for each part.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eccles.errors import EcclesError, SetupError, nearest, note
from eccles.objects import magic
from eccles.objects.network import Network
from eccles.objects.swept import NotRunYet, Setting, Structural, Tracer, tracing
from eccles.sweeps.capture import Capture, Refused
from eccles.sweeps.parameters import Grid
from eccles.sweeps.record import Record
from eccles.sweeps.recorders import Recorder
from eccles.sweeps.remainder import runs_later
from eccles.sweeps.seeds import TRIAL, Seeds

__all__ = ["Phase", "Structure", "message_of", "structures"]

MANY = 1000  # structures of one sweep, above which something else is probably meant


@dataclass
class Phase:
    """A run, and what is set before it.

    Attributes
    ----------
    settings : list of Setting
        In order.
    seconds : float
        How long it runs.
    """

    settings: list[Setting]
    seconds: float


@dataclass
class Structure:
    """A network that stands for many conditions, and what each of them sets.

    Attributes
    ----------
    network : Network
        As it is in the first of these conditions.
    phases : list of Phase
        What a condition sets, and how long it runs: once for each `run()` of the model.
    fixed : dict of str to int
        The position along each axis for which the model was called anew.
    numbers : (n,) int
        The conditions.
    records : dict of str to Record
    recorders : dict of str to Recorder
        What is recorded, by name of the result.
    random_axes : frozenset of str
        The axes along which random numbers differ.
    default_dt : float
        The time step of the default clock, in seconds, as the model has set it; None where nothing uses
        that clock.
    """

    network: Network
    phases: list[Phase]
    fixed: dict[str, int]
    numbers: np.ndarray
    records: dict[str, Record]
    recorders: dict[str, Recorder]
    random_axes: frozenset[str] = field(default_factory=frozenset)
    default_dt: float | None = None

    @property
    def seconds(self) -> float:
        """How long all its runs are."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def settings(self) -> list[Setting]:
        """The settings of all phases."""
        return [setting for phase in self.phases for setting in phase.settings]


class _NotRun(SetupError):
    """The model never called run()."""


Failed = tuple[np.ndarray, Exception]  # conditions for which there is no network, and why


def structures(
    model: Callable[..., Any], grid: Grid, seeds: Seeds, record: Any, failures: dict[int, str]
) -> Iterator[Structure]:
    """Call the model as often as there are structures.

    Parameters
    ----------
    record : text, Record, list or dict of these, or None
        As `sweep` takes it.
    failures : dict of int to str
        Is given an entry for each condition for which the model cannot be made, as long as there is any for
        which it can.

    Raises
    ------
    Exception
        What the model raises, if it does so for all conditions.
    """
    calls = _Calls(model, grid, seeds, record)
    problems: list[Exception] = []
    n_made = 0
    for part in calls.divided({}, calls.plain_axes()):
        if isinstance(part, Structure):
            n_made += 1
            yield part
        else:
            numbers, error = part
            problems.append(error)
            failures.update({int(k): message_of(error) for k in numbers})
    if not n_made and problems:
        raise problems[0]


def message_of(error: BaseException) -> str:
    """What went wrong in a condition, as text."""
    return str(error) if isinstance(error, EcclesError) else f"{type(error).__name__}: {error}"


class _Calls:
    """Calls of a model function, for all conditions at once or for parts of them."""

    def __init__(self, model: Callable[..., Any], grid: Grid, seeds: Seeds, record: Any) -> None:
        self._model = model
        self._grid = grid
        self._seeds = seeds
        self._record = record
        self._arguments = _arguments(model, grid)
        self._sizes = dict(zip(grid.axes, grid.shape, strict=True))

    def plain_axes(self) -> list[str]:
        """The axes whose values are passed as they are: a single one, or what no stand-in is for."""
        return [
            axis for axis, members in self._grid.axes.items()
            if self._sizes[axis] == 1 or not all(p.is_number for p in members)
        ]  # fmt: skip

    def divided(self, fixed: dict[str, int], axes: Iterable[str]) -> Iterator[Structure | Failed]:
        """The structures for some conditions, after dividing them along these axes."""
        axes = [axis for axis in self._grid.axes if axis in axes and axis not in fixed]
        if axes:
            axis, *others = axes
            for position in range(self._sizes[axis]):
                yield from self.divided({**fixed, axis: position}, others)
            return
        try:
            yield self._traced(fixed)
            return
        except Structural as need:
            missing = need.axes - set(fixed)
            if not missing:
                raise SetupError(
                    f"a parameter is used in a way that no sweep can follow: {need.use}"
                ) from None
            self._tell(missing, need.use)
        except _NotRun:
            raise
        except Exception as error:
            missing = self._why_not_swept(fixed)
            if not missing:
                yield self._grid.numbers(fixed), error
                return
        yield from self.divided(fixed, missing)

    def _why_not_swept(self, fixed: dict[str, int]) -> frozenset[str]:
        """The axes to divide along, if the model works with plain numbers; none if it is simply wrong."""
        free = frozenset(self._grid.axes) - set(fixed)
        for place in (0, -1) if free else ():
            try:
                self._traced({**fixed, **{axis: range(self._sizes[axis])[place] for axis in free}})
            except Exception:
                continue
            self._tell(free, "it is used where a sweep cannot follow it")
            return free
        return frozenset()

    def _tell(self, axes: frozenset[str], use: str) -> None:
        """Say that the model is made several times, or refuse it."""
        n = int(np.prod([self._sizes[axis] for axis in axes]))
        named = " and ".join(f"'{axis}'" for axis in sorted(axes))
        if n > MANY:
            raise SetupError(
                f"the model would have to be made {n} times, once for each value of {named}: {use}",
                hint="Use the parameter as a constant in equations, an initial value, a weight, a rate, a "
                "delay or a stimulus; or sweep fewer values at once.",
            )
        if axes <= self._seeds.axes(self._grid):
            return  # trials of random networks
        note("one_model_per_value", f"the model is made {n} times, once for each value of {named}: {use}")

    def _traced(self, fixed: dict[str, int]) -> Structure:
        """Call the model for the conditions at these positions, and note what it makes."""
        grid = self._grid
        numbers = grid.numbers(fixed)
        random_axes = self._seeds.axes(grid) - set(fixed)
        first_seed = self._seeds.of(grid.condition(int(numbers[0])))
        values = {
            name: p.at(fixed[axis]) if axis in fixed else p.swept(axis)
            for name, (axis, p) in grid.parameters().items()
            if name in self._arguments
        }

        def seed() -> int:
            if random_axes:
                raise Structural(random_axes, "random numbers are drawn while the model is made")
            return first_seed

        capture = Capture(self._record, first_seed)
        tracer = Tracer(capture.on_run, random_axes, lambda: magic.random_numbers(first_seed, anew=False))
        with magic.private_scope(), magic.default_clock(), magic.random_numbers(seed), tracing(tracer):
            numpy_before = _numpy_state()
            try:
                self._model(**values)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # what a model makes of its results is not asked for in a sweep
                if not capture.seconds or isinstance(error, Refused):
                    raise
                if runs_later(error.__traceback__):
                    if not isinstance(error, NotRunYet | Structural):
                        raise
                    raise SetupError(
                        f"between two runs, the model asks for what only each condition knows: {error}",
                        hint="Set variables by text, which is evaluated in each condition, as in "
                        "G.v = 'v + 1'.",
                    ) from error
            if _numpy_state() != numpy_before:
                note(
                    "numpy_random",
                    "the model draws from numpy.random, which gives all conditions and trials the same "
                    "numbers. In text, as in G.v = 'rand()', each trial has its own; or make a generator "
                    "from the parameter `trial`: np.random.default_rng(trial)",
                )
            capture.put_back()
            default_dt = magic.defaultclock.dt_
        if capture.network is None or not capture.seconds:
            raise _NotRun(
                "the model did not call run(), so it is not known how long to simulate",
                hint="A model that is swept makes its objects and then calls run(...), as a script does.",
            )
        phases = [Phase(s, t) for s, t in zip(tracer.phases, capture.seconds, strict=False)]
        return Structure(
            capture.network, phases, dict(fixed), numbers, capture.records, capture.recorders, random_axes,
            default_dt,
        )  # fmt: skip


def _numpy_state() -> str:
    """The state of NumPy's own random numbers, if anybody uses them."""
    random = sys.modules.get("numpy.random")
    return "" if random is None else repr(random.get_state(legacy=False))


def _arguments(model: Callable[..., Any], grid: Grid) -> frozenset[str]:
    """The parameters that the model function takes."""
    if not callable(model):
        raise TypeError(f"the model has to be a function that makes a network and calls run(), not {model!r}")
    known = inspect.signature(model).parameters
    names = set(grid.parameters())
    takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
    called = getattr(model, "__name__", "the model")
    for name in names - set(known):
        if name != TRIAL and not takes_all:
            near = nearest(name, known)
            raise SetupError(
                f"{called}() has no parameter '{name}'" + (f"; did you mean '{near}'?" if near else ""),
                hint=f"It takes {', '.join(known) or 'none'}. Parameters of a sweep are passed by name.",
            )
    for name, p in known.items():
        if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and name not in names:
            raise SetupError(
                f"{called}() needs a value for '{name}'",
                hint=f"Give it one in the call: sweep({called}, {name}=..., ...).",
            )
    return frozenset(names if takes_all else names & set(known))
