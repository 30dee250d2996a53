"""Results of `eccles.lab.beats` as files: everything with labels, or the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eccles.lab.beats import NEURONS, RESET, THRESHOLDS, Beats
from eccles.lab.parts import block
from eccles.lab.report import write_table
from eccles.language.equations import Equations

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FORMAT", "FORMAT_VERSION", "dataset_of", "save_dataset", "save_table"]

FORMAT = "eccles-beats"
FORMAT_VERSION = 2  # of the file that `save_dataset` writes


def dataset_of(result: Beats) -> xr.Dataset:
    """All results with labels: dimensions `pair`, `time`, `event` and `phase`; units in the attributes.

    Needs xarray.
    """
    import xarray as xr

    rate, time, one = {"units": "Hz"}, {"units": "s"}, {"units": "1"}
    trains = [(pair, side, t) for side, all_trains in enumerate((result.pre_spikes, result.post_spikes))
              for pair, t in enumerate(all_trains, 1)]  # fmt: skip
    t = np.concatenate([np.asarray(t) for _, _, t in trains])
    pair = np.concatenate([np.full(len(t), pair, np.int32) for pair, _, t in trains])
    side = np.concatenate([np.full(len(t), side, np.int8) for _, side, t in trains])
    order = np.lexsort((pair, side, t))
    of_weight = {"units": Equations(result.rule.equations)[result.rule.weight].dim.symbol()}
    both = {"units": "1", "long_name": "how often both neurons spiked at once"}
    sides = {
        "long_name": "side of the synapse",
        "flag_values": np.array([0, 1], np.int8),
        "flag_meanings": "pre post",
    }
    table = result.table()
    data = xr.Dataset(
        {
            "pre_rate_asked": ("pair", table["pre_asked_Hz"], rate),
            "post_rate_asked": ("pair", table["post_asked_Hz"], rate),
            "beat_asked": ("pair", table["beat_asked_Hz"], rate),
            "pre_phase": ("pair", result.pre_phase, one),
            "post_phase": ("pair", result.post_phase, one),
            "pre_rate_obtained": ("pair", table["pre_obtained_Hz"], rate),
            "post_rate_obtained": ("pair", table["post_obtained_Hz"], rate),
            "beat_obtained": ("pair", table["beat_obtained_Hz"], rate),
            "coincidences": ("pair", result.coincidences, both),
            "final_weight": ("pair", result.final_weights, of_weight),
            "final_weight_pre_first": ("pair", result.final_weights_if("pre_first"), of_weight),
            "final_weight_post_first": ("pair", result.final_weights_if("post_first"), of_weight),
            "weight": (("pair", "time"), result.weights, of_weight),
            "spike_time": ("event", t[order], time),
            "spike_pair": ("event", pair[order], {"long_name": "the pair that a spike belongs to"}),
            "spike_side": ("event", side[order], sides),
        },
        coords={"pair": table["pair"].astype(np.int32), "time": ("time", np.asarray(result.times), time)},
        attrs=_attributes(result),
    )
    if len(result.random_phases):
        data["random_pre_phase"] = ("phase", result.random_phases[:, 0], one)
        data["random_post_phase"] = ("phase", result.random_phases[:, 1], one)
        data["random_weight"] = (("pair", "phase"), result.random_weights, of_weight)
    if result.grid is not None:
        data["grid_pre_rate_obtained"] = ("pair", table["grid_pre_obtained_Hz"], rate)
        data["grid_post_rate_obtained"] = ("pair", table["grid_post_obtained_Hz"], rate)
        data["grid_beat_obtained"] = ("pair", table["grid_beat_obtained_Hz"], rate)
        data["grid_final_weight"] = ("pair", result.grid.final_weights, of_weight)
        data["grid_weight"] = (("pair", "time"), result.grid.weights, of_weight)
    return data


def save_dataset(result: Beats, path: Path) -> None:
    """Write all results with labels to a netCDF file. Needs xarray and h5netcdf."""
    result.to_xarray().to_netcdf(path, engine="h5netcdf")


def save_table(result: Beats, path: Path) -> None:
    """Write the table of pairs as comma-separated values."""
    write_table(result.table(), path)


def model_text(result: Beats) -> str:
    """The model of the experiment, as it is written into result files."""
    lines = [
        "neurons",
        *block("equations", NEURONS),
        *block("threshold", THRESHOLDS[result.spike_times]),
        *block("reset", RESET),
        str(result.rule),
    ]
    return "\n".join(lines)


def _attributes(result: Beats) -> dict[str, Any]:
    import platform

    from eccles import __version__
    from eccles.compile.llvm import version

    return {
        "title": "Pairs of neurons that fire at two rates, with spike-timing-dependent plasticity",
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": model_text(result),
        "dt": float(result.dt),
        "dt_units": "s",
        "duration": float(result.duration),
        "duration_units": "s",
        "spike_times": result.spike_times,
        "coincidence": result.coincidence,
        "random_phases_seed": result.seed,
        "eccles_version": __version__,
        "numpy_version": np.__version__,
        "llvmlite_version": version().split("|")[0],
        "python_version": platform.python_version(),
    }
