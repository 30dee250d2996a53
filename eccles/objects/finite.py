"""Whether what was integrated is still a number: looked at between the slices of a run, not in its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from eccles.engine.state import Array
from eccles.errors import RunError, warn
from eccles.objects.group import Group, SimulationObject
from eccles.units import Quantity, second

__all__ = ["FiniteCheck"]

LARGE = 1 << 20  # elements: larger arrays are looked at once, after the run


class FiniteCheck:
    """Notices variables that become infinite or NaN.

    Parameters
    ----------
    objects : iterable of SimulationObject
        What runs.
    t : float
        The time in seconds.
    before : mapping, optional
        The state at the start, by object and variable: what was not finite then is not news.
    strict : bool
        Whether it is an error in both faces.
    """

    def __init__(
        self,
        objects: Iterable[SimulationObject],
        t: float,
        before: Mapping[str, Mapping[str, np.ndarray]] | None,
        *,
        strict: bool = False,
    ) -> None:
        self._watched = [
            (obj, name, array)
            for obj in objects
            if isinstance(obj, Group)
            for name, array in obj.integrated()
        ]
        self._t = t
        self._before = before or {}
        self._strict = strict

    def look(self, t: float, *, last: bool) -> None:
        """Look at what is watched, at time `t`; at large arrays only if the run is over.

        Raises
        ------
        RunError
            If something became infinite or NaN; in the compatible face this is a warning.
        """
        news = [
            (obj, name, array)
            for obj, name, array in self._watched
            if (last or len(array) < LARGE) and not np.isfinite(array.data).all()
        ]
        for obj, name, array in news:
            self._watched.remove((obj, name, array))
            self._report(obj, name, array, t)
        self._t = t

    def _report(self, group: Group, name: str, array: Array, t: float) -> None:
        bad = ~np.isfinite(array.data)
        old = self._before.get(group.name, {}).get(name)
        if old is not None and old.shape == bad.shape:
            bad &= np.isfinite(old)
        elements = np.flatnonzero(bad)
        if len(elements) == 0:
            return
        first = int(elements[0])
        value = "NaN" if np.isnan(array.data[first]) else "infinite"
        others = f" and {len(elements) - 1} more" if len(elements) > 1 else ""
        since, until = (Quantity(x, dim=second.dim) for x in (self._t, t))
        method = getattr(getattr(group, "method_choice", None), "method", None)
        message = (
            f"{name} became {value} in {group.element_word} {first}{others} of {group.name} "
            f"between {since} and {until}" + (f" (integrated with '{method}')" if method else "")
        )
        hint = "Use a smaller dt or another method, and look for a division by zero or a runaway feedback."
        if group.semantics.check == "run" and not self._strict:
            warn("not_finite", f"{message}. {hint}")
        else:
            raise RunError(message, hint=hint)
