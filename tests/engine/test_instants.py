"""The walk through a time step: which entries form an instant, in which order, with room for any number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eccles.compile import ir
from eccles.compile.interpret import interpret
from eccles.compile.ir import Element, Op
from eccles.compile.pipeline import compile_program
from eccles.engine.clock import Clock
from eccles.engine.instants import FIRST_CAPACITY, Instants
from eccles.engine.loop import Runner
from eccles.engine.program import Block, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import MOST_GENERATIONS, SAME
from eccles.errors import RunError
from eccles.units import ms

DT = 1e-4
PS = 1e-12

Entry = tuple[float, int]  # time within the step, item
Seen = tuple[int, int, float, float, int]  # step, instant, its time, the entry's time, item


class Walk:
    """A program that puts given entries into the heap as each step begins, and writes down what comes up.

    An entry comes up again at the same time, with an item that is one less, as long as that is positive;
    so an item is a number of generations.
    """

    def __init__(self, *, native: bool, grid: bool = False) -> None:
        self.clock = Clock(0.1 * ms)
        self.instants = Instants(self.clock)
        self._begin = Array("begin", Element.I64)
        self._given = Array("given", Element.F64), Array("given_item", Element.I64)
        columns = [
            ("step", Element.I64),
            ("number", Element.I64),
            ("now", Element.F64),
            ("time", Element.F64),
        ]
        self._seen = [Array(name, element) for name, element in [*columns, ("item", Element.I64)]]
        self._n = Array("n", Element.I64, 1)
        self._again = Array("again", Element.I64)
        self._n_again = Array("n_again", Element.I64, 1)
        self._detected = Array("detected", Element.I64)
        kind = self.instants.kind("entries", self._handle)

        def push(b: ProgramBuilder) -> None:
            step = b.step(self.clock)
            first = b.let("first", b.load(self._begin, step))
            last = b.let("last", b.load(self._begin, Op("iadd", (step, ir.const(1)))))
            self.instants.emit_room(b, Op("isub", (last, first)))
            with b.loop("k", first, last) as k:
                self.instants.emit_push(
                    b, b.load(self._given[0], k), kind, b.load(self._given[1], k), ir.const(0)
                )

        def push_again(b: ProgramBuilder) -> None:
            n = b.let("n", b.load(self._n_again, 0))
            self.instants.emit_room(b, n)
            with b.loop("k", ir.const(0), n) as k:
                self.instants.emit_push(
                    b, self.instants.emit_now(b), kind, b.load(self._again, k), ir.const(0)
                )
            b.store(self._n_again, 0, ir.const(0))

        def detect(b: ProgramBuilder) -> None:
            step = b.step(self.clock)
            b.store(self._detected, step, Op("iadd", (b.load(self._detected, step), ir.const(1))))

        if grid:
            self.instants.at_grid(detect)
        blocks = [
            Block("push", self.clock, "groups", 0, push, Part.BEFORE),
            Block("open", self.clock, "groups", 1, self.instants.emit_open, Part.BEFORE),
            Block("collect", self.clock, "thresholds", 0, self.instants.emit_collect, Part.COLLECT),
            Block("push again", self.clock, "synapses", 0, push_again, Part.INSTANT),
        ]
        self.loop = ProgramBuilder([self.clock], self.instants).build(blocks)
        call: Any = lambda _: interpret(self.loop.program, [array.data for array in self.loop.arrays])  # noqa: E731
        self._call = compile_program(self.loop.program, portable=True, cache=False) if native else call

    def _handle(self, b: ProgramBuilder, time: ir.Expr, item: ir.Expr, ordinal: ir.Expr) -> None:
        n = b.let("n", b.load(self._n, 0))
        now = self.instants.emit_now(b)
        number = b.let("instant", b.load(self.instants.number, 0))
        for array, value in zip(self._seen, (b.step(self.clock), number, now, time, item), strict=True):
            b.store(array, n, value)
        b.store(self._n, 0, Op("iadd", (n, ir.const(1))))
        with b.when(Op("igt", (item, ir.const(0)))):
            again = b.let("again", b.load(self._n_again, 0))
            b.store(self._again, again, Op("isub", (item, ir.const(1))))
            b.store(self._n_again, 0, Op("iadd", (again, ir.const(1))))

    def run(self, steps: list[list[Entry]], room: int = 0) -> list[Seen]:
        """What came up, in order."""
        flat = [entry for entries in steps for entry in entries]
        self.clock.go_to(0, DT)
        self._begin.replace(np.cumsum([0, *map(len, steps)]))
        self._given[0].replace(np.array([time for time, _ in flat], float))
        self._given[1].replace(np.array([item for _, item in flat], np.int64))
        for array in self._seen:
            array.resize(room or sum(item + 1 for _, item in flat))
        self._again.resize(len(flat))
        self._detected.replace(np.zeros(len(steps), np.int64))
        self._n.data[:] = self._n_again.data[:] = 0
        Runner(self.loop, self._call).run([len(steps)], stop_requested=lambda: False)
        columns = [array.data[: self._n.data[0]].tolist() for array in self._seen]
        return list(zip(*columns, strict=True))

    @property
    def detected(self) -> list[int]:
        """How often each step has been looked at on the grid."""
        return self._detected.data.tolist()


def expected_of(steps: list[list[Entry]]) -> list[tuple[int, float, list[Entry]]]:
    """Step, time and entries of each instant, generation by generation."""
    instants = []
    for step, entries in enumerate(steps):
        left = sorted(entries)
        while left:
            now = left[0][0]
            due = [entry for entry in left if entry[0] <= now + SAME]
            left = [entry for entry in left if entry[0] > now + SAME]
            instants.append((step, now, due))
            left = sorted(left + [(now, item - 1) for _, item in due if item > 0])
    return instants


def instants_in(seen: list[Seen]) -> list[tuple[int, float, list[Entry]]]:
    found: dict[int, tuple[int, float, list[Entry]]] = {}
    numbers = [number for _, number, _, _, _ in seen]
    assert numbers == sorted(numbers)
    for step, number, now, time, item in seen:
        entries = found.setdefault(number, (step, now, []))[2]
        assert not entries or time >= entries[-1][0]
        entries.append((time, item))
    return [(step, now, sorted(entries)) for step, now, entries in found.values()]


# moments close to each other, at the start and the end of what belongs to a step, and anywhere
moments = st.one_of(
    st.tuples(st.sampled_from([2 * PS, 0.3 * DT, DT - 3 * PS]), st.integers(0, 10)).map(
        lambda at: min(at[0] + 0.4 * PS * at[1], DT + SAME)
    ),
    st.floats(2 * PS, DT),
)
entries = st.lists(st.tuples(moments, st.sampled_from([0, 0, 0, 1, 3])), max_size=12)
NATIVE = Walk(native=True)


@given(steps=st.lists(entries, min_size=1, max_size=4))
def test_entries_come_up_in_order_of_time_and_those_within_a_picosecond_at_once(
    steps: list[list[Entry]],
) -> None:
    assert instants_in(NATIVE.run(steps)) == expected_of(steps)


def test_the_interpreter_sees_the_same(rng: np.random.Generator) -> None:
    steps = [
        [(round(t, 7) if k % 2 else t, k % 3) for k, t in enumerate(rng.uniform(1e-6, DT, 30).tolist())]
        for _ in range(3)
    ]
    assert Walk(native=False).run(steps) == Walk(native=True).run(steps)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


@pytest.mark.parametrize("order", ["ascending", "descending", "random", "equal"])
def test_the_heap_grows_to_any_size(order: str, rng: np.random.Generator) -> None:
    n = 2 * FIRST_CAPACITY + 5
    times = np.sort(rng.uniform(1e-6, DT, n))
    change: dict[str, Callable[[], np.ndarray]] = {
        "ascending": lambda: times, "descending": lambda: times[::-1],
        "random": lambda: rng.permutation(times), "equal": lambda: np.full(n, 0.5 * DT),
    }  # fmt: skip
    given = [(t, 0) for t in change[order]().tolist()]
    walk = Walk(native=True)
    assert instants_in(walk.run([given, given[:3]])) == expected_of([given, given[:3]])


def test_a_step_has_its_end_and_the_first_its_start_too() -> None:
    seen = NATIVE.run([[(0.0, 0), (DT, 0)], [(DT, 0)]])
    assert [(step, now) for step, _, now, _, _ in seen] == [(0, 0.0), (0, DT), (1, DT)]


@pytest.mark.parametrize("grid", [False, True])
def test_the_grid_is_looked_at_once_per_step_at_its_end(grid: bool) -> None:
    walk = Walk(native=False, grid=grid)
    walk.run([[(0.2 * DT, 2), (DT, 1)], [], [(DT + 0.5 * SAME, 0)]])
    assert walk.detected == [int(grid)] * 3


def test_spikes_that_set_each_other_off_without_end_are_an_error_with_the_time() -> None:
    walk = Walk(native=True)
    with pytest.raises(RunError, match=r"at t = 0.13 ms spikes set each other off without end"):
        walk.run([[(0.5 * DT, 3)], [(0.3 * DT, 10**9), (0.9 * DT, 0)]], room=2 * MOST_GENERATIONS)
    # nothing of it is left for another run
    assert instants_in(walk.run([[(0.6 * DT, 0)]])) == [(0, 0.6 * DT, [(0.6 * DT, 0)])]


def test_as_many_generations_as_an_instant_may_have_are_no_error() -> None:
    n = MOST_GENERATIONS
    seen = Walk(native=True).run([[(0.5 * DT, n)]])
    assert [item for *_, item in seen] == list(range(n, -1, -1))
