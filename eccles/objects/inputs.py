"""Sources of spikes that have no equations: Poisson processes and given spike times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine import rng
from eccles.engine.alias import AliasTable, binomial_probabilities
from eccles.engine.clock import Clock, to_seconds
from eccles.engine.events import EventBuffer
from eccles.engine.program import Block, ProgramBuilder
from eccles.engine.state import Array
from eccles.engine.walk import SAME
from eccles.errors import DimensionMismatchError, NameResolutionError, SetupError, nearest, warn
from eccles.language.check import Symbol, check_expression
from eccles.language.nodes import Expr
from eccles.language.parser import parse_expression
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.exact_spikes import ExactSpikes
from eccles.objects.group import Group, SimulationObject
from eccles.objects.problems import Deferring
from eccles.objects.sources import SpikeSource, Subgroup, count_of, range_of
from eccles.objects.stored import misfit, stored_array, stored_number
from eccles.objects.swept import called_values, first_values
from eccles.objects.timing import SpikeTimes, checked_spike_times
from eccles.objects.variables import Variable, VariableView, bare, elements
from eccles.units import Quantity, get_dimensions, hertz, second

__all__ = ["PoissonGroup", "PoissonInput", "SpikeGeneratorGroup"]

MOST_AT_ONCE = 1000.0  # of the integrated rate in one step that counts, so that every step ends
MOST_PER_STEP = 1e5  # spikes of a PoissonInput: its table has about as many entries
NOT_KNOWN = -1.0  # a rate for which it was not computed yet when the next spike is due
NEVER_DUE = 2**62  # a step that does not come: the end of the list of given spikes


class PoissonGroup(SpikeSource):
    """Neurons that fire as Poisson processes.

    Parameters
    ----------
    N : int
        How many.
    rates : frequency, array of frequencies, or str
        One rate for all, one per neuron, or an expression that is evaluated in every step.
    spike_times : {'precise', 'grid'}, optional
        Whether spikes come at their exact times; by default as the network has it.

    Notes
    -----
    For the k-th interval of a neuron a unit exponential is drawn; the spike comes in the step in which
    the integral of the rate reaches it. So halving the time step does not change which spikes there
    are, only how finely their times are resolved. There is at most one spike per neuron and step.

    As long as rates are numbers that no code changes within a run, the time at which the next spike is
    due is known from the draw on, and a step only looks who is due. Other rates are integrated step by
    step.
    """

    def __init__(
        self,
        N: int,
        rates: Quantity | str,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        when: str = "thresholds",
        order: int = 0,
        namespace: Mapping[str, Any] | None = None,
        name: str = "poissongroup*",
        codeobj_class: Any = None,
        spike_times: SpikeTimes | None = None,
    ) -> None:
        self._spike_times = checked_spike_times(spike_times)
        self._n = n = count_of(N)
        (rates,) = first_values(self, "set_rates", rates)
        super().__init__(name, clock, dt, namespace, when, order)
        self.events = {"spike": "rand() < rates*dt"}
        self._buffers = {"spike": EventBuffer(f"{self.name}.spike", n, self.clock)}
        self._left = Array(f"{self.name}.left", Element.F64, n)  # of the unit exponential
        self._drawn = Array(f"{self.name}.drawn", Element.I64, n)  # intervals so far
        self._due = Array(f"{self.name}.due", Element.F64, n)  # seconds: the next spike, at steady rates
        # the rates that `due` holds for
        self._steady = Array(f"{self.name}.steady", Element.F64, n, fill=NOT_KNOWN)
        self._rates_tree: Expr | None = None
        self._seed: int | None = None
        self.deferred_errors = []
        self._bound: object = None
        if isinstance(rates, str):
            with Deferring(self):
                self._rates_tree = parse_expression(rates, f"{self.name}, rates")
            if self.semantics.bind == "construction":
                self.bind(magic.users_names())
                self.check()
        else:
            variable = Variable("rates", hertz.dim, "float", Array(f"{self.name}.rates", Element.F64, n))
            self._declare(variable)
            values = bare(rates, "rates", hertz.dim, self.name)
            if values.ndim and values.shape != (n,):
                raise SetupError(f"{self.name} has {n} neurons, but {values.size} rates are given")
            self._check_rates(values)
            variable.array.data[:] = values
        self._ready = True  # from now on attributes are variables

    def set_rates(self, rates: Quantity) -> None:
        """Replace the rates: a frequency for all, or (N,), one per neuron.

        Raises
        ------
        DimensionMismatchError
            If they are no frequencies.
        SetupError
            If one is negative or not finite.
        """
        self.view("rates")[:] = rates

    def _check_rates(self, values: np.ndarray) -> None:
        if not (np.all(np.isfinite(values)) and np.all(values >= 0)):
            wrong = np.ravel(values)[~(np.isfinite(np.ravel(values)) & (np.ravel(values) >= 0))][0]
            raise SetupError(f"a rate of {self.name} has to be finite and not negative, not {wrong} Hz")

    def _variable_view(self, variable: Variable, units: bool) -> VariableView:
        view = super()._variable_view(variable, units)
        plain = view.write
        assert plain is not None

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            self._check_rates(values)
            plain(positions, values)

        view.write = write
        return view

    def __len__(self) -> int:
        return self._n

    @property
    def N(self) -> int:
        """The number of neurons."""
        return self._n

    def symbol(self, name: str) -> Symbol | None:
        if name == "rates" and self._rates_tree is not None:
            return Symbol(name, hertz.dim, "float", "variable", writable=False, owner=self.name)
        return super().symbol(name)

    def trees(self) -> Iterable[Expr]:
        return [self._rates_tree] if self._rates_tree is not None else []

    def check(self) -> None:
        """Check the expression for the rates."""
        if self._rates_tree is not None:
            check_expression(self._rates_tree, self.scope(), expect_dim=hertz.dim, what="rates")

    def numpy_value(self, name: str, elements: np.ndarray) -> Any:
        if name == "rates" and self._rates_tree is not None:
            return self.numpy_evaluate(self._rates_tree, elements, purpose="rates")
        return super().numpy_value(name, elements)

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        if name == "rates" and self._rates_tree is not None:
            code = self.element_code(b, element, "rates")
            code.lowerer.out = lowerer.out
            return convert(code.expr(self._rates_tree), ir.F64)
        return super().resolve(b, name, element, lowerer)

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if self.deferred_errors:
            raise self.deferred_errors[0]
        if self._rates_tree is not None and namespace is not None and self.semantics.bind == "run":
            self.bind(namespace)
            self.check()
        seed = magic.seed_value()
        if self._seed != seed:
            # a new seed starts the processes anew; they have no memory, so nothing is lost
            self._seed = seed
            key = self.stream_key("interval")
            self._drawn.data[:] = 1
            self._left.data[:] = rng.exponential(key, np.arange(self._n), 0, 0)
            self._steady.data[:] = NOT_KNOWN

    def structure(self) -> object:
        return (self.structure_version, tuple(self._external))

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        steady = self._rates_tree is None and not self.is_written("rates", writes)
        if self._timing is not None and self.in_instants:
            spikes = ExactSpikes(self, self._timing, self._buffers["spike"])
            return spikes.blocks(self._emit_exact_steady if steady else self._emit_exact)
        return [
            *self.room_blocks(),
            Block(
                f"{self.name}_thresholder", self.clock, self.when, self.order,
                self._emit_steady if steady else self._emit,
            ),
        ]  # fmt: skip

    def _emit_silence(self, b: ProgramBuilder) -> None:
        b.prepares.append(self._prepare_integration)  # what is left stays as it is
        super()._emit_silence(b)

    def _left_now(self) -> np.ndarray:
        """What is left of the unit exponential of each neuron, (N,)."""
        if self._rates_tree is None:
            running = self._steady.data > 0
            passed = (self._due.data - self.clock.t_)[running] * self._steady.data[running]
            self._left.data[running] = np.maximum(passed, 0.0)
        return self._left.data

    def _prepare_steady(self) -> None:
        """Find when spikes are due, if rates have changed since the last call."""
        most = MOST_AT_ONCE / self.clock.dt_
        rates = np.clip(self._variables["rates"].array.data, 0.0, most)  # NaN stays NaN
        # nothing is overdue, unless a stored state pretends so: native code counts up from there
        np.maximum(self._due.data, self.clock.t_, out=self._due.data)
        if np.array_equal(rates, self._steady.data):
            return
        changed = rates != self._steady.data
        left = self._left_now()
        with np.errstate(divide="ignore", invalid="ignore"):
            due = np.where(rates == 0, np.inf, self.clock.t_ + left / rates)
        self._due.data[changed] = due[changed]
        self._left.data[np.isnan(rates)] = np.nan  # reported after the run
        self._steady.data[:] = rates

    def _emit_steady(self, b: ProgramBuilder) -> None:
        from eccles.compile import random

        b.prepares.append(self._prepare_steady)
        buffer = self._buffers["spike"]
        following = Op(
            "fmul", (Op("itof", (Op("iadd", (b.step(self.clock), ir.const(1))),)), b.dt(self.clock))
        )
        end = b.let("end", following)  # of the step
        with buffer.collect(b) as count, b.vector("i", b.size_of(self, self._n)) as i:
            b.emit(ir.Append(b.buffer(buffer.ids), count, i, Op("fle", (b.load(self._due, i), end))))
        key = b.integer_constant(("key", id(self), "interval"), "key", lambda: self.stream_key("interval"))
        with buffer.each(b) as element:
            due = b.var("due", b.load(self._due, element))
            drawn = b.var("drawn", b.load(self._drawn, element))
            rate = b.let("rate", b.load(self._steady, element))
            with b.body() as statements:
                draw = ir.Call(random.exponential, (key, element, drawn, ir.const(0)))
                b.set(due, Op("fadd", (due, Op("fdiv", (draw, rate)))))
                b.set(drawn, Op("iadd", (drawn, ir.const(1))))
            b.emit(ir.While(Op("fle", (due, end)), tuple(statements)))
            b.store(self._due, element, due)
            b.store(self._drawn, element, drawn)

    def _emit_exact_steady(self, b: ProgramBuilder, spikes: ExactSpikes) -> None:
        """As `_emit_steady`, with spikes at the times at which they are due."""
        from eccles.compile import random

        b.prepares.append(self._prepare_steady)
        start = b.let("start", b.step_start(self.clock))
        following = Op("itof", (Op("iadd", (b.step(self.clock), ir.const(1))),))
        end = b.let("end", Op("fadd", (Op("fmul", (following, b.dt(self.clock))), ir.const(SAME))))
        ids = self._buffers["spike"].ids
        count = b.var("count", ir.const(0))
        with b.vector("i", b.size_of(self, self._n)) as i:
            b.emit(ir.Append(b.buffer(ids), count, i, Op("fle", (b.load(self._due, i), end))))
        key = b.integer_constant(("key", id(self), "interval"), "key", lambda: self.stream_key("interval"))
        with b.loop("e", ir.const(0), count) as e:
            element = b.let("id", b.load(ids, e))
            due = b.var("due", b.load(self._due, element))
            drawn = b.var("drawn", b.load(self._drawn, element))
            rate = b.let("rate", b.load(self._steady, element))
            with spikes.each(b, Op("fle", (due, end))):
                spikes.emit(b, Op("fsub", (due, start)), element, drawn)
                draw = ir.Call(random.exponential, (key, element, drawn, ir.const(0)))
                interval = Op("fmax", (Op("fdiv", (draw, rate)), ir.const(2 * SAME)))
                b.set(due, Op("fadd", (due, interval)))
                b.set(drawn, Op("iadd", (drawn, ir.const(1))))
            b.store(self._due, element, due)
            b.store(self._drawn, element, drawn)

    def _emit_exact(self, b: ProgramBuilder, spikes: ExactSpikes) -> None:
        """As `_emit`, with spikes at the times at which the integral of the rate reaches them."""
        from eccles.compile import random

        b.prepares.append(self._prepare_integration)
        ids, dt = self._buffers["spike"].ids, b.dt(self.clock)
        count = b.var("count", ir.const(0))
        fresh = spikes.first_time(b)  # what passes in a step is counted once, though the block may run again
        with b.vector("i", b.size_of(self, self._n)) as i:
            rate = self._clipped_rate(b, i)
            passed = Op("select", (fresh, Op("fmul", (rate, dt)), ir.const(0.0)))
            left = Op("fsub", (b.load(self._left, i), passed))
            left = b.let("left", Op("fmax", (ir.const(-MOST_AT_ONCE), left)))
            b.store(self._left, i, left)
            b.emit(ir.Append(b.buffer(ids), count, i, Op("fle", (left, ir.const(0.0)))))
        key = b.integer_constant(("key", id(self), "interval"), "key", lambda: self.stream_key("interval"))
        with b.loop("e", ir.const(0), count) as e:
            element = b.let("id", b.load(ids, e))
            left = b.var("left", b.load(self._left, element))
            drawn = b.var("drawn", b.load(self._drawn, element))
            rate = b.let("rate", self._clipped_rate(b, element))
            with spikes.each(b, Op("fle", (left, ir.const(0.0)))):
                offset = Op("fadd", (dt, Op("fdiv", (left, rate))))
                spikes.emit(b, Op("fmax", (offset, ir.const(0.0))), element, drawn)
                draw = ir.Call(random.exponential, (key, element, drawn, ir.const(0)))
                apart = Op("fmul", (ir.const(2 * SAME), rate))
                b.set(left, Op("fadd", (left, Op("fmax", (draw, apart)))))
                b.set(drawn, Op("iadd", (drawn, ir.const(1))))
            b.store(self._left, element, left)
            b.store(self._drawn, element, drawn)

    def _clipped_rate(self, b: ProgramBuilder, element: ir.Expr) -> ir.Expr:
        """The rate of a neuron; one below 0 counts as 0, NaN stays NaN and is reported after the run."""
        code = self.element_code(b, element, "rates")
        return b.let("rate", Op("fmax", (ir.const(0.0), code.lowerer.expr(_RATES))))

    def _prepare_integration(self) -> None:
        """Begin where a program with steady rates has ended."""
        self._left_now()
        self._steady.data[:] = NOT_KNOWN

    def _emit(self, b: ProgramBuilder) -> None:
        from eccles.compile import random

        b.prepares.append(self._prepare_integration)
        buffer = self._buffers["spike"]
        with buffer.collect(b) as count, b.vector("i", b.size_of(self, self._n)) as i:
            code = self.element_code(b, i, "rates")
            rate = code.lowerer.expr(_RATES)
            # a rate below 0 counts as 0; NaN stays NaN, and is reported after the run
            due = Op("fmul", (Op("fmax", (ir.const(0.0), rate)), b.dt(self.clock)))
            left = Op("fsub", (b.load(self._left, i), due))
            left = b.let("left", Op("fmax", (ir.const(-MOST_AT_ONCE), left)))
            b.store(self._left, i, left)
            b.emit(ir.Append(b.buffer(buffer.ids), count, i, Op("fle", (left, ir.const(0.0)))))
        key = b.integer_constant(("key", id(self), "interval"), "key", lambda: self.stream_key("interval"))
        with buffer.each(b) as element:
            left = b.var("left", b.load(self._left, element))
            drawn = b.var("drawn", b.load(self._drawn, element))
            with b.body() as statements:
                draw = ir.Call(random.exponential, (key, element, drawn, ir.const(0)))
                b.set(left, Op("fadd", (left, draw)))
                b.set(drawn, Op("iadd", (drawn, ir.const(1))))
            b.emit(ir.While(Op("fle", (left, ir.const(0.0))), tuple(statements)))
            b.store(self._left, element, left)
            b.store(self._drawn, element, drawn)

    def integrated(self) -> list[tuple[str, Array]]:
        return [("the rate", self._left)]

    def __getitem__(self, item: Any) -> Subgroup:
        start, stop = range_of(item, self._n, self)
        return Subgroup(self, start, stop)

    def full_state(self) -> dict[str, np.ndarray]:
        return {
            **super().full_state(),
            "_left": self._left_now().copy(),
            "_due": self._due.data.copy(),
            "_steady": self._steady.data.copy(),
            "_drawn": self._drawn.data.copy(),
            "_seed": np.array(str(self._seed)),
        }

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        super().set_full_state(state)
        n = len(self)
        self._left.replace(
            stored_array(state, "_left", self.name, dtype=np.float64, size=n, at_least=0, below=np.inf)
        )
        self._drawn.replace(stored_array(state, "_drawn", self.name, dtype=np.int64, size=n, at_least=0))
        for name, array, least in (("_due", self._due, 0), ("_steady", self._steady, NOT_KNOWN)):
            array.replace(stored_array(state, name, self.name, dtype=np.float64, size=n, at_least=least))
        seed = str(state.get("_seed"))
        if seed != "None" and not re.fullmatch("-?[0-9]{1,40}", seed):
            raise misfit(self.name, "'_seed' is no number")
        self._seed = None if seed == "None" else int(seed)


class SpikeGeneratorGroup(SpikeSource):
    """Neurons that spike at given times.

    Parameters
    ----------
    N : int
        How many neurons.
    indices : array (n,), int
        Which neuron spikes.
    times : array (n,), time
        When.
    period : time, optional
        Repeat the spikes with this period.
    sorted : bool
        Whether times are ascending already.
    spike_times : {'precise', 'grid'}, optional
        Whether spikes come at their exact times; by default as the network has it.
    """

    def __init__(
        self,
        N: int,
        indices: Any,
        times: Any,
        dt: Quantity | None = None,
        clock: Clock | None = None,
        period: Quantity | float = 0 * second,
        when: str = "thresholds",
        order: int = 0,
        sorted: bool = False,
        name: str = "spikegeneratorgroup*",
        codeobj_class: Any = None,
        spike_times: SpikeTimes | None = None,
    ) -> None:
        self._spike_times = checked_spike_times(spike_times)
        self._n = count_of(N)
        super().__init__(name, clock, dt, None, when, order)
        self.events = {"spike": ""}
        self._buffers = {"spike": EventBuffer(f"{self.name}.spike", self._n, self.clock)}
        self._indices = Array(f"{self.name}.indices", Element.I32)
        self._steps = Array(f"{self.name}.steps", Element.I64)
        self._position = Array(
            f"{self.name}.position", Element.I64, 2
        )  # next spike, first step of the period
        self._period = 0.0
        self._seconds = Array(f"{self.name}.seconds", Element.F64)
        self._turn = Array(f"{self.name}.turn", Element.I64, 1)  # of the period, where times are exact
        self._binned: object = None
        self.set_spikes(*first_values(self, "set_spikes", indices, times, period, sorted))
        self._ready = True  # from now on attributes are variables

    def __len__(self) -> int:
        return self._n

    @property
    def N(self) -> int:
        """The number of neurons."""
        return self._n

    @property
    def period(self) -> Quantity:
        """The period with which spikes repeat; 0 s for never."""
        return Quantity(self._period, dim=second.dim)

    def set_spikes(self, indices: Any, times: Any, period: Any = 0 * second, sorted: bool = False) -> None:
        """Replace the spikes; see the class for the parameters.

        Raises
        ------
        SetupError
            If lengths differ, an index or time is out of range, or spikes lie beyond the period.
        """
        indices, times, period, sorted = called_values(self, "set_spikes", indices, times, period, sorted)
        index = np.atleast_1d(np.asarray(indices))
        if index.size and not np.issubdtype(index.dtype, np.integer):
            raise TypeError("the indices of spikes have to be integers")
        if index.size and get_dimensions(times) is not second.dim:
            raise DimensionMismatchError(
                f"the times of {self.name} have no unit of time", get_dimensions(times), second.dim,
                hint="Multiply them by ms or second.",
            )  # fmt: skip
        seconds = np.atleast_1d(np.asarray(times, dtype=np.float64))
        if index.shape != seconds.shape or index.ndim != 1:
            raise SetupError(f"there are {index.size} indices but {seconds.size} times of spikes")
        self._check_spikes(index, seconds)
        every = to_seconds(period, "the period") if period is not None and np.asarray(period).any() else 0.0
        if not 0 <= every < np.inf:
            raise SetupError("the period has to be finite and cannot be negative")
        if every and seconds.size and seconds.max() >= every:
            raise SetupError("all spikes have to lie before the end of the period")
        if not sorted:
            index, seconds = _in_order(index, seconds)
        elif (seconds[1:] < seconds[:-1]).any():
            raise SetupError("the times of the spikes are not sorted, although sorted=True says so")
        self._period = every
        self._times = seconds
        self._given_indices = index.astype(np.int64)
        self._binned = None

    def _check_spikes(self, index: np.ndarray, seconds: np.ndarray) -> None:
        if index.size and (index.min() < 0 or index.max() >= self._n):
            wrong = index[(index < 0) | (index >= self._n)][0]
            raise SetupError(f"{self.name} has {elements(self._n)}, so there is none with index {wrong}")
        if not (np.isfinite(seconds) & (seconds >= 0)).all():
            raise SetupError("the times of spikes have to be finite and not negative")

    def exact_rows(self, indices: Any, seconds: np.ndarray) -> list[tuple[Array, np.ndarray]]:
        """What `set_spikes` makes of several trains before a run with exact times from t = 0.

        Parameters
        ----------
        indices : array (k,), int
            Which neurons spike, the same in all trains.
        seconds : array (n, k)
            When, in each train.

        Returns
        -------
        list of (Array, array)
            The arrays that differ, and their elements for each train, (n, length).

        Raises
        ------
        SetupError
            If one of the trains is wrong.
        """
        index = np.broadcast_to(np.asarray(indices, np.int64), seconds.shape)
        self._check_spikes(index, seconds)
        index, seconds = _in_order(index, seconds)
        self._refuse_near(index, seconds)
        ends = np.full((len(seconds), 1), np.inf)
        return [
            (self._seconds, np.concatenate((seconds, ends), axis=1)),
            (self._indices, index.astype(self._indices.data.dtype)),
        ]

    def _refuse_near(self, index: np.ndarray, seconds: np.ndarray) -> None:
        """A neuron cannot spike twice at one instant."""
        order = np.lexsort((seconds, index))
        neuron, t = _taken(index, order), _taken(seconds, order)
        near = (neuron[..., 1:] == neuron[..., :-1]) & (t[..., 1:] - t[..., :-1] <= SAME)
        if near.any():
            at = neuron[..., :-1][near][0], t[..., :-1][near][0]
            raise SetupError(f"neuron {at[0]} of {self.name} has two spikes at {at[1]} s")

    def _bin(self) -> None:
        """Which step each spike falls into, for the time step as it is now."""
        dt = self.clock.dt_
        if self._binned == dt and self._binned != "exact":
            self._find_position()
            return
        if self._times.size and self._times.max() / dt > 2**53 / self._n:
            raise SetupError(
                f"the last spike of {self.name} comes at {self._times.max()} s, "
                f"which is too many steps of {dt} s"
            )
        steps = np.floor((self._times + 1e-3 * dt) / dt).astype(np.int64)
        pairs = steps * self._n + self._given_indices
        if len(np.unique(pairs)) < len(pairs):
            values, counts = np.unique(pairs, return_counts=True)
            neuron = int(values[counts > 1][0] % self._n)
            raise SetupError(
                f"neuron {neuron} of {self.name} has two spikes within one time step of {dt * 1e3:g} ms",
                hint="Use a smaller dt, or merge the spikes.",
            )
        if self._period:
            ratio = self._period / dt
            if abs(ratio - round(ratio)) > 1e-6 * ratio:
                raise NotImplementedError(
                    f"the period of {self.name} ({self._period} s) has to be a multiple of "
                    f"its time step ({dt} s)"
                )
        order = np.lexsort((self._given_indices, steps))
        self._steps.replace(np.append(steps[order], NEVER_DUE))
        self._indices.replace(self._given_indices[order])
        self._period_steps = round(self._period / dt) if self._period else 0
        position = self._find_position()
        now = self.clock.timestep
        if position and not self._period_steps and self._binned is None and now > 0:
            self._warn_of_past(position)
        self._binned = dt

    def _find_position(self) -> int:
        """Look up the next spike from now on: the group may have been inactive since the last one."""
        now = self.clock.timestep
        within = now % self._period_steps if self._period_steps else now
        position = int(np.searchsorted(self._steps.data[:-1], within))
        self._position.data[:] = (position, now - within)
        return position

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if self.in_instants:
            self._line_up()
        else:
            self._bin()

    def structure(self) -> object:
        return (self.structure_version, bool(self._period))

    def _line_up(self) -> None:
        """Find the next spike from now on, where times are exact."""
        if self._binned != "exact":
            self._refuse_near(self._given_indices, self._times)
            self._seconds.replace(np.concatenate((self._times, (np.inf,))))
            self._indices.replace(self._given_indices)
        now = self.clock.t_
        turn = int(np.floor((now + SAME) / self._period)) if self._period else 0
        within = now - turn * self._period
        # what comes at the end of a step belonged to it; the first step has its start, too
        position = int(np.searchsorted(self._times, within + SAME, side="right")) if now > 0 else 0
        if position and not self._period and self._binned is None:
            self._warn_of_past(position)
        if self._period and position == len(self._times):  # the next one is the first of the next period
            position, turn = 0, turn + 1
        self._position.data[:] = (position, 0)
        self._turn.data[0] = turn
        self._binned = "exact"

    def _warn_of_past(self, n: int) -> None:
        warn(
            "past_spikes",
            f"{n} spikes of {self.name} lie before the current time ({self.clock.t}) and are ignored",
        )

    def _emit_exact(self, b: ProgramBuilder, spikes: ExactSpikes) -> None:
        start, dt = b.let("start", b.step_start(self.clock)), b.dt(self.clock)
        period = b.float_constant(("period", id(self)), "period", lambda: self._period)
        position = b.var("position", b.load(self._position, 0))
        turn = b.var("turn", b.load(self._turn, 0))
        origin = Op("fsub", (Op("fmul", (Op("itof", (turn,)), period)), start))
        offset = Op("fadd", (b.load(self._seconds, position), origin))
        due = Op("fle", (offset, Op("fadd", (dt, ir.const(SAME)))))
        with spikes.each(b, due):
            ordinal = b.let("ordinal", Op("iadd", (
                Op("imul", (turn, b.size(self._seconds))), position
            )))  # fmt: skip
            spikes.emit(b, b.let("offset", offset), b.load(self._indices, position), ordinal)
            b.set(position, Op("iadd", (position, ir.const(1))))
            if self._period:
                over = b.let("over", Op("ige", (Op("iadd", (position, ir.const(1))), b.size(self._seconds))))
                b.set(position, Op("select", (over, ir.const(0), position)))
                b.set(turn, Op("iadd", (turn, Op("btoi", (over,)))))
        b.store(self._position, 0, position)
        b.store(self._turn, 0, turn)

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        if self._timing is not None and self.in_instants:
            return ExactSpikes(self, self._timing, self._buffers["spike"]).blocks(self._emit_exact)
        return [
            *self.room_blocks(),
            Block(f"{self.name}_spikes", self.clock, self.when, self.order, self._emit),
        ]

    def _emit(self, b: ProgramBuilder) -> None:
        buffer = self._buffers["spike"]
        with buffer.collect(b) as count:
            origin = b.let("origin", b.load(self._position, 1))
            if self._period:
                period = b.integer_constant(("period", id(self)), "period", lambda: self._period_steps)
                over = Op("ige", (Op("isub", (b.step(self.clock), origin)), period))
                with b.when(over, likely=False):
                    b.store(self._position, 0, ir.const(0))
                    b.store(self._position, 1, Op("iadd", (origin, period)))
            now = b.let("now", Op("isub", (b.step(self.clock), b.load(self._position, 1))))
            position = b.var("position", b.load(self._position, 0))
            due = Op("ieq", (b.load(self._steps, position), now))
            with b.body() as statements:
                b.store(buffer.ids, count, b.load(self._indices, position))
                b.set(count, Op("iadd", (count, ir.const(1))))
                b.set(position, Op("iadd", (position, ir.const(1))))
            b.emit(ir.While(due, tuple(statements)))
            b.store(self._position, 0, position)

    def __getitem__(self, item: Any) -> Subgroup:
        start, stop = range_of(item, self._n, self)
        return Subgroup(self, start, stop)

    def full_state(self) -> dict[str, np.ndarray]:
        return {
            **super().full_state(),
            "_position": self._position.data.copy(),
            "_times": self._times.copy(),
            "_indices": self._given_indices.copy(),
            "_period": np.array(self._period),
        }

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        super().set_full_state(state)
        times = stored_array(state, "_times", self.name, dtype=np.float64, at_least=0, below=np.inf)
        indices = stored_array(
            state, "_indices", self.name, dtype=np.int64, size=len(times), at_least=0, below=len(self)
        )
        period = stored_number(state, "_period", self.name)
        position = stored_array(state, "_position", self.name, dtype=np.int64, size=2, at_least=0)
        if period < 0 or position[0] > len(times):
            raise misfit(self.name, "the next spike is none of the spikes")
        self._times, self._given_indices = times.copy(), indices.copy()
        self._period, self._binned = period, "restored"  # sorted into steps when it runs
        self._position.replace(position)


def _in_order(index: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes by time, those at one time by neuron; along the last dimension."""
    order = np.lexsort((index, seconds))
    return _taken(index, order), _taken(seconds, order)


def _taken(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Values in an order that differs from row to row."""
    return values[order] if values.ndim == 1 else np.take_along_axis(values, order, -1)


class PoissonInput(SimulationObject):
    """Many independent Poisson inputs of equal rate and weight onto each neuron of a group.

    Parameters
    ----------
    target : group
    target_var : str
        The variable to which inputs are added.
    N : int
        How many inputs each neuron has.
    rate : frequency
        The rate of each input.
    weight : quantity or str
        What is added for each input spike, or an expression for it.

    Notes
    -----
    The number of spikes in a step is binomial with N trials of probability rate*dt, as N Bernoulli
    inputs would have it.
    """

    def __init__(
        self,
        target: Any,
        target_var: str,
        N: int,
        rate: Quantity,
        weight: Quantity | str,
        when: str = "synapses",
        order: int = 0,
    ) -> None:
        if not isinstance(target, Group):
            raise TypeError(f"the target of a PoissonInput has to be a group, not {target!r}")
        super().__init__("poissoninput*", target.clock, None, when, order)
        self.target = target
        self.target_var = target_var
        symbol = target.symbol(target_var)
        if symbol is None:
            near = nearest(target_var, target.internal_names())
            raise NameResolutionError(
                f"{target.name} has no variable '{target_var}'"
                + (f"; did you mean '{near}'?" if near else "")
            )
        if symbol.type != "float" or symbol.shared or not target.whole.is_writable(target_var):
            raise SetupError(
                f"inputs cannot be added to '{target_var}' of {target.name}: "
                f"it has to be a variable with a number for each neuron"
            )
        self.N = count_of(N)
        self._symbol = symbol
        self._text: _WeightText | None = None
        self.set_rate(*first_values(self, "set_rate", rate))
        if isinstance(weight, str):
            self.weight = weight
            self._text = _WeightText(self, weight, symbol)
        else:
            self.set_weight(*first_values(self, "set_weight", weight))
        self._table = AliasTable(self.name)
        self._tabulated: object = None

    def set_rate(self, rate: Quantity) -> None:
        """Replace the rate of each input: one frequency.

        Raises
        ------
        DimensionMismatchError
            If it is no frequency.
        SetupError
            If it is negative or not finite, or there are several.
        """
        if get_dimensions(rate) is not hertz.dim:
            raise DimensionMismatchError(
                "the rate of a PoissonInput has to be a frequency", get_dimensions(rate), hertz.dim
            )
        if np.ndim(rate) or not 0 <= float(rate) < np.inf:
            raise SetupError(f"a PoissonInput has one rate, finite and not negative, not {rate}")
        self.rate = rate

    def set_weight(self, weight: Quantity) -> None:
        """Replace the weight, where it is a number: one, with the unit of the target variable.

        Raises
        ------
        DimensionMismatchError
            If it has another unit.
        SetupError
            If it is not finite, or there are several.
        """
        if np.ndim(weight) or not np.isfinite(float(weight)):
            raise SetupError(f"a PoissonInput has one finite weight (or an expression for it), not {weight}")
        if get_dimensions(weight) is not self._symbol.dim:
            raise DimensionMismatchError(
                f"the weight of a PoissonInput is added to '{self.target_var}', which is "
                f"{self._symbol.dim.friendly()}, but {weight} is {get_dimensions(weight).friendly()}",
                get_dimensions(weight), self._symbol.dim,
            )  # fmt: skip
        self.weight = weight

    @property
    def needs(self) -> list[SimulationObject]:
        return [self.target.whole]

    @property
    def contained_objects(self) -> list[SimulationObject]:
        return [self._text] if self._text is not None else []

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        p = float(self.rate) * self.clock.dt_
        if not 0 <= p <= 1:
            raise SetupError(
                f"the rate of a PoissonInput ({self.rate}) is too high for the time step {self.clock.dt}: "
                f"rate*dt has to lie between 0 and 1"
            )
        if self.N * p > MOST_PER_STEP:
            raise SetupError(
                f"a PoissonInput of {self.N} inputs at {self.rate} brings more than {MOST_PER_STEP:g} spikes "
                f"per step to each neuron",
                hint="So many are as good as a constant drive with white noise: use xi in the equations.",
            )
        if self._tabulated != (self.N, p):
            self._table.set(binomial_probabilities(self.N, p))
            self._tabulated = (self.N, p)

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        return [Block(self.name, self.clock, self.when, self.order, self._emit)]

    def _emit(self, b: ProgramBuilder) -> None:
        from eccles.compile import random

        target, whole = self.target, self.target.whole
        (array,) = whole.arrays_of(self.target_var)
        text = self._text
        owner: Group = text if text is not None else whole
        with b.elements(
            "i", b.integer_constant(("N", id(target)), "N", lambda: len(target)), target.first_element(b)
        ) as i:
            code = Code(
                b, owner, lambda name, low: target.resolve(b, name, i, low), element=i, purpose=self.name,
                clock=self.clock,
            )  # fmt: skip
            u = code.draw(random.uniform)
            count = self._table.emit(b, code.lowerer, u)
            if text is not None:
                weight = convert(code.expr(text.tree), ir.F64)
            else:
                weight = b.float_constant(("weight", id(self)), "weight", lambda: float(self.weight))  # type: ignore[arg-type]
            old = b.load(array, i)
            new: ir.Expr = Op("fadd", (old, Op("fmul", (weight, count))))
            may_write = whole.may_write(b, whole.variable(self.target_var), i)
            if may_write is not None:
                new = Op("select", (may_write, new, old))
            b.store(array, i, new)

    def writes(self) -> Iterable[Array]:
        return self.target.whole.arrays_of(self.target_var)


class _WeightText(Group):
    """The expression for the weight of a `PoissonInput`."""

    invalidates_magic_network = False

    def __init__(self, owner: PoissonInput, text: str, expected: Symbol) -> None:
        target = owner.target
        self.semantics = target.semantics
        super().__init__(f"{owner.name}_weight*", owner.clock, None, target.namespace)
        self._target = target
        self._expected = expected
        self.tree = parse_expression(text, f"{owner.name}, weight")
        if target.semantics.bind == "construction":
            self.bind(magic.users_names())
            self.check()
        self._ready = True  # from now on attributes are variables

    def __len__(self) -> int:
        return len(self._target)

    def symbol(self, name: str) -> Symbol | None:
        return self._target.symbol(name)

    def internal_names(self) -> set[str]:
        return self._target.internal_names()

    def trees(self) -> Iterable[Expr]:
        return [self.tree]

    def check(self) -> None:
        """Check the expression."""
        check_expression(self.tree, self.scope(), expect_dim=self._expected.dim, what="the weight")

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        if namespace is not None and self._target.semantics.bind == "run":
            self.bind(namespace)
            self.check()


_RATES = parse_expression("rates")
