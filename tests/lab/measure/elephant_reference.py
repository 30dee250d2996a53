"""Make the tables of spike trains and of what Elephant says about them; tests read the tables alone.

Run in an environment of its own: pip install elephant==1.2.1; python elephant_reference.py
The trains are whole milliseconds and a half, the middle of a bin, so that binned and exact times agree.
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import elephant
import neo
import quantities as pq
from elephant.conversion import BinnedSpikeTrain
from elephant.spike_train_correlation import cross_correlation_histogram
from elephant.statistics import cv, cv2, fanofactor, isi, lv, mean_firing_rate, time_histogram

HERE = Path(__file__).parent
LENGTH = 2000  # ms
TRIALS = 6


def numbers(state: int):
    """Uniform in [0, 1): the linear congruential generator of Numerical Recipes."""
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state / 2**32


def trial(draw):
    """Spikes of two neurons in ms: the rate changes slowly, the second often follows the first by 3 ms."""
    one = [t for t in range(LENGTH) if next(draw) < (0.03 if t < LENGTH // 2 else 0.012)]
    echo = {t + 3 for t in one if t + 3 < LENGTH and next(draw) < 0.4}
    other = sorted(echo | {t for t in range(LENGTH) if next(draw) < 0.015})
    return [t + 0.5 for t in one], [t + 0.5 for t in other]


def main() -> None:
    draw = numbers(7)
    pairs = [trial(draw) for _ in range(TRIALS)]
    with (HERE / "elephant_trains.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["neuron", "trial", "time_ms"])
        writer.writerows(
            [n, k, t] for k, pair in enumerate(pairs) for n, train in enumerate(pair) for t in train
        )
    trains = [[neo.SpikeTrain(t * pq.ms, t_stop=LENGTH * pq.ms) for t in pair] for pair in pairs]
    rows: list[tuple[str, int, float, float]] = []  # what, neuron, where (trial, lag or time), value
    for n in (0, 1):
        for k, pair in enumerate(trains):
            intervals = isi(pair[n])
            rows += [
                ("rate_Hz", n, k, float(mean_firing_rate(pair[n]).rescale("Hz"))),
                ("cv", n, k, float(cv(intervals))),
                ("cv2", n, k, float(cv2(intervals))),
                ("lv", n, k, float(lv(intervals))),
            ]
        rows.append(("fano", n, 0, float(fanofactor([pair[n] for pair in trains]))))
        histogram = time_histogram([pair[n] for pair in trains], 100 * pq.ms, output="rate")
        rows += [
            ("psth_Hz", n, 0.1 * k, float(r)) for k, r in enumerate(histogram.rescale("Hz").magnitude.ravel())
        ]
    for corrected in (False, True):
        binned = [BinnedSpikeTrain(train, bin_size=1 * pq.ms) for train in trains[0]]
        histogram, lags = cross_correlation_histogram(
            *binned, window=[-20, 20], border_correction=corrected, binary=False
        )
        name = "correlogram_corrected" if corrected else "correlogram"
        rows += [
            (name, 0, 1e-3 * lag, float(c)) for lag, c in zip(lags, histogram.magnitude.ravel(), strict=True)
        ]
    with (HERE / "elephant_reference.csv").open("w", newline="") as file:
        file.write(f"# elephant {elephant.__version__}, by elephant_reference.py\n")
        writer = csv.writer(file)
        writer.writerow(["what", "neuron", "where", "value"])
        writer.writerows((what, n, f"{where:g}", repr(value)) for what, n, where, value in rows)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
