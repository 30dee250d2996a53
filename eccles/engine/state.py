"""Arrays that native code may use: aligned, with spare elements, at an address that is known.

Python owns all state. A vector loop may run past the end of an array by less than one vector, so
every array has `VECTOR_PADDING` spare elements, which are zero unless such a loop wrote them.
"""

from __future__ import annotations

import numpy as np

from eccles.compile.ir import VECTOR_PADDING, Element

__all__ = ["ALIGNMENT", "DTYPES", "Array"]

ALIGNMENT = 64  # bytes: a cache line, and the widest vector

DTYPES: dict[Element, type[np.generic]] = {
    Element.F64: np.float64,
    Element.F32: np.float32,
    Element.I64: np.int64,
    Element.I32: np.int32,
    Element.U8: np.bool_,
}


class Array:
    """A one-dimensional array that can grow.

    Attributes
    ----------
    data : numpy.ndarray
        The elements, as a view; a new view after `resize`.
    address : int
        Where the first element lies; changes with `resize` if the array outgrows its capacity.
    """

    __slots__ = ("_raw", "address", "capacity", "data", "element", "name")

    def __init__(self, name: str, element: Element, size: int = 0, fill: float = 0) -> None:
        self.name = name
        self.element = element
        self.capacity = -1
        self._allocate(size)
        self.data = self._view(size)
        if fill:
            self.data[:] = fill

    def __len__(self) -> int:
        return self.data.shape[0]

    def _allocate(self, capacity: int) -> None:
        itemsize = np.dtype(DTYPES[self.element]).itemsize
        # calloc-backed: pages that are never touched cost nothing
        raw = np.zeros((capacity + VECTOR_PADDING) * itemsize + ALIGNMENT, np.uint8)
        start = -raw.__array_interface__["data"][0] % ALIGNMENT
        self._raw = raw[start : start + (capacity + VECTOR_PADDING) * itemsize].view(DTYPES[self.element])
        self.address: int = self._raw.__array_interface__["data"][0]
        self.capacity = capacity

    def _view(self, size: int) -> np.ndarray:
        return self._raw[:size]

    def with_spare_elements(self) -> np.ndarray:
        """The elements, and behind them those that vector loops may touch."""
        return self._raw[: len(self.data) + VECTOR_PADDING]

    def resize(self, size: int) -> None:
        """Change the number of elements; new ones are 0, old ones keep their values."""
        old = self.data
        if size > self.capacity:
            self._allocate(max(size, self.capacity + self.capacity // 2))  # so that growing often is cheap
            self._raw[: len(old)] = old
        else:
            self._zero_behind(min(size, len(old)))
        self.data = self._view(size)

    def _zero_behind(self, size: int) -> None:
        """Zero what is cut off, and what vector loops left behind the end; the rest was never written."""
        self._raw[size : len(self.data) + VECTOR_PADDING] = 0

    def reserve(self, capacity: int) -> None:
        """Make room for `capacity` elements without changing their number."""
        if capacity > self.capacity:
            old = self.data
            self._allocate(capacity)
            self._raw[: len(old)] = old
            self.data = self._view(len(old))

    def replace(self, values: np.ndarray) -> None:
        """Take over all elements of `values`, and their number."""
        if len(values) > self.capacity:
            self._allocate(len(values))
        else:
            self._zero_behind(len(values))
        self.data = self._view(len(values))
        self.data[:] = values
