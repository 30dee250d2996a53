"""All conditions of one structure: which way they are run, on how many threads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.objects.swept import Structural
from eccles.sweeps.execute import Executor, Results, Stopped
from eccles.sweeps.parameters import Grid
from eccles.sweeps.repeated import NotRepeatable, Repeated
from eccles.sweeps.seeds import Seeds
from eccles.sweeps.structure import Structure, message_of

__all__ = ["Conditions"]

SHORT = 0.02  # seconds: conditions that take longer are run one by one, so that Ctrl-C is answered
BLOCK = 0.02  # seconds in one native call
WORTH_A_COPY = 0.05  # seconds of work for each thread: about what it takes to make a network for it
WORTH_A_THREAD = 0.002  # seconds of work for each thread that takes many conditions at once
LONG = 0.002  # seconds: of a condition beside which what Python does for it counts little
FIRST_BLOCK = 8  # conditions, before it is known how long they take


class Conditions:
    """Runs the conditions of one structure.

    Parameters
    ----------
    copy : callable, optional
        Makes an independent copy of the structure for another thread; without one there is a single thread.
    """

    def __init__(
        self, structure: Structure, grid: Grid, seeds: Seeds, copy: Callable[[], Structure] | None
    ) -> None:
        self._grid, self._seeds = grid, seeds
        self._copy = copy
        self._executors = [Executor(structure, grid, seeds)]
        self._repeated: Repeated | None = None
        self.why_one_by_one = ""
        self._seconds = 0.0  # that a condition takes alone; 0 where that was not measured yet
        self._block_seconds = 0.0  # and among many
        try:
            self._repeated = Repeated(self._executors[0])
        except NotRepeatable as reason:
            self.why_one_by_one = str(reason)

    def run(self, numbers: np.ndarray, results: Results, n_threads: int, stopped: Callable[[], bool]) -> None:
        """Simulate these conditions.

        Raises
        ------
        Stopped
            If `stopped()` became true before all were done.
        """
        if self._repeated is not None:
            numbers = self._check_repeated(numbers, results, stopped)
        if self._repeated is not None:
            numbers = self._run_blocks(self._repeated, numbers, results, n_threads, stopped)
        self._run_one_by_one(numbers, results, n_threads if self._copy else 1, stopped)

    # -- many at once ---------------------------------------------------------------------------

    def _check_repeated(
        self, numbers: np.ndarray, results: Results, stopped: Callable[[], bool]
    ) -> np.ndarray:
        """Run a first condition in both ways: many at once is for short ones, and gives the same bits."""
        assert self._repeated is not None
        while len(numbers) and not self._seconds:  # until one does not fail
            values = self._run_one(0, int(numbers[0]), results, stopped)
            first, numbers = numbers[:1], numbers[1:]
            if values is not None:
                again = _Again()
                if (
                    self._seconds > SHORT
                    or not self._repeated.run(first, again)[0]
                    or not again.equals(values)
                ):
                    self._repeated = None
                return numbers
        return numbers

    def _run_blocks(
        self,
        repeated: Repeated,
        numbers: np.ndarray,
        results: Results,
        n_threads: int,
        stopped: Callable[[], bool],
    ) -> np.ndarray:
        """Simulate in blocks; returns the conditions that have to be run one by one."""
        left: list[np.ndarray] = []

        def run(block: np.ndarray) -> float:
            if stopped():
                raise Stopped
            began = time.perf_counter()
            done = repeated.run(block, results)
            if not done.all():
                left.append(block[~done])
            return (time.perf_counter() - began) / len(block)

        if self._seconds > LONG:
            self._block_seconds = self._seconds
        n_first = 0 if self._block_seconds else FIRST_BLOCK
        first, rest = numbers[:n_first], numbers[n_first:]
        if len(first):
            self._block_seconds = run(first)
        if len(rest):
            if self._block_seconds * len(rest) < WORTH_A_THREAD * n_threads:
                n_threads = 1
            size = max(1, int(BLOCK / max(self._block_seconds, 1e-9)))
            size = max(1, min(size, repeated.most, -(-len(rest) // n_threads)))
            blocks = [rest[k : k + size] for k in range(0, len(rest), size)]
            if n_threads == 1 or len(blocks) == 1:
                for block in blocks:
                    run(block)
            else:
                _in_threads(n_threads, blocks, lambda _, block: run(block))
        return np.sort(np.concatenate(left)) if left else numbers[:0]

    # -- one by one -----------------------------------------------------------------------------

    def _run_one(
        self, thread: int, number: int, results: Results, stopped: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Simulate a condition; returns what was recorded, or None if it failed."""
        began = time.perf_counter()
        try:
            values = self._executors[thread].run(number, stopped)
        except Stopped:
            raise
        except Structural as need:
            raise SetupError(
                f"Python code that is called within the run uses a swept value ({need})",
                hint="Give the value to a variable, as in G.g = g, and let the code read that.",
            ) from None
        except Exception as error:
            results.fail(number, message_of(error))
            return None
        self._seconds = time.perf_counter() - began
        results.put(number, values)
        return values

    def _run_one_by_one(
        self, numbers: np.ndarray, results: Results, n_threads: int, stopped: Callable[[], bool]
    ) -> None:
        while len(numbers) and not self._seconds:  # the first one tells whether threads are worth it
            self._run_one(0, int(numbers[0]), results, stopped)
            numbers = numbers[1:]
        n_threads = min(n_threads, len(numbers))
        if self._seconds * len(numbers) < WORTH_A_COPY * n_threads:
            n_threads = 1
        while len(self._executors) < n_threads:
            assert self._copy is not None
            self._executors.append(Executor(self._copy(), self._grid, self._seeds))
        if n_threads <= 1:
            for number in numbers:
                self._run_one(0, int(number), results, stopped)
        else:
            jobs = [int(k) for k in numbers]
            _in_threads(n_threads, jobs, lambda thread, k: self._run_one(thread, k, results, stopped))


class _Again:
    """Takes the results of one condition, to compare them."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def put(self, number: int, values: dict[str, Any]) -> None:
        self._values = values

    def put_many(self, numbers: np.ndarray, values: dict[str, np.ndarray]) -> None:
        self._values = {name: found[0] for name, found in values.items()}

    def fail(self, number: int, message: str) -> None:
        raise AssertionError(message)

    def equals(self, values: dict[str, Any]) -> bool:
        """Whether all values have the same bits."""
        return all(_same(found, values[name]) for name, found in self._values.items())


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(_same(a[column], b[column]) for column in a)
    return np.array_equal(np.ravel(a), np.ravel(b), equal_nan=True)


def _in_threads(n_threads: int, jobs: list[Any], run: Callable[[int, Any], object]) -> None:
    """Do all jobs, each in the next thread that is free: `run(thread, job)`.

    The first error ends it, and is raised; so does Ctrl-C.
    """
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    end = threading.Event()

    def work(thread: int) -> None:
        while not end.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                run(thread, job)
            except BaseException:
                end.set()
                raise

    with ThreadPoolExecutor(n_threads, thread_name_prefix="eccles-sweep") as pool:
        try:
            for future in [pool.submit(work, k) for k in range(n_threads)]:
                future.result()
        except BaseException:
            end.set()
            raise
