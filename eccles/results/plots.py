"""Figures of sweeps, drawn from their labels: names and units are on the axes."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from eccles.errors import SetupError
from eccles.results.conditions import (
    condition_dims,
    labels_at,
    place_of,
    position_of,
    select,
    units_of,
    variable,
)
from eccles.results.events import check_events, events_at, n_elements
from eccles.results.fields import duration_of
from eccles.results.labels import named, scale_of, shown, shown_condition

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

__all__ = ["Spread", "curves", "heatmap", "raster"]

Spread = Literal["percentiles", "sd"]
PERCENTILES = (5, 50, 95)
MISSING = "0.85"  # grey of conditions that failed
MOST_ENTRIES = 12  # of a legend
MOST_INSIDE = 4  # entries of a legend among the curves; one with more stands beside them
MOST_TICKS = 10  # of a logarithmic axis
MOST_BARS = 60  # rows of a raster that are drawn as bars; more as dots


def heatmap(
    dataset: xarray.Dataset,
    name: str,
    x: str | None = None,
    y: str | None = None,
    *,
    condition: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw values over two parameters, in colours. Conditions that failed are grey.

    Parameters
    ----------
    name : str
        Of a variable.
    x, y : str, optional
        Parameters or dimensions; by default the first two with several values, without `trial`.
    condition : mapping
        Values of further parameters. Of trials that are not chosen, the mean is drawn, as the title says.
    ax : Axes, optional
        Where to draw; by default in a new figure.

    Raises
    ------
    SetupError
        If there is more than two axes can show; the message says what to choose.
    """
    values, chosen = _chosen(dataset, name, condition or {})
    x, y = _two_axes(values, x, y)
    along_y, along_x = _along(values, y), _along(values, x)
    values, reduced = _reduced(values, [along_y.dims[0], along_x.dims[0]])
    ax = ax or _new_axes()
    order_x, edges_x = _draw_cells(ax, "x", x, along_x)
    order_y, edges_y = _draw_cells(ax, "y", y, along_y)
    scale, unit = scale_of(values.values, units_of(values))
    ax.set_facecolor(MISSING)
    mesh = ax.pcolormesh(edges_x, edges_y, values.values[np.ix_(order_y, order_x)] / scale)
    figure = ax.get_figure()
    assert figure is not None
    figure.colorbar(mesh, ax=ax, label=named(_name_of(values), unit))
    ax.set_title(", ".join(part for part in (reduced, chosen) if part) or name, fontsize="medium")
    return ax


def curves(
    dataset: xarray.Dataset,
    name: str,
    x: str,
    *,
    by: str | None = None,
    over: str = "trial",
    spread: Spread = "percentiles",
    condition: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw values over a parameter or time, a curve for each value of another, their spread as a band.

    Parameters
    ----------
    name : str
        Of a variable.
    x : str
        The parameter or dimension that runs along the axis.
    by : str, optional
        The one that tells the curves apart.
    over : str
        The one whose spread is shown.
    spread : {'percentiles', 'sd'}
        The median with a band from 5 to 95 %, or the mean with a band of one standard deviation (of the
        sample) to each side.
    condition : mapping
        Values of further parameters.
    ax : Axes, optional
        Where to draw; by default in a new figure.

    Raises
    ------
    SetupError
        If there are more dimensions than these; the message says what to choose.
    """
    if spread not in ("percentiles", "sd"):
        raise SetupError(f"the spread is 'percentiles' or 'sd', not {spread!r}")
    values, chosen = _chosen(dataset, name, condition or {})
    along = _along(values, x)
    labels = None if by is None else _along(values, by)
    kept = [c.dims[0] for c in (labels, along) if c is not None]
    spreads = [] if over == "trial" and "trial" not in values.dims else [_along(values, over).dims[0]]
    values, reduced = _reduced(values, kept + spreads)
    rows = values.values if labels is not None else values.values[np.newaxis]

    ax = ax or _new_axes()
    scale, unit = scale_of(rows, units_of(values))
    order, places = _draw_axis(ax, "x", x, along)
    colors = _colors(len(rows))
    texts = [] if labels is None else _texts(labels)
    opacity = 0.25 if len(rows) <= MOST_INSIDE else 0.1
    for k, row in enumerate(rows):
        middle, low, high = (
            _middle_and_band(row[order] / scale, spread) if spreads else (row[order] / scale,) * 3
        )
        label = None if labels is None else texts[k]
        marker = "o" if len(places) <= 30 else ""
        ax.plot(places, middle, color=colors[k], label=label, marker=marker, markersize=3)
        if spreads:
            ax.fill_between(places, low, high, color=colors[k], alpha=opacity, linewidth=0)
    ax.set_ylabel(named(_name_of(values), unit))
    if labels is not None:
        assert by is not None
        _draw_legend(ax, by, len(rows))
    band = ""
    if spreads:
        what = "median, 5 to 95 %" if spread == "percentiles" else "mean ± s.d."
        band = f"{what} of {_several(values.sizes[spreads[0]], over)}"
    ax.set_title(", ".join(part for part in (band, reduced, chosen) if part) or name, fontsize="medium")
    return ax


def raster(
    dataset: xarray.Dataset,
    name: str,
    *,
    condition: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the spikes of one condition: a row for each neuron.

    Parameters
    ----------
    name : str
        Of the recorded events.
    condition : mapping
        Values of all parameters of which there are several.
    ax : Axes, optional
        Where to draw; by default in a new figure.

    Raises
    ------
    SetupError
        If there are no such events, or several conditions with these values.
    """
    from matplotlib.ticker import MaxNLocator

    check_events(dataset, name)
    position = position_of(dataset, condition or {})
    events = events_at(dataset, name, position)
    t, i, n = events["t"], events["i"], n_elements(dataset, name)
    duration = duration_of(dataset) or t.max(initial=0.0)
    scale, unit = scale_of(duration, "s")
    ax = ax or _new_axes()
    if n <= MOST_BARS:
        ax.vlines(t / scale, i - 0.4, i + 0.4, linewidth=1, color="black")
    else:
        ax.plot(t / scale, i, ".", markersize=2, color="black")
    if duration > 0:
        ax.set_xlim(0, duration / scale)
    ax.set_ylim(-0.6, n - 0.4)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(named("time", unit))
    ax.set_ylabel(f"neuron of {dataset[f'{name}.count'].attrs.get('source', name)}")
    about = shown_condition(labels_at(dataset, position))
    count = f"{len(t)} spike" + "s" * (len(t) != 1)
    ax.set_title(f"{about} ({count})" if about else count, fontsize="medium")
    return ax


# -- what is shown ----------------------------------------------------------------------------------


def _chosen(dataset: xarray.Dataset, name: str, condition: Mapping[str, Any]) -> tuple[xarray.DataArray, str]:
    """The values of the chosen conditions, NaN where these failed; and the choice as text."""
    values, dims = variable(dataset, name), condition_dims(dataset)
    if not set(dims) <= set(values.dims):
        raise SetupError(f"'{name}' is not a value of each condition", hint="A raster shows events.")
    condition = {_full(values, k): value for k, value in condition.items()}
    own = [str(dim) for dim in values.dims if dim not in dims and dim in condition]
    places = {dim: place_of(dim, values[dim], condition[dim]) for dim in own}
    part = select(dataset.isel(places), {k: v for k, v in condition.items() if k not in places})
    labels = {k: part.coords.get(k, condition[k]) for k in condition}
    single = {
        _short(values, k): (np.asarray(label)[()], units_of(label) if k in part.coords else "")
        for k, label in labels.items()
        if np.ndim(label) == 0
    }
    shown_values = part[name] if name == "failed" else part[name].where(part["failed"] < 1)
    return shown_values.assign_attrs(values.attrs), shown_condition(single)


def _full(values: xarray.DataArray, name: str) -> str:
    """The name of a dimension that may be given without that of the variable: 'time' of 'N.v.time'."""
    full = f"{values.name}.{name}"
    return full if full in values.dims else name


def _short(values: xarray.DataArray, name: str) -> str:
    """The name of a dimension without that of the variable."""
    return name.removeprefix(f"{values.name}.")


def _two_axes(values: xarray.DataArray, x: str | None, y: str | None) -> tuple[str, str]:
    """The axes of a heat map, chosen where the user has not."""
    taken = {_along(values, name).dims[0] for name in (x, y) if name is not None}
    several = [str(dim) for dim in values.dims if values.sizes[dim] > 1]
    free = [dim for dim in several if dim != "trial" and dim not in taken]
    if len(free) < (x is None) + (y is None):
        raise SetupError(
            f"'{values.name}' varies along {_and(several) or 'nothing'}, a heat map needs two dimensions",
            hint="Draw curves instead, or name the axes: heatmap(name, x, y).",
        )
    x = free.pop(0) if x is None else x
    y = free.pop(0) if y is None else y
    return x, y


def _along(values: xarray.DataArray, name: str) -> xarray.DataArray:
    """The labels that a dimension or parameter of this name gives; positions where there are none."""
    name = _full(values, name)
    if name in values.dims or (name in values.coords and values[name].ndim == 1):
        return values[name]
    known = [str(k) for k in {*values.dims, *(k for k, c in values.coords.items() if c.ndim == 1)}]
    raise SetupError(
        f"'{values.name}' does not vary along '{name}'",
        hint=f"It varies along {_and(sorted(known)) or 'nothing'}.",
    )


def _reduced(values: xarray.DataArray, kept: Collection[Any]) -> tuple[xarray.DataArray, str]:
    """Values along these dimensions, in this order, and how: of trials the mean is taken, of nothing else."""
    if len(set(kept)) < len(kept):
        raise SetupError("the same dimension was asked for twice")
    text, attrs = "", values.attrs
    if values.sizes.get("trial", 1) > 1 and "trial" not in kept:
        text = f"mean of {_several(values.sizes['trial'], 'trial')}"
        values = values.mean("trial")
    values = values.squeeze([dim for dim in values.dims if dim not in kept and values.sizes[dim] == 1])
    others = [dim for dim in values.dims if dim not in kept]
    if others:
        raise SetupError(
            f"'{values.name}' varies along {_and(others)} too",
            hint="Choose a value, as in " + ", ".join(_example(values, str(dim)) for dim in others)
            + ", or reduce it yourself, as in result.mean(...).",
        )  # fmt: skip
    return values.transpose(*kept).assign_attrs(attrs), text


def _example(values: xarray.DataArray, dim: str) -> str:
    """How a user would choose one of the values along a dimension."""
    value = "0"
    if dim in values.coords:
        label = values[dim].values[0]
        is_text = values[dim].dtype.kind in "UTO"
        value = repr(str(label)) if is_text else shown(label, units_of(values[dim])).replace(" ", "*")
    name = _short(values, dim)
    return f"{name}={value}" if name.isidentifier() else f"**{{'{name}': {value}}}"


def _middle_and_band(rows: np.ndarray, spread: Spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of values (x, trial): what is drawn as line, and the ends of the band."""
    with warnings.catch_warnings():  # where all trials failed there is nothing to draw
        warnings.simplefilter("ignore", RuntimeWarning)
        if spread == "percentiles":
            low, middle, high = np.nanpercentile(rows, PERCENTILES, axis=1)
        else:
            middle, deviation = np.nanmean(rows, axis=1), np.nanstd(rows, axis=1, ddof=1)
            low, high = middle - deviation, middle + deviation
    return middle, low, high


# -- how it is shown --------------------------------------------------------------------------------


def _new_axes() -> Axes:
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def _name_of(values: xarray.DataArray) -> str:
    return str(values.attrs.get("long_name", values.name))


def _several(n: int, what: str) -> str:
    return f"{n} trials" if what == "trial" else f"{n} values of {what}"


def _and(names: Collection[Any]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _colors(n: int) -> Any:
    """Colours in order, as the values they stand for are."""
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0, 0.85, n))


def _draw_axis(ax: Axes, axis: str, name: str, labels: xarray.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Name an axis; the order of the labels along it, and where they are."""
    order, places, unit = _places(labels)
    if unit is None:
        texts = _texts(labels)
        ax.set(**{f"{axis}ticks": places, f"{axis}ticklabels": [texts[k] for k in order]})
    elif _is_logarithmic(places):
        some = places[:: -(-len(places) // MOST_TICKS)]
        ax.set(**{f"{axis}scale": "log"})
        ax.minorticks_off()
        ax.set(**{f"{axis}ticks": some, f"{axis}ticklabels": [f"{place:.3g}" for place in some]})
    ax.set(**{f"{axis}label": named(name, unit or "")})
    return order, places


def _draw_cells(ax: Axes, axis: str, name: str, labels: xarray.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Name an axis; the order of the labels along it, and the edges of cells around them."""
    order, places = _draw_axis(ax, axis, name, labels)
    if len(places) == 1:
        return order, np.array([places[0] - 0.5, places[0] + 0.5])
    if _is_logarithmic(places):
        return order, np.exp(_edges(np.log(places)))
    return order, _edges(places)


def _places(labels: xarray.DataArray) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Order, places and unit of labels; no unit if they stand side by side: text, or the same twice."""
    values = labels.values
    if values.dtype.kind in "iuf" and len(np.unique(values)) == len(values):
        order = np.argsort(values)
        scale, unit = scale_of(values, units_of(labels))
        return order, values[order] / scale, unit
    return np.arange(len(values)), np.arange(len(values)), None


def _texts(labels: xarray.DataArray) -> list[str]:
    """Labels as text, each in the unit in which it reads best; 0 in that of the largest."""
    units = units_of(labels)
    if labels.dtype.kind not in "iuf":
        return [shown(label, units) for label in labels.values]
    _, unit = scale_of(labels.values, units)
    return [shown(label, units) if label else f"0 {unit}".rstrip() for label in labels.values]


def _is_logarithmic(places: np.ndarray) -> bool:
    """Whether numbers in ascending order grow by the same factor each."""
    if len(places) < 3 or places[0] <= 0:
        return False
    ratios = places[1:] / places[:-1]
    return bool(ratios[0] > 1.2 and np.allclose(ratios, ratios[0], rtol=1e-3))


def _edges(places: np.ndarray) -> np.ndarray:
    """Halfway between neighbours; as far out at both ends."""
    middle = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])


def _draw_legend(ax: Axes, by: str, n: int) -> None:
    """Which curve is which; of many, some."""
    handles, labels = ax.get_legend_handles_labels()
    some = np.unique(np.linspace(0, n - 1, min(n, MOST_ENTRIES)).round().astype(int))
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if n > MOST_INSIDE else {}
    ax.legend([handles[k] for k in some], [labels[k] for k in some], title=by, fontsize="small", **beside)
