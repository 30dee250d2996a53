"""The shape of postsynaptic potentials and currents, from sampled traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.lab.measure.smooth import POINTS, Curves, Floats, Ints, gauss_legendre
from eccles.units import DIMENSIONLESS, get_dimensions, second

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["bare_seconds", "check_labelled", "psp_shape"]

BLOCK = 1024  # traces that are looked at together
NOTHING = 1e-9  # of the amplitude: what is left of a response that is over
NAMES = {
    "amplitude": ("{u}", "largest deflection"),
    "peak_time": ("s", "stimulus to peak"),
    "time_to_peak": ("s", "onset to peak"),
    "latency": ("s", "stimulus to {latency:g} of the peak"),
    "rise_10_90": ("s", "10 to 90 % of the peak"),
    "rise_20_80": ("s", "20 to 80 % of the peak"),
    "slope": ("{u}/s", "slope of the rise"),
    "half_width": ("s", "width at half the peak"),
    "decay": ("s", "time constant of decay"),
    "area": ("{u} s", "area in the window"),
    "area_beyond": ("{u} s", "estimated area behind the window"),
}


def psp_shape(
    trace: xr.DataArray,
    *,
    onset: Any,
    latency: float = 0.05,
    decay: tuple[float, float] = (0.9, 0.1),
    jump: bool | None = None,
) -> xr.Dataset:
    """The shape of responses to one stimulus.

    Between samples a trace is a polynomial of degree 7 (`eccles.lab.measure.smooth`), from the onset on.
    There is no smoothing: of noisy recordings, measure the mean over trials.

    Parameters
    ----------
    trace : (time, ...)
        Deflection from baseline, in any unit; `time` in s, uniform, 0 at the stimulus.
    onset : time or number of s, or array of them with dimensions of `trace`
        When the response begins, such as the delay of the synapse.
    latency : float, optional
        The fraction of the peak that ends the latency.
    decay : (float, float), optional
        Between which fractions of the peak, on the falling limb, the decay is fitted.
    jump : bool, optional
        Whether the response begins with a jump, as after a delta pulse, or in a synaptic current. By default
        it does if its samples, continued to the onset, come to more than 1 % of the largest of them.

    Returns
    -------
    Dataset
        Over all dimensions but `time`:

        - `amplitude`: the largest deflection, with its sign.
        - `peak_time`, `time_to_peak`: from the stimulus, and from the onset, to the peak.
        - `latency`: from the stimulus to 5 % (or `latency`) of the peak on the rising limb.
        - `rise_10_90`, `rise_20_80`: between these fractions of the peak on the rising limb; 0 where it is
          a jump.
        - `slope`: of the least-squares line through the rising limb between 20 and 80 % of the peak (through
          the curve itself, which is what a fit to more and more samples tends to).
        - `half_width`: the time above half the peak, around it.
        - `decay`: the time constant of the least-squares line through the logarithm of the falling limb,
          between 90 and 10 % (or `decay`) of the peak.
        - `area`: the integral from the onset to the last sample.
        - `area_beyond`: what an exponential with the value and slope of the last sample would add to it.
        - `peak_seen`: whether there is a peak, before the last sample.

        What does not exist is NaN: all but the areas if the peak is not seen; a width or decay that ends
        behind the window; the slope of a jump; everything of traces with NaN, or with fewer than nine
        samples after the onset. A trace of zeros has an amplitude of 0.

    Raises
    ------
    SetupError
        If there is no uniform dimension `time` of 16 samples or more, the onset comes before the trace,
        or fractions are out of order.
    """
    import xarray as xr

    time = _sampled(trace)
    _check_fractions(latency, decay)
    others = [dim for dim in trace.dims if dim != "time"]
    y = trace.transpose(*others, "time").astype(float)
    onsets = bare_seconds(onset, "the onset")
    frame = y.isel(time=0, drop=True)
    if isinstance(onsets, xr.DataArray):
        if not set(onsets.dims) <= set(others):
            raise SetupError(f"the onset has dimensions {onsets.dims}, the trace {trace.dims}")
        onsets = onsets.broadcast_like(frame).transpose(*others)
    starts = np.broadcast_to(np.asarray(onsets, float), frame.shape).reshape(-1)
    if np.any(starts < time[0] - 1.001 * (time[1] - time[0])):
        raise SetupError(
            f"the onset, {starts.min():g} s, comes before the trace begins, at {time[0]:g} s",
            hint="Time counts from the stimulus.",
        )
    flat = y.values.reshape(-1, len(time))
    measures = [
        _measured(time, flat[i : i + BLOCK], starts[i : i + BLOCK], latency, decay, jump)
        for i in range(0, max(len(flat), 1), BLOCK)
    ]
    u = str(trace.attrs.get("units", "1"))
    found = {
        name: (others, np.concatenate([m[name] for m in measures]).reshape(frame.shape),
               {"units": _unit(unit, u), "long_name": long_name.format(latency=latency)})
        for name, (unit, long_name) in NAMES.items()
    }  # fmt: skip
    coords = {name: coord for name, coord in trace.coords.items() if "time" not in coord.dims}
    shape = xr.Dataset(found, coords)
    return shape.assign(peak_seen=shape["peak_time"].notnull())


def _sampled(trace: xr.DataArray) -> Floats:
    """The times of a trace."""
    check_labelled(trace, "time", "a trace")
    time = np.asarray(trace["time"].values, float)
    if len(time) < 2 * POINTS:
        raise SetupError(f"a trace needs {2 * POINTS} samples or more, not {len(time)}")
    gaps = np.diff(time)
    if not (gaps.min() > 0 and np.ptp(gaps) < 1e-4 * gaps.mean()):
        raise SetupError("the samples of a trace have to be evenly spaced in time")
    return time


def _check_fractions(latency: float, decay: tuple[float, float]) -> None:
    if not 0 < latency < 1:
        raise SetupError(f"the latency ends at a fraction of the peak between 0 and 1, not at {latency}")
    if not 0 < decay[1] < decay[0] <= 1:
        raise SetupError(f"the decay is fitted from a larger to a smaller fraction of the peak, not {decay}")


def check_labelled(values: Any, dim: str, what: str) -> None:
    """Raise a SetupError if this is no DataArray with the values of a dimension."""
    import xarray as xr

    if not isinstance(values, xr.DataArray):
        raise SetupError(
            f"{what} has to be a DataArray with the dimension '{dim}', not {type(values).__name__}",
            hint=f"Label an array y: xarray.DataArray(y, {{'{dim}': {dim}_in_s}}, ('{dim}',)).",
        )
    if dim not in values.dims or dim not in values.coords:
        raise SetupError(f"{what} has to have the dimension '{dim}' with its values; this has {values.dims}")


def bare_seconds(value: Any, what: str) -> Any:
    """Times with a unit as plain numbers of seconds; numbers and DataArrays as they are."""
    dim = get_dimensions(value)
    if dim not in (second.dim, DIMENSIONLESS) or np.asarray(value).dtype.kind not in "iuf":
        raise SetupError(f"{what} is a time or a number of seconds, not {value!r}")
    return np.asarray(value, float) if dim is second.dim else value


def _unit(pattern: str, unit: str) -> str:
    """The unit of a measure, given that of the trace."""
    plain = {"{u}": "1", "{u}/s": "s^-1", "{u} s": "s"}
    return plain.get(pattern, pattern) if unit in ("", "1") else pattern.format(u=unit)


def _measured(
    time: Floats, y: Floats, onset: Floats, latency: float, decay: tuple[float, float], jump: bool | None
) -> dict[str, Floats]:
    """All measures of some traces; NaN where there are none."""
    measures = {name: np.full(len(y), np.nan) for name in NAMES}
    step = (time[-1] - time[0]) / (len(time) - 1)
    usable = np.isfinite(y).all(axis=1) & (onset + (POINTS + 1) * step <= time[-1])
    curves = Curves.after(time, y[usable], onset[usable], jump)
    area = curves.integral()
    for name, values in zip(("area", "area_beyond"), (area, _beyond(curves)), strict=True):
        measures[name][usable] = values

    largest = np.argmax(np.abs(curves.y) * curves.there, axis=1)
    rows = np.arange(len(largest))
    flat = curves.y[rows, largest] == 0
    seen = (largest < curves.y.shape[1] - 1) & ~flat
    where = np.flatnonzero(usable)
    measures["amplitude"][where[flat]] = 0.0
    if seen.any():
        some = Curves(curves.t[seen], curves.y[seen], curves.first[seen], step)
        for name, values in _around_peak(some, largest[seen], latency, decay).items():
            measures[name][where[seen]] = values
    return measures


def _beyond(curves: Curves) -> Floats:
    """The area of an exponential that goes on from the last sample."""
    last = np.full((len(curves.t), 1), curves.t.shape[1] - 1)
    value, slope = (a[:, 0] for a in curves.pieces(last).at(curves.t[:, -1:]))
    over = np.abs(value) <= NOTHING * np.max(np.abs(curves.y), axis=1, initial=0.0, where=curves.there)
    with np.errstate(divide="ignore", invalid="ignore"):
        area = np.where(value * slope < 0, -(value**2) / slope, np.nan)
    return np.where(over, 0.0, area)


def _around_peak(
    curves: Curves, largest: Ints, latency: float, decay: tuple[float, float]
) -> dict[str, Floats]:
    """What depends on the peak, which is next to the largest sample."""
    rows = np.arange(len(largest))
    onset = curves.t[rows, curves.first]
    piece = curves.pieces(largest[:, None])
    low = curves.t[rows, np.maximum(largest - 1, curves.first)][:, None]
    high = curves.t[rows, largest + 1][:, None]
    at_once = (largest == curves.first) & (piece.at(low)[0] * piece.at(low)[1] <= 0)[:, 0]
    peak = np.where(at_once, onset, piece.root(low, high, np.zeros_like(low), of_slope=True)[:, 0])
    amplitude = piece.at(peak[:, None])[0][:, 0]

    up = _crossings(curves, peak, amplitude, np.array([latency, 0.1, 0.2, 0.5, 0.8, 0.9]), rising=True)
    down = _crossings(curves, peak, amplitude, np.array([*decay, 0.5]), rising=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = _fitted_slope(curves, up[:, 2], up[:, 4], amplitude, logarithm=False)
        fitted = -1 / _fitted_slope(curves, down[:, 0], down[:, 1], amplitude, logarithm=True)
    return {
        "amplitude": amplitude,
        "peak_time": peak,
        "time_to_peak": peak - onset,
        "latency": up[:, 0],
        "rise_10_90": up[:, 5] - up[:, 1],
        "rise_20_80": up[:, 4] - up[:, 2],
        "slope": slope,
        "half_width": down[:, 2] - up[:, 3],
        "decay": fitted,
    }


def _crossings(curves: Curves, peak: Floats, amplitude: Floats, fractions: Floats, *, rising: bool) -> Floats:
    """When traces pass fractions of their peaks: next to the peak, before or behind it; (trace, fraction)."""
    n, m = curves.t.shape
    relative = curves.y / amplitude[:, None]
    before = curves.t < peak[:, None]
    side = curves.there & before if rising else ~before
    left, missing = np.empty((n, len(fractions)), np.intp), np.empty((n, len(fractions)), bool)
    for q, fraction in enumerate(fractions):
        below = side & (relative < fraction)
        missing[:, q] = ~below.any(axis=1)
        left[:, q] = m - 1 - np.argmax(below[:, ::-1], axis=1) if rising else np.argmax(below, axis=1) - 1
    left = np.clip(left, curves.first[:, None], m - 2)
    rows = np.arange(n)[:, None]
    low, high, top = curves.t[rows, left], curves.t[rows, left + 1], peak[:, None]
    low, high = (low, np.minimum(high, top)) if rising else (np.maximum(low, top), high)
    times = curves.pieces(left).root(low, high, fractions * amplitude[:, None])
    onset = curves.t[np.arange(n), curves.first][:, None]
    return np.where(missing, onset if rising else np.nan, times)


def _fitted_slope(
    curves: Curves, start: Floats, stop: Floats, amplitude: Floats, *, logarithm: bool
) -> Floats:
    """The slope of the least-squares line through a part of each curve, or through its logarithm.

    With x in [-1/2, 1/2] over the part, of length L, the slope is 12/L times the integral of x f(x).
    """
    nodes, weights = gauss_legendre(32)
    length = stop - start
    known = np.isfinite(length) & (length > 0)
    slope = np.full(len(length), np.nan)
    if known.any():
        some = Curves(curves.t[known], curves.y[known], curves.first[known], curves.step)
        relative = (
            some.value(start[known][:, None] + length[known][:, None] * nodes) / amplitude[known][:, None]
        )
        f = np.log(relative) if logarithm else relative * amplitude[known][:, None]
        slope[known] = 12 / length[known] * (f @ (weights * (nodes - 0.5)))
    return slope
