"""Published numbers: a CSV file each, whose first lines say where they are from.

The heading lines begin with `#`; then comes a row of names, and rows of values.
"""

from __future__ import annotations

import csv
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["rows", "source_of", "table"]


def _lines(name: str) -> list[str]:
    return (resources.files(__name__) / f"{name}.csv").read_text(encoding="utf-8").splitlines()


def source_of(name: str) -> str:
    """Where the numbers of a file are from, and what is uncertain about them."""
    return " ".join(line.lstrip("# ").strip() for line in _lines(name) if line.startswith("#"))


def table(name: str) -> dict[str, np.ndarray]:
    """The columns of a file: text where not all of a column are numbers; NaN where a number is missing."""
    found = list(csv.DictReader(line for line in _lines(name) if not line.startswith("#")))
    return {column: _column([row[column] for row in found]) for column in found[0]}


def rows(name: str) -> list[dict[str, Any]]:
    """The same row by row: text and numbers, NaN where one is missing."""
    columns = {column: values.tolist() for column, values in table(name).items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(texts: list[str]) -> np.ndarray:
    try:
        return np.array([float(text) if text else np.nan for text in texts])
    except ValueError:
        return np.array(texts)
