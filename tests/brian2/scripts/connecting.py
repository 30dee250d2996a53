from brian2 import *

pre = NeuronGroup(7, "x : 1\ny : 1")
post = NeuronGroup(5, "z : 1")
pre.x = "i**2"
post.z = "3*i"
limit = 12
results = {}


def keep(name, **arguments):
    S = Synapses(pre, post, "w : 1")
    S.connect(**arguments)
    results[name + "_i"] = S.i[:]
    results[name + "_j"] = S.j[:]
    results[name + "_in"] = S.N_incoming[:]
    results[name + "_out"] = S.N_outgoing[:]
    results[name + "_in_post"] = S.N_incoming_post
    results[name + "_out_pre"] = S.N_outgoing_pre


keep("all")
keep("condition", condition="x_pre + z_post < limit and i != j")
keep("condition_n", condition="i > j", n="i - j")
keep("arrays", i=[3, 1, 2, 1], j=[0, 4, 4, 4])
keep("broadcast", i=[3, 1, 2], j=2)
keep("scalar_n", i=1, j=2, n=3)
keep("one", j="int(x_pre) % N_post")
keep("one_if", j="i if i % 2 == 0", skip_if_invalid=True)
keep("one_valid", j="i if i < N_post")
keep("range1", j="k for k in range(i % N_post)")
keep("range2", j="k for k in range(i - 2, i + 3)", skip_if_invalid=True)
keep("range3", j="k*2 for k in range(0, 3, 1) if k != i")
keep("down", j="k for k in range(4, i - 2, -2) if k >= 0")
keep("over_j", i="k + j for k in range(2)")
keep("over_j_all", i="k for k in range(N_pre) if (k + j) % 3 == 0")
keep("pre_variable", j="k for k in range(int(x_pre) % 4)")
keep("generator_n", j="i", n=2, skip_if_invalid=True)
keep("never", condition="i > 100")
keep("sample_all", j="k for k in sample(N_post, p=1)")
keep("sample_size", j="k for k in sample(2, N_post, size=3)")
keep("zero_p", p=0)
keep("true", condition=True)

S = Synapses(pre, post, "w : 1\nu : 1", multisynaptic_index="m")
S.connect(i=[4, 0], j=[1, 1])
S.w = "10*i + j"
S.connect(condition="i == j", n=2)
S.u = "i + 0.1*j + 0.01*m"
results.update(w=S.w[:].copy(), u=S.u[:].copy(), m=S.m[:], again_i=S.i[:], again_j=S.j[:])
results["pair"] = S.u[3, 3]
results["column"] = S.u[:, 1]
results["slice"] = S.u[1:4, 0:3]
results["text"] = S.u["m == 1 and i > 1"]
results["array"] = S.u[[0, 4]]
S.u["i == 2"] = -1
S.u[0, 0] = "100 + m"
S.w[:, 1] = 7
results["u_after"] = S.u[:]
results["w_after"] = S.w[:]
