"""How long a textbook model takes from the loop IR to machine code, caches off.

``python benchmarks/compile_time.py [--repeat 15]``. Aim: under 25 ms for each.
"""

import argparse
import time
from statistics import median

from machine import describe
from workloads import w1, w3, w5

import eccles
from eccles import Network, NeuronGroup, SpikeMonitor, Synapses, amp, cm, meter, ms, mV, siemens, ufarad
from eccles.compile.pipeline import compile_program

AIM_S = 0.025

HH = """dv/dt = (I - gNa*m**3*h*(v - ENa) - gK*n**4*(v - EK) - gl*(v - El))/Cm : volt
dm/dt = 0.1*(25*mV - v)/mV/(exp((25*mV - v)/(10*mV)) - 1)*(1 - m)/ms - 4*exp(-v/(18*mV))*m/ms : 1
dn/dt = 0.01*(10*mV - v)/mV/(exp((10*mV - v)/(10*mV)) - 1)*(1 - n)/ms - 0.125*exp(-v/(80*mV))*n/ms : 1
dh/dt = 0.07*exp(-v/(20*mV))*(1 - h)/ms - 1/(1 + exp((30*mV - v)/(10*mV)))*h/ms : 1
I : amp/meter**2"""


def lif_with_synapses() -> Network:
    tau = 10 * ms
    group = NeuronGroup(
        100, "dv/dt = (1.2 - v)/tau : 1", threshold="v > 1", reset="v = 0", namespace={"tau": tau}
    )
    synapses = Synapses(group, group, "w : 1", on_pre="v_post += w", delay=1 * ms)
    synapses.connect(p=0.1)
    return Network(group, synapses, SpikeMonitor(group))


def hodgkin_huxley() -> Network:
    constants = {
        "gNa": 0.12 * siemens / cm**2, "gK": 0.036 * siemens / cm**2, "gl": 3e-4 * siemens / cm**2,
        "ENa": 115 * mV, "EK": -12 * mV, "El": 10.6 * mV, "Cm": 1 * ufarad / cm**2,
    }  # fmt: skip
    group = NeuronGroup(10, HH, threshold="v > 50*mV", method="rk4", namespace=constants)
    group.I = 0.1 * amp / meter**2
    return Network(group, SpikeMonitor(group))


MODELS = {
    "LIF neurons with delayed synapses": lif_with_synapses,
    "the reply's STDP (W1)": lambda: w1.build(eccles).network,
    "CUBA (W3)": lambda: w3.build(eccles).network,
    "Hodgkin-Huxley, rk4": hodgkin_huxley,
    "COBAHH, exponential Euler (W5)": lambda: w5.build(eccles).network,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15)
    repeat = parser.parse_args().repeat
    print(*(f"- {name}: {value}" for name, value in describe().items()), sep="\n")
    print("\n| model | median s | min s | aim |\n|---|---|---|---|")
    for name, build in MODELS.items():
        network = build()
        network.run(0 * ms)
        found = []
        for _ in range(repeat):
            start = time.perf_counter()
            compile_program(network.loop.program, cache=False)
            found.append(time.perf_counter() - start)
        verdict = "met" if median(found) <= AIM_S else "MISSED"
        print(f"| {name} | {median(found):.4f} | {min(found):.4f} | {AIM_S:g} {verdict} |")


if __name__ == "__main__":
    main()
