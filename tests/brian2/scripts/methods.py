from brian2 import *

eqs = """dx/dt = (y - x**3/3 + x)/(2*ms) : 1
dy/dt = (0.7 - 0.8*y - x)/(25*ms) : 1"""
results = {}
groups, monitors = [], []
for method in ("euler", "rk2", "rk4"):
    G = NeuronGroup(2, eqs, method=method, name=method)
    G.x = "0.5*i - 1"
    M = StateMonitor(G, ["x", "y"], record=True)
    groups.append(G)
    monitors.append(M)
linear = NeuronGroup(
    2,
    """da/dt = (-a + 2*b)/(3*ms) : 1
    db/dt = (-b + 0.3*a + c)/tau : 1
    c : 1
    tau : second""",
    method="exact",
)
linear.a, linear.c, linear.tau = 1, "i", "(i + 1)*2*ms"
groups.append(linear)
monitors.append(StateMonitor(linear, ["a", "b"], record=True))
net = Network(groups, monitors)
net.run(10 * ms)
for G, M in zip(groups[:3], monitors[:3], strict=True):
    results[G.name + "_x"] = M.x[:, ::5]
    results[G.name + "_y"] = M.y[:, ::5]
results["a"] = monitors[3].a[:]
results["b"] = monitors[3].b[:]
