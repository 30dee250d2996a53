"""Python functions within a run."""

from __future__ import annotations

from typing import Any

import pytest

import eccles as e
from eccles.units import ms


@pytest.mark.parametrize("function", [3, "f", None, lambda a, b: None])
def test_what_cannot_be_called_with_a_time_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="network operation"):
        e.NetworkOperation(function)


def test_decorators_and_methods() -> None:
    seen: list[str] = []

    class Watcher:
        def look(self, t: Any) -> None:
            seen.append(f"method {float(t) * 1e3:.1f}")

    @e.network_operation
    def plain() -> None:
        seen.append("plain")

    @e.network_operation(dt=0.2 * ms, when="end")
    def timed(t: Any, more: int = 3) -> None:
        seen.append(f"timed {float(t) * 1e3:.1f} {more}")

    method = e.NetworkOperation(Watcher().look, dt=0.2 * ms, order=-1)
    e.Network(plain, timed, method).run(0.2 * ms)
    assert seen == ["method 0.0", "plain", "timed 0.0 3", "plain"]
    with pytest.raises(TypeError, match="keyword"):
        e.network_operation(0.1 * ms)


@pytest.mark.parametrize("spike_times", ["precise", "grid"])
def test_variables_are_read_and_written_within_the_step(spike_times: Any) -> None:
    group = e.NeuronGroup(
        2, "dv/dt = 1/ms : 1\nn : integer", threshold="v > 0.35", reset="v = 0; n += 1", method="euler",
        spike_times=spike_times,
    )  # fmt: skip
    seen = []

    @e.network_operation(when="before_resets")
    def change(t: Any) -> None:
        seen.append(float(group.v[0]))
        group.v[1] = 0

    spikes = e.SpikeMonitor(group)
    e.run(1 * ms)
    assert group.n[:].tolist() == [2, 0]
    if spike_times == "grid":
        assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4, 0.1, 0.2])
    else:  # spikes at 0.35 and 0.7 ms are over when a function runs at the end of the step
        assert seen == pytest.approx([0.1, 0.2, 0.3, 0.05, 0.15, 0.25, 0, 0.1, 0.2, 0.3], abs=1e-12)
    assert spikes.count.tolist() == [2, 0]


def test_the_network_knows_the_time_within_a_run() -> None:
    times = []

    @e.network_operation(dt=0.3 * ms)
    def look() -> None:
        times.append(net.t_)

    net = e.Network(look)
    net.run(0.5 * ms)
    net.run(0.5 * ms)
    assert times == pytest.approx([0, 0.3e-3, 0.6e-3, 0.9e-3])


@pytest.mark.parametrize("what", ["run", "store", "restore"])
def test_a_network_cannot_be_run_or_stored_from_within(what: str) -> None:
    group = e.NeuronGroup(1, "v : 1")

    @e.network_operation
    def nested() -> None:
        if what == "run":
            net.run(1 * ms)
        else:
            getattr(net, what)()

    net = e.Network(group, nested)
    net.store()
    with pytest.raises(e.RunError, match=f"cannot {what} the network"):
        net.run(1 * ms)
    net.remove(nested)
    net.run(1 * ms)  # nothing is left of it


def test_connections_and_links_change_between_runs_only() -> None:
    group, other = e.NeuronGroup(3, "v : 1\nx : 1 (linked)", threshold="v > 1"), e.NeuronGroup(3, "y : 1")
    group.x = e.linked_var(other, "y")
    synapses = e.Synapses(group, group, on_pre="v_post += 1")
    synapses.connect(i=0, j=1)

    @e.network_operation
    def connects() -> None:
        synapses.connect(i=2, j=0)

    @e.network_operation
    def links() -> None:
        group.x = e.linked_var(other, "y", index=[2, 1, 0])

    net = e.Network(group, other, synapses)
    for operation in (connects, links):
        net.add(operation)
        with pytest.raises(e.RunError, match="only between runs"):
            net.run(1 * ms)
        net.remove(operation)
    net.run(1 * ms)
