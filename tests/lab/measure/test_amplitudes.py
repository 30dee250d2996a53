"""Ratios, variability and baselines of amplitudes, against models of release."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from eccles import SetupError, ms, second
from eccles.lab.measure import (
    coefficient_of_variation,
    inverse_cv_squared,
    paired_pulse_ratio,
    percent_of_baseline,
)


def test_the_paired_pulse_ratio_is_free_of_the_first_response() -> None:
    times = np.arange(4001) * 1e-4
    tau_m, tau_s, onset = 0.02, 0.003, 0.0015

    def response(start: float) -> np.ndarray:
        t = np.maximum(times - start, 0)
        return np.exp(-t / tau_m) - np.exp(-t / tau_s)

    intervals = xr.DataArray([0.01, 0.025, 0.05], dims="interval")
    single = xr.DataArray(response(onset), {"time": times}, ("time",))
    paired = xr.concat([single + 0.6 * response(onset + dt) for dt in intervals.values], "interval")
    ratio = paired_pulse_ratio(paired, single, onset=onset * second, interval=intervals)
    np.testing.assert_allclose(ratio, 0.6, rtol=1e-8)
    inhibitory = paired_pulse_ratio(-paired[1], -single, onset=onset, interval=25 * ms)
    np.testing.assert_allclose(inhibitory, 0.6, rtol=1e-8)
    with pytest.raises(SetupError, match="sampled at the same times"):
        paired_pulse_ratio(paired[:, 1:], single, onset=onset, interval=0.01)


def released(n: int, p: float, q: float, noise: float, seed: int) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    amplitudes = q * rng.binomial(n, p, (200, 1000)) + noise * rng.standard_normal((200, 1000))
    return xr.DataArray(amplitudes, dims=("experiment", "trial"))


@pytest.mark.parametrize(("n", "p", "q"), [(10, 0.3, 1.0), (10, 0.6, 1.0), (25, 0.3, 1.0), (10, 0.3, 2.5)])
def test_binomial_release_has_the_cv_and_the_place_in_the_diagram_that_theory_says(
    n: int, p: float, q: float
) -> None:
    noise = 0.5
    amplitudes, baseline = released(n, p, q, noise, 1), released(10, 0.3, 1.0, noise, 2)
    cv = coefficient_of_variation(amplitudes, noise_variance=noise**2)
    error = float(cv.std("experiment")) / np.sqrt(200)
    bias = 5e-4  # of a root of a variance over 1000 trials: about CV/(8 * 1000) and the like
    assert abs(float(cv.mean()) - np.sqrt((1 - p) / (n * p))) < 3 * error + bias
    assert error < 0.002
    found = inverse_cv_squared(amplitudes, baseline, noise_variance=noise**2).median("experiment")
    assert float(found["mean"]) == pytest.approx(n * p * q / 3.0, rel=0.005)
    assert float(found["inverse_cv2"]) == pytest.approx(n * p / (1 - p) / (3.0 / 0.7), rel=0.025)


def test_a_cv_needs_trials_and_more_variance_than_the_noise() -> None:
    amplitudes = xr.DataArray([[1.0, 2.0, 3.0], [-1.0, -1.0, -1.0]], dims=("cell", "trial"))
    np.testing.assert_allclose(coefficient_of_variation(amplitudes), [0.5, 0.0])
    assert np.isnan(coefficient_of_variation(amplitudes, noise_variance=1.1)).all()
    np.testing.assert_allclose(coefficient_of_variation(amplitudes[0], noise_variance=0.75), 0.25)
    with pytest.raises(SetupError, match="two trials or more along 'trial'"):
        coefficient_of_variation(amplitudes[:, :1])
    with pytest.raises(SetupError, match="two trials or more along 'sweep'"):
        coefficient_of_variation(amplitudes, dim="sweep")


def test_the_baseline_is_100_per_cent() -> None:
    amplitudes = xr.DataArray(
        [[1.0, 3.0, 4.0, 5.0], [2.0, 2.0, 1.0, 1.0]],
        {"time": [0.0, 60.0, 120.0, 180.0]}, ("cell", "time"), attrs={"units": "V"},
    )  # fmt: skip
    per_cent = percent_of_baseline(amplitudes, start=0 * second, stop=120 * second)
    np.testing.assert_allclose(per_cent.transpose("cell", "time"), [[50, 150, 200, 250], [100, 100, 50, 50]])
    assert per_cent.attrs["units"] == "%"
    with pytest.raises(SetupError, match="nothing was measured from 200 to 300 s"):
        percent_of_baseline(amplitudes, start=200, stop=300)
    with pytest.raises(SetupError, match="baseline is 0"):
        percent_of_baseline(0 * amplitudes, start=0, stop=100)
    with pytest.raises(SetupError, match="a DataArray with the dimension 'time', not ndarray"):
        paired_pulse_ratio(np.zeros(30), np.zeros(30), onset=0, interval=5 * ms)  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="to have the dimension 'minute'"):
        percent_of_baseline(amplitudes, start=0, stop=100, dim="minute")
