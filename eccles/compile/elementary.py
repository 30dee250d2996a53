"""Elementary functions as straight-line IR: they vectorise, and give an element the same bits in any lane.

The functions of the C library are scalar, differ between machines, and LLVM cannot look into them. These
are formulas without branches: reduce the argument to a small one, evaluate a polynomial there, undo the
reduction. Where a formula has cases, all are computed and one is selected. (Tables would save operations,
but vectors would have to gather from them.) NaN, infinities, signed zeros, subnormal numbers, overflow,
and arguments outside of the domain give what NumPy gives, for `pow` what Annex F of C99 says; underflow is
gradual.

The greatest errors among 2 million arguments per function, all over its range and dense where formulas
meet, in units in the last place (the tests assert hardly more):

    exp     1.0   log    0.9   sin  0.8   arcsin   1.6   sinh  2.2   pow  1.5
    expm1   1.1   log1p  0.9   cos  0.8   arccos   1.1   cosh  1.6
    exprel  1.8   log2   0.9   tan  2.2   arctan   2.4   tanh  2.1
                  log10  0.8              arctan2  2.4

For `sin`, `cos` and `tan` this holds up to |x| = 1.6e9 (2^30 quarter turns). Beyond, the angle is off by up
to |x| 2^-52, and from |x| = 2^51 on it is taken as 0: it could be anything there but for a reduction that
needs a table with 1,200 bits of 2/pi.

`fmuladd` is fused on some CPUs only; the formulas are accurate either way, so exact products are Dekker's.

Sources: Cody and Waite (1980, Software Manual for the Elementary Functions) for the reductions of exp and of
angles; the comments of fdlibm (Sun Microsystems 1993) for the ideas behind log, log1p, log2 and expm1; Knuth
(1969, The Art of Computer Programming 2, 4.2.2) and Dekker (1971, doi:10.1007/BF01397083) for exact sums and
products. All coefficients are our own.
"""

from __future__ import annotations

import math
import struct

from eccles.compile.formula import Value, define, fma, literal, op, select
from eccles.compile.ir import F64

__all__ = [
    "arccos", "arcsin", "arctan", "arctan2", "cos", "cosh", "exp", "expm1", "exprel", "log", "log1p", "log2",
    "log10", "pow", "sign", "sin", "sinh", "tan", "tanh",
]  # fmt: skip

# -- constants ----------------------------------------------------------------------------------------

INF, NAN = math.inf, math.nan
TINY = 2.0**-54  # 1 + TINY rounds to 1
SIGN = 1 << 63
ROUND = 1.5 * 2.0**52  # adding, then subtracting it rounds to an integer, which the low bits of the sum hold
# ln 2 = LN2 + LN2_LO; LN2 has 42 bits, so its product with an exponent is exact
LN2, LN2_LO = float.fromhex("0x1.62e42fefa3800p-1"), float.fromhex("0x1.ef35793c76730p-45")
# pi/2 in pieces of 23 bits, whose products with integers up to 2^30 are exact, and a rest
HALF_PI_PIECES = tuple(
    float.fromhex(h)
    for h in ("0x1.921fb4p+0", "0x1.4442dp-24", "0x1.84699p-48", "-0x1.9cceb8p-70", "-0x1.1fc8f8cbb5bf7p-93")
)
HALF_PI, HALF_PI_LO = float.fromhex("0x1.921fb54442d18p+0"), float.fromhex("0x1.1a62633145c07p-54")
TWO_THIRDS, TWO_THIRDS_LO = float.fromhex("0x1.5555555555555p-1"), float.fromhex("0x1.5555555555555p-55")

# Coefficients from the lowest: polynomials of the least greatest relative error of the function (Remez
# exchange, in 60 digits; tests/compile/minimax.py finds them anew).
# (exp(r) - 1 - r) / r^2 for |r| < 0.347: 2^-58
EXP = (
    0.5000000000000013, 0.166666666666667, 0.04166666666651411, 0.00833333333330695, 0.0013888888947396582,
    0.00019841269917904108, 2.480148951297206e-05, 2.755721583936628e-06, 2.7631444681824357e-07,
    2.5118012348614423e-08,
)  # fmt: skip
# (2 atanh(s)/s - 2) / s^2 as a polynomial in s^2 < 0.02945: 2^-59
LOG = (
    0.6666666666666735, 0.39999999999413205, 0.2857142874274747, 0.22222198533181664, 0.18183566556237263,
    0.15313989813123688, 0.14796592755576013,
)  # fmt: skip
# ((2 atanh(s)/s - 2) / s^2 - 2/3) / s^2, likewise: 2^-73
LOG_OF_POW = (
    0.3999999999999998, 0.28571428571445145, 0.22222222217527826, 0.18181818871388078, 0.15384556796871648,
    0.1333632030343518, 0.11674759343934761, 0.11989510544039914,
)  # fmt: skip
# (sin(r)/r - 1) / r^2 as a polynomial in r^2 < 0.618: 2^-58
SIN = (
    -0.16666666666666632, 0.008333333333322323, -0.0001984126982973208, 2.7557313664526262e-06,
    -2.505075366287913e-08, 1.589652868092533e-10,
)  # fmt: skip
# (cos(r) - 1 + r^2/2) / r^4, likewise: 2^-64
COS = (
    0.0416666666666666, -0.0013888888888874003, 2.4801587289402556e-05, -2.7557314328304923e-07,
    2.0875719877261905e-09, -1.13594656475708e-11,
)  # fmt: skip
# (arctan(r)/r - 1) / r^2 as a polynomial in r^2 < 0.172: 2^-59
ARCTAN = (
    -0.333333333333332, 0.1999999999995303, -0.1428571428013695, 0.11111110780311524, -0.090908976625848,
    0.07692058443306482, -0.06663083034217634, 0.05847730163403449, -0.05038560346148432, 0.03804497852309538,
    -0.017885057363557246,
)  # fmt: skip
# (arcsin(r)/r - 1) / r^2 as a polynomial in r^2 <= 0.25: 2^-59
ARCSIN = (
    0.16666666666666763, 0.0749999999997009, 0.04464285717529356, 0.030381942674954737, 0.022372215914152907,
    0.017351595366530543, 0.013981019981868518, 0.011397282315848837, 0.01078937601945866,
    0.003671994827538402, 0.021791074875541945, -0.021117282083710515, 0.03270249114404014,
)  # fmt: skip

# -- pieces -------------------------------------------------------------------------------------------


def polynomial(x: Value, coefficients: tuple[float, ...]) -> Value:
    """c0 + c1 x + c2 x^2 + ... by Horner's rule."""
    result = literal(coefficients[-1], F64)
    for c in coefficients[-2::-1]:
        result = fma(result, x, c)
    return result


def bits(x: Value) -> Value:
    """The pattern of a double as an integer."""
    return op("bits", x)


def pattern(x: float) -> int:
    """The bits of a double."""
    return struct.unpack("<q", struct.pack("<d", x))[0]


def double(word: Value) -> Value:
    """The double of a pattern."""
    return op("frombits", word)


def with_sign_of(magnitude: Value, x: Value) -> Value:
    """The magnitude, which is not negative, with the sign bit of x."""
    return double(bits(magnitude) | (bits(x) & SIGN))


def _clamped(x: Value, low: float, high: float) -> Value:
    """X within bounds; NaN stays NaN."""
    return op("fmax", low, op("fmin", high, x))


def _exact_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """The sum a + b rounded, and what the rounding lost (Knuth)."""
    s = a + b
    bb = s - a
    return s, (a - (s - bb)) + (b - bb)


def _exact_sum_of_ordered(a: Value, b: Value) -> tuple[Value, Value]:
    """The same for |a| >= |b| or a = 0 (Dekker)."""
    s = a + b
    return s, b - (s - a)


def exact_product(a: Value, b: Value) -> tuple[Value, Value]:
    """The product a * b rounded, and what the rounding lost (Dekker); with or without fused operations."""
    p = a * b
    a_hi, b_hi = (double(bits(v) & ~((1 << 27) - 1)) for v in (a, b))
    a_lo, b_lo = a - a_hi, b - b_hi
    return p, a_lo * b_lo - (((p - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo)


# -- exponentials -------------------------------------------------------------------------------------


def _reduced_for_exp(x: Value) -> tuple[Value, Value, Value]:
    """The parts of x = k ln 2 + r + low, |r| <= ln(2)/2: the sum whose low bits are k; r; low."""
    shifted = fma(x, 1 / math.log(2), ROUND)
    k = shifted - ROUND
    high = fma(k, -LN2, x)
    r = fma(k, -LN2_LO, high)
    return shifted, r, fma(k, -LN2_LO, high - r)


def _times_power_of_two(x: Value, shifted: Value) -> Value:
    """X times 2^k for k from -1077 to 1025, rounded once; `shifted` as in `_reduced_for_exp`."""
    # two factors, 2^(k/2) each: neither overflows or is subnormal
    both = bits(shifted) - (pattern(ROUND) - 2046)  # sum of their biased exponents
    half = both >> 1
    return x * double(half << 52) * double((both - half) << 52)


def exp_of(x: Value, low: Value | None = None) -> Value:
    """exp(x + low) for a small low."""
    shifted, r, _ = _reduced_for_exp(_clamped(x, -746.0, 710.0))
    # exp(r) = 1 + r + r^2 P(r)
    tail = fma(r * r, polynomial(r, EXP), r)
    if low is not None:
        tail = tail + fma(tail, low, low)
    return _times_power_of_two(1.0 + tail, shifted)


def _expm1_scaled(x: Value, scale: int) -> Value:
    """(exp(x) - 1) / 2^scale for x < 710 + scale/2."""
    shifted, r, low = _reduced_for_exp(_clamped(x, -40.0, 709.1 + 0.7 * scale))
    power = double((bits(shifted) << 52) + ((1023 - scale) << 52))  # 2^(k - scale)
    # 2^k exp(r) - 1 = (2^k - 1) + 2^k r + 2^k r^2 P(r); the first sum is the one whose error counts
    high, lost = _exact_sum_of_ordered(power - 2.0**-scale, power * r)
    return high + (lost + power * fma(r * r, polynomial(r, EXP), low))


def _expm1(x: Value) -> Value:
    return select(abs(x) < TINY, x, 2.0 * _expm1_scaled(x, 1))


def _exprel(x: Value) -> Value:
    # the quotient of infinities is to be infinite
    ratio = 4096.0 * (_expm1_scaled(x, 12) / op("fmin", 1e300, x))
    return select(abs(x) < TINY, 1.0, ratio)


def _sinh(x: Value) -> Value:
    a = abs(x)
    quarter = _expm1_scaled(a, 2)
    e = 4.0 * quarter
    result = select(a > 22.0, 2.0 * (quarter + 0.25), 0.5 * (e + e / (e + 1.0)))
    return select(a < 2.0**-28, x, with_sign_of(result, x))


def _cosh(x: Value) -> Value:
    a = abs(x)
    quarter = _expm1_scaled(a, 2) + 0.25
    e = 4.0 * quarter
    return select(a > 22.0, 2.0 * quarter, 0.5 * e + 0.5 / e)


def _tanh(x: Value) -> Value:
    a = op("fmin", 30.0, abs(x))
    # with t = exp(+-2a) - 1; each sign has the smaller errors on its side
    t = 2.0 * _expm1_scaled(select(a < 0.35, -2.0 * a, 2.0 * a), 1)
    return select(a < 2.0**-28, x, with_sign_of(abs(t) / (t + 2.0), x))


# -- logarithms ---------------------------------------------------------------------------------------


def _split(x: Value) -> tuple[Value, Value]:
    """The parts k and m of x = 2^k m with m in [sqrt(1/2), sqrt(2)), for a normal x > 0."""
    above = bits(x) - pattern(math.sqrt(0.5))
    exponent = above & (0xFFF << 52)
    m = double(bits(x) - exponent)
    # k as a double, without the conversion that narrow vectors lack
    biased = (above + (1024 << 52)) >> 52
    return double(biased | pattern(2.0**52)) - (2.0**52 + 1024), m


def _split_any(x: Value) -> tuple[Value, Value]:
    """The same for any finite x > 0."""
    subnormal = x < 2.0**-1022
    k, m = _split(select(subnormal, x * 2.0**54, x))
    return k - select(subnormal, 54.0, 0.0), m


def _log_of_mantissa(m: Value) -> tuple[Value, Value, Value]:
    """f, h and l with log(m) = f - (h - l), and h = f^2/2."""
    # log(1+f) = 2 atanh(s) with s = f/(2+f); 2s = f - s f = f - f^2/2 + s f^2/2 (fdlibm, e_log.c)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    return f, h, s * fma(z, polynomial(z, LOG), h)


def _log_of_parts(k: Value, m: Value, low: Value | float) -> Value:
    """The sum k ln 2 + log(m) + low."""
    f, h, rest = _log_of_mantissa(m)
    return fma(k, LN2, f - (h - (rest + fma(k, LN2_LO, low))))


def _at_edges_of_log(x: Value, result: Value) -> Value:
    """The logarithm of x where it is not `result`: at 0, below, at infinity and of NaN."""
    result = select(x < INF, result, x)
    return select(x > 0.0, result, select(x.equals(0.0), -INF, NAN))


def log_of_normal(x: Value) -> Value:
    """log(x) for a normal number x > 0."""
    return _log_of_parts(*_split(x), 0.0)


def log_of(x: Value) -> Value:
    k, m = _split_any(x)
    return _at_edges_of_log(x, _log_of_parts(k, m, 0.0))


def _log1p(x: Value) -> Value:
    u, lost = _exact_sum(literal(1.0, F64), x)
    k, m = _split(u)
    result = _at_edges_of_log(u, _log_of_parts(k, m, lost / u))
    return select(abs(x) < TINY, x, result)


def _log_to_base(x: Value, per_e: tuple[float, float], per_2: tuple[float, float]) -> Value:
    """log(x) times a constant `per_e`, of which log(2) is `per_2`; both as sums, the first with few bits."""
    k, m = _split_any(x)
    f, h, rest = _log_of_mantissa(m)
    high = double(bits(f - h) & ~((1 << 32) - 1))
    low = (f - high) - h + rest
    small = fma(low + high, per_e[1], fma(low, per_e[0], k * per_2[1]))
    whole, lost = _exact_sum_of_ordered(k * per_2[0], high * per_e[0])
    return _at_edges_of_log(x, whole + (small + lost))


def _log2(x: Value) -> Value:
    per_e = (float.fromhex("0x1.71547p+0"), float.fromhex("0x1.94ae0bf85ddf4p-22"))
    return _log_to_base(x, per_e, (1.0, 0.0))


def _log10(x: Value) -> Value:
    per_e = (float.fromhex("0x1.bcb7bp-2"), float.fromhex("0x1.526e50e32a6abp-26"))
    per_2 = (float.fromhex("0x1.34413509f7800p-2"), float.fromhex("0x1.fef311f12b358p-46"))
    return _log_to_base(x, per_e, per_2)


# -- powers -------------------------------------------------------------------------------------------


def _accurate_log(x: Value) -> tuple[Value, Value]:
    """log(x) for a finite x > 0 as a sum of two doubles, to 2^-63."""
    k, m = _split_any(x)
    # s = (m - 1)/(m + 1) as s + s_lo
    over = m - 1.0
    under, under_lo = _exact_sum_of_ordered(literal(1.0, F64), m)
    s = over / under
    back, back_lo = exact_product(s, under)
    s_lo = (((over - back) - back_lo) - s * under_lo) / under
    # z = s^2
    z, z_lo = exact_product(s, s)
    z_lo = z_lo + 2.0 * s * s_lo
    # w = 2/3 + 2/5 z + ...
    w, w_lo = _exact_sum_of_ordered(literal(TWO_THIRDS, F64), z * polynomial(z, LOG_OF_POW))
    w_lo = w_lo + TWO_THIRDS_LO
    # c = s z w
    zw, zw_lo = exact_product(z, w)
    zw_lo = zw_lo + (z * w_lo + z_lo * w)
    c, c_lo = exact_product(s, zw)
    c_lo = c_lo + (s * zw_lo + s_lo * zw)
    # k ln 2 + 2s + c
    a, a_lo = _exact_sum_of_ordered(k * LN2, 2.0 * s)
    b, b_lo = _exact_sum(a, c)
    low = ((a_lo + b_lo) + (c_lo + 2.0 * s_lo)) + k * LN2_LO
    return _exact_sum_of_ordered(b, low)


def _pow(x: Value, y: Value) -> Value:
    a = abs(x)
    high, low = _accurate_log(a)
    bounded = _clamped(y, -(2.0**65), 2.0**65)
    product, product_lo = exact_product(bounded, high)
    product_lo = product_lo + bounded * low
    in_range = abs(product) < 1000.0
    result = exp_of(product, select(in_range, product_lo, 0.0))
    # Annex F.10.4.4 of C99
    vanishes = (a.equals(0.0)) ^ (y < 0.0)
    result = select(a.equals(0.0) | a.equals(INF), select(vanishes, 0.0, INF), result)
    whole = y.equals(op("floor", y))
    half = 0.5 * y
    odd = whole & ~half.equals(op("floor", half))
    result = select(odd, with_sign_of(result, x), result)
    undefined = (x < 0.0) & (x > -INF) & ~whole
    result = select(undefined, NAN, result)
    nan = op("fne", x, x) | op("fne", y, y)
    result = select(nan, x + y, result)
    return select(x.equals(1.0) | y.equals(0.0), 1.0, result)


def _sign(x: Value) -> Value:
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, select(x.equals(0.0), 0.0, x)))


# -- trigonometric functions --------------------------------------------------------------------------


def _reduced_angle(x: Value) -> tuple[Value, Value, Value]:
    """The parts of x = n pi/2 + r + low, |r| <= pi/4: an integer whose low bits are n; r; low."""
    x = select(abs(x) < 2.0**51, x, 0.0 * x)
    shifted = fma(x, 2 / math.pi, ROUND)
    k = shifted - ROUND
    first, *middle, last = HALF_PI_PIECES
    r = x - k * first
    low = k * -last
    for piece in middle:
        r, lost = _exact_sum(r, k * -piece)
        low = low + lost
    r, low = _exact_sum_of_ordered(r, low)
    return bits(shifted), _clamped(r, -0.8, 0.8), low


def _sin_cos_of_reduced(r: Value, low: Value) -> tuple[Value, Value]:
    """sin(r + low) and cos(r + low) for |r| <= pi/4."""
    z = r * r
    # sin(r + low) = r + (r^3 P(r^2) + low cos r)
    sin = r + fma(z * r, polynomial(z, SIN), fma(low, -0.5 * z, low))
    # cos(r + low) = 1 - r^2/2 + (r^4 P(r^2) - r low)
    h = 0.5 * z
    w = 1.0 - h
    cos = w + (((1.0 - w) - h) + fma(z * z, polynomial(z, COS), -(r * low)))
    return sin, cos


def _sin_cos(x: Value) -> tuple[Value, Value]:
    n, r, low = _reduced_angle(x)
    sin, cos = _sin_cos_of_reduced(r, low)
    swap = (n & 1).equals(1)
    sin_sign, cos_sign = (n & 2) << 62, ((n + 1) & 2) << 62
    return (
        double(bits(select(swap, cos, sin)) ^ sin_sign),
        double(bits(select(swap, sin, cos)) ^ cos_sign),
    )


def _sin(x: Value) -> Value:
    return select(abs(x) < 2.0**-27, x, _sin_cos(x)[0])


def _cos(x: Value) -> Value:
    return _sin_cos(x)[1]


def _tan(x: Value) -> Value:
    sin, cos = _sin_cos(x)
    return select(abs(x) < 2.0**-27, x, sin / cos)


# -- their inverses -----------------------------------------------------------------------------------

TAN_PI_8 = math.tan(math.pi / 8)


def _small_arctan(r: Value) -> Value:
    z = r * r
    return fma(z * r, polynomial(z, ARCTAN), r)


def _arctan(x: Value) -> Value:
    a = abs(x)
    middle, far = a > TAN_PI_8, a > 1 / TAN_PI_8
    # arctan(a) = pi/4 + arctan((a-1)/(a+1)) = pi/2 - arctan(1/a)
    over = select(far, -1.0, select(middle, a - 1.0, a))
    under = select(far, a, select(middle, a + 1.0, 1.0))
    quarters = select(far, 2.0, select(middle, 1.0, 0.0))
    v = _small_arctan(over / under)
    return with_sign_of(quarters * (HALF_PI / 2) + fma(quarters, HALF_PI_LO / 2, v), x)


def _arctan2(y: Value, x: Value) -> Value:
    ax, ay = abs(x), abs(y)
    steep = ay > ax
    less, more = select(steep, ax, ay), select(steep, ay, ax)
    # infinities as 1 beside 0 (or NaN); 0/0 as 0; sums of large numbers must not overflow
    infinite = more.equals(INF)
    less = select(infinite, select(less.equals(INF), 1.0, 0.0 * less), less)
    more = select(infinite, 1.0, more)
    more = select(more.equals(0.0), 1.0, more)
    scale = select(more > 2.0**1022, 0.25, 1.0)
    less, more = less * scale, more * scale
    middle = less > TAN_PI_8 * more
    v = _small_arctan(select(middle, less - more, less) / select(middle, less + more, more))
    # the angle is a number of quarters of pi, plus or minus v
    quarters = select(middle, literal(1.0, F64), 0.0)
    quarters, v = select(steep, 2.0 - quarters, quarters), select(steep, -v, v)
    left = op("ilt", bits(x), 0)
    quarters, v = select(left, 4.0 - quarters, quarters), select(left, -v, v)
    # pi/4 with few enough bits for exact products with 1 .. 4
    high, low = float.fromhex("0x1.921fb54442d18p-1"), float.fromhex("0x1.1a62633145c07p-55")
    return with_sign_of(abs(fma(quarters, high, fma(quarters, low, v))), y)


def _arcsin_parts(x: Value) -> tuple[Value, Value, Value, Value]:
    """Whether |x| > 1/2; the small number whose arcsin counts then, its square; arcsin of it less itself."""
    a = abs(x)
    far = a > 0.5
    # arcsin(a) = pi/2 - 2 arcsin(sqrt((1-a)/2))
    z = select(far, 0.5 * (1.0 - a), a * a)
    s = select(far, op("fsqrt", z), a)
    return far, s, z, z * s * polynomial(z, ARCSIN)


def _arcsin(x: Value) -> Value:
    far, s, _, rest = _arcsin_parts(x)
    result = select(far, HALF_PI - (2.0 * s + (2.0 * rest - HALF_PI_LO)), s + rest)
    return with_sign_of(result, x)


def _arccos(x: Value) -> Value:
    far, s, _, rest = _arcsin_parts(x)
    negative = op("ilt", bits(x), 0)
    signed_s, signed_rest = select(negative, -s, s), select(negative, -rest, rest)
    near = HALF_PI - (signed_s - (HALF_PI_LO - signed_rest))
    twice = 2.0 * (s + rest)
    return select(far, select(negative, 2 * HALF_PI - (twice - 2 * HALF_PI_LO), twice), near)


# -- the functions ------------------------------------------------------------------------------------

exp = define("exp", exp_of, x=F64)
expm1 = define("expm1", _expm1, x=F64)
exprel = define("exprel", _exprel, x=F64)
log = define("log", log_of, x=F64)
log1p = define("log1p", _log1p, x=F64)
log2 = define("log2", _log2, x=F64)
log10 = define("log10", _log10, x=F64)
sin = define("sin", _sin, x=F64)
cos = define("cos", _cos, x=F64)
tan = define("tan", _tan, x=F64)
arcsin = define("arcsin", _arcsin, x=F64)
arccos = define("arccos", _arccos, x=F64)
arctan = define("arctan", _arctan, x=F64)
arctan2 = define("arctan2", _arctan2, y=F64, x=F64)
sinh = define("sinh", _sinh, x=F64)
cosh = define("cosh", _cosh, x=F64)
tanh = define("tanh", _tanh, x=F64)
pow = define("pow", _pow, x=F64, y=F64)
sign = define("sign", _sign, x=F64)
