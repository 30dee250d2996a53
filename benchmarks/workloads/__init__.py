"""What is measured: models, their sizes, and how far results of different simulators may differ.

A workload is one file with a function ``build(sim, **size)``. `sim` is a module that speaks the Brian 2
language (`brian2`, `eccles.brian2` or `eccles`), so that all of them read the same model text. The
same model in NEST's own terms is in ``nest_<name>.py``; deviations are stated at its top.

`ROWS` lists what a benchmark run offers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Built:
    """A network that is ready to run, and how to look at its outcome.

    Parameters
    ----------
    network
        Has ``run(duration)``; None for NEST, whose kernel is global.
    check
        Called after the run: the numbers that must agree between simulators.
    n_synapses
        Called after the run, because a stand-alone program connects when it runs.
    """

    network: Any
    check: Callable[[], dict[str, float]]
    n_synapses: Callable[[], int]


@dataclass(frozen=True)
class Aim:
    """A ratio peer / eccles: what is promised and what is wished for."""

    least: float
    wish: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the result table: a workload at one size.

    Parameters
    ----------
    module
        File in this package; its NEST version has the prefix ``nest_``.
    seconds
        Simulated time.
    size
        Keyword arguments of `build`.
    quick_seconds, quick_size
        The same for ``--quick``.
    agreement
        Largest relative difference between two simulators per check value; 0 means equal.
    loose_agreement
        By simulator, what replaces `agreement` where its spikes or its weights are known to differ.
    run_aims, memory_aims
        By peer: least and wished ratio peer / eccles of run times or of peak memory.
    precise_size
        What eccles-precise gets besides `size`.
    precise_aims
        By peer: the ratio peer / eccles-precise of run times.
    precise_cost
        At most so many times the loop of eccles (on the grid) takes eccles-precise. A row that has neither
        this nor `precise_aims` is measured on the grid alone.
    precise_limits
        What a check value of eccles-precise may be at most.
    bytes_aim, peak_aim_mib
        At most so many bytes per synapse, and so much memory of the process, in Eccles.
    peers
        Peers that are worth the time they take.
    """

    module: str
    about: str
    seconds: float
    quick_seconds: float
    agreement: Mapping[str, float]
    size: Mapping[str, Any] = field(default_factory=dict)
    quick_size: Mapping[str, Any] = field(default_factory=dict)
    loose_agreement: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    run_aims: Mapping[str, Aim] = field(default_factory=dict)
    memory_aims: Mapping[str, Aim] = field(default_factory=dict)
    precise_size: Mapping[str, Any] = field(default_factory=dict)
    precise_aims: Mapping[str, Aim] = field(default_factory=dict)
    precise_cost: float | None = None
    precise_limits: Mapping[str, float] = field(default_factory=dict)
    bytes_aim: float | None = None
    peak_aim_mib: float | None = None
    peers: tuple[str, ...] = ("brian2-cpp", "brian2-cython", "nest")

    @property
    def precise(self) -> bool:
        """Whether exact spike times are measured, too."""
        return bool(self.precise_aims or self.precise_cost)


CPP, NEST, PRECISE = "brian2-cpp", "nest", "eccles-precise"
FAST_PEERS = (CPP, NEST)  # where Cython's runtime mode adds nothing but time

# Neurons whose method is named 'euler' go from step to step, although it is exact for constant rates.
CLOSED_FORM = {"method": "exact"}

STATIC_AIMS = {CPP: Aim(2.0), NEST: Aim(2.0)}

ROWS: dict[str, Row] = {
    "W1": Row(
        module="w1",
        about="three pairs with STDP, spikes and weights recorded",
        seconds=1.0,
        quick_seconds=0.2,
        size={"monitors": True},
        quick_size={"monitors": True},
        # 200 Hz on a 0.1 ms grid ends its period exactly on a step: rounding decides which one
        agreement={"spikes": 0.02, "w0": 0.02, "w1": 0.02, "w2": 0.02},
        # NEST's delays change which spikes coincide: the weights differ by design
        # ... and exact times give other weights: rates on a grid are other rates
        loose_agreement={NEST: {"spikes": 0.05}, PRECISE: {"spikes": 0.05}},
        run_aims={CPP: Aim(40.0, 50.0), NEST: Aim(40.0)},
        precise_size=CLOSED_FORM,
        precise_aims={CPP: Aim(1.0)},
        precise_limits={"off_phase": 1e-9, "w_error": 1e-11, "miscounted": 0},
    ),
    "W1-long": Row(
        module="w1",
        about="three pairs with STDP, nothing recorded",
        seconds=100.0,
        quick_seconds=5.0,
        size={"monitors": False},
        quick_size={"monitors": False},
        agreement={"w0": 0.02, "w1": 0.02, "w2": 0.02},
        loose_agreement={NEST: {}, PRECISE: {}},
        run_aims={CPP: Aim(40.0, 50.0)},
        precise_size=CLOSED_FORM,
        precise_aims={CPP: Aim(400.0)},
        precise_limits={"off_phase": 1e-9, "w_error": 1e-11},
        peers=FAST_PEERS,
    ),
    "W2": Row(
        module="w2",
        about="10,000 pairs with STDP, final weights",
        seconds=1.0,
        quick_seconds=0.2,
        agreement={"mean_w": 0.01},
        # NEST updates a weight at presynaptic spikes only: what it shows is from just after the last one
        loose_agreement={NEST: {"mean_w": 0.3}, PRECISE: {}},
        run_aims={
            CPP: Aim(2.5, 4.0),
            NEST: Aim(70.0),
        },
        precise_size=CLOSED_FORM,
        precise_aims={CPP: Aim(9.0, 15.0), NEST: Aim(250.0)},
        precise_limits={"off_phase": 1e-9, "w_error": 1e-11},
    ),
    "STDP100": Row(
        module="w2",
        about="100 conditions of W1 as one group, by hand",
        seconds=0.15,
        quick_seconds=0.15,
        size={"n_pairs": 100},
        quick_size={"n_pairs": 100},
        agreement={"mean_w": 0.01},
        loose_agreement={NEST: {"mean_w": 0.3}},
    ),
    "W3": Row(
        module="w3",
        about="CUBA, 4000 LIF neurons, 2 %",
        seconds=1.0,
        quick_seconds=0.2,
        # one network, but chaotic: another order of additions gives other spikes after some 100 ms
        agreement={"spikes": 0.05},
        run_aims={CPP: Aim(5.0, 6.0), NEST: Aim(55.0)},
        precise_aims={CPP: Aim(1.0)},
        precise_cost=2.0,
    ),
    "W4": Row(
        module="w4",
        about="1000 Poisson inputs with STDP onto one neuron",
        seconds=10.0,
        quick_seconds=1.0,
        # own random numbers in each simulator: four standard errors of the counts
        agreement={"input_spikes": 0.015, "output_spikes": 0.15, "mean_w": 0.05},
        # the mean drive is at threshold, so the output amplifies small differences: see nest_w4.py
        loose_agreement={
            NEST: {"input_spikes": 0.015, "output_spikes": 0.3, "mean_w": 0.05},
        },
        run_aims={CPP: Aim(40.0, 50.0), NEST: Aim(350.0)},
    ),
    "W5": Row(
        module="w5",
        about="COBAHH, 4000 Hodgkin-Huxley neurons",
        seconds=1.0,
        quick_seconds=0.05,
        agreement={"spikes": 0.02},
        # exponential Euler at 0.1 ms is first order; the others solve the equations closer, exact times
        # because each arrival and each spike divides a step (a grid of 0.02 ms: 152,600 spikes for 136,200)
        loose_agreement={NEST: {"spikes": 0.15}, PRECISE: {"spikes": 0.15}},
        run_aims={CPP: Aim(12.0, 18.0), NEST: Aim(80.0)},
        precise_aims={CPP: Aim(1.0)},
        precise_cost=3.0,
    ),
    "W6": Row(
        module="w6",
        about="10,000 neurons, 10^7 synapses, weight-dependent STDP",
        seconds=1.0,
        quick_seconds=0.5,
        size={"n": 10_000, "plastic": True},
        quick_size={"n": 1_000, "plastic": True},
        agreement={"rate": 0.05, "mean_w": 0.02},
        run_aims={CPP: Aim(1 / 0.30, 1 / 0.17), NEST: Aim(2.1 / 0.30)},
        memory_aims={CPP: Aim(2.0, 1 / 0.35)},
        peak_aim_mib=270,
        peers=FAST_PEERS,
    ),
    "W6-static": Row(
        module="w6",
        about="the same without plasticity",
        seconds=1.0,
        quick_seconds=0.5,
        size={"n": 10_000, "plastic": False},
        quick_size={"n": 1_000, "plastic": False},
        agreement={"rate": 0.05},
        run_aims=STATIC_AIMS,
        peers=FAST_PEERS,
    ),
    **{
        name: Row(
            module="static",
            about=f"{n:,} neurons with 1,000 static synapses each",
            seconds=1.0,
            quick_seconds=0.2,
            size={"n": n},
            quick_size={"n": n // 16},
            agreement={"spikes": 0.005},
            run_aims=STATIC_AIMS,
            bytes_aim=10.0,
            peers=FAST_PEERS,
        )
        for name, n in (("S4k", 4_000), ("S16k", 16_000), ("S64k", 64_000))
    },
    "S100k": Row(
        module="static",
        about="100,000 neurons, 10^8 static synapses: does it fit?",
        seconds=0.1,
        quick_seconds=0.1,
        size={"n": 100_000},
        quick_size={"n": 5_000},
        agreement={},
        bytes_aim=10.0,
        peak_aim_mib=3 * 1024,
        peers=(),
    ),
}
