"""Arrays of a stored state, checked before native code may index with them.

A state can come from a file, and a file can hold anything. Native code checks no bounds, so every array
has its type, size and range looked at here before it takes the place of a live one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eccles.errors import SetupError

__all__ = ["misfit", "stored_array", "stored_number"]


def stored_array(
    state: Mapping[str, Any],
    key: str,
    owner: str,
    *,
    dtype: Any,
    size: int | None = None,
    at_least: float | None = None,
    below: float | None = None,
) -> np.ndarray:
    """One array of a stored state.

    Parameters
    ----------
    state : mapping
        What an object's `full_state` gave, or a file pretends that it gave.
    key, owner : str
        Which array, and of which object (for the message).
    dtype : numpy dtype
        What it has to be, exactly.
    size : int, optional
        How many elements it has to have.
    at_least, below : number, optional
        The range [at_least, below) that all its elements have to lie in.

    Raises
    ------
    SetupError
        If the array is missing or is not like this.
    """
    wrong: str | None = None
    found = state.get(key)
    if not isinstance(found, np.ndarray):
        wrong = "is missing"
    elif found.dtype != np.dtype(dtype):
        wrong = f"has the type {found.dtype} instead of {np.dtype(dtype)}"
    elif found.ndim != 1:
        wrong = f"has {found.ndim} dimensions instead of one"
    elif size is not None and len(found) != size:
        wrong = f"has {len(found)} elements instead of {size}"
    elif at_least is not None and found.size and not found.min() >= at_least:
        wrong = f"holds {found.min()}, less than {at_least}"
    elif below is not None and found.size and not found.max() < below:
        wrong = f"holds {found.max()}, which is not less than {below}"
    if wrong is not None or found is None:
        raise misfit(owner, f"'{key}' {wrong}")
    if found.dtype == np.bool_:  # a file may hold other bytes than 0 and 1
        return found.view(np.uint8) != 0
    return found


def stored_number(state: Mapping[str, Any], key: str, owner: str) -> float:
    """One finite number of a stored state.

    Raises
    ------
    SetupError
        If it is missing or no finite number.
    """
    found = np.asarray(state.get(key))
    if found.ndim != 0 or found.dtype.kind not in "iufb" or not np.isfinite(found):
        raise misfit(owner, f"'{key}' is no finite number")
    return float(found)


def misfit(owner: str, what: str) -> SetupError:
    """The error for a state that cannot be put back."""
    return SetupError(
        f"the stored state does not fit {owner}: {what}",
        hint="A state can be restored into the same objects that it was stored from, of the same sizes.",
    )
