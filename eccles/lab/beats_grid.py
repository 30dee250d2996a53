"""What a time grid does to rates and their beats, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from eccles.lab.beats import Beats, obtained_rate

__all__ = ["grid_effect", "lost_beats", "time_text"]

EPSILON = float(np.finfo(float).eps)


def lost_beats(result: Beats) -> tuple[int, ...]:
    """The pairs (counted from 0) that were asked to beat, but whose neurons fired at the same rate."""
    asked, obtained = np.asarray(result.beat), np.asarray(result.beat_obtained)
    floor = 1e-9 * np.asarray(result.pre_rate)  # rounding of the two rates
    return tuple(int(k) for k in np.flatnonzero((asked > floor) & (obtained <= floor)))


def grid_effect(result: Beats) -> str:
    """What the time grid did to the rates, in plain words; a line of its own for each lost beat.

    Of a result with exact spike times it says that nothing was done.
    """
    step = float(result.dt)
    asked = np.concatenate([np.asarray(result.pre_rate), np.asarray(result.post_rate)])
    trains = (*result.pre_spikes, *result.post_spikes)
    changed: dict[float, str] = {}
    kept: dict[float, str] = {}
    unknown: dict[float, str] = {}
    for rate, train in zip(asked, trains, strict=True):
        obtained = obtained_rate(train)
        if math.isnan(obtained):
            unknown[rate] = f"{rate:g} Hz"
        elif abs(obtained - rate) > 1e-6 * rate:
            changed[rate] = (
                f"{rate:g} Hz becomes {obtained:.4g} Hz (a period of {1e3 / rate:.4g} ms is "
                f"{1 / rate / step:.4g} steps, so every interval takes {round(1 / obtained / step)})"
            )
        else:
            kept[rate] = f"{rate:g} Hz"
    sentences = []
    if result.spike_times == "precise":
        sentences.append(_exactness(result))
    elif changed:
        sentences.append(
            f"A spike can only come at a multiple of the time step of {time_text(step)}, and each period "
            f"begins anew there: {_list(changed.values())}."
        )
        if kept:
            sentences.append(f"Unchanged, because their periods are whole steps: {_list(kept.values())}.")
    elif kept:
        sentences.append(
            f"All periods are whole multiples of the time step of {time_text(step)}: no rate is changed."
        )
    if unknown:
        sentences.append(
            f"Fewer than two spikes within {time_text(float(result.duration))}, so no rate to measure: "
            f"{_list(unknown.values())}. Simulate longer."
        )
    lines = [" ".join(sentences)]
    for pair in lost_beats(result):
        pre, post = np.asarray(result.pre_rate)[pair], np.asarray(result.post_rate)[pair]
        both, beat = np.asarray(result.pre_rate_obtained)[pair], abs(pre - post)
        lines.append(
            f"BEAT LOST in pair {pair + 1}: {pre:g} Hz and {post:g} Hz should beat at {beat:g} Hz, but on "
            f"this grid both neurons fire at {both:.4g} Hz. The weight of this pair tells nothing about a "
            f"beat of {beat:g} Hz. Use {_finer(pre, post, step)}."
        )
    return "\n".join(lines)


def _exactness(result: Beats) -> str:
    """How near rates and beats are to those asked for."""
    errors = []
    for what, asked, obtained in (
        ("rates", [result.pre_rate, result.post_rate], [result.pre_rate_obtained, result.post_rate_obtained]),
        ("beats", [result.beat], [result.beat_obtained]),
    ):
        wanted = np.concatenate([np.asarray(rates) for rates in asked])
        found = np.concatenate([np.asarray(rates) for rates in obtained])
        known = np.isfinite(found) & (wanted > 0)
        if known.any():
            worst = np.max(abs(found[known] / wanted[known] - 1))
            errors.append(f"{what} to {max(worst, EPSILON):.0e}")
    said = "Spikes come at exact times: rates are those asked for, at any time step"
    return f"{said} (here {' and '.join(errors)})." if errors else f"{said}."


def _finer(pre: float, post: float, step: float) -> str:
    """A time step with which two rates beat at what was asked for, within a tenth."""
    for _ in range(3):
        step /= 10
        first, second_ = (1 / (step * math.ceil(1 / rate / step - 1e-9)) for rate in (pre, post))
        if abs(abs(first - second_) - abs(pre - post)) <= 0.1 * abs(pre - post):
            return f"a time step of {time_text(step)}"
    return "a much smaller time step"


def time_text(seconds: float) -> str:
    """A time as people write it: 2 s, 0.1 ms, 10 us."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.1 * size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds / 1e-6:g} us"


def _list(items: Iterable[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
