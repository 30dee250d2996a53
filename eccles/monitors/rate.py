"""The firing rate of a population at every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.clock import to_seconds
from eccles.engine.program import Block, Outcome, Part, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import SetupError
from eccles.objects.group import SimulationObject
from eccles.objects.sources import SpikeSource
from eccles.objects.stored import stored_array
from eccles.units import Quantity, hertz, second

__all__ = ["PopulationRateMonitor"]


class PopulationRateMonitor(SimulationObject):
    """Records the instantaneous rate of a group: spikes in the step / (neurons * dt).

    Attributes
    ----------
    t : (time,), time
        The start of each step.
    rate : (time,), frequency
    """

    invalidates_magic_network = False
    is_recorder = True

    def __init__(
        self, source: Any, name: str = "ratemonitor*", codeobj_class: Any = None, dt: Quantity | None = None
    ) -> None:
        if not isinstance(source, SpikeSource):
            raise TypeError(f"a monitor of a rate needs a group that spikes, not {source!r}")
        self.source: Any = source
        self.events = source.event_buffer()
        super().__init__(name, source.clock, None, "end", 0)
        self._rows = Array(f"{self.name}.rows", Element.I64, 1)
        self._t = Array(f"{self.name}.t", Element.F64)
        self._n_events = Array(f"{self.name}.n_events", Element.I64, 1)  # in this step, where times are exact
        self._rates = Array(f"{self.name}.rates", Element.F64)

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.source.whole]

    def __repr__(self) -> str:
        return f"<PopulationRateMonitor of {self.source.name}: {int(self._rows.data[0])} samples>"

    @property
    def t_(self) -> np.ndarray:
        """Times in seconds, without unit."""
        return self._t.data[: int(self._rows.data[0])].copy()

    @property
    def t(self) -> Quantity:
        """The start of each step, (time,)."""
        return Quantity(self.t_, dim=second.dim)

    @property
    def rate_(self) -> np.ndarray:
        """The rate in Hz, without unit."""
        return self._rates.data[: int(self._rows.data[0])].copy()

    @property
    def rate(self) -> Quantity:
        """The rate in each step, (time,)."""
        return Quantity(self.rate_, dim=hertz.dim)

    def smooth_rate(self, window: str | np.ndarray = "gaussian", width: Quantity | None = None) -> Quantity:
        """The rate smoothed by a window.

        Parameters
        ----------
        window : {'gaussian', 'flat'} or array
            An array is used as it is (its length has to be odd).
        width : time
            The standard deviation of the Gaussian, or the whole width of the flat window.
        """
        dt = self.clock.dt_
        if isinstance(window, str):
            if width is None:
                raise TypeError("smooth_rate needs a width, such as width=10*ms")
            steps = to_seconds(width, "the width of the window") / dt
            if not 0 < steps < np.inf:
                raise SetupError(f"the width of the window has to be positive and finite, not {width}")
            if window == "gaussian":
                half = round(2 * steps)
                kernel = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * steps**2))
            elif window == "flat":
                half = int(steps / 2)
                kernel = np.ones(2 * half + 1)
            else:
                raise NotImplementedError(
                    f"there is no window '{window}': use 'gaussian', 'flat' or an array"
                )
        else:
            kernel = np.asarray(window, float)
            if kernel.ndim != 1 or len(kernel) % 2 != 1:
                raise TypeError("a window has to have an odd number of samples")
        n, half = len(self.rate_), len(kernel) // 2
        smooth = np.convolve(self.rate_, kernel / kernel.sum()) if n else np.zeros(2 * half)
        return Quantity(smooth[half : half + n], dim=hertz.dim)

    def binned_rate(self, bin_size: Quantity) -> tuple[Quantity, Quantity]:
        """The mean rate in consecutive bins: their centres and rates."""
        steps = round(to_seconds(bin_size, "the size of a bin") / self.clock.dt_)
        if steps < 1:
            raise SetupError("bins have to be at least one time step long")
        rates = self.rate_
        n = len(rates) // steps
        centres = (np.arange(n) + 0.5) * steps * self.clock.dt_
        return (
            Quantity(centres, dim=second.dim),
            Quantity(rates[: n * steps].reshape(n, steps).mean(axis=1), dim=hertz.dim),
        )

    def to_xarray(self) -> Any:
        """The rate as a labelled array over time."""
        import xarray as xr

        return xr.DataArray(
            self.rate_, coords={"time": ("time", self.t_, {"units": "s"})}, dims="time", name="rate",
            attrs={"units": "Hz", "source": self.source.name},
        )  # fmt: skip

    def reinit(self) -> None:
        """Not possible: make a new monitor."""
        raise NotImplementedError("a monitor cannot be emptied: make a new one")

    # -- code -----------------------------------------------------------------------------------

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        rows = int(self._rows.data[0]) + int(duration / self.clock.dt_) + 2
        self._make_room(min(rows, int(self._rows.data[0]) + (1 << 20)))

    def _make_room(self, rows: int) -> None:
        if rows > len(self._t):
            self._rates.resize(rows)
            self._t.resize(rows)  # last: its length says how much room there is

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        blocks = [Block(self.name, self.clock, self.when, self.order, self._emit)]
        if self.in_instants:
            blocks.append(
                Block(f"{self.name}_count", self.clock, "thresholds", 1, self._emit_count, Part.INSTANT)
            )
        return blocks

    def _emit_count(self, b: ProgramBuilder) -> None:
        """Count the events of an instant."""
        b.store(self._n_events, 0, Op("iadd", (b.load(self._n_events, 0), self._count_now(b))))

    def _count_now(self, b: ProgramBuilder) -> ir.Expr:
        source = self.source
        if source.whole is source:
            return self.events.span(b)[1]
        first = source.first_element(b)
        stop = b.integer_constant(("stop", id(source)), "stop", lambda: source.stop)
        counter = b.var("count", ir.const(0))
        with self.events.each(b, within=(first, stop)):
            b.set(counter, Op("iadd", (counter, ir.const(1))))
        return counter

    def _emit(self, b: ProgramBuilder) -> None:
        source = self.source
        row = b.let("row", b.load(self._rows, 0))
        full = Op("ige", (row, b.size(self._t)))
        grow = Outcome(f"{self.name}: more room", lambda: self._make_room(2 * len(self._t) + 16), again=True)
        b.leave_if(full, grow)
        b.store(self._t, row, b.step_start(self.clock))
        if self.in_instants:
            count = b.let("count", b.load(self._n_events, 0))
            b.store(self._n_events, 0, ir.const(0))
        else:
            count = self._count_now(b)
        n = b.size_of(self, len(source))
        spikes = Op("itof", (count,))
        b.store(self._rates, row, Op("fdiv", (Op("fdiv", (spikes, b.dt(self.clock))), Op("itof", (n,)))))
        b.store(self._rows, 0, Op("iadd", (row, ir.const(1))))

    def full_state(self) -> dict[str, np.ndarray]:
        rows = int(self._rows.data[0])
        return {
            "rows": self._rows.data.copy(),
            "t": self._t.data[:rows].copy(),
            "rates": self._rates.data[:rows].copy(),
        }

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        rows = stored_array(state, "rows", self.name, dtype=np.int64, size=1, at_least=0)
        n = int(rows[0])
        t = stored_array(state, "t", self.name, dtype=np.float64, size=n)
        self._rates.replace(stored_array(state, "rates", self.name, dtype=np.float64, size=n))
        self._t.replace(t)
        self._rows.replace(rows)
