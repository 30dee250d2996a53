"""The names of pylab, without importing matplotlib until one of them is used."""

from __future__ import annotations

from typing import Any

__all__ = ["lazy", "names"]

# functions of matplotlib.pyplot that scripts call by their bare name
_FUNCTIONS = """
    acorr angle_spectrum annotate arrow autoscale autumn axes axhline axhspan axis axline axvline axvspan
    bar bar_label barbs barh bone box boxplot broken_barh cla clabel clf clim close cohere colorbar connect
    contour contourf cool copper csd delaxes disconnect draw draw_if_interactive ecdf errorbar eventplot
    figaspect figimage figlegend fignum_exists figtext figure fill fill_between fill_betweenx findobj flag
    gca gcf gci get get_cmap get_current_fig_manager get_figlabels get_fignums get_plot_commands getp ginput
    gray grid grouped_bar hexbin hist hist2d hlines hot hsv imread imsave imshow inferno
    install_repl_displayhook ioff ion isinteractive jet legend locator_params loglog magma
    magnitude_spectrum margins matshow minorticks_off minorticks_on new_figure_manager nipy_spectral pause
    pcolor pcolormesh phase_spectrum pie pie_label pink plasma plot polar prism psd quiver quiverkey rc
    rc_context rcdefaults rgrids savefig sca scatter sci semilogx semilogy set_cmap set_loglevel setp show
    specgram spring spy stackplot stairs stem step streamplot subplot subplot2grid subplot_mosaic
    subplot_tool subplots subplots_adjust summer suptitle switch_backend table text thetagrids tick_params
    ticklabel_format tight_layout title tricontour tricontourf tripcolor triplot twinx twiny
    uninstall_repl_displayhook violinplot viridis vlines waitforbuttonpress winter xcorr xkcd xlabel xlim
    xscale xticks ylabel ylim yscale yticks
""".split()  # noqa: SIM905  (as a list it would take a hundred lines)

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
