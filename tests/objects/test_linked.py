"""Variables of one group that are another group's: what is refused (values: see `test_same_as_brian2`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import eccles as e
from eccles.units import ms


def target(n: int = 3) -> Any:
    return e.NeuronGroup(n, "x : 1 (linked)\ndv/dt = x/ms : 1\nk : integer", method="euler")


def source(n: int = 5) -> Any:
    group = e.NeuronGroup(n, "y : 1\nu : volt\nz = 2*y : 1")
    group.y = np.arange(n)
    return group


IMPOSSIBLE = [
    [0, 1], [0, 1, 5], [-1, 0, 1], [0.0, 1.0, 2.0], [[0, 1, 2]], 3, None, "v", "q", [True, False, True],
    [2**40, 0, 0],
]  # fmt: skip


@pytest.mark.parametrize("index", IMPOSSIBLE)
def test_impossible_indices_are_refused(index: Any) -> None:
    group = target()
    with pytest.raises((IndexError, NotImplementedError, e.SetupError)):
        group.x = e.linked_var(source(), "y", index=index)
    with pytest.raises(TypeError, match="linked to nothing"):
        e.Network(group).run(1 * ms)


def test_links_to_nothing_another_unit_or_oneself_are_refused() -> None:
    group, other = target(), source(3)
    with pytest.raises(e.DimensionMismatchError):
        group.x = e.linked_var(other.u)
    with pytest.raises(e.SetupError, match="no variable 'q'"):
        group.x = e.linked_var(other, "q")
    with pytest.raises(TypeError):
        e.linked_var(5, "x")
    with pytest.raises(TypeError):
        e.linked_var(5)
    with pytest.raises(TypeError, match="linked_var"):
        group.x = 3
    with pytest.raises(e.SetupError, match="itself"):
        group.x = e.linked_var(group, "v")
    second = target()
    second.x = e.linked_var(group, "v")
    with pytest.raises(e.SetupError, match="itself"):
        group.x = e.linked_var(second, "v")


def test_links_can_be_chained_and_lead_to_parts_and_subexpressions() -> None:
    first, middle, last = source(5), target(3), target(3)
    middle.x = e.linked_var(first[1:4], "z")
    last.x = e.linked_var(middle.x)
    e.Network(first, middle, last).run(1 * ms)
    assert last.v[:].tolist() == pytest.approx([2, 4, 6])
    assert last.x[:].tolist() == [2, 4, 6]


def test_an_assignment_to_elements_linked_together_is_refused() -> None:
    group = e.NeuronGroup(3, "x : 1 (linked)\nv : 1", threshold="v >= 0", reset="x += 1")
    one = e.NeuronGroup(1, "y : 1")
    group.x = e.linked_var(one, "y")
    e.silence("threshold_at_start")
    with pytest.raises(e.SetupError, match="cannot be assigned"):
        e.Network(group, one).run(1 * ms)
    e.silence()


def test_an_index_that_is_a_variable_is_checked_before_each_run() -> None:
    group, other = target(), source()
    group.x = e.linked_var(other, "y", index="k")
    group.k = [4, 0, 2]
    net = e.Network(group, other)
    net.run(1 * ms)
    assert group.v[:].tolist() == pytest.approx([4, 0, 2])
    group.k = [4, 0, 5]
    with pytest.raises(IndexError, match="from 0 to 5"):
        net.run(1 * ms)

    @e.network_operation
    def out_of_range() -> None:
        group.k = 2**30

    group.k = 0
    net.add(out_of_range)
    net.run(1 * ms)  # the nearest element counts: no other memory is read
    assert group.v[1] == pytest.approx(4)


@pytest.mark.parametrize("index", [[0, 1, 4], None])
def test_a_link_to_synapses_that_have_become_fewer_is_refused(index: Any) -> None:
    group = e.NeuronGroup(3, "y : 1")
    synapses = e.Synapses(group, group, "w : 1")
    net = e.Network(group, synapses)
    synapses.connect(i=0, j=1)
    net.store()
    synapses.connect(i=[0] * (2 if index is None else 4), j=1)
    linked = target()
    linked.x = e.linked_var(synapses, "w", index=index)
    net.restore()
    net.add(linked)
    with pytest.raises(IndexError, match="linked to synapses, which has only 1 elements now"):
        net.run(1 * ms)
