from brian2 import *

G = NeuronGroup(
    3,
    "dv/dt = -v/tau : volt\ntau : second (constant)\nsquare = v**2 : volt**2",
    name="cells",
    method="exact",
)
S = Synapses(G, G, "w : volt", name="links")
S.connect(j="i")
net = Network(G, S)
net.set_states({"cells": {"v": [1, 2, 3] * mV, "tau": [1, 2, 4] * ms}, "links": {"w": [5, 6, 7] * mV}})
net.run(2 * ms)
states = net.get_states(units=False)
G.v[1] = 10 * mV
G.v["i > 1"] = "v*2 + 1*mV"
G.v[:1] *= 3
net.run(1 * ms, namespace={})
results = {
    "v0": states["cells"]["v"],
    "w": states["links"]["w"],
    "v": G.v_[:],
    "square": numpy.asarray(G.square[:]),
    "t": float(net.t),
    "names": numpy.array([len(net.objects), "cells" in net, "other" in net]),
}
