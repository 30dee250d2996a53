"""TEMPORARY minimal version."""

import math
from eccles.compile.ir import F64, I64, Const, Function, Let, Local, Op, Call, const


def _c(x):
    return Const(float(x), F64)


def _exp_parts():
    x = Local("x", F64)
    xc = Local("xc", F64)
    t = Local("t", F64)
    k = Local("k", F64)
    r = Local("r", F64)
    r1 = Local("r1", F64)
    q = Local("q", F64)
    s = Local("s", F64)
    magic = _c(6755399441055744.0)
    body = [
        Let(xc, Op("fmax", (_c(-708.0), Op("fmin", (_c(709.7), x))))),
        Let(t, Op("fmuladd", (xc, _c(1.4426950408889634), magic))),
        Let(k, Op("fsub", (t, magic))),
        Let(r1, Op("fmuladd", (k, _c(-6.93145751953125e-1), xc))),
        Let(r, Op("fmuladd", (k, _c(-1.42860682030941723212e-6), r1))),
    ]
    p = _c(1 / math.factorial(14))
    for n in range(13, 1, -1):
        p = Op("fmuladd", (p, r, _c(1 / math.factorial(n))))
    body.append(Let(q, Op("fmuladd", (p, Op("fmul", (r, r)), r))))
    sh = Op("iadd", (Op("ishl", (Op("bits", (t,)), Const(52, I64))), Const(1023 << 52, I64)))
    body.append(Let(s, Op("frombits", (sh,))))
    return x, body, s, q


def _mk(name):
    x, body, s, q = _exp_parts()
    if name == "exp":
        return Function(name, (x,), tuple(body), Op("fmuladd", (s, q, s)))
    e1 = Local("e1", F64)
    body.append(Let(e1, Op("fmuladd", (s, q, Op("fsub", (s, _c(1)))))))
    if name == "expm1":
        return Function(name, (x,), tuple(body), e1)
    return Function(
        name, (x,), tuple(body), Op("select", (Op("feq", (x, _c(0))), _c(1), Op("fdiv", (e1, x))))
    )


exp = _mk("exp")
expm1 = _mk("expm1")
exprel = _mk("exprel")


def _id(name, n=1):
    ps = tuple(Local(f"x{i}", F64) for i in range(n))
    return Function(name, ps, (), ps[0])


log = _id("log")
log1p = _id("log1p")
log10 = _id("log10")
log2 = _id("log2")
sin = _id("sin")
cos = _id("cos")
tan = _id("tan")
arcsin = _id("arcsin")
arccos = _id("arccos")
arctan = _id("arctan")
arctan2 = _id("arctan2", 2)
sinh = _id("sinh")
cosh = _id("cosh")
tanh = _id("tanh")
pow = _id("pow", 2)
sign = _id("sign")
