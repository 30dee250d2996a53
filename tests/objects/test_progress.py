"""Reports of progress, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import eccles as e
from eccles.engine import loop, program
from eccles.errors import EcclesWarning, SetupError
from eccles.units import ms, second


def endless() -> tuple[e.Network, e.NeuronGroup, e.SpikeMonitor]:
    """A network that would run for hours."""
    group = e.NeuronGroup(
        100, "dv/dt = (2 - v)/(5*ms) : 1\nn : integer", threshold="v > 1", reset="v = 0; n += 1",
        method="exact",
    )  # fmt: skip
    monitor = e.SpikeMonitor(group[:1])
    return e.Network(group, monitor), group, monitor


def press_ctrl_c(after: float) -> threading.Timer:
    """Send this process what Ctrl-C sends."""
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_ends_a_run_in_good_order_and_the_next_goes_on() -> None:
    net, group, monitor = endless()
    net.run(1 * ms)  # compiled before the clock ticks
    timer = press_ctrl_c(0.15)
    began = time.perf_counter()
    with pytest.warns(EcclesWarning, match="interrupted"):
        net.run(10**5 * second)
    timer.join()
    assert time.perf_counter() - began < 60  # it would take hours
    t = float(net.t)
    assert 0.001 < t < 10**5
    assert net.t_ == pytest.approx(group.clock.timestep * 1e-4)
    assert monitor.num_spikes == group.n[0]
    assert monitor.t_[-1] < t
    intervals = np.diff(monitor.t_)
    net.run(0.1 * second)
    assert float(net.t) == pytest.approx(t + 0.1)
    assert np.allclose(np.diff(monitor.t_), intervals[0])  # nothing was done twice or left out
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_that_is_stopped_while_a_buffer_grows_leaves_all_neurons_at_one_time() -> None:
    net, group, monitor = endless()
    ready = net.get_ready(100.0)
    assert ready.runner is not None
    assert ready.runner.loop.without_grid
    for outcome in ready.runner.loop.outcomes:
        grow = outcome.handle
        object.__setattr__(outcome, "handle", lambda grow=grow: (grow(), net.stop()))
    net.run(100 * second)
    t = float(net.t)
    assert 0 < t < 100
    last = 5e-3 * np.log(2) * np.floor(t / (5e-3 * np.log(2)))
    assert monitor.t_[-1] == pytest.approx(last)
    np.testing.assert_allclose(group.lastspike, last)


def test_a_second_ctrl_c_stops_at_once() -> None:
    net, *_ = endless()
    presses: list[int] = []

    @e.network_operation
    def hangs() -> None:
        for k in range(3):
            presses.append(k)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    net.add(hangs)
    with pytest.raises(KeyboardInterrupt):
        net.run(1 * ms)
    assert presses == [0, 1]


def test_a_run_outside_the_main_thread_works() -> None:
    net, group, _ = endless()
    thread = threading.Thread(target=net.run, args=(10 * ms,))
    thread.start()
    thread.join()
    assert group.n[0] > 0


def test_a_handler_of_the_user_is_left_alone() -> None:
    net, *_ = endless()
    seen = []
    old = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        timer = press_ctrl_c(0.05)
        net.run(20 * second)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, old)
    assert seen == [signal.SIGINT]
    assert float(net.t) == pytest.approx(20)


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of one step."""
    monkeypatch.setattr(loop, "FIRST_SLICE", 1)
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(program, "LONGEST_PASS", 0.0)


@pytest.mark.usefixtures("short_slices")
def test_a_function_is_called_at_the_start_in_between_and_at_the_end() -> None:
    net, *_ = endless()
    net.run(1 * ms)
    calls: list[tuple[Any, ...]] = []
    net.run(2 * ms, report=lambda *args: calls.append(args), report_period=0 * second)
    completed = [call[1] for call in calls]
    assert completed[0] == 0
    assert completed[-1] == 1
    assert completed == sorted(completed)
    assert len(completed) == 1 + 19 + 1
    elapsed, _, start, duration = calls[5]
    assert float(elapsed) >= 0
    assert float(start) == pytest.approx(1e-3)
    assert float(duration) == pytest.approx(2e-3)


def test_text_names_start_duration_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    net, *_ = endless()
    net.run(20 * ms, report="text")
    out = capsys.readouterr().out
    assert out.startswith("Starting simulation at t=0. s for a duration of 20. ms\n")
    assert "20. ms (100%) simulated in" in out
    net.run(1 * ms, report="stderr")
    assert "Starting simulation at t=20. ms" in capsys.readouterr().err


@pytest.mark.usefixtures("short_slices")
def test_a_bar_appears_only_for_runs_that_take_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    net, *_ = endless()
    net.run(1 * ms, report="bar")
    assert capsys.readouterr().out == ""
    ticking = iter(np.arange(0, 1e6, 0.2))
    monkeypatch.setattr("eccles.objects.progress.time.perf_counter", lambda: float(next(ticking)))
    pytest.importorskip("rich")
    net.run(1 * ms, report="bar")
    assert "simulating" in capsys.readouterr().out


def test_another_report_is_refused_before_anything_runs() -> None:
    net, group, _ = endless()
    with pytest.raises(SetupError, match="report"):
        net.run(1 * ms, report="loud")
    assert float(net.t) == 0
    assert group.v[0] == 0


def test_ctrl_c_is_served_while_native_code_of_a_large_network_runs() -> None:
    script = """
import os, signal, threading, time
import eccles as e
from eccles.units import ms, second
group = e.NeuronGroup(200000, "dv/dt = -v**3/ms + sin(t/ms)/ms : 1", method="rk4")
net = e.Network(group)
net.run(0.1*ms)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
began = time.perf_counter()
import warnings; warnings.simplefilter("ignore")
net.run(10000*second)
print(time.perf_counter() - began)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert float(done.stdout) < 30  # a slice is some 0.05 s; much slack for a busy machine
