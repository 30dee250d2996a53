"""What the amplitudes of responses say: over two pulses, over trials, and over the time of an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.errors import SetupError
from eccles.lab.measure.psp import bare_seconds, check_labelled, psp_shape

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["coefficient_of_variation", "inverse_cv_squared", "paired_pulse_ratio", "percent_of_baseline"]


def paired_pulse_ratio(
    paired: xr.DataArray, single: xr.DataArray, *, onset: Any, interval: Any, jump: bool | None = None
) -> xr.DataArray:
    """The second response to a pair of pulses, relative to the first.

    The second response is what remains of the paired trace when the response to a single pulse is taken
    away, so it does not ride on the tail of the first. A ratio below 1 is depression, above 1 facilitation.
    In experiments a change of the ratio is read as a change of the probability of release; receptors that
    saturate or desensitise, and a membrane that is not linear, change it as well.

    Parameters
    ----------
    paired, single : (time, ...)
        Responses to both pulses and to the first alone, as in `psp_shape`; `time` 0 is the first stimulus.
    onset : time or number of s, or array
        When the first response begins.
    interval : time or number of s, or array
        Between the stimuli.
    jump : bool, optional
        As in `psp_shape`.

    Returns
    -------
    DataArray
        Over all dimensions but `time`; NaN where a peak is not seen.

    Raises
    ------
    SetupError
        If the traces are not sampled at the same times.
    """
    for trace in (paired, single):
        check_labelled(trace, "time", "a trace")
    if not paired["time"].equals(single["time"]):
        raise SetupError("the paired and the single response have to be sampled at the same times")
    first, between = bare_seconds(onset, "the onset"), bare_seconds(interval, "the interval")
    alone = psp_shape(single, onset=first, jump=jump)["amplitude"]
    again = psp_shape(paired - single, onset=first + between, jump=jump)["amplitude"]
    return (
        (again / alone).rename("paired_pulse_ratio").assign_attrs(units="1", long_name="paired-pulse ratio")
    )


def coefficient_of_variation(
    amplitudes: xr.DataArray, *, noise_variance: Any = 0.0, dim: str = "trial"
) -> xr.DataArray:
    """The standard deviation of amplitudes over trials, without that of the noise, relative to their mean.

    Parameters
    ----------
    amplitudes : (trial, ...)
    noise_variance : number or array, optional
        The variance of amplitudes measured without a stimulus, in the squared unit of the amplitudes.
    dim : str, optional

    Returns
    -------
    DataArray
        NaN where noise alone varies more than the amplitudes.

    Raises
    ------
    SetupError
        If there are not two trials or more.
    """
    _check_trials(amplitudes, dim)
    variance = amplitudes.var(dim, ddof=1) - noise_variance
    cv = np.sqrt(variance.where(variance >= 0)) / np.abs(amplitudes.mean(dim))
    return cv.rename("cv").assign_attrs(units="1", long_name="coefficient of variation")


def inverse_cv_squared(
    amplitudes: xr.DataArray, baseline: xr.DataArray, *, noise_variance: Any = 0.0, dim: str = "trial"
) -> xr.Dataset:
    """Where a change of amplitudes lies in the diagram of 1/CV² over the mean.

    With `n` sites that release with probability `p` and have a quantal size `q` each, the mean is n p q and
    1/CV² is n p/(1 - p). So a change of `q` moves a point along the horizontal line, one of `n` along the
    diagonal, and one of `p` above the diagonal (for potentiation) or below it (for depression). The reading
    is not safe: release that differs between sites, silent synapses, postsynaptic failures or trials that
    drift break it.

    Parameters
    ----------
    amplitudes, baseline : (trial, ...)
        After and before the change.
    noise_variance : number or array, optional
        As in `coefficient_of_variation`, for both.
    dim : str, optional

    Returns
    -------
    Dataset
        `mean` and `inverse_cv2`, each relative to baseline.

    References
    ----------
    Malinow & Tsien 1990, Nature 346:177; limits: Faber & Korn 1991, Biophys J 60:1288, and Brock et al. 2020,
    Front Synaptic Neurosci 12:11.
    """
    import xarray as xr

    parts = {}
    for name, values in (("after", amplitudes), ("before", baseline)):
        parts[name] = coefficient_of_variation(values, noise_variance=noise_variance, dim=dim) ** -2
    mean = amplitudes.mean(dim) / baseline.mean(dim)
    return xr.Dataset(
        {
            "mean": mean.assign_attrs(units="1", long_name="mean, relative to baseline"),
            "inverse_cv2": (parts["after"] / parts["before"]).assign_attrs(
                units="1", long_name="1/CV², relative to baseline"
            ),
        }
    )


def percent_of_baseline(
    amplitudes: xr.DataArray, *, start: Any, stop: Any, dim: str = "time"
) -> xr.DataArray:
    """Amplitudes over the time of an experiment, in per cent of their mean during the baseline.

    Parameters
    ----------
    amplitudes : (time, ...)
        `time` in s.
    start, stop : time or number of s
        The baseline: from `start` on, before `stop`.
    dim : str, optional

    Returns
    -------
    DataArray
        Of the same shape, in %.

    Raises
    ------
    SetupError
        If nothing was measured during the baseline, or its mean is 0.
    """
    begin, end = (float(bare_seconds(x, "a limit of the baseline")) for x in (start, stop))
    check_labelled(amplitudes, dim, "a series of amplitudes")
    times = amplitudes[dim]
    during = amplitudes.where((times >= begin) & (times < end), drop=True)
    if not during.sizes[dim]:
        raise SetupError(
            f"nothing was measured from {begin:g} to {end:g} s",
            hint=f"There are values from {float(times.min()):g} to {float(times.max()):g} s.",
        )
    mean = during.mean(dim)
    if bool((mean == 0).any()):
        raise SetupError("the mean during the baseline is 0, so nothing can be given in per cent of it")
    return (100 * amplitudes / mean).assign_attrs({**amplitudes.attrs, "units": "%"})


def _check_trials(amplitudes: xr.DataArray, dim: str) -> None:
    sizes = dict(getattr(amplitudes, "sizes", {}))
    if sizes.get(dim, 0) < 2:
        raise SetupError(
            f"a variance needs a DataArray with two trials or more along '{dim}', not {sizes or amplitudes!r}"
        )
