"""What every NumPy function does with dimensions, as tables.

A function that stands in no table refuses quantities with a dimension: a wrong unit is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError
from eccles.units.dimension import DIMENSIONLESS, Dimension
from eccles.units.quantity import (
    Quantity,
    bare,
    combine,
    common_dimension,
    get_dimensions,
    is_scalar_type,
    wrap,
)

__all__ = ["apply_function", "apply_ufunc"]

# -- universal functions ----------------------------------------------------------------------------

SAME = {
    np.add: "add {} and {}", np.subtract: "subtract {1} from {0}", np.maximum: "compare {} and {}",
    np.minimum: "compare {} and {}", np.fmax: "compare {} and {}", np.fmin: "compare {} and {}",
    np.hypot: "combine {} and {}", np.remainder: "divide {} by {} with remainder",
    np.fmod: "divide {} by {} with remainder", np.nextafter: "step from {} towards {}",
}  # fmt: skip
COMPARE = {
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
    np.equal: "==",
    np.not_equal: "!=",
}
PRODUCT = {np.multiply, np.matmul}
QUOTIENT = {np.divide, np.floor_divide}
KEEP = {np.negative, np.positive, np.absolute, np.fabs, np.conjugate, np.rint, np.spacing}
POWER: dict[Any, float] = {np.sqrt: 0.5, np.square: 2, np.cbrt: 1 / 3, np.reciprocal: -1}
PLAIN = {np.sign, np.isfinite, np.isnan, np.isinf, np.signbit, np.logical_not}
# functions that make sense for numbers only; all others of one argument count among them


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a universal function with quantities among its arguments."""
    values = tuple(np.asarray(bare(x)) if isinstance(x, Quantity | list | tuple) else x for x in inputs)
    for value in values:
        if getattr(value, "__array_ufunc__", True) is None:
            return NotImplemented
    out = kwargs.get("out")
    if out is not None:
        kwargs = {**kwargs, "out": tuple(bare(o) for o in out)}
    if method != "__call__":
        dim = _reduced(ufunc, method, inputs)
        result = getattr(ufunc, method)(*values, **kwargs)
    else:
        dim = _dimension(ufunc, inputs, values)
        result = ufunc(*values, **kwargs)
    if out is not None:
        for target in out:
            if isinstance(target, Quantity):
                target.dim = dim if isinstance(dim, Dimension) else DIMENSIONLESS
        return out[0]
    if isinstance(dim, tuple):
        return tuple(wrap(r, d) for r, d in zip(result, dim, strict=True))
    return wrap(result, dim)


def _dimension(
    ufunc: np.ufunc, inputs: tuple[Any, ...], values: tuple[Any, ...]
) -> Dimension | tuple[Dimension, ...]:
    """The dimension of the result, or an error."""
    if ufunc in SAME:
        return combine(inputs[0], inputs[1], SAME[ufunc])
    if ufunc in COMPARE:
        return _compared(ufunc, inputs)
    if ufunc in PRODUCT:
        return get_dimensions(inputs[0]) * get_dimensions(inputs[1])
    if ufunc in QUOTIENT:
        return get_dimensions(inputs[0]) / get_dimensions(inputs[1])
    if ufunc in KEEP:
        return get_dimensions(inputs[0])
    if ufunc in POWER:
        return get_dimensions(inputs[0]) ** POWER[ufunc]
    if ufunc in PLAIN:
        return DIMENSIONLESS
    if ufunc in (np.power, np.float_power):
        return _powered(inputs, values)
    if ufunc is np.arctan2:
        combine(inputs[0], inputs[1], "take the angle of {} and {}")
        return DIMENSIONLESS
    if ufunc is np.divmod:
        quotient = get_dimensions(inputs[0]) / get_dimensions(inputs[1])
        return quotient, combine(inputs[0], inputs[1], "divide {} by {} with remainder")
    if ufunc is np.copysign:
        return get_dimensions(inputs[0])
    if ufunc in (np.logical_and, np.logical_or, np.logical_xor):
        return DIMENSIONLESS
    for value in inputs:
        if get_dimensions(value) is not DIMENSIONLESS:
            raise DimensionMismatchError(
                f"{ufunc.__name__} needs a number without unit, but got {get_dimensions(value).friendly()}",
                get_dimensions(value),
                hint=f"Divide by its scale first, as in {ufunc.__name__}(x/{get_dimensions(value).example_unit()}).",
            )
    return DIMENSIONLESS


def _compared(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Dimension:
    if isinstance(inputs[1], str) or inputs[1] is None:
        return DIMENSIONLESS
    combine(inputs[0], inputs[1], f"compare {{}} {COMPARE[ufunc]} {{}}")
    return DIMENSIONLESS


def _powered(inputs: tuple[Any, ...], values: tuple[Any, ...]) -> Dimension:
    base, exponent = inputs
    if get_dimensions(exponent) is not DIMENSIONLESS:
        raise DimensionMismatchError(
            f"an exponent needs to be a number without unit, not {get_dimensions(exponent).friendly()}",
            get_dimensions(exponent),
        )
    dim = get_dimensions(base)
    if dim is DIMENSIONLESS:
        return dim
    if not is_scalar_type(values[1]):
        raise TypeError(
            "a quantity with a unit can only be raised to a single power, not to an array of powers"
        )
    return dim ** float(values[1])


def _reduced(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...]) -> Dimension:
    dim = get_dimensions(inputs[0])
    if ufunc in SAME:
        return dim
    if ufunc in (np.logical_or, np.logical_and):
        return DIMENSIONLESS
    if method == "outer":
        result = _dimension(ufunc, inputs, inputs)
        assert isinstance(result, Dimension)
        return result
    if dim is DIMENSIONLESS:
        return dim
    if ufunc is np.multiply and method == "reduce":
        return dim ** np.size(inputs[0])
    raise DimensionMismatchError(f"{ufunc.__name__}.{method} needs numbers without unit", dim)


# -- other functions --------------------------------------------------------------------------------

Rule = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


def _stripped(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*(bare(a) for a in args), **{k: bare(v) for k, v in kwargs.items()})


def _with_dim(result: Any, dim: Dimension) -> Any:
    if isinstance(result, list | tuple):
        return type(result)(wrap(r, dim) for r in result) if type(result) in (list, tuple) else result
    return wrap(result, dim)


def _keep_first(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    first = args[0] if args else next(iter(kwargs.values()))
    return _with_dim(_stripped(func, args, kwargs), get_dimensions(first))


def _first_only(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The first of several results has the unit (unique values, then indices)."""
    result = _stripped(func, args, kwargs)
    dim = get_dimensions(args[0])
    return (wrap(result[0], dim), *result[1:]) if isinstance(result, tuple) else wrap(result, dim)


def _plain(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _stripped(func, args, kwargs)


def _all_same(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A sequence of arrays that need the same unit."""
    dim = common_dimension(args[0], "join {} and {}")
    return _with_dim(func([np.asarray(bare(a)) for a in args[0]], *args[1:], **kwargs), dim)


def _two_same(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    dim = combine(args[0], args[1], f"{func.__name__}: combine {{}} and {{}}")
    return _with_dim(_stripped(func, args, kwargs), dim)


def _two_same_plain(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    combine(args[0], args[1], "compare {} and {}")
    return _stripped(func, args, kwargs)


def _close(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    combine(args[0], args[1], "compare {} and {}")
    return _stripped(func, args, kwargs)


def _product(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[0]) * get_dimensions(args[1]))


def _squared(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[0]) ** 2)


def _prod(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return Quantity(args[0]).prod(*args[1:], **kwargs)


def _einsum(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    dim = DIMENSIONLESS
    for operand in args[1:]:
        dim = dim * get_dimensions(operand)
    return wrap(_stripped(func, args, kwargs), dim)


def _where(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) == 1:
        return func(bare(args[0]))
    dim = combine(args[1], args[2], "choose between {} and {}")
    return wrap(func(*(bare(a) for a in args)), dim)


def _clip(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for limit in args[1:3]:
        if limit is not None:
            combine(args[0], limit, "clip {} at {}")
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[0]))


def _linspace(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    dim = combine(args[0], args[1], "space values between {} and {}")
    result = _stripped(func, args, kwargs)
    return tuple(wrap(r, dim) for r in result) if isinstance(result, tuple) else wrap(result, dim)


def _full_like(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[1]))


def _trapezoid(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    x = args[1] if len(args) > 1 else kwargs.get("x")
    dx = args[2] if len(args) > 2 else kwargs.get("dx", 1.0)
    step = get_dimensions(dx) if x is None else get_dimensions(x)
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[0]) * step)


def _gradient(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) > 2:
        raise DimensionMismatchError("gradient with several spacings needs numbers without unit")
    step = get_dimensions(args[1]) if len(args) > 1 else DIMENSIONLESS
    return _with_dim(_stripped(func, args, kwargs), get_dimensions(args[0]) / step)


def _interp(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    combine(args[0], args[1], "look up {} among {}")
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[2]))


def _histogram(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    counts, edges = _stripped(func, args, kwargs)
    dim = get_dimensions(args[0])
    density = kwargs.get("density") or (len(args) > 3 and args[3])
    return (wrap(counts, dim**-1) if density else counts), wrap(edges, dim)


def _insert(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    combine(args[0], args[2], "insert into {} the value {}")
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[0]))


def _pad(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for key in ("constant_values", "end_values"):
        if key in kwargs:
            combine(args[0], kwargs[key], "pad {} with {}")
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[0]))


def _meshgrid(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = _stripped(func, args, kwargs)
    return type(result)(wrap(r, get_dimensions(a)) for r, a in zip(result, args, strict=True))


def _solve(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return wrap(_stripped(func, args, kwargs), get_dimensions(args[1]) / get_dimensions(args[0]))


def _copyto(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    combine(args[0], args[1], "copy into {} the value {}")
    return _stripped(func, args, kwargs)


def _table() -> dict[Any, Rule]:
    table: dict[Any, Rule] = {}
    groups: list[tuple[Rule, str]] = [
        (_keep_first,
         "sort reshape ravel squeeze transpose copy diff cumsum sum mean median std amin amax min max ptp "
         "percentile quantile average nansum nanmean nanmedian nanstd nanmin nanmax nanpercentile nanquantile "
         "nancumsum round around flip fliplr flipud roll rot90 tile repeat take compress delete diag diagonal "
         "diagflat trace tril triu partition atleast_1d atleast_2d atleast_3d broadcast_to expand_dims moveaxis "
         "swapaxes rollaxis split array_split hsplit vsplit dsplit resize real imag zeros_like empty_like "
         "nan_to_num trim_zeros extract ediff1d take_along_axis sort_complex real_if_close unwrap fix"),
        (_plain,
         "argmax argmin argsort nanargmax nanargmin argwhere argpartition flatnonzero nonzero count_nonzero any "
         "all shape size ndim array_repr array2string array_str ones_like isreal iscomplex isrealobj "
         "iscomplexobj angle corrcoef result_type shares_memory may_share_memory min_scalar_type save savetxt "
         "savez can_cast common_type lexsort isposinf isneginf"),
        (_all_same, "concatenate stack vstack hstack dstack column_stack block"),
        (_two_same, "append union1d intersect1d setdiff1d setxor1d"),
        (_two_same_plain, "searchsorted digitize isin in1d array_equal array_equiv"),
        (_close, "isclose allclose"),
        (_product, "dot vdot inner outer tensordot kron cross convolve correlate"),
        (_squared, "var nanvar cov"),
        (_first_only, "unique"),
        (_prod, "prod"),
        (_einsum, "einsum"),
        (_where, "where"),
        (_clip, "clip"),
        (_linspace, "linspace"),
        (_full_like, "full_like"),
        (_trapezoid, "trapezoid trapz"),
        (_gradient, "gradient"),
        (_interp, "interp"),
        (_histogram, "histogram"),
        (_insert, "insert"),
        (_pad, "pad"),
        (_meshgrid, "meshgrid"),
        (_copyto, "copyto"),
    ]  # fmt: skip
    names = set(dir(np))
    for rule, text in groups:
        for name in text.split():
            if name in names and name not in ("in1d", "trapz"):  # deprecated names warn when they are touched
                table[getattr(np, name)] = rule
    table[np.linalg.norm] = _keep_first
    table[np.linalg.solve] = _solve
    return table


TABLE = _table()


def apply_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a NumPy function with quantities among its arguments."""
    rule = TABLE.get(func)
    if rule is not None:
        return rule(func, args, kwargs)
    for value in (*args, *kwargs.values()):
        if get_dimensions(value) is not DIMENSIONLESS:
            raise DimensionMismatchError(
                f"numpy.{func.__name__} does not know units, and got {get_dimensions(value).friendly()}",
                get_dimensions(value),
                hint="Divide by a unit first (x/mV), and multiply the result by the unit it should have.",
            )
    return _stripped(func, args, kwargs)
