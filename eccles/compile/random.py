"""TEMPORARY."""

from eccles.compile.ir import F64, I64, Const, Function, Local


def _f(name, extra=()):
    ps = (*extra, *(Local(n, I64) for n in ("key", "element", "ordinal", "draw")))
    return Function(
        name,
        tuple(ps),
        (),
        Const(0.5, F64) if name in ("uniform", "normal", "exponential") else Const(1, I64),
    )


uniform = _f("uniform")
normal = _f("normal")
exponential = _f("exponential")
poisson = _f("poisson", (Local("lam", F64),))
binomial = _f("binomial", (Local("n", I64), Local("p", F64)))
