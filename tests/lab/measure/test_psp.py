"""The shape of responses against closed forms: a passive membrane after one synaptic current."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import xarray as xr

from eccles import SetupError, ms, second
from eccles.lab.measure import psp_shape

TAU_M, TAU_S, TAU_R = mp.mpf("0.02"), mp.mpf("0.003"), mp.mpf("0.0006")
ONSET = 0.00123
TIMES = np.arange(3001) * 1e-4


def decays(t: Any, a: Any, b: Any) -> Any:
    """exp(-t/a) filtered by exp(-t/b)."""
    return a * b / (a - b) * (mp.exp(-t / a) - mp.exp(-t / b))


def alpha(t: Any) -> Any:
    beta = 1 / TAU_S - 1 / TAU_M
    return (
        mp.e / TAU_S * ((mp.exp(-t / TAU_M) - mp.exp(-t / TAU_S)) / beta**2 - t * mp.exp(-t / TAU_S) / beta)
    )


# by name: the potential after a current, the current, and the whole area
CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any] | None, Any]] = {
    "delta": (lambda t: mp.exp(-t / TAU_M), None, TAU_M),
    "exponential": (lambda t: decays(t, TAU_M, TAU_S), lambda t: mp.exp(-t / TAU_S), TAU_M * TAU_S),
    "as slow as the membrane": (
        lambda t: t * mp.exp(-t / TAU_M), lambda t: mp.exp(-t / TAU_M), TAU_M**2,
    ),
    "alpha": (alpha, lambda t: t / TAU_S * mp.exp(1 - t / TAU_S), mp.e * TAU_M * TAU_S),
    "bi-exponential": (
        lambda t: decays(t, TAU_M, TAU_S) - decays(t, TAU_M, TAU_R),
        lambda t: mp.exp(-t / TAU_S) - mp.exp(-t / TAU_R),
        TAU_M * (TAU_S - TAU_R),
    ),
}  # fmt: skip


def sampled(potential: Callable[[Any], Any], onset: float = ONSET, times: Any = TIMES) -> xr.DataArray:
    values = [float(potential(mp.mpf(t) - mp.mpf(onset))) if t > onset else 0.0 for t in times]
    return xr.DataArray(values, {"time": times}, ("time",), attrs={"units": "V"})


def expected(potential: Callable[[Any], Any]) -> dict[str, float]:
    """All measures by root searches on the closed form."""
    peak = mp.mpf(0)
    if potential(mp.mpf(0)) == 0:
        peak = mp.findroot(lambda t: mp.diff(potential, t), (0.0005, 0.03), solver="anderson", tol=1e-30)
    amplitude = potential(peak)

    def up(fraction: float) -> Any:
        if peak == 0:
            return peak
        return mp.findroot(lambda t: potential(t) / amplitude - fraction, (0, peak), solver="anderson")

    def down(fraction: float) -> Any:
        where = mp.findroot(
            lambda t: potential(t) / amplitude - fraction, (peak, mp.mpf("0.2")), solver="illinois"
        )
        assert where > peak
        return where

    def line(f: Callable[[Any], Any], a: Any, b: Any) -> Any:  # by the normal equation, not by its short form
        mean = mp.quad(f, [a, b]) / (b - a)
        centre = (a + b) / 2
        above = mp.quad(lambda t: (t - centre) * (f(t) - mean), [a, b])
        return above / mp.quad(lambda t: (t - centre) ** 2, [a, b])

    tenths = [mp.mpf(i) / 10 for i in range(10)]
    measures = {
        "amplitude": amplitude,
        "peak_time": ONSET + peak,
        "time_to_peak": peak,
        "latency": ONSET + up(mp.mpf("0.05")),
        "rise_10_90": up(tenths[9]) - up(tenths[1]),
        "rise_20_80": up(tenths[8]) - up(tenths[2]),
        "slope": line(potential, up(tenths[2]), up(tenths[8])) if peak else mp.nan,
        "half_width": down(tenths[5]) - up(tenths[5]),
        "decay": -1 / line(lambda t: mp.log(potential(t)), down(tenths[9]), down(tenths[1])),
    }
    return {name: float(value) for name, value in measures.items()}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1]])
def test_closed_forms_of_these_tests_are_the_current_filtered_by_the_membrane(name: str) -> None:
    potential, current, area = CASES[name]
    for t in (mp.mpf("0.0004"), mp.mpf("0.007"), mp.mpf("0.05")):
        filtered = mp.quad(lambda s, t=t: current(s) * mp.exp(-(t - s) / TAU_M), [0, t / 4, t])
        assert abs(potential(t) / filtered - 1) < 1e-12
    assert abs(mp.quad(potential, [0, 0.005, 0.02, 0.1, 0.5, mp.inf]) / area - 1) < 1e-10


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sign", [1, -1])
def test_measures_are_those_of_the_closed_form(name: str, sign: int) -> None:
    potential, _, area = CASES[name]
    shape = psp_shape(sign * sampled(potential), onset=ONSET)
    signed = ("amplitude", "slope")
    for measure, value in expected(potential).items():
        value = sign * value if measure in signed else value
        np.testing.assert_allclose(shape[measure], value, rtol=2e-8, atol=0, err_msg=measure)
    whole = shape["area"] + shape["area_beyond"]  # behind the window, an exponential is assumed
    np.testing.assert_allclose(whole, sign * float(area), rtol=1e-7 if "slow" in name else 1e-9)


def test_the_area_in_the_window_ends_with_the_window() -> None:
    potential = CASES["exponential"][0]
    trace = sampled(potential)[:301]
    shape = psp_shape(trace, onset=ONSET)
    inside = float(mp.quad(potential, [0, 0.005, float(trace["time"][-1]) - ONSET]))
    assert float(shape["area"]) == pytest.approx(inside, rel=1e-8)


def test_fast_currents_need_few_samples() -> None:
    fast = mp.mpf("0.0005")  # five samples
    shape = psp_shape(sampled(lambda t: decays(t, TAU_M, fast)), onset=ONSET)
    factor = TAU_M * fast / (TAU_M - fast)
    peak = factor * mp.log(TAU_M / fast)
    assert float(shape["time_to_peak"]) == pytest.approx(float(peak), rel=1e-6)
    amplitude = fast * (fast / TAU_M) ** (fast / (TAU_M - fast))
    assert float(shape["amplitude"]) == pytest.approx(float(amplitude), rel=1e-8)


@pytest.mark.parametrize("onset", [0.001, 0.00100001, 0.0010999, 0.00105])
@pytest.mark.parametrize("name", ["delta", "exponential"])
def test_it_does_not_matter_where_between_samples_the_onset_is(name: str, onset: float) -> None:
    potential = CASES[name][0]
    shape, wanted = psp_shape(sampled(potential, onset), onset=onset), expected(potential)
    for measure in ("amplitude", "time_to_peak", "half_width", "decay", "rise_20_80"):
        np.testing.assert_allclose(shape[measure], wanted[measure], rtol=2e-8, err_msg=measure)


def test_many_traces_at_once_are_each_measured_as_alone() -> None:
    onsets = xr.DataArray([0.001, 0.00234, 0.0057], {"delay": [1, 2, 3]}, "delay")
    scales = xr.DataArray([1.0, -2.0], {"weight": [1, 2]}, "weight")
    single = [sampled(CASES["alpha"][0], float(onset)) for onset in onsets]
    traces = (xr.concat(single, onsets["delay"]) * scales).assign_attrs(units="A")
    together = psp_shape(traces, onset=onsets)
    assert together.sizes == {"delay": 3, "weight": 2}
    assert together["slope"].attrs["units"] == "A/s"
    for i, onset in enumerate(onsets.values):
        for j, scale in enumerate(scales.values):
            alone = psp_shape(scale * single[i], onset=onset * second)
            for name in alone:
                np.testing.assert_allclose(alone[name], together[name][i, j], rtol=1e-13, err_msg=name)


def test_what_does_not_exist_is_nan() -> None:
    trace = sampled(CASES["exponential"][0])
    rising = psp_shape(trace.sel(time=slice(0, 0.005)), onset=ONSET)
    assert not rising["peak_seen"]
    assert np.isnan(rising["amplitude"])
    assert np.isnan(rising["rise_10_90"])
    assert rising["area"] > 0
    early = psp_shape(trace.sel(time=slice(0, 0.012)), onset=ONSET)  # the peak is seen, half of it is not
    assert early["peak_seen"]
    assert early["rise_10_90"] > 0
    assert np.isnan(early["half_width"])
    assert np.isnan(early["decay"])
    silent = psp_shape(0 * trace, onset=ONSET)
    assert silent["amplitude"] == 0
    assert silent["area"] == silent["area_beyond"] == 0
    assert np.isnan(silent["time_to_peak"])
    broken = psp_shape(trace.where(trace["time"] < 0.1), onset=ONSET)
    assert all(np.isnan(broken[name]) for name in broken if name != "peak_seen")
    late = psp_shape(trace, onset=0.2999)
    assert np.isnan(late["amplitude"])


def test_other_fractions_can_be_asked_for() -> None:
    trace = sampled(CASES["as slow as the membrane"][0])
    shape = psp_shape(trace, onset=ONSET, latency=0.2, decay=(0.8, 0.2))
    # x e^(1 - x) = f, by the two branches of the Lambert function
    start = float(-TAU_M * mp.lambertw(-mp.mpf("0.2") / mp.e, 0).real)
    assert float(shape["latency"]) == pytest.approx(ONSET + start, rel=1e-8)
    high, low = (-TAU_M * mp.lambertw(-f / mp.e, -1).real for f in (mp.mpf("0.8"), mp.mpf("0.2")))
    centre = (high + low) / 2
    line = mp.quad(lambda t: (t - centre) * (mp.log(t) - t / TAU_M), [high, low]) * 12 / (low - high) ** 3
    assert float(shape["decay"]) == pytest.approx(float(-1 / line), rel=1e-8)


def test_a_late_onset_is_taken_for_a_jump_unless_told_otherwise() -> None:
    trace = sampled(CASES["exponential"][0], 0.001)
    value = float(CASES["exponential"][0](mp.mpf("0.001")))
    late = psp_shape(trace, onset=0.002)
    amplitude = expected(CASES["exponential"][0])["amplitude"]
    assert float(late["amplitude"]) == pytest.approx(amplitude, rel=1e-8)
    assert value / amplitude > 0.2
    assert float(late["latency"]) == 0.002  # the curve begins above 5 %
    assert float(psp_shape(trace, onset=0.002, jump=False)["latency"]) > 0.002


def test_mistakes_are_named() -> None:
    trace = sampled(CASES["delta"][0])
    with pytest.raises(SetupError, match="dimension 'time'"):
        psp_shape(trace.rename(time="t"), onset=0)
    with pytest.raises(SetupError, match="evenly spaced"):
        psp_shape(trace.isel(time=np.arange(60) ** 2 // 2 + np.arange(60)), onset=0)
    with pytest.raises(SetupError, match="16 samples or more, not 9"):
        psp_shape(trace[:9], onset=0)
    with pytest.raises(SetupError, match="before the trace begins"):
        psp_shape(trace.sel(time=slice(0.01, None)), onset=0.001)
    with pytest.raises(SetupError, match="the onset is a time or a number of seconds"):
        psp_shape(trace, onset=1e-3 * ms / ms * ms**2)
    with pytest.raises(SetupError, match="from a larger to a smaller"):
        psp_shape(trace, onset=0, decay=(0.1, 0.9))
    with pytest.raises(SetupError, match="between 0 and 1"):
        psp_shape(trace, onset=0, latency=5)
    with pytest.raises(SetupError, match="onset has dimensions"):
        psp_shape(trace, onset=xr.DataArray([0.001], dims="delay"))
