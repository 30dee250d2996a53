"""What a result of a sweep can do beyond xarray: `result.eccles.spikes("P", pre=200*Hz)`."""

from __future__ import annotations

import functools
from os import PathLike
from typing import TYPE_CHECKING, Any

from eccles.results import conditions, plots
from eccles.results.events import check_events, columns_of, events_at
from eccles.results.failures import failures_of
from eccles.results.labels import quantity
from eccles.results.neo_block import to_neo
from eccles.results.nwb_file import to_nwb
from eccles.results.table import to_pandas

if TYPE_CHECKING:
    import neo
    import numpy as np
    import pandas
    import xarray
    from matplotlib.axes import Axes

    from eccles.units import Quantity

__all__ = ["SweepAccessor", "register"]


@functools.cache  # xarray warns of a name that is registered twice
def register() -> None:
    """Give datasets the attribute `eccles`."""
    import xarray

    xarray.register_dataset_accessor("eccles")(SweepAccessor)


class SweepAccessor:
    """Conditions by their labels, exports and figures of the result of a sweep.

    Wherever conditions are chosen, parameters are given with their units (`pre=200*Hz`). Values are found
    within a relative tolerance of 1e-9.
    """

    def __init__(self, dataset: xarray.Dataset) -> None:
        self._dataset = dataset

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter -> its values with units, (condition,) along its dimension; () where one is left."""
        return conditions.parameters(self._dataset)

    @property
    def model(self) -> str | None:
        """The text of the model, where it is stored."""
        return self._dataset.attrs.get("model_source")

    @property
    def failures(self) -> list[dict[str, Any]]:
        """What went wrong: for each failed condition its parameters (in SI) and a message."""
        return failures_of(self._dataset)

    def select(self, **condition: Any) -> xarray.Dataset:
        """The conditions with these values of parameters, and only their events.

        A single value takes its dimension away, a list of values keeps it.

        Raises
        ------
        SetupError
            If there is no such parameter or value.
        """
        return conditions.select(self._dataset, condition)

    def events(self, name: str, /, **condition: Any) -> dict[str, Any]:
        """All that was recorded of the events of one condition: column -> values (event,), with units.

        Raises
        ------
        SetupError
            If there are no such events, or not exactly one such condition.
        """
        check_events(self._dataset, name)
        found = events_at(self._dataset, name, conditions.position_of(self._dataset, condition))
        units = {
            c: conditions.units_of(self._dataset[f"{name}.{c}"]) for c in columns_of(self._dataset, name)
        }
        return {column: quantity(values, units[column]) for column, values in found.items()}

    def spikes(self, name: str, /, **condition: Any) -> tuple[Quantity, np.ndarray]:
        """When there were spikes in one condition (s), and of which neurons: both (spike,), in order of time.

        Raises
        ------
        SetupError
            If there are no such spikes, or not exactly one such condition.
        """
        found = self.events(name, **condition)
        return found["t"], found["i"]

    def to_pandas(self, *names: str) -> pandas.DataFrame:
        """A tidy table: a row for each condition, and each element or event; see `table.to_pandas`."""
        return to_pandas(self._dataset, names)

    def to_neo(self) -> neo.Block:
        """A Neo block with a segment for each condition; see `neo_block.to_neo`."""
        return to_neo(self._dataset)

    def to_nwb(self, path: str | PathLike[str], **about: Any) -> None:
        """Write an NWB file; see `nwb_file.to_nwb`."""
        to_nwb(self._dataset, path, **about)

    def heatmap(
        self,
        name: str,
        /,
        x: str | None = None,
        y: str | None = None,
        *,
        ax: Axes | None = None,
        **condition: Any,
    ) -> Axes:
        """Draw values over two parameters; see `plots.heatmap`."""
        return plots.heatmap(self._dataset, name, x, y, condition=condition, ax=ax)

    def curves(
        self,
        name: str,
        /,
        x: str,
        *,
        by: str | None = None,
        over: str = "trial",
        spread: plots.Spread = "percentiles",
        ax: Axes | None = None,
        **condition: Any,
    ) -> Axes:
        """Draw values over one parameter, with their spread; see `plots.curves`."""
        return plots.curves(
            self._dataset, name, x, by=by, over=over, spread=spread, condition=condition, ax=ax
        )

    def raster(self, name: str, /, *, ax: Axes | None = None, **condition: Any) -> Axes:
        """Draw the spikes of one condition; see `plots.raster`."""
        return plots.raster(self._dataset, name, condition=condition, ax=ax)
