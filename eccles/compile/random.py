"""Random numbers that are functions of where they are used: no state, no order, the same in any lane.

Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, SC'11, doi:10.1145/2063384.2063405) turns a key of 64 bits
and a counter of 128 bits into 128 random bits. The key tells streams apart; the counter holds

    word 0, 1   element   64 bits
    word 2      ordinal   its low 32 bits (the step, or how often the stream has been used)
    word 3      ordinal   its next 16 bits; above them draw, 16 bits (which draw within the text)

so different elements, ordinals below 2^48 and draws below 2^16 never share a number. What rejects a
candidate and tries again adds 1 to the key: keys are hashes, so streams do not meet.

Uniform numbers are multiples of 2^-53 in [0, 1). Normal ones are by Box and Muller (1958), one per call:
the radius from one uniform number, the angle within a quadrant from another, the sign from a spare bit;
they reach 8.57. Poisson and binomial numbers are by inversion, term by term, for means below 30, else by
transformed rejection (Hörmann 1993: PTRS, doi:10.1016/0167-6687(93)90997-4, and BTRS,
doi:10.1080/00949659308811496), both in bounded time whatever the arguments. These two loop, so no vector loop
can call them: `ProgramBuilder.vector` then makes a scalar loop, which draws the same numbers.

Counts saturate at 2^63 - 1. A mean or probability that is negative or NaN counts as 0, a probability above 1
as 1, a negative number of trials as 0.
"""

from __future__ import annotations

import math

from eccles.compile import ir
from eccles.compile.elementary import (
    bits,
    double,
    exp,
    exp_of,
    log1p,
    log_of,
    log_of_normal,
    pattern,
    polynomial,
)
from eccles.compile.formula import Value, call, define, fma, op, select
from eccles.compile.ir import F64, I64, Let, Local, SetVar, Var

__all__ = ["binomial", "exponential", "normal", "poisson", "uniform"]

STREAM = {"key": I64, "element": I64, "ordinal": I64, "draw": I64}  # the last parameters of all
LOW_WORD = (1 << 32) - 1
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)  # Salmon et al. 2011, section 4.3 and the Random123 library
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)  # the golden ratio and sqrt(3) - 1, as Weyl sequences
ROUNDS = 10
# sin(pi/2 u)/u as a polynomial in u^2 <= 1: relative error 2^-61 (tests/compile/minimax.py)
QUARTER_SINE = (
    1.5707963267948966, -0.6459640975062462, 0.07969262624616544, -0.004681754135302642,
    0.00016044118470682152, -3.5988430072074087e-06, 5.69213487258765e-08, -6.684321714589642e-10,
    5.870610886269215e-12,
)  # fmt: skip
SMALL_MEAN = 30.0  # below it, inversion is faster; above it, Stirling's series is exact where it matters
ATTEMPTS = 64  # of rejection; each succeeds with a probability of more than 0.75


def _philox(counter: tuple[Value, ...], key: Value) -> tuple[Value, ...]:
    """The four words of random bits; above 32 bits, each holds rubbish."""
    c0, c1, c2, c3 = counter
    k0, k1 = key, key >> 32
    for n in range(ROUNDS):
        # masked factors make these the multiplications of 32 bits that vector units have
        p0 = (c0 & LOW_WORD) * MULTIPLIERS[0]
        p1 = (c2 & LOW_WORD) * MULTIPLIERS[1]
        round_k0 = k0 + (n * KEY_STEPS[0] & LOW_WORD)
        round_k1 = k1 + (n * KEY_STEPS[1] & LOW_WORD)
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ round_k0, p1, (p0 >> 32) ^ c3 ^ round_k1, p0
    return c0, c1, c2, c3


def _words(key: Value, element: Value, ordinal: Value, draw: Value) -> tuple[Value, ...]:
    return _philox((element, element >> 32, ordinal, ((ordinal >> 32) & 0xFFFF) | (draw << 16)), key)


def _unit(a: Value, b: Value) -> Value:
    """The uniform number made of 27 bits of one word and 26 of another."""

    def whole(word: Value, spare: int) -> Value:
        # the word's upper bits as a double, without the conversion that narrow vectors lack
        return double(((word & LOW_WORD) >> spare) | pattern(2.0**52)) - 2.0**52

    return fma(whole(a, 5), 2.0**-27, whole(b, 6) * 2.0**-53)


def _uniform(key: Value, element: Value, ordinal: Value, draw: Value) -> Value:
    a, b, _, _ = _words(key, element, ordinal, draw)
    return _unit(a, b)


def _normal(key: Value, element: Value, ordinal: Value, draw: Value) -> Value:
    a, b, c, d = _words(key, element, ordinal, draw)
    radius = op("fsqrt", -2.0 * log_of_normal(1.0 - _unit(a, b)))
    u = _unit(c, d)
    # the angle is u quarters of a turn; its sine is as good as any quadrant's cosine, but for the sign
    sine = u * polynomial(u * u, QUARTER_SINE)
    return double(bits(radius * sine) ^ (d << 63))


def _exponential(*stream: Value) -> Value:
    return 0.0 - log_of_normal(1.0 - call(uniform, *stream))


uniform = define("uniform", _uniform, **STREAM)
normal = define("normal", _normal, **STREAM)
exponential = define("exponential", _exponential, **STREAM)

# -- counts -------------------------------------------------------------------------------------------


def _two_units(key: Value, element: Value, ordinal: Value, draw: Value) -> tuple[Value, Value]:
    """Two uniform numbers, in [-1/2, 1/2) and (0, 1]."""
    a, b, c, d = _words(key, element, ordinal, draw)
    return _unit(a, b) - 0.5, 1.0 - _unit(c, d)


def _deviance(k: Value, mean: Value) -> Value:
    """The value of k log(k/mean) + mean - k for k > 0, without cancellation (Loader 2000, 'bd0')."""
    d = k - mean
    v = d / (k + mean)
    near = d * v + 2.0 * k * v * (v * v) * polynomial(v * v, tuple(1 / n for n in range(3, 19, 2)))
    return select(abs(v) < 0.1, near, k * log_of(k / mean) - d)


def _stirling(k: Value) -> Value:
    """log(k!) - log(sqrt(2 pi k) (k/e)^k), to 1e-10 for k > 5."""
    r = 1.0 / k
    return r * polynomial(r * r, (1 / 12, -1 / 360, 1 / 1260, -1 / 1680))


def _poisson_attempt(mean: Value, *stream: Value) -> Value:
    """PTRS: a count, or -1."""
    u, v = _two_units(*stream)
    root = op("fsqrt", mean)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    us = 0.5 - abs(u)
    k = op("floor", (2.0 * a / us + b) * u + mean + 0.43)
    some = op("fmax", 1.0, k)
    probability = exp_of(-(_deviance(some, mean) + _stirling(some))) / op("fsqrt", 2 * math.pi * some)
    probability = select(k < 1.0, exp_of(-mean), probability)
    # the published bound, exceeded by up to 0.5 % for means of about 20, with a margin of 0.6 %
    bound = 1.006 * (1.1239 + 1.1328 / (b - 3.4))
    density = v * bound / (a / (us * us) + b)
    return select((k >= 0.0) & (density <= probability), op("ftoi", k), -1)


def _binomial_attempt(trials: Value, p: Value, *stream: Value) -> Value:
    """BTRS: a count, or -1; for p <= 1/2."""
    u, v = _two_units(*stream)
    n = op("itof", trials)
    q = 1.0 - p
    root = op("fsqrt", n * p * q)
    b = 1.15 + 2.53 * root
    a = -0.0873 + 0.0248 * b + 0.01 * p
    us = 0.5 - abs(u)
    k = op("floor", (2.0 * a / us + b) * u + n * p + 0.5)
    # at the ends the probability is below 1e-13
    inside = (k >= 1.0) & (k <= n - 1.0)
    some = select(inside, k, 1.0)
    rest = n - some
    exponent = _deviance(some, n * p) + _deviance(rest, n * q) + (_stirling(some) + _stirling(rest))
    mode = op("floor", (n + 1.0) * p)
    # probability of k, over an upper bound of the mode's; Stirling's factor of n! is in both
    relative = exp_of(-exponent) * op("fsqrt", (mode * (n - mode)) / (some * rest))
    density = v * ((2.83 + 5.1 / b) * root) / (a / (us * us) + b)
    return select(inside & (density <= relative), op("ftoi", k), -1)


poisson_attempt = define("poisson_attempt", _poisson_attempt, mean=F64, **STREAM)
binomial_attempt = define("binomial_attempt", _binomial_attempt, trials=I64, p=F64, **STREAM)

_stream = tuple(Local(name, type_) for name, type_ in STREAM.items())
_count = Local("count", I64)
_mean = Local("mean", F64)


def _by_inversion(first: Value, factor: Value, most: Value) -> tuple[ir.Stmt, ...]:
    """The count at which the sum of probabilities passes a uniform number.

    P(0) is `first`, P(k) = P(k-1) * factor for k = `_count`; stops at `most`.
    """
    term, left = Local("term", F64), Local("left", F64)
    below = op("fge", Value(left), Value(term)) & (Value(_count) < most)
    return (
        SetVar(_count, ir.const(0)),
        Var(term, first.expr),
        Var(left, call(uniform, *map(Value, _stream)).expr),
        ir.While(
            below.expr,
            (
                SetVar(left, (Value(left) - Value(term)).expr),
                SetVar(_count, (Value(_count) + 1).expr),
                SetVar(term, (Value(term) * factor).expr),
            ),
        ),
    )


def _by_rejection(attempt: ir.Function, *args: Value) -> tuple[ir.Stmt, ...]:
    """Attempts until one succeeds; should all fail, the mean."""
    n = Local("n_attempts", I64)
    key, *rest = (Value(local) for local in _stream)
    going = (Value(_count) < 0) & (Value(n) < ATTEMPTS)
    return (
        Var(n, ir.const(0)),
        ir.While(
            going.expr,
            (
                SetVar(_count, call(attempt, *args, key + Value(n), *rest).expr),
                SetVar(n, (Value(n) + 1).expr),
            ),
        ),
        ir.If((Value(_count) < 0).expr, (SetVar(_count, op("ftoi", Value(_mean)).expr),), (), False),
    )


def _count_function(
    name: str, params: tuple[Local, ...], before: tuple[ir.Stmt, ...], small: tuple[ir.Stmt, ...],
    large: tuple[ir.Stmt, ...], result: Value,
) -> ir.Function:  # fmt: skip
    body = (*before, Var(_count, ir.const(-1)), ir.If((Value(_mean) < SMALL_MEAN).expr, small, large))
    return ir.Function(name, (*params, *_stream), body, result.expr)


def _most(mean: Value) -> Value:
    """A count that is passed with a probability below 1e-18."""
    return op("ftoi", mean + (12.0 * op("fsqrt", mean) + 30.0))


def _make_poisson() -> ir.Function:
    lam = Local("lam", F64)
    mean = Value(_mean)
    before = (Let(_mean, op("fmax", Value(lam), 0.0).expr),)
    small = _by_inversion(call(exp, -mean), mean / op("itof", Value(_count)), _most(mean))
    return _count_function(
        "poisson", (lam,), before, small, _by_rejection(poisson_attempt, mean), Value(_count)
    )


def _make_binomial() -> ir.Function:
    n, p = Local("n", I64), Local("p", F64)
    trials, rare, flipped = Local("trials", I64), Local("rare", F64), Local("flipped", ir.BOOL)
    chance = op("fmin", op("fmax", Value(p), 0.0), 1.0)
    total = op("itof", Value(trials))
    before = (
        Let(trials, op("imax", Value(n), 0).expr),
        Let(flipped, (chance > 0.5).expr),
        Let(rare, select(Value(flipped), 1.0 - chance, chance).expr),
        Let(_mean, (total * Value(rare)).expr),
    )
    counted = op("itof", Value(_count))
    small = _by_inversion(
        call(exp, total * call(log1p, -Value(rare))),
        (total - counted + 1.0) / counted * (Value(rare) / (1.0 - Value(rare))),
        op("imin", Value(trials), _most(Value(_mean))),
    )
    large = _by_rejection(binomial_attempt, Value(trials), Value(rare))
    result = select(Value(flipped), Value(trials) - Value(_count), Value(_count))
    return _count_function("binomial", (n, p), before, small, large, result)


poisson = _make_poisson()
binomial = _make_binomial()
