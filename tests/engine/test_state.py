"""Arrays that native code may use."""

from __future__ import annotations

import numpy as np
import pytest

from eccles.compile.ir import VECTOR_PADDING, Element
from eccles.engine.state import ALIGNMENT, DTYPES, Array


@pytest.mark.parametrize("element", list(Element))
def test_an_array_is_aligned_has_its_type_and_spare_elements(element: Element) -> None:
    for size in (0, 1, 7, 1000):
        array = Array("x", element, size)
        assert array.address % ALIGNMENT == 0
        assert array.data.dtype == DTYPES[element]
        assert len(array) == size
        assert len(array._raw) >= size + VECTOR_PADDING
        assert array.address == array._raw.__array_interface__["data"][0]


def test_growing_keeps_values_and_new_elements_are_zero() -> None:
    array = Array("x", Element.F64, 3)
    array.data[:] = [1, 2, 3]
    array.resize(1000)
    assert array.data[:3].tolist() == [1, 2, 3]
    assert not array.data[3:].any()


def test_what_was_cut_off_or_written_behind_the_end_is_zero_when_it_comes_back() -> None:
    array = Array("x", Element.F64, 10)
    array.data[:] = 7
    array._raw[10 : 10 + VECTOR_PADDING] = 9  # as the last vector of a loop may
    array.resize(4)
    array.resize(10)
    assert array.data.tolist() == [7] * 4 + [0] * 6
    array._raw[10 : 10 + VECTOR_PADDING] = 9
    array.replace(np.arange(3.0))
    array.resize(10)
    assert array.data.tolist() == [0, 1, 2] + [0] * 7


def test_growing_often_allocates_rarely() -> None:
    array = Array("x", Element.F64, 1)
    addresses = set()
    for size in range(2, 5000):
        array.resize(size)
        addresses.add(array.address)
    assert len(addresses) < 40


def test_reserving_room_changes_no_values() -> None:
    array = Array("x", Element.I32, 2)
    array.data[:] = [5, 6]
    array.reserve(500)
    assert array.data.tolist() == [5, 6]
    address = array.address
    array.resize(400)
    assert array.address == address
