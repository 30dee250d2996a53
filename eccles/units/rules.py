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
    check_stored,
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
    if any(_decides_itself(value) for value in values):
        return NotImplemented
    if method == "at":
        return _at(ufunc, inputs, values)
    dim = (
        _dimension(ufunc, inputs, values)
        if method in ("__call__", "outer")
        else _reduced(ufunc, method, inputs)
    )
    out = kwargs.get("out")
    if out is None:
        result = getattr(ufunc, method)(*values, **kwargs)
        return _several(result, dim) if isinstance(dim, tuple) else wrap(result, dim)
    dims = dim if isinstance(dim, tuple) else (dim,)
    for target, d in zip(out, dims, strict=True):
        if target is not None:
            _set_unit(target, d)
    result = getattr(ufunc, method)(*values, **{**kwargs, "out": tuple(bare(o) for o in out)})
    if len(out) > 1:
        return _several(result, dims)
    return out[0]


def _decides_itself(value: Any) -> bool:
    """Whether a value that is no array has its own way with universal functions, such as `group.v`."""
    return not isinstance(value, np.ndarray | np.generic) and hasattr(type(value), "__array_ufunc__")


def _several(results: Any, dims: tuple[Dimension, ...]) -> tuple[Any, ...]:
    return tuple(wrap(r, d) for r, d in zip(results, dims, strict=True))


def _at(ufunc: np.ufunc, inputs: tuple[Any, ...], values: tuple[Any, ...]) -> None:
    """`np.add.at(a, indices, b)`: the unit of `a` has to stay what it is."""
    dim = get_dimensions(inputs[0])
    operands = (inputs[0], *inputs[2:])
    changed = _dimension(ufunc, operands, (values[0], *values[2:]))
    if changed is not dim:
        raise DimensionMismatchError(f"{ufunc.__name__}.at would change the unit of the array", dim)
    ufunc.at(*values)


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
        dim = get_dimensions(value)
        if dim is not DIMENSIONLESS:
            raise DimensionMismatchError(
                f"{ufunc.__name__} needs a number without unit, but got {dim.friendly()}", dim,
                hint=f"Divide by its scale first, as in {ufunc.__name__}(x/{dim.example_unit()}).",
            )  # fmt: skip
    return DIMENSIONLESS


def _compared(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Dimension:
    if any(value is None or isinstance(value, str) for value in inputs):
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
    if dim is DIMENSIONLESS:
        return dim
    if ufunc is np.multiply and method == "reduce":
        return dim ** np.size(inputs[0])
    raise DimensionMismatchError(f"{ufunc.__name__}.{method} needs numbers without unit", dim)


# -- other functions --------------------------------------------------------------------------------

# A rule is called as NumPy's function is, with that function before the arguments, which therefore have
# NumPy's names.
Rule = Callable[..., Any]


def _stripped(func: Any, *args: Any, **kwargs: Any) -> Any:
    return func(*(bare(a) for a in args), **{k: bare(v) for k, v in kwargs.items()})


def _with_dim(result: Any, dim: Dimension) -> Any:
    """A result, or each of several, with a dimension."""
    if isinstance(result, list):
        return [wrap(r, dim) for r in result]
    return tuple(wrap(r, dim) for r in result) if type(result) is tuple else wrap(result, dim)


def _keep(func: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    """The result has the unit of the first argument."""
    return _with_dim(_stripped(func, a, *args, **kwargs), get_dimensions(a))


def _keep_named(name: str) -> Rule:
    """As `_keep`, for functions whose first argument has another name than `a`."""

    def rule(func: Any, *args: Any, **kwargs: Any) -> Any:
        first = args[0] if args else kwargs[name]
        return _with_dim(_stripped(func, *args, **kwargs), get_dimensions(first))

    return rule


def _keep_limited(func: Any, a: Any, *args: Any, initial: Any = None, **kwargs: Any) -> Any:
    """Sums and extremes may begin with a value of the same unit."""
    if initial is not None:
        combine(a, initial, f"{func.__name__}: combine {{}} and {{}}")
        kwargs["initial"] = initial
    return _keep(func, a, *args, **kwargs)


def _chosen(func: Any, condition: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    """`compress` and `extract`: the second argument has the values."""
    return wrap(_stripped(func, condition, a, *args, **kwargs), get_dimensions(a))


def _average(func: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    result = _stripped(func, a, *args, **kwargs)
    dim = get_dimensions(a)
    if not isinstance(result, tuple):
        return wrap(result, dim)
    weights = args[1] if len(args) > 1 else kwargs.get("weights")
    return wrap(result[0], dim), wrap(result[1], get_dimensions(weights))


def _first_only(func: Any, ar: Any, *args: Any, **kwargs: Any) -> Any:
    """The first of several results has the unit (unique values, then indices)."""
    result = _stripped(func, ar, *args, **kwargs)
    dim = get_dimensions(ar)
    return (wrap(result[0], dim), *result[1:]) if isinstance(result, tuple) else wrap(result, dim)


def _join(func: Any, arrays: Any, *args: Any, **kwargs: Any) -> Any:
    """A sequence of arrays that need the same unit."""
    arrays = list(arrays)
    dim = common_dimension(arrays, "join {} and {}")
    return wrap(func([bare(a) for a in arrays], *args, **kwargs), dim)


def _block(func: Any, arrays: Any) -> Any:
    """Arrays in nested lists."""
    dim = get_dimensions(arrays)
    return wrap(func(bare(arrays)), dim)


def _join_named(name: str) -> Rule:
    def rule(func: Any, *args: Any, **kwargs: Any) -> Any:
        arrays = args[0] if args else kwargs.pop(name)
        return _join(func, arrays, *args[1:], **kwargs)

    return rule


def _two_same(func: Any, first: Any, second: Any, *args: Any, **kwargs: Any) -> Any:
    dim = combine(first, second, f"{func.__name__}: combine {{}} and {{}}")
    return _with_dim(_stripped(func, first, second, *args, **kwargs), dim)


def _append(func: Any, arr: Any, values: Any, axis: Any = None) -> Any:
    return wrap(func(bare(arr), bare(values), axis), combine(arr, values, "append to {} the value {}"))


def _compare(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Two arguments of the same unit, a result without."""
    first, second = (*args, *kwargs.values())[:2]
    combine(first, second, "compare {} and {}")
    return _stripped(func, *args, **kwargs)


def _close(func: Any, a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    """As NumPy's; the absolute tolerance has a unit, or is NumPy's number of SI base units."""
    combine(a, b, "compare {} and {}")
    if isinstance(atol, Quantity):
        combine(a, atol, "compare {} within {}")
    return func(bare(a), bare(b), bare(rtol), bare(atol), equal_nan)


def _product(func: Any, *args: Any, **kwargs: Any) -> Any:
    first, second = (*args, *kwargs.values())[:2]
    return wrap(_stripped(func, *args, **kwargs), get_dimensions(first) * get_dimensions(second))


def _squared(func: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    return wrap(_stripped(func, a, *args, **kwargs), get_dimensions(a) ** 2)


def _covariance(func: Any, m: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
    dim = get_dimensions(m)
    if y is not None:
        combine(m, y, "tabulate the covariance of {} and {}")
    return wrap(_stripped(func, m, y, *args, **kwargs), dim**2)


def _prod(func: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    values = np.asarray(bare(a))
    result = func(values, *args, **kwargs)
    return wrap(result, get_dimensions(a) ** (values.size // max(1, np.size(result))))


def _einsum(func: Any, subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    dim = DIMENSIONLESS
    for operand in operands:
        dim = dim * get_dimensions(operand)
    return wrap(_stripped(func, subscripts, *operands, **kwargs), dim)


def _where(func: Any, condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None and y is None:
        return func(bare(condition))
    return wrap(func(bare(condition), bare(x), bare(y)), combine(x, y, "choose between {} and {}"))


def _select(func: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    dim = common_dimension([*choicelist, default], "choose between {} and {}")
    return wrap(func(condlist, [bare(c) for c in choicelist], bare(default)), dim)


def _clip(func: Any, a: Any, a_min: Any = None, a_max: Any = None, *args: Any, **kwargs: Any) -> Any:
    for limit in (a_min, a_max, kwargs.get("min"), kwargs.get("max")):
        if limit is not None:
            combine(a, limit, "clip {} at {}")
    if "min" in kwargs or "max" in kwargs:
        return _keep(func, a, *args, **kwargs)
    return _keep(func, a, a_min, a_max, *args, **kwargs)


def _between(func: Any, start: Any, stop: Any, *args: Any, **kwargs: Any) -> Any:
    """`linspace` and `geomspace`."""
    dim = combine(start, stop, "space values between {} and {}")
    result = _stripped(func, start, stop, *args, **kwargs)
    return _with_dim(result, dim)


def _full_like(func: Any, a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    return wrap(_stripped(func, a, fill_value, *args, **kwargs), get_dimensions(fill_value))


def _trapezoid(func: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    step = dx if x is None else x
    return wrap(_stripped(func, y, x, dx, axis), get_dimensions(y) * get_dimensions(step))


def _gradient(func: Any, f: Any, *varargs: Any, **kwargs: Any) -> Any:
    step = common_dimension(varargs, "divide by distances of {} and {}")
    return _with_dim(_stripped(func, f, *varargs, **kwargs), get_dimensions(f) / step)


def _diff(func: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    for key in ("prepend", "append", "to_begin", "to_end"):
        if kwargs.get(key) is not None:
            combine(a, kwargs[key], "take differences of {} and {}")
    return _keep(func, a, *args, **kwargs)


def _interp(
    func: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    for other in (xp, period):
        if other is not None:
            combine(x, other, "look up {} among {}")
    dim = get_dimensions(fp)
    for outside in (left, right):
        if outside is not None:
            combine(fp, outside, "continue {} with {}")
    return wrap(_stripped(func, x, xp, fp, left, right, period), dim)


def _histogram(
    func: Any, a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Counts have the unit of the weights, divided by that of the values for a density."""
    dim = get_dimensions(a)
    if np.ndim(bins):
        combine(a, bins, "count {} in bins of {}")
    if range is not None:
        for end in range:
            combine(a, end, "count {} in a range to {}")
    counts, edges = _stripped(func, a, bins=bins, range=range, density=density, weights=weights)
    return wrap(counts, dim**-1 if density else get_dimensions(weights)), wrap(edges, dim)


def _bin_edges(func: Any, a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    return _histogram(lambda *args, density, **kw: (0.0, func(*args, **kw)), a, bins, range, None, weights)[1]


def _insert(func: Any, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    dim = combine(arr, values, "insert into {} the value {}")
    return wrap(func(bare(arr), obj, bare(values), axis), dim)


def _pad(func: Any, array: Any, *args: Any, **kwargs: Any) -> Any:
    for key in ("constant_values", "end_values"):
        if key in kwargs:
            combine(array, kwargs[key], "pad {} with {}")
    return wrap(_stripped(func, array, *args, **kwargs), get_dimensions(array))


def _each(func: Any, *args: Any, **kwargs: Any) -> Any:
    """As many results as arguments, each with the unit of its own."""
    result = _stripped(func, *args, **kwargs)
    if len(args) == 1 and not isinstance(result, list | tuple):
        return wrap(result, get_dimensions(args[0]))
    return type(result)(wrap(r, get_dimensions(a)) for r, a in zip(result, args, strict=True))


def _broadcast_arrays(func: Any, *args: Any, subok: bool = False) -> Any:
    """Plain arrays, as NumPy makes them of subclasses unless told otherwise: Matplotlib relies on it."""
    return _each(func, *args) if subok else _stripped(func, *args)


def _solve(func: Any, a: Any, b: Any) -> Any:
    return wrap(_stripped(func, a, b), get_dimensions(b) / get_dimensions(a))


def _inverse(func: Any, a: Any) -> Any:
    return wrap(_stripped(func, a), get_dimensions(a) ** -1)


def _determinant(func: Any, a: Any) -> Any:
    return wrap(_stripped(func, a), get_dimensions(a) ** np.shape(a)[-1])


def _copyto(func: Any, dst: Any, src: Any, *args: Any, **kwargs: Any) -> Any:
    check_stored(dst, src)
    return _stripped(func, dst, src, *args, **kwargs)


def _fill(func: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
    """`fill_diagonal(a, val)`, `put(a, ind, v)`, `place(arr, mask, vals)`, `putmask(a, mask, values)`."""
    check_stored(a, args[-1])
    return _stripped(func, a, *args, **kwargs)


def _table() -> dict[Any, Rule]:
    table: dict[Any, Rule] = {}
    groups: list[tuple[Rule, str]] = [
        (_keep,
         "sort reshape ravel squeeze transpose copy cumsum cumulative_sum mean median std "
         "percentile quantile nanmean nanmedian nanstd nanpercentile nanquantile "
         "nancumsum round around roll repeat take partition expand_dims moveaxis "
         "swapaxes rollaxis resize real_if_close zeros_like empty_like diagonal trace sort_complex "
         "matrix_transpose ptp"),
        (_keep_limited, "sum nansum amin amax min max nanmin nanmax"),
        (_keep_named("m"), "flip fliplr flipud rot90 tril triu"),
        (_keep_named("v"), "diag diagflat"),
        (_keep_named("p"), "unwrap"),
        (_keep_named("A"), "tile"),
        (_keep_named("ary"), "split array_split hsplit vsplit dsplit"),
        (_keep_named("arr"), "delete take_along_axis"), (_keep_named("array"), "broadcast_to"),
        (_keep_named("val"), "real imag"), (_keep_named("x"), "nan_to_num fix"),
        (_keep_named("filt"), "trim_zeros"), (_chosen, "compress extract"),
        (_average, "average"), (_diff, "diff ediff1d"),
        (_stripped,
         "argmax argmin argsort nanargmax nanargmin argwhere argpartition flatnonzero nonzero count_nonzero "
         "any all shape size ndim array_repr array2string array_str ones_like isreal iscomplex isrealobj "
         "iscomplexobj angle corrcoef result_type shares_memory may_share_memory min_scalar_type save "
         "savetxt savez can_cast common_type lexsort isposinf isneginf"),
        (_join_named("arrays"), "concatenate stack"), (_block, "block"),
        (_join_named("tup"), "vstack hstack dstack column_stack"),
        (_append, "append"),
        (_two_same, "union1d intersect1d setdiff1d setxor1d"),
        (_compare, "searchsorted digitize isin array_equal array_equiv"),
        (_close, "isclose allclose"),
        (_product, "dot vdot inner outer tensordot kron cross convolve correlate"),
        (_squared, "var nanvar"), (_covariance, "cov"), (_prod, "prod nanprod"),
        (_first_only, "unique unique_values unique_counts"),
        (_einsum, "einsum"), (_where, "where"), (_select, "select"), (_clip, "clip"),
        (_between, "linspace geomspace"), (_full_like, "full_like"), (_trapezoid, "trapezoid"),
        (_gradient, "gradient"), (_interp, "interp"), (_histogram, "histogram"),
        (_bin_edges, "histogram_bin_edges"), (_insert, "insert"), (_pad, "pad"),
        (_each, "meshgrid atleast_1d atleast_2d atleast_3d"), (_broadcast_arrays, "broadcast_arrays"),
        (_copyto, "copyto"), (_fill, "fill_diagonal put place putmask"),
    ]  # fmt: skip
    names = set(dir(np))
    for rule, text in groups:
        for name in text.split():
            if name in names:
                table[getattr(np, name)] = rule
    table[np.linalg.norm] = _keep_named("x")
    table[np.linalg.solve] = _solve
    table[np.linalg.inv] = table[np.linalg.pinv] = _inverse
    table[np.linalg.det] = _determinant
    for name in ("eigvals", "eigvalsh"):
        table[getattr(np.linalg, name)] = _keep
    for name in ("fft", "ifft", "rfft", "irfft", "fftshift", "ifftshift"):
        table[getattr(np.fft, name)] = _keep_named("x" if "shift" in name else "a")
    return table


TABLE = _table()
DEPRECATED: dict[str, Rule] = {"trapz": _trapezoid, "in1d": _compare}  # to touch these in NumPy warns


def apply_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a NumPy function with quantities among its arguments."""
    rule = TABLE.get(func) or DEPRECATED.get(func.__name__)
    if rule is not None:
        return _checked_out(rule(func, *args, **kwargs), kwargs.get("out"))
    for value in (*args, *kwargs.values()):
        dim = get_dimensions(value)
        if dim is not DIMENSIONLESS:
            raise DimensionMismatchError(
                f"numpy.{func.__name__} does not know units, but got {dim.friendly()}", dim,
                hint=f"Divide by a unit first (x/{dim.example_unit()}) and multiply the result by its unit.",
            )  # fmt: skip
    return _stripped(func, *args, **kwargs)


def _checked_out(result: Any, out: Any) -> Any:
    """The result of a function that was given an array to write to."""
    if out is None:
        return result
    _set_unit(out, get_dimensions(result))
    return out


def _set_unit(out: Any, dim: Dimension) -> None:
    """Give an array that was written to the unit of what is in it now."""
    if isinstance(out, Quantity):
        out.dim = dim
    elif dim is not DIMENSIONLESS:
        raise DimensionMismatchError(
            f"an array without unit cannot hold {dim.friendly()}", dim,
            hint="Make the array with a unit, as in zeros(n)*mV, or write x = x + y instead of x += y.",
        )  # fmt: skip
