"""The names of pylab, without importing matplotlib until one of them is used."""

from __future__ import annotations

from typing import Any

__all__ = ["lazy", "names"]

# functions of matplotlib.pyplot that scripts call by their bare name
_FUNCTIONS = [
    "annotate",
    "arrow",
    "autoscale",
    "axes",
    "axhline",
    "axhspan",
    "axis",
    "axvline",
    "axvspan",
    "bar",
    "barh",
    "boxplot",
    "cla",
    "clabel",
    "clf",
    "clim",
    "close",
    "colorbar",
    "contour",
    "contourf",
    "csd",
    "draw",
    "errorbar",
    "eventplot",
    "figaspect",
    "figimage",
    "figlegend",
    "figtext",
    "figure",
    "fill",
    "fill_between",
    "gca",
    "gcf",
    "get_cmap",
    "get_current_fig_manager",
    "ginput",
    "grid",
    "hexbin",
    "hist",
    "hist2d",
    "hlines",
    "imread",
    "imsave",
    "imshow",
    "ioff",
    "ion",
    "isinteractive",
    "legend",
    "locator_params",
    "loglog",
    "margins",
    "matshow",
    "minorticks_off",
    "minorticks_on",
    "pause",
    "pcolor",
    "pcolormesh",
    "pie",
    "plot",
    "plot_date",
    "polar",
    "psd",
    "quiver",
    "rc",
    "rcdefaults",
    "rgrids",
    "savefig",
    "sca",
    "scatter",
    "semilogx",
    "semilogy",
    "setp",
    "show",
    "specgram",
    "spy",
    "stackplot",
    "stairs",
    "stem",
    "step",
    "streamplot",
    "subplot",
    "subplot2grid",
    "subplot_mosaic",
    "subplots",
    "subplots_adjust",
    "subplot_tool",
    "suptitle",
    "table",
    "text",
    "thetagrids",
    "tick_params",
    "ticklabel_format",
    "tight_layout",
    "title",
    "tricontour",
    "tripcolor",
    "triplot",
    "twinx",
    "twiny",
    "violinplot",
    "vlines",
    "waitforbuttonpress",
    "xlabel",
    "xlim",
    "xscale",
    "xticks",
    "ylabel",
    "ylim",
    "yscale",
    "yticks",
]

_MODULES = {"plt": "matplotlib.pyplot", "pyplot": "matplotlib.pyplot", "pylab": "pylab", "mpl": "matplotlib"}


class _LazyModule:
    """A module that is imported when it is first used."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _module(self) -> Any:
        import importlib

        return importlib.import_module(self.__dict__["_name"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module(), name, value)

    def __repr__(self) -> str:
        return f"<module '{self.__dict__['_name']}', imported when used>"


class _LazyFunction:
    """A function of `matplotlib.pyplot`."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from matplotlib import pyplot

        return getattr(pyplot, self.__name__)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<function matplotlib.pyplot.{self.__name__}>"


class _LazyParameters:
    """`rcParams`."""

    def _target(self) -> Any:
        from matplotlib import rcParams

        return rcParams

    def __getitem__(self, key: str) -> Any:
        return self._target()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._target()[key] = value

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change several parameters."""
        self._target().update(*args, **kwargs)


_TABLE: dict[str, Any] = {
    **{name: _LazyFunction(name) for name in _FUNCTIONS},
    **{name: _LazyModule(module) for name, module in _MODULES.items()},
    "rcParams": _LazyParameters(),
}


def names() -> list[str]:
    """All names."""
    return list(_TABLE)


def lazy(name: str) -> Any:
    """What stands for a name of pylab; `KeyError` if there is none."""
    return _TABLE[name]
