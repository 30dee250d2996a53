"""The study of binaural beats: what it finds, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eccles import second
from eccles.lab.binaural import CONDITIONS, KINDS, listen, plasticity
from eccles.lab.experiments.binaural_beats import BEATS, CARRIERS, NOTES, STUDY, played
from eccles.lab.rules import Rule, pair


def test_every_condition_is_played_once_and_has_a_name_of_its_own() -> None:
    names = [condition.name for condition in played()]
    assert names[: len(CONDITIONS)] == list(CONDITIONS)
    assert len(set(names)) == len(names) == len(CONDITIONS) + len(BEATS) + len(CARRIERS)


def test_the_notes_say_what_is_put_in_and_what_is_not_shown() -> None:
    text = " ".join(NOTES)
    for part in ("put in, not found", "were not compared with the printed data", "Oster 1973", "Karino",
                 "Schwarz & Taylor 2005", "Pratt", "Grose", "Orozco Perez", "no effect on mood",
                 "not what a beat does", "Nothing here shows"):  # fmt: skip
        assert part in text


def test_a_beat_changes_no_weight_of_a_driven_pair_beyond_its_control() -> None:
    heard = listen([CONDITIONS["binaural beat"]], trials=6, duration=3 * second)
    (kinds,) = plasticity(heard, pair().with_conventions(bounds=None))
    mean, error = kinds["driven"].by_the_beat
    assert abs(mean) < 3.5 * error
    assert kinds["driven"].change.mean() > 20 * abs(mean)


@pytest.mark.slow
def test_the_study_runs_and_its_numbers_fit_together(tmp_path: Path) -> None:
    outcome = STUDY.run(quick=True)
    data = outcome.data
    rows = {name: k for k, name in enumerate(data["condition"].values)}
    assert all(len(column) == len(rows) for column in outcome.table.values())
    strength = data["cells_strength"].values
    assert data["cells_low"].values[rows["binaural beat"]] > 0.2
    assert data["cells_low"].values[rows["diotic"]] < 0.02
    known = np.isfinite(data["ideal_theory"].values)
    assert known.sum() == 4 + len(BEATS) + len(CARRIERS)
    assert np.max(abs(data["ideal_strength"].values - data["ideal_theory"].values)[known]) < 0.15
    assert strength[rows["carrier of 3000 Hz"]] < 0.5 * strength[rows["carrier of 500 Hz"]]
    difference = data["change"] - data["control"]
    np.testing.assert_allclose(difference, data["by_the_beat"], atol=1e-12)
    assert data["gaps"].sel(pair_condition="binaural beat").sum() > 100
    assert len(outcome.findings) >= 8
    assert set(data["kind"].values) == set(KINDS)
    path = tmp_path / "beats.png"
    outcome.draw().savefig(path, dpi=40)
    assert path.stat().st_size > 10_000
    data.to_netcdf(tmp_path / "beats.nc", engine="h5netcdf")


@pytest.mark.slow
def test_the_study_takes_another_rule_and_then_predicts_nothing() -> None:
    outcome = STUDY.run(quick=True, rule=Rule("count", "w : 1", on_post="w += 1"), seed=2)
    assert not any("by theory -" in finding or "by theory +" in finding for finding in outcome.findings)
    outcome.draw()
