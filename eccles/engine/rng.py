"""Random numbers outside of a run: for connections and first values.

They are functions of (key, element, ordinal, draw), as those within a run: see `eccles.compile.random`,
whose functions are compiled here into a loop over arrays. So each distribution has one definition, and it
is fast. All are compiled portably: a seed gives the same connections and values on every machine.

Arguments are numbers or arrays, which are broadcast; the result has their common shape.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from typing import Any

import numpy as np

from eccles.compile import ir, random
from eccles.compile.ir import I64, Element
from eccles.engine.state import Array

__all__ = ["binomial", "exponential", "normal", "poisson", "stream_key", "uniform"]

CHUNK = 1 << 13  # elements at a time: what they need stays in the cache


def stream_key(seed: int, name: str, purpose: str) -> int:
    """The key of the stream that an object uses for a purpose: 63 bits of a hash.

    Parameters
    ----------
    seed : int
    name : str
        Of the object.
    purpose : str
        Tells the streams of an object apart.
    """
    text = f"{seed}\0{name}\0{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def uniform(key: int, element: Any, ordinal: Any, draw: Any) -> np.ndarray:
    """Numbers in [0, 1), multiples of 2^-53."""
    return _drawn(random.uniform, key, element, ordinal, draw)


def normal(key: int, element: Any, ordinal: Any, draw: Any) -> np.ndarray:
    """Numbers with mean 0 and variance 1."""
    return _drawn(random.normal, key, element, ordinal, draw)


def exponential(key: int, element: Any, ordinal: Any, draw: Any) -> np.ndarray:
    """Positive numbers with mean 1."""
    return _drawn(random.exponential, key, element, ordinal, draw)


def poisson(lam: Any, key: int, element: Any, ordinal: Any, draw: Any) -> np.ndarray:
    """Counts with mean `lam`; a negative mean, or NaN, counts as 0."""
    return _drawn(random.poisson, key, element, ordinal, draw, lam)


def binomial(n: Any, p: Any, key: int, element: Any, ordinal: Any, draw: Any) -> np.ndarray:
    """How many of `n` independent trials succeed; `p`, their probability, is taken to [0, 1], NaN to 0."""
    return _drawn(random.binomial, key, element, ordinal, draw, n, p)


def _drawn(
    function: ir.Function, key: int, element: Any, ordinal: Any, draw: Any, *parameters: Any
) -> np.ndarray:
    signed_key = (key + 2**63) % 2**64 - 2**63  # keys may be given as unsigned numbers
    return _kernel(function)(*parameters, signed_key, element, ordinal, draw)


@cache
def _kernel(function: ir.Function) -> _Kernel:
    return _Kernel(function)


class _Kernel:
    """An IR function as a function of arrays."""

    def __init__(self, function: ir.Function) -> None:
        from eccles.compile.pipeline import compile_program

        elements = [Element.I64 if p.type is I64 else Element.F64 for p in function.params]
        self._inputs = [Array(p.name, e, CHUNK) for p, e in zip(function.params, elements, strict=True)]
        self._output = Array("result", Element.I64 if function.result.type is I64 else Element.F64, CHUNK)
        self._size = Array("size", Element.I64, 1)
        arrays = [*self._inputs, self._output, self._size]
        buffers = tuple(ir.Buffer(a.name, a.element, slot) for slot, a in enumerate(arrays))
        *inputs, output, size = buffers
        i = ir.Local("i", I64)
        store = ir.Store(output, i, ir.Call(function, tuple(ir.Load(b, i) for b in inputs)))
        n = ir.Load(size, ir.const(0))
        loop = (
            ir.VectorFor(i, n, (store,))
            if ir.straight_line(function)
            else ir.For(i, ir.const(0), n, (store,))
        )
        self._native = compile_program(ir.Program(function.name, buffers, (loop,)), portable=True)
        self._lock = threading.Lock()  # the arrays are in use during a call
        self._table = np.array([a.address for a in arrays], np.uintp)

    def __call__(self, *args: Any) -> np.ndarray:
        """The function of arguments that are broadcast."""
        values = [np.asarray(a, array.data.dtype) for a, array in zip(args, self._inputs, strict=True)]
        shape = np.broadcast_shapes(*(v.shape for v in values))
        with self._lock:
            return self._filled(values, shape)

    def _filled(self, values: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        total = int(np.prod(shape, dtype=np.int64))
        result = np.empty(total, self._output.data.dtype)
        varying = []
        for value, array in zip(values, self._inputs, strict=True):
            if value.size == 1:
                array.data[:] = value.reshape(())
            else:
                varying.append((np.broadcast_to(value, shape).reshape(-1), array))
        for begin in range(0, total, CHUNK):
            n = min(CHUNK, total - begin)
            for value, array in varying:
                array.data[:n] = value[begin : begin + n]
            self._size.data[0] = n
            self._native(self._table.ctypes.data)
            result[begin : begin + n] = self._output.data[:n]
        return result.reshape(shape)
