"""Sweeps that nobody simulated: axes, fields and pieces."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from eccles.results import Axis, Coordinate, Field, Piece, assemble

TIMES = np.arange(5) * 1e-3


@dataclass
class Fabricated:
    """A sweep, and for each condition what it should hold."""

    axes: list[Axis]
    fields: list[Field]
    pieces: list[Piece]
    values: dict[str, np.ndarray]  # field -> (conditions, *shape)
    events: dict[str, list[dict[str, np.ndarray]]]  # field -> columns of each condition
    failures: dict[int, str] = field(default_factory=dict)

    @property
    def shape(self):
        return tuple(axis.size for axis in self.axes)

    @property
    def n(self):
        return math.prod(self.shape)

    def dataset(self, pieces=None, **attributes):
        return assemble(self.axes, self.fields, self.pieces if pieces is None else pieces, attributes)

    def cut(self, ends):
        """The pieces between these flat indices."""
        return [self.piece(a, b) for a, b in zip([0, *ends], [*ends, self.n], strict=True)]

    def piece(self, start, stop):
        events = {}
        for f in self.fields:
            if f.kind == "events":
                parts = self.events[f.name][start:stop]
                counts = np.array([len(part["t"]) for part in parts], np.int64)
                empty = {"i": np.zeros(0, np.int32)}
                columns = {
                    c: np.concatenate([empty.get(c, np.zeros(0)), *(part[c] for part in parts)])
                    for c in f.columns
                }
                events[f.name] = (counts, columns)
        return Piece(
            start,
            stop,
            {name: values[start:stop] for name, values in self.values.items()},
            events,
            {flat: text for flat, text in self.failures.items() if start <= flat < stop},
        )


def fabricate(axes, fields, seed=0, failures=()):
    """A sweep of random numbers; conditions in `failures` went wrong."""
    rng = np.random.default_rng(seed)
    n = math.prod(axis.size for axis in axes)
    failures = {flat: f"condition {flat} went wrong" for flat in failures}
    made = Fabricated(list(axes), list(fields), [], {}, {}, failures)
    for f in fields:
        if f.kind == "events":
            made.events[f.name] = [_events(rng, f, 0 if k in failures else rng.integers(6)) for k in range(n)]
        else:
            values = (100 * rng.normal(size=(n, *f.shape))).astype(f.dtype)
            values[list(failures)] = np.nan if values.dtype.kind == "f" else 0
            made.values[f.name] = values
    made.pieces = made.cut([])
    return made


def _events(rng, f, count):
    columns = {c: rng.uniform(0, 0.1, count) for c in f.columns}
    return columns | {
        "t": np.sort(columns["t"]),
        "i": rng.integers(f.attributes["n_elements"], size=count).astype(np.int32),
    }


WEIGHT = Field("S.w", units="S", attributes={"long_name": "S.w at the end", "source": "S"})
NUMBER = Field("n", dtype="int64")
ARRAY = Field("G.x", dims=("G",), shape=(3,), dtype="float32")
TRACE = Field(
    "G.v", dims=("G", "G.v.time"), shape=(3, 5), units="V", coordinates={"G.v.time": Coordinate(TIMES, "s")}
)
SPIKES = Field("P", "events", columns={"t": "s", "i": "", "v": "V"}, attributes={"n_elements": 4})
FIELDS = (WEIGHT, NUMBER, ARRAY, TRACE, SPIKES)

PRE = Axis("pre", {"pre": Coordinate(np.array([20.0, 200.0, 100.0]), "Hz")})
TRIAL = Axis("trial", {"trial": Coordinate(np.arange(4))})
RULE = Axis("rule", {"rule": Coordinate(np.array(["pair", "triplet", "größer"]))})
SHUNT = Axis("shunt", {"shunt": Coordinate(np.array([False, True]))})
PAIR = Axis(
    "pair",
    {"a": Coordinate(np.array([1.0, 1.0, 2.0]), "Hz"), "b": Coordinate(np.array([1e-3, 2e-3, 2e-3]), "s")},
)


@st.composite
def sweeps(draw):
    """A sweep cut into pieces in any order, of which some may be missing."""
    axes = draw(st.lists(st.sampled_from([PRE, TRIAL, RULE, SHUNT, PAIR]), max_size=3, unique_by=id))
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=5, unique_by=id))
    n = math.prod(axis.size for axis in axes)
    failures = draw(st.sets(st.integers(0, n - 1), max_size=3))
    made = fabricate(axes, fields, draw(st.integers(0, 9)), sorted(failures))
    ends = sorted(draw(st.sets(st.integers(0, n), max_size=6)))
    made.pieces = draw(st.permutations(made.cut(ends)))
    made.pieces = made.pieces[draw(st.sampled_from([0, 0, 1])) :]
    return made
