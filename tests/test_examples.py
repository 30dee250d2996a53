"""Every example runs, without a warning, and gives what it says."""

from __future__ import annotations

import math
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
TESTED = {
    "beats", "cuba", "first_experiment_abstract", "first_experiment_biophysical", "pairing", "rates",
    "stdp_window",
}  # fmt: skip


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run an example as a main program; gives its names."""

    def run(name: str, *arguments: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    return run


def test_every_example_has_a_test_and_a_docstring() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == TESTED
    assert all(path.read_text().startswith('"""') for path in EXAMPLES.glob("*.py"))


def test_beats_gives_the_weights_of_the_lab(
    example: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from eccles.lab.beats import beats
    from eccles.units import Hz, second

    names = example("beats", str(tmp_path / "beats.png"))
    expected = beats(200 * Hz, [250, 220, 210] * Hz, duration=2 * second)
    np.testing.assert_allclose(names["synapses"].w[:], expected.final_weights, atol=1e-14)
    shown = capsys.readouterr().out
    assert "200.0 Hz  200.0 Hz     220.0 Hz  220.0 Hz        0.0987" in shown
    on_grid = beats(200 * Hz, 220 * Hz, duration=2 * second, spike_times="grid")
    assert f"{float(on_grid.post_rate_obtained[0]):.1f} Hz, and that weight 0." in shown
    assert on_grid.final_weights[0] == pytest.approx(0, abs=5e-4)
    assert (tmp_path / "beats.png").stat().st_size > 1000


def test_rates_gives_the_weights_of_the_lab(
    example: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from eccles.lab.beats import beats
    from eccles.units import Hz, second

    names = example("rates", str(tmp_path / "rates.png"))
    weights = names["in_phase"]["S.w"][::7, ::7]
    pre, post = np.meshgrid(weights["pre"], weights["post"], indexing="ij")
    expected = beats(pre.ravel() * Hz, post.ravel() * Hz, duration=2 * second).final_weights
    np.testing.assert_allclose(weights.values.ravel(), expected, atol=1e-12)
    scattered = names["scattered"]["S.w"]
    assert (scattered.std("trial") > 0).mean() > 0.99
    assert not names["scattered"]["failed"].any()
    assert "2500 conditions" in capsys.readouterr().out
    assert (tmp_path / "rates.png").stat().st_size > 1000


def test_first_experiment_sums_up_the_decayed_steps_of_all_spikes(
    example: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = example("first_experiment_abstract")
    # from 0 towards 2 it takes ln(2) time constants to the threshold of 1; then it is refractory for 2 ms
    spikes = 0.01 * math.log(2) * np.arange(1, 113) + 2e-3 * np.arange(112)
    np.testing.assert_allclose(names["spikes"].t_, spikes, rtol=1e-12)
    arrivals = spikes + 2e-3
    expected = np.array(names["weights"]) * np.sum(np.exp(-(1.0 - arrivals[arrivals <= 1]) / 0.01))
    np.testing.assert_allclose(names["final_potentials"], expected, rtol=1e-10)
    assert len(capsys.readouterr().out.splitlines()) == 2 + 5


def test_both_systems_of_units_give_the_same_traces(example: Any) -> None:
    abstract = example("first_experiment_abstract")
    biophysical = example("first_experiment_biophysical")
    E_L, V_th = biophysical["E_L"], biophysical["V_th"]
    np.testing.assert_allclose(biophysical["spikes"].t_, abstract["spikes"].t_, rtol=1e-12)
    for trace in ("source_trace", "target_traces"):
        mapped = (biophysical[trace].v[:] - E_L) / (V_th - E_L)
        # a potential of -70 mV is stored to 1.4e-17 V, which is 1e-15 of the 15 mV; steps add up
        np.testing.assert_allclose(np.asarray(mapped), abstract[trace].v[:], atol=2e-13)
    np.testing.assert_allclose(biophysical["abstract"], abstract["final_potentials"], atol=2e-13)


def test_stdp_window_is_the_closed_form(example: Any) -> None:
    names = example("stdp_window")
    assert len(names["changes"]) == 10
    np.testing.assert_allclose(names["changes"], names["predicted"], rtol=1e-12)


def test_cuba_keeps_itself_active_at_a_few_hertz(example: Any) -> None:
    names = example("cuba")
    # 3200 excitatory and 800 inhibitory neurons, each with 80 targets on average
    assert len(names["excitation"]) == pytest.approx(3200 * 80, rel=0.02)
    assert len(names["inhibition"]) == pytest.approx(800 * 80, rel=0.02)
    # the same model under Brian 2 2.9.0 with seeds 1, 2, 3: 5.82, 5.52, 6.17 Hz
    assert 4.8 < names["mean_rate"] < 6.9
    assert np.sum(names["spikes"].t_ > 0.25) > 500


def test_pairing_changes_the_weight_by_the_sum_over_all_pairs_of_spikes(example: Any) -> None:
    names = example("pairing")
    pairs, tau = np.arange(names["n_pairs"]), 0.02
    for gap in np.asarray(names["gaps"]):
        for rate in np.asarray(names["rates"]):
            apart = gap + (pairs[:, np.newaxis] - pairs) / rate  # each post spike after each pre spike
            expected = np.sum(np.where(apart > 0, 0.01, -0.0105) * np.exp(-np.abs(apart) / tau))
            found = names["result"]["synapse.w"].sel(gap=gap, rate=rate).item()
            assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)
