"""The judge of native code: the same network run by the interpreter of the IR, compared bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from eccles.compile import ir
from eccles.compile.interpret import interpret
from eccles.compile.pipeline import compile_program
from eccles.objects import magic, network
from eccles.objects.timing import SpikeTimes
from eccles.units import Quantity, ms

__all__ = ["assert_native_as_interpreted"]

Make = Callable[[], Iterable[Any]]
Part = Quantity | Callable[[network.Network], object]  # of a test: run so long, or change something


def _arrays_after(
    make: Make, parts: Iterable[Part], spike_times: SpikeTimes | None, *, native: bool
) -> dict[str, np.ndarray]:
    magic.start_scope()
    magic.seed(77)
    magic.defaultclock.go_to(0, 1e-4)
    net = network.Network(*make(), spike_times=spike_times)

    def compile_for(program: ir.Program) -> Callable[[int], int]:
        if native:
            return compile_program(program, portable=True, cache=False)
        return lambda _: interpret(program, [array.data for array in net.loop.arrays])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "compile_program", compile_for)
        for part in parts:
            if isinstance(part, Quantity):
                net.run(part)
            else:
                part(net)
    magic.defaultclock.go_to(0, 1e-4)
    arrays = enumerate(net.loop.arrays)
    # vector loops may leave anything behind the part of a batch's results that is in use
    return {f"{k}: {a.name}": a.data.copy() for k, a in arrays if not a.name.endswith(".result")}


def assert_native_as_interpreted(make: Make, *parts: Part, spike_times: SpikeTimes | None = None) -> None:
    """Run a network twice and compare every array that its program touches.

    Parameters
    ----------
    make : callable
        Makes the objects of the network, each time the same.
    *parts : time or callable
        Durations of consecutive runs, and functions of the network that change something in between;
        2 ms if none is given. The interpreter is slow: keep them and groups small.
    spike_times : {"precise", "grid"}, optional
        Of the network.

    Raises
    ------
    InternalError
        If the program uses an index that is out of range: native code would not notice.
    """
    parts = parts or (2 * ms,)
    native = _arrays_after(make, parts, spike_times, native=True)
    interpreted = _arrays_after(make, parts, spike_times, native=False)
    assert native.keys() == interpreted.keys()
    for name, expected in interpreted.items():
        found = native[name]
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape, name
        if found.tobytes() != expected.tobytes():
            where = np.flatnonzero(found.view(np.uint8) != expected.view(np.uint8))[0] // found.itemsize
            raise AssertionError(f"{name}[{where}] is {found[where]!r}, interpreted {expected[where]!r}")
