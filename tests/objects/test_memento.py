"""Networks that are put back to an earlier moment go on as they did then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eccles import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
    network_operation,
    seed,
    silence,
)
from eccles.compile.ir import Element
from eccles.engine.state import Array
from eccles.objects.memento import Memento

TAU = 10 * ms


@pytest.fixture(autouse=True)
def quiet():
    silence("rebuilt_in_loop")
    seed(3)
    yield
    silence()
    seed()


def everything() -> tuple[Network, dict[str, Any]]:
    wave = TimedArray(np.array([0, 1, 2.0]), dt=5 * ms)
    P = PoissonGroup(5, rates=200 * Hz)
    T = SpikeGeneratorGroup(2, [0, 1, 0], [1, 2, 12] * ms)
    G = NeuronGroup(
        3, "dv/dt = (wave(t) - v + x)/TAU : 1\nx : 1", threshold="v > 1", reset="v = 0; x += 0.1",
        refractory=2 * ms,
    )  # fmt: skip
    S = Synapses(P, G, "w : 1\nda/dt = -a/TAU : 1 (event-driven)", on_pre="v += w; a += 1; w += 0.01*a")
    S.connect(p=0.7)
    S.w = 0.1
    Q = Synapses(T, G, on_pre="v += 0.3")
    Q.connect()
    Q.delay = "(i + 1)*3*ms"
    G.run_regularly("x += 0.01", dt=3 * ms)
    spikes, trace = SpikeMonitor(G, variables="x"), StateMonitor(G, "v", record=True)
    net = Network(P, T, G, S, Q, spikes, trace)
    return net, {"P": P, "T": T, "G": G, "S": S, "Q": Q, "spikes": spikes, "trace": trace, "wave": wave}


def seen(net: Network, objects: dict[str, Any]) -> dict[str, bytes]:
    """All that can be seen of a network, bit for bit."""
    found = {"t": np.float64(net.t_).tobytes()}
    for obj in net._everything():
        found |= {f"{obj.name}.{key}": array.tobytes() for key, array in obj.full_state().items()}
    for name in ("t_", "v_"):
        found[f"trace {name}"] = np.array(getattr(objects["trace"], name)).tobytes()
    for name in ("t_", "i", "x_"):
        found[f"spikes {name}"] = np.array(getattr(objects["spikes"], name)).tobytes()
    return found


@pytest.mark.parametrize("before", [0, 7])
def test_what_comes_after_is_the_same_again(before):
    net, objects = everything()
    net.run(before * ms)
    start, memento = seen(net, objects), Memento(net)
    ends = []
    for k in range(3):
        net.run((15 if k != 1 else 8) * ms)
        ends.append(seen(net, objects))
        memento.put_back()
        assert seen(net, objects) == start
    assert ends[0] == ends[2]
    assert ends[0] != start
    assert ends[1] != ends[0]


def test_what_users_set_in_between_is_put_back():
    net, objects = everything()
    start, memento = seen(net, objects), Memento(net)
    net.run(15 * ms)
    end = seen(net, objects)
    memento.put_back()
    G, S, T, Q = (objects[name] for name in "GSTQ")
    G.v = 5
    S.w = "i"
    Q.delay = 1 * ms
    T.set_spikes([0] * 40, np.arange(40) * ms)
    G.active = False
    G.order = 3
    net.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    net.run(5 * ms)
    memento.put_back()
    assert seen(net, objects) == start
    assert (G.active, G.order, net.schedule[2]) == (True, 0, "thresholds")
    net.run(15 * ms)
    assert seen(net, objects) == end


def test_synapses_that_were_made_in_between_are_gone():
    net, objects = everything()
    S, n = objects["S"], len(objects["S"])
    memento = Memento(net)
    S.connect(i=[0, 0], j=[0, 1])
    assert len(S) == n + 2
    memento.put_back()
    assert len(S) == n
    net.run(5 * ms)


class Holder:
    """Stands for an object of the package."""

    __module__ = "eccles.objects.nothing"

    def __init__(self) -> None:
        self.array = Array("a", Element.F64)
        self.array.replace(np.array([1.0, 2.0]))
        self.plain = np.array([1, 2])
        self.list = [1, [2]]
        self.dict = {"a": 1, "b": {"c": 2}}
        self.number: Any = 3
        self.twice = self.list


def test_arrays_lists_dicts_and_attributes_are_put_back_in_place():
    h = Holder()
    memento = Memento(h)
    array, plain, numbers, names = h.array, h.plain, h.list, h.dict
    h.array.data[:] = 7
    h.array.replace(np.arange(5.0))
    h.plain[:] = 9
    h.list[1].append(3)
    h.list.insert(0, "new")
    h.dict["b"]["c"] = 5
    del h.dict["a"]
    h.dict["z"] = 1
    h.number = None
    h.another = 1  # pyright: ignore[reportAttributeAccessIssue]
    memento.put_back()
    assert h.array is array
    np.testing.assert_array_equal(array.data, [1, 2])
    assert h.plain is plain
    np.testing.assert_array_equal(plain, [1, 2])
    assert h.list is numbers is h.twice
    assert numbers == [1, [2]]
    assert h.dict is names
    assert names == {"a": 1, "b": {"c": 2}}
    assert vars(h).keys() == vars(Holder()).keys()
    assert h.number == 3


def test_a_memento_can_be_used_again_and_again():
    h = Holder()
    memento = Memento(h)
    for k in range(3):
        h.list.append(k)
        h.dict[f"{k}"] = k
        h.array.replace(np.zeros(k))
        memento.put_back()
        assert h.list == [1, [2]]
        assert len(h.array) == 2


def test_objects_that_refer_to_each_other_are_looked_at_once():
    a, b = Holder(), Holder()
    a.number, b.number = b, a
    memento = Memento(a)
    b.plain[0] = 100
    memento.put_back()
    assert b.plain[0] == 1


def test_what_belongs_to_the_user_stays():
    mine, notes = np.zeros(3), ["before"]
    G = NeuronGroup(1, "dv/dt = 1/TAU : 1")

    @network_operation(dt=1 * ms)
    def write():
        mine[0] += 1
        notes.append("called")

    net = Network(G, write)
    memento = Memento(net)
    net.run(3 * ms)
    memento.put_back()
    assert mine[0] == 3
    assert notes == ["before", "called", "called", "called"]
    assert G.v[0] == 0
