"""What all groups of elements share: variables, names in model text, reading and writing state.

A group resolves a name in its model text in two ways: to a `Symbol` (dimension, type) for the checks,
and to an IR value for code. Both know the group's own names (variables, `t`, `i` ...); all others are
*external*: constants and functions from the script or a given namespace.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import F64, I64, Op
from eccles.compile.lower import Lowerer, convert
from eccles.engine import rng
from eccles.engine.clock import Clock
from eccles.engine.program import Block, ProgramBuilder
from eccles.engine.state import DTYPES, Array
from eccles.errors import DimensionMismatchError, EcclesError, SetupError, nearest
from eccles.language.check import Symbol, infer
from eccles.language.equations import Equation, Equations
from eccles.language.evaluate import evaluate
from eccles.language.functions import BUILTINS, UserFunction
from eccles.language.nodes import Call, Expr, names_in, walk
from eccles.language.parser import parse_expression
from eccles.language.resolve import Namespace, external_symbol
from eccles.objects import magic
from eccles.objects.code import Code
from eccles.objects.naming import unique_name
from eccles.objects.problems import GroupScope
from eccles.objects.semantics import ECCLES, Semantics
from eccles.objects.stored import stored_array
from eccles.objects.swept import Swept, first_values, tracer
from eccles.objects.timing import Timing
from eccles.objects.variables import ELEMENTS, Variable, VariableView, positions_of
from eccles.units import DIMENSIONLESS, Quantity, second

__all__ = ["DRAWS", "Group", "SimulationObject", "TextScope"]

DRAWS = {"rand": rng.uniform, "randn": rng.normal, "poisson": rng.poisson, "binomial": rng.binomial}


class SimulationObject:
    """Anything that takes part in a network.

    Attributes
    ----------
    name : str
        Unique in its scope; it keys the object's random streams.
    active : bool
        Inactive objects are skipped by the next run.
    """

    semantics: Semantics = ECCLES  # of the class; parts of a group take over the group's
    spike_times: Any = None  # as the network has them
    _timing: Timing | None = None  # what the network has decided: None where all is on the grid
    invalidates_magic_network: ClassVar[bool] = True
    is_recorder: ClassVar[bool] = False  # looks on and changes nothing

    def __init__(
        self, name: str, clock: Clock | None, dt: Quantity | None, when: str = "start", order: int = 0
    ) -> None:
        if clock is not None and dt is not None:
            raise SetupError("give either dt or clock, not both")
        if clock is not None and not isinstance(clock, Clock):
            raise TypeError(f"a clock has to be a Clock, not {clock!r}")
        if not isinstance(when, str):
            raise TypeError(f"when has to be the name of a slot, not {when!r}")
        if not isinstance(order, int | np.integer):
            raise TypeError(f"order has to be an integer, not {order!r}")
        self.name = unique_name(name, self)
        if dt is not None:
            clock = Clock(dt, f"{self.name}'s clock")
        self.clock = clock if clock is not None else magic.defaultclock
        self.when = when
        self.order = order
        self.active = True
        self.network: weakref.ref[Any] | None = None  # the network that has run it
        self.structure_version = 0  # counts changes that need another program
        magic.register(self)

    @property
    def dt(self) -> Quantity:
        """The time step of the object's clock."""
        return self.clock.dt

    @property
    def contained_objects(self) -> list[SimulationObject]:
        """Objects that come along with this one."""
        return []

    @property
    def needs(self) -> list[SimulationObject]:
        """Objects that have to be in the same network."""
        return []

    def before_run(self, namespace: Mapping[str, Any] | None, duration: float) -> None:
        """Get ready: resolve names, check, make room."""

    def after_run(self) -> None:
        """Tidy up."""

    def expect_python(self) -> None:
        """Get ready for Python code that is called within the run and may read and write any variable."""

    def needs_grid(self) -> str:
        """Why the object has to be looked at in every time step; empty if it does not."""
        return f"{self.name} acts in every time step"

    @property
    def in_instants(self) -> bool:
        """Whether the object takes part in the walk through a time step."""
        return self._timing is not None and self._timing.clock is self.clock

    def structure(self) -> object:
        """A value that changes when another program is needed."""
        return self.structure_version

    def blocks(self, writes: frozenset[int]) -> list[Block]:
        """What the object does in a time step; `writes` are the ids of arrays that the program changes."""
        return []

    def idle_blocks(self) -> list[Block]:
        """What has to be done in a time step while the object is not active."""
        return []

    def writes(self) -> Iterable[Array]:
        """The arrays that the object's code changes during a run."""
        return ()

    def full_state(self) -> dict[str, np.ndarray]:
        """Everything that `store` has to keep, as arrays."""
        return {}

    def run_state(self) -> dict[str, np.ndarray]:
        """The part of `full_state` that a run changes: no connections."""
        return self.full_state()

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `full_state` gave."""

    def set_run_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `run_state` gave."""
        self.set_full_state(state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}'>"


class Group(SimulationObject):
    """A number of elements with variables and model text."""

    def __init__(
        self,
        name: str,
        clock: Clock | None,
        dt: Quantity | None,
        namespace: Mapping[str, Any] | None,
        when: str = "groups",
        order: int = 0,
    ) -> None:
        self._variables: dict[str, Variable] = {}
        self._external: dict[str, Any] = {}
        self._identifiers: tuple[set[str], set[str]] | None = None
        # what the external names stood for when they were last looked up
        self._seen: dict[str, tuple[Any, float | None]] | None = None
        self.deferred_errors: list[EcclesError] = []
        super().__init__(name, clock, dt, when, order)
        if namespace is not None and not isinstance(namespace, Mapping):
            raise TypeError(f"a namespace is a dict of names and values, not {namespace!r}")
        self.namespace = dict(namespace) if namespace is not None else None

    # -- variables ------------------------------------------------------------------------------

    def _declare(self, variable: Variable) -> Variable:
        self._variables[variable.name] = variable
        return variable

    def _declare_equation(self, equation: Equation, size: int, dtype: Any = None) -> Variable:
        element = ELEMENTS[equation.type]
        if equation.type == "float" and dtype is not None:
            try:
                known = np.dtype(dtype) in (np.dtype(np.float64), np.dtype(np.float32))
            except TypeError:  # nothing that NumPy knows
                known = False
            if not known:
                raise SetupError(f"dtype of '{equation.name}' has to be float64 or float32, not {dtype}")
            element = ir.Element.F32 if np.dtype(dtype) == np.float32 else element
        shared = "shared" in equation.flags
        return self._declare(
            Variable(
                equation.name, equation.dim, equation.type,
                Array(f"{self.name}.{equation.name}", element, 1 if shared else size),
                shared=shared, constant="constant" in equation.flags,
                unless_refractory="unless refractory" in equation.flags,
            )
        )  # fmt: skip

    def __len__(self) -> int:
        raise NotImplementedError

    def subexpression(self, name: str) -> Equation | None:
        """The subexpression of this name, if there is one."""
        return None

    def symbol(self, name: str) -> Symbol | None:
        """The dimension and type of an internal name."""
        if name in self._variables:
            v = self._variables[name]
            return Symbol(
                name, v.dim, v.type, "variable",
                writable=not v.read_only, shared=v.shared, owner=self.name,
            )  # fmt: skip
        equation = self.subexpression(name)
        if equation is not None:
            return Symbol(
                name, equation.dim, equation.type, "variable",
                writable=False, shared="shared" in equation.flags, owner=self.name,
            )  # fmt: skip
        match name:
            case "t" | "dt":
                return Symbol(name, second.dim, "float", "builtin", writable=False, shared=True)
            case "i":
                return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False)
            case "N" | "t_in_timesteps":
                return Symbol(name, DIMENSIONLESS, "integer", "builtin", writable=False, shared=True)
        return None

    def internal_names(self) -> set[str]:
        """All internal names, for suggestions."""
        return {*self._variables, "t", "dt", "i", "N"}

    def resolve(self, b: ProgramBuilder, name: str, element: ir.Expr, lowerer: Lowerer) -> ir.Expr | None:
        """The IR value of an internal name for one element."""
        variable = self._variables.get(name)
        if variable is not None:
            return b.load(variable.array, ir.const(0) if variable.shared else element)
        equation = self.subexpression(name)
        if equation is not None and equation.expr is not None:
            code = Code(
                b, self, lambda n, low: self.resolve(b, n, element, low),
                element=element, purpose=f"subexpression {name}",
            )  # fmt: skip
            code.lowerer.out = lowerer.out
            kind = {"float": F64, "integer": I64, "boolean": ir.BOOL}[equation.type]
            return convert(code.expr(equation.expr), kind)
        match name:
            case "t":
                return b.t(self.clock)
            case "dt":
                return b.dt(self.clock)
            case "t_in_timesteps":
                return b.step(self.clock)
            case "i":
                return element
            case "N":
                return b.integer_constant(("N", id(self)), "N", lambda: len(self))
        return None

    start = 0  # the first element, counted in the whole group

    @property
    def whole(self) -> Any:
        """The group that this is a part of, or the group itself."""
        return self

    def variable(self, name: str) -> Variable:
        """The variable of this name."""
        return self._variables[name]

    def variables(self) -> Iterable[Variable]:
        """The stored variables."""
        return self._variables.values()

    element_word: ClassVar[str] = "neuron"  # what one element is called in messages

    def integrated(self) -> list[tuple[str, Array]]:
        """The variables that are advanced in time, by name: what could run away."""
        equations: Equations | None = self.__dict__.get("equations")
        if equations is None:
            return []
        return [(n, self._variables[n].array) for n in equations.diff_eq_names if n in self._variables]

    def is_shared(self, name: str) -> bool:
        """Whether the name is a variable with one value for all elements."""
        return name in self._variables and self._variables[name].shared

    def is_per_element(self, name: str) -> bool:
        """Whether an internal name may differ between elements."""
        symbol = self.symbol(name)
        return symbol is not None and not symbol.shared

    def is_written(self, name: str, writes: frozenset[int]) -> bool:
        """Whether a program that writes these arrays changes the variable."""
        return any(id(array) in writes for array in self.arrays_of(name))

    def arrays_of(self, name: str) -> Iterable[Array]:
        """The arrays behind a name; none if it is not a variable."""
        variable = self._variables.get(name)
        return [] if variable is None else [variable.array]

    def follows_time(self, name: str) -> bool:
        """Whether the value of a name changes between events: what is integrated, and what is made of it."""
        return False

    def emit_touch(self, b: ProgramBuilder, element: ir.Expr) -> None:
        """Something is going to happen to an element at this instant: bring it to the present."""

    def first_element(self, b: ProgramBuilder) -> ir.Expr:
        """The first element, counted in the whole group."""
        if self.whole is self:
            return ir.const(0)
        return b.integer_constant(("start", id(self)), "start", lambda: self.start)

    def may_write(self, b: ProgramBuilder, variable: Variable, element: ir.Expr) -> ir.Expr | None:
        """When others may write a variable; None for always."""
        return None

    def place(self, name: str, element: ir.Expr) -> Any:
        """Where a variable of one element is stored; None if it is not a variable."""
        variable = self._variables.get(name)
        return None if variable is None else (variable, element, lambda: None)

    def guarded_place(self, b: ProgramBuilder, name: str, element: ir.Expr) -> Any:
        """As `place`, for code that has to respect `unless refractory`."""
        found = self.place(name, element)
        if found is None:
            return None
        return found[0], element, lambda: self.whole.may_write(b, found[0], element)

    def element_code(self, b: ProgramBuilder, element: ir.Expr, purpose: str) -> Code:
        """A translator of this group's text for one element."""
        return Code(
            b, self, lambda name, low: self.resolve(b, name, element, low), element=element, purpose=purpose
        )

    def scope(self) -> GroupScope:
        """The names of the group for the checks of the language."""
        return GroupScope(self)

    def known_names(self) -> Iterable[str]:
        """Names for suggestions."""
        return {*self.internal_names(), *self._external, *magic.users_names()}

    # -- external names -------------------------------------------------------------------------

    def trees(self) -> Iterable[Expr]:
        """All expressions of the group's model text."""
        return ()

    def identifiers(self) -> tuple[set[str], set[str]]:
        """Names and functions in the model text that the group does not know itself."""
        if self._identifiers is not None:
            return self._identifiers
        names: set[str] = set()
        functions: set[str] = set()
        for tree in self.trees():
            for node in walk(tree):
                if isinstance(node, Call) and node.function not in BUILTINS:
                    functions.add(node.function)
            names |= names_in(tree)
        found = {n for n in names if self.symbol(n) is None and not self._is_local(n)}, functions
        if self.__dict__.get("_ready"):  # the model text is complete and stays as it is
            self._identifiers = found
        return found

    def _is_local(self, name: str) -> bool:
        """Whether the name is made within the model text (a temporary, noise)."""
        return name.startswith(("_", "xi"))

    def bind(self, outer: Mapping[str, Any]) -> None:
        """Look up all external names; `outer` is used where the group has no namespace of its own."""
        names, functions = self.identifiers()
        values = self.namespace if self.namespace is not None else outer
        if self._seen is not None and all(
            values.get(name) is value and _number_in(value) == number
            for name, (value, number) in self._seen.items()
        ):
            return
        if tracer() is not None:
            values = {name: values[name] for name in sorted(names | functions) if name in values}
            swept = {name: value for name, value in values.items() if isinstance(value, Swept)}
            values |= {n: first_values(self, "set_constant", v, n)[0] for n, v in swept.items()}
        chain = Namespace(values, group=self.name)
        external: dict[str, Any] = {}
        for name in sorted(names | functions):
            found = chain.lookup(name)
            if found is not None:
                external[name] = found
        called = [f for f in external.values() if isinstance(f, UserFunction)]
        for function in called:
            external.update(function.constants())
        self._external = external
        self._seen = None
        if not called and self.__dict__.get("_ready"):
            found = {name: values.get(name) for name in names | functions}
            self._seen = {name: (value, _number_in(value)) for name, value in found.items()}

    def set_constant(self, value: Any, name: str) -> None:
        """Give a name outside the model another value."""
        self._external[name] = external_symbol(name, value)

    def is_stateful(self, tree: Expr) -> bool:
        """Whether the expression gives another value each time it is computed."""
        return any(
            isinstance(node, Call) and getattr(self.function(node.function), "stateful", False)
            for node in walk(tree)
        )

    def external_value(self, b: ProgramBuilder, name: str) -> ir.Expr:
        """The IR value of an external constant."""
        symbol = self._external[name]
        key = ("external", id(self), name)
        if symbol.type == "float":
            return b.float_constant(key, name, lambda: self._external[name].value)
        if symbol.type == "boolean":
            return Op(
                "ine", (b.integer_constant(key, name, lambda: int(self._external[name].value)), ir.const(0))
            )
        return b.integer_constant(key, name, lambda: self._external[name].value)

    def has_external(self, name: str) -> bool:
        """Whether the name was found outside the group."""
        return name in self._external

    def external_items(self) -> Iterable[tuple[str, Any]]:
        """Names outside the group and what they stand for: constants as `Symbol`, functions."""
        return self._external.items()

    def external_function(self, name: str) -> Any:
        """The function of this name from the script."""
        return self._external.get(name)

    def function(self, name: str) -> Any:
        """What a call of this name calls, for the checks."""
        return BUILTINS.get(name) or self._external.get(name)

    def full_symbol(self, name: str) -> Symbol | None:
        """The dimension and type of any name."""
        return self.symbol(name) or self._external.get(name)

    def stream_key(self, purpose: str) -> int:
        """The key of a random stream of this group."""
        return rng.stream_key(magic.seed_value(), self.name, purpose)

    # -- access ---------------------------------------------------------------------------------

    def view(self, name: str, *, units: bool = True) -> VariableView:
        """The handle for a variable or subexpression.

        Raises
        ------
        KeyError
            If there is none of this name.
        """
        variable = self._variables.get(name)
        if variable is not None:
            return self._variable_view(variable, units)
        symbol = self.symbol(name)
        if symbol is None:
            raise KeyError(f"{self.name} has no variable '{name}'")
        return VariableView(
            name, symbol.dim, self.name, size=lambda: len(self),
            read=lambda positions: self._evaluate_all(name, positions), write=None,
            indices=self._positions, assign_text=self._assign_text(name),
            shared=symbol.shared, units=units,
            why_read_only="it is computed from other variables"
            if self.subexpression(name) is not None
            else "it belongs to the simulation itself",
        )  # fmt: skip

    def _users_view(self, name: str, units: bool) -> VariableView:
        """The handle that is given to users: in a sweep, what they do with it is noted."""
        view = self.view(name, units=units)
        view.group = self
        return view

    def _variable_view(self, variable: Variable, units: bool) -> VariableView:
        array = variable.array

        def read(positions: np.ndarray | None) -> np.ndarray:
            return array.data.copy() if positions is None else array.data[positions]

        def write(positions: np.ndarray | None, values: np.ndarray) -> None:
            if variable.type == "integer":
                self._check_integers(variable.name, values)
            array.data[slice(None) if positions is None else positions] = values

        return VariableView(
            variable.name, variable.dim, self.name, size=lambda: len(self),
            read=read, write=None if variable.read_only else write,
            indices=self._positions, assign_text=self._assign_text(variable.name),
            shared=variable.shared, units=units,
        )  # fmt: skip

    def _check_integers(self, name: str, values: np.ndarray) -> None:
        """Refuse what an integer of 4 bytes cannot hold; fractions are cut off."""
        if not np.all((values > -(2.0**31) - 1) & (values < 2.0**31)):
            raise SetupError(f"{self.name}.{name} is an integer of 4 bytes and cannot hold {values}")

    def _positions(self, item: Any) -> tuple[np.ndarray | None, bool]:
        if isinstance(item, Group):
            if item.whole is not self.whole:
                raise IndexError(f"{item.name} is not a part of {self.name}")
            first = item.start - self.start
            return positions_of(np.arange(first, first + len(item)), len(self), self.name)
        if isinstance(item, str):
            return np.flatnonzero(np.broadcast_to(self._evaluate_text(item, None), (len(self),))), False
        return positions_of(item, len(self), self.name)

    def _evaluate_all(self, name: str, positions: np.ndarray | None) -> np.ndarray:
        symbol = self.symbol(name)
        assert symbol is not None
        if symbol.shared:
            return np.atleast_1d(self.numpy_value(name, np.zeros(1, np.int64)))
        elements = np.arange(len(self)) if positions is None else positions
        return np.array(np.broadcast_to(self.numpy_value(name, elements), elements.shape))

    def numpy_value(self, name: str, elements: np.ndarray) -> Any:
        """The current value of an internal name for some elements; None if it is not one."""
        variable = self._variables.get(name)
        if variable is not None:
            return variable.array.data[0] if variable.shared else variable.array.data[elements]
        equation = self.subexpression(name)
        if equation is not None and equation.expr is not None:
            self._bind_what_is_missing(equation.expr)
            return self.numpy_evaluate(equation.expr, elements, purpose=f"subexpression {name}")
        match name:
            case "t":
                return self.clock.t_
            case "dt":
                return self.clock.dt_
            case "t_in_timesteps":
                return self.clock.timestep
            case "i":
                return elements
            case "N":
                return len(self)
        return None

    def _bind_what_is_missing(self, tree: Expr) -> None:
        """Look up the names of an expression that is evaluated before the `run()` that would do so."""
        names, functions = self.identifiers()
        if not (names | functions) <= set(self._external):
            self.bind(magic.users_names())
            infer(tree, self.scope())  # says which name means nothing

    def numpy_evaluate(
        self, tree: Expr, elements: np.ndarray, *, purpose: str, external: Mapping[str, Any] | None = None
    ) -> np.ndarray:
        """The value of an expression for some elements, computed with NumPy."""
        external = self._external if external is None else external
        draws = iter(range(1 << 30))

        def look_up(name: str) -> Any:
            value = self.numpy_value(name, elements)
            return external[name].value if value is None else value

        def call(function: str, args: tuple[Any, ...]) -> Any:
            if function in ("rand", "randn", "poisson", "binomial"):
                key = self.stream_key(purpose)
                return DRAWS[function](*args, key, elements, magic.next_ordinal(key), next(draws))
            if function in BUILTINS:
                python = BUILTINS[function].python
                assert python is not None  # of a function that draws nothing
                return python(*args)
            return external[function].evaluate(*args)

        return np.asarray(evaluate(tree, look_up, call))

    def _assign_text(self, name: str) -> Callable[[Any, str], None]:
        def assign(item: Any, text: str) -> None:
            symbol = self.symbol(name)
            assert symbol is not None
            if symbol.shared:
                tree = parse_expression(text, f"{self.name}.{name}")
                if any(self.is_per_element(n) for n in names_in(tree)):
                    raise SetupError(
                        f"{self.name}.{name} is shared by all elements: '{text}' has a value for each of them"
                    )
            positions = None if symbol.shared else self._positions(item)[0]
            elements = np.arange(1 if symbol.shared else len(self)) if positions is None else positions
            values = self._evaluate_text(text, symbol, elements, title=f"{self.name}.{name}")
            self.view(name, units=False)[positions if positions is not None else slice(None)] = (
                np.broadcast_to(values, (1,) if symbol.shared else elements.shape)
            )

        return assign

    def _evaluate_text(
        self,
        text: str,
        symbol: Symbol | None,
        elements: np.ndarray | None = None,
        title: str | None = None,
    ) -> np.ndarray:
        """The value of text given by the user, for initial values (`symbol`) or as a condition (None)."""
        from eccles.language.check import check_expression

        tree = parse_expression(text, title or f"index into {self.name}")
        scope = TextScope(self, [tree], magic.users_names())
        if symbol is None:
            check_expression(tree, scope, expect_type="boolean", what="a condition that selects elements")
        else:
            try:
                check_expression(tree, scope, expect_dim=symbol.dim, what=f"{self.name}.{symbol.name}")
            except DimensionMismatchError as error:
                if symbol.dim is DIMENSIONLESS:
                    unit = infer(tree, scope).dim.example_unit(scaled=False)
                    error.hint = (
                        f"Either leave the unit out, or declare the variable with a unit ('... : {unit}')."
                    )
                raise
        elements = np.arange(len(self)) if elements is None else elements
        return self.numpy_evaluate(tree, elements, purpose=f"set {text}", external=scope.external)

    def __getattr__(self, name: str) -> Any:
        variables = self.__dict__.get("_variables")
        if name.startswith("_") or not self.__dict__.get("_ready"):
            raise AttributeError(name)
        assert variables is not None
        plain, units = (name, True)
        if name.endswith("_") and name not in variables:
            plain, units = name[:-1], False
        try:
            return self._users_view(plain, units)
        except KeyError:
            known = [*self.internal_names()]
            near = nearest(plain, known)
            raise AttributeError(
                f"{self.name} has no variable or attribute '{name}'"
                + (f"; did you mean '{near}'?" if near else "")
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if not self.__dict__.get("_ready") or name in self.__dict__:
            object.__setattr__(self, name, value)
            return
        known, attribute = _class_attribute(type(self), name)
        if known:
            if isinstance(attribute, property) and attribute.fset is None:
                raise TypeError(f"{self.name}.{name} cannot be set")
            object.__setattr__(self, name, value)
            return
        plain = name[:-1] if name.endswith("_") and name not in self._variables else name
        if self.symbol(plain) is not None:
            self._users_view(plain, plain == name)[:] = value
        elif name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            near = nearest(name, self.internal_names())
            raise AttributeError(
                f"{self.name} has no variable '{name}'"
                + (f"; did you mean '{near}'?" if near else "")
                + f" (to store something else on the object, call add_attribute('{name}') first)"
            )

    def add_attribute(self, name: str) -> None:
        """Allow `group.name = value` for a name that is not a variable."""
        object.__setattr__(self, name, None)

    def state(self, name: str, use_units: bool = True, level: int = 0) -> VariableView:
        """The handle for a variable, as `group.name` (`group.name_` without units)."""
        return self._users_view(name, use_units)

    def get_states(
        self,
        vars: Iterable[str] | None = None,
        units: bool = True,
        format: str = "dict",
        subexpressions: bool = False,
        read_only_variables: bool = True,
        level: int = 0,
    ) -> Any:
        """Copies of the variables by name (`format='pandas'` for a data frame)."""
        names = list(vars) if vars is not None else [
            n for n, v in self._variables.items()
            if not n.startswith("_") and (read_only_variables or not v.read_only)
        ]  # fmt: skip
        if vars is None and read_only_variables:
            names += [
                n
                for n in ("i", "t", "dt", "N", "t_in_timesteps")
                if n not in names and self.symbol(n) is not None
            ]
        if vars is None and subexpressions:
            names += [n for n in self.internal_names() if self.subexpression(n) is not None]
        values = {name: self.view(name, units=units)[:] for name in names}
        if format == "dict":
            return values
        if format == "pandas":
            import pandas as pd

            return pd.DataFrame({n: np.asarray(v) for n, v in values.items() if np.ndim(v)})
        raise SetupError(f"unknown format '{format}'; 'dict' and 'pandas' exist")

    @property
    def has_state(self) -> bool:
        """Whether the group has variables of its own."""
        return bool(self._variables)

    def is_writable(self, name: str) -> bool:
        """Whether users may set the variable."""
        return name in self._variables and not self._variables[name].read_only

    def recordable(self) -> list[str]:
        """What a monitor of everything records."""
        return [
            n
            for n in (*self._variables, *self.internal_names())
            if not n.startswith("_") and (n in self._variables or self.subexpression(n) is not None)
        ]

    def set_states(
        self, values: Mapping[str, Any], units: bool = True, format: str = "dict", level: int = 0
    ) -> None:
        """Set several variables from a mapping (or a data frame)."""
        for name in values:
            value = np.asarray(values[name]) if format == "pandas" else values[name]
            self._users_view(name, units and format == "dict")[:] = value

    def full_state(self) -> dict[str, np.ndarray]:
        return {name: v.array.data.copy() for name, v in self._variables.items()}

    def set_full_state(self, state: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables.items():
            array = variable.array
            array.replace(stored_array(state, name, self.name, dtype=DTYPES[array.element], size=len(array)))


class TextScope:
    """Names for one piece of text given at a call, such as `group.v = 'rand()*mV'`."""

    def __init__(self, group: Group, trees: list[Expr], outer: Mapping[str, Any]) -> None:
        self._group = group
        self.external: dict[str, Any] = {}
        names = outer if group.namespace is None or magic.names_are_given() else group.namespace
        chain = Namespace(names, group=group.name)
        for tree in trees:
            names = {n for n in names_in(tree) if group.symbol(n) is None}
            names |= {c.function for c in walk(tree) if isinstance(c, Call) and c.function not in BUILTINS}
            for name in names:
                found = chain.lookup(name)
                if found is not None:
                    self.external[name] = found

    def symbol(self, name: str) -> Symbol | None:
        """The dimension and type of a name."""
        return self._group.symbol(name) or self.external.get(name)

    def function(self, name: str) -> Any:
        """What a call of this name calls."""
        return BUILTINS.get(name) or self.external.get(name)

    def known_names(self) -> Iterable[str]:
        """Names for suggestions."""
        return {*self._group.internal_names(), *self.external}


def _number_in(value: Any) -> float | None:
    """The number in a value that can be changed in place (a quantity); None for others."""
    return float(value) if isinstance(value, np.ndarray) and value.ndim == 0 else None


def _class_attribute(cls: type, name: str) -> tuple[bool, Any]:
    """Whether the class has an attribute of this name, and what it is."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return True, base.__dict__[name]
    return False, None
