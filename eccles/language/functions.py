"""Functions that model text can call: the built-in ones, and those that users write in Python."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eccles.errors import DimensionMismatchError, ModelError, Source, TypeProblem
from eccles.language.nodes import Assignment, Call, Expr, Name, names_in, walk
from eccles.language.parser import _Reader
from eccles.units import DIMENSIONLESS, Dimension, Quantity, get_dimensions, second
from eccles.units.check import check_units

__all__ = ["BUILTINS", "FunctionSpec", "UserFunction", "compile_python_function", "function"]

Dims = Callable[[tuple[Dimension, ...]], Dimension]
Types = Callable[[tuple[str, ...]], str]


@dataclass(frozen=True)
class FunctionSpec:
    """A built-in function.

    Attributes
    ----------
    name : str
    arity : int
        The number of arguments.
    dims, types : callable
        The dimension and type of the result, from those of the arguments; raise if these do not fit.
    stateful : bool
        Whether each call gives another value.
    python : callable or None
        The function on NumPy arrays without units.
    """

    name: str
    arity: int
    dims: Dims
    types: Types
    stateful: bool = False
    python: Callable[..., Any] | None = None


def _plain(name: str) -> Dims:
    def dims(args: tuple[Dimension, ...]) -> Dimension:
        for dim in args:
            if dim is not DIMENSIONLESS:
                raise DimensionMismatchError(
                    f"{name} needs a number without unit, but this is {dim.friendly()}", dim,
                    hint=f"Divide it by its scale, as in {name}(v/(1*{dim.example_unit()})).",
                )  # fmt: skip
        return DIMENSIONLESS

    return dims


def _same(name: str) -> Dims:
    def dims(args: tuple[Dimension, ...]) -> Dimension:
        for dim in args[1:]:
            if dim is not args[0]:
                raise DimensionMismatchError(
                    f"the arguments of {name} need the same unit, but are {args[0].friendly()} and {dim.friendly()}",
                    args[0], dim,
                )  # fmt: skip
        return args[0]

    return dims


def _timestep(args: tuple[Dimension, ...]) -> Dimension:
    for dim in args:
        if dim is not second.dim:
            raise DimensionMismatchError(f"timestep(t, dt) needs two times, but got {dim.friendly()}", dim)
    return DIMENSIONLESS


def _select_dims(args: tuple[Dimension, ...]) -> Dimension:
    return _same("a choice")(args[1:])


def _float(types: tuple[str, ...]) -> str:
    for kind in types:
        if kind == "boolean":
            raise TypeProblem("a number is needed, but this is a condition", hint="Write int(condition).")
    return "float"


def _first(types: tuple[str, ...]) -> str:
    return "integer" if all(t in ("integer", "boolean") for t in types) else "float"


def _integer(types: tuple[str, ...]) -> str:
    return "integer"


def _exprel(x: Any) -> Any:
    x = np.asarray(x, float)
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 1.0, np.expm1(safe) / safe)


def _as_integer(x: Any) -> Any:
    x = np.asarray(x)
    return x.astype(np.int64) if x.dtype.kind in "bui" else np.trunc(np.nan_to_num(x)).astype(np.int64)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _timesteps(t: Any, dt: Any) -> Any:
    return _as_integer((np.asarray(t, float) + 1e-3 * np.asarray(dt)) / dt)


def _floats(f: Any) -> Callable[..., Any]:
    return lambda *args: f(*(np.asarray(a, float) for a in args))


def _builtins() -> dict[str, FunctionSpec]:
    plain = {
        "exp": np.exp, "expm1": np.expm1, "exprel": _exprel, "log": np.log, "log10": np.log10, "log2": np.log2,
        "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin,
        "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    }  # fmt: skip
    table = {
        name: FunctionSpec(name, 1, _plain(name), _float, python=_floats(f)) for name, f in plain.items()
    }
    more = [
        FunctionSpec("sqrt", 1, lambda d: d[0] ** 0.5, _float, python=_floats(np.sqrt)),
        FunctionSpec(
            "arctan2",
            2,
            lambda d: (_same("arctan2")(d), DIMENSIONLESS)[1],
            _float,
            python=_floats(np.arctan2),
        ),
        FunctionSpec("abs", 1, lambda d: d[0], _first, python=np.abs),
        FunctionSpec("sign", 1, lambda d: DIMENSIONLESS, _float, python=_floats(np.sign)),
        FunctionSpec("floor", 1, _plain("floor"), _float, python=_floats(np.floor)),
        FunctionSpec("ceil", 1, _plain("ceil"), _float, python=_floats(np.ceil)),
        FunctionSpec("int", 1, _plain("int"), _integer, python=_as_integer),
        FunctionSpec("clip", 3, _same("clip"), _first, python=_clip),
        FunctionSpec("timestep", 2, _timestep, _integer, python=_timesteps),
        FunctionSpec(
            "_select", 3, _select_dims, lambda t: t[1] if t[1] == t[2] else "float", python=np.where
        ),
        FunctionSpec("rand", 0, lambda d: DIMENSIONLESS, lambda t: "float", stateful=True),
        FunctionSpec("randn", 0, lambda d: DIMENSIONLESS, lambda t: "float", stateful=True),
        FunctionSpec("poisson", 1, _plain("poisson"), _integer, stateful=True),
        FunctionSpec("binomial", 2, _plain("binomial"), _integer, stateful=True),
    ]
    return table | {spec.name: spec for spec in more}


BUILTINS = _builtins()


@dataclass(frozen=True, eq=False)
class UserFunction:
    """A Python function in the small subset that is compiled along with the model.

    Attributes
    ----------
    params : tuple of str
    body : tuple of Assignment
        Temporaries, in order.
    result : Expr
    arg_units : tuple
        A unit, 1, `bool`, None (any) or another parameter's name, for each parameter.
    return_unit
        A unit, 1, `bool` or a function of the argument units.
    """

    name: str
    params: tuple[str, ...]
    body: tuple[Assignment, ...]
    result: Expr
    arg_units: tuple[Any, ...]
    return_unit: Any
    python: Callable[..., Any]
    outer: Mapping[str, Any] = field(default_factory=dict)  # constants and functions it uses

    stateful = False

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.params)

    def constants(self) -> Mapping[str, Any]:
        """Symbols and functions for the names that the body uses from outside."""
        return self.outer

    def dims(self, args: tuple[Dimension, ...]) -> Dimension:
        """The dimension of a call."""
        for position, (name, unit, dim) in enumerate(zip(self.params, self.arg_units, args, strict=True)):
            if unit is None or unit is bool:
                continue
            wanted = args[self.params.index(unit)] if isinstance(unit, str) else get_dimensions(unit)
            if dim is not wanted:
                raise DimensionMismatchError(
                    f"argument {position + 1} ('{name}') of {self.name} has to be {wanted.friendly()}, "
                    f"but is {dim.friendly()}",
                    dim, wanted,
                )  # fmt: skip
        unit = self.return_unit
        if callable(unit) and not isinstance(unit, Quantity | type):
            unit = unit(*(Quantity(1.0, dim=d) for d in args))
        return DIMENSIONLESS if unit is None or unit is bool else get_dimensions(unit)

    def types(self, args: tuple[str, ...]) -> str:
        """The type of a call."""
        return "boolean" if self.return_unit is bool else "float"

    def evaluate(self, *args: Any) -> Any:
        """The value for arguments without units."""
        from eccles.language.evaluate import evaluate

        values: dict[str, Any] = dict(zip(self.params, args, strict=True))

        def look_up(name: str) -> Any:
            return values[name] if name in values else self.outer[name].value

        def call(name: str, inner: tuple[Any, ...]) -> Any:
            if name in BUILTINS:
                python = BUILTINS[name].python
                assert python is not None
                return python(*inner)
            return self.outer[name].evaluate(*inner)

        for statement in self.body:
            values[statement.target] = evaluate(statement.expanded, look_up, call)
        return evaluate(self.result, look_up, call)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the Python function itself."""
        return self.python(*args, **kwargs)


def function(*args: Any, **units: Any) -> Any:
    """Decorator: make a Python function callable in model text.

    `@function(v=volt, result=siemens)` checks the units of arguments and result, as `check_units`;
    `@function` alone leaves them unchecked and the result without unit. The body may hold assignments,
    `if`, conditional expressions and calls of other such functions: it is compiled with the model.

    Raises
    ------
    ModelError
        If the body uses more of Python than that; points to the line.
    """
    if args:
        return compile_python_function(args[0], {}, 1)

    def decorate(python: Callable[..., Any]) -> UserFunction:
        result = units.pop("result", 1)
        return compile_python_function(check_units(**units, result=result)(python), units, result)

    return decorate


def compile_python_function(
    python: Callable[..., Any], arg_units: Mapping[str, Any] | None = None, return_unit: Any = None
) -> UserFunction:
    """The `UserFunction` of a Python function, read from its source.

    Raises
    ------
    ModelError
        If its source cannot be had, or uses more of Python than the small subset.
    """
    original = getattr(python, "_orig_func", python)
    name = original.__name__
    if arg_units is None:
        names = getattr(python, "_arg_names", [])
        arg_units = dict(zip(names, getattr(python, "_arg_units", []), strict=True))
        return_unit = getattr(python, "_return_unit", None)
    try:
        text = textwrap.dedent(inspect.getsource(original))
    except (OSError, TypeError):
        raise ModelError(
            f"the source of the function '{name}' cannot be found, so it cannot be compiled",
            hint="Define it in a file with def, not at an interactive prompt or by exec.",
        ) from None
    return _Compiler(python, original, name, text).compile(arg_units, return_unit)


class _Compiler:
    """Reads the source of one function."""

    def __init__(self, python: Callable[..., Any], original: Any, name: str, text: str) -> None:
        self.python = python
        self.original = original
        self.name = name
        self.reader = _FunctionReader(Source(text, f"function '{name}'"), 0, text)
        self.tree = ast.parse(text).body[0]

    def fail(self, node: ast.AST, what: str) -> ModelError:
        return ModelError(
            f"{what} is not possible in a function that is compiled with the model", span=self.reader.span(node),
            hint="Assignments, if/else, conditional expressions, arithmetic and calls are possible.",
        )  # fmt: skip

    def compile(self, arg_units: Mapping[str, Any], return_unit: Any) -> UserFunction:
        tree = self.tree
        if not isinstance(tree, ast.FunctionDef):
            raise ModelError(f"'{self.name}' has to be defined with def to be used in model text")
        if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs or tree.args.defaults:
            raise self.fail(tree, "a default, * or keyword-only argument")
        params = tuple(a.arg for a in tree.args.args)
        statements = list(tree.body)
        if (
            statements
            and isinstance(statements[0], ast.Expr)
            and isinstance(statements[0].value, ast.Constant)
        ):
            statements = statements[1:]  # the docstring
        body: list[Assignment] = []
        result = self._block(statements, body)
        if result is None:
            raise self.fail(tree, "an end without return")
        made = {a.target for a in body} | set(params)
        outer = self._outer([a.value for a in body] + [result], made)
        return UserFunction(
            self.name, params, tuple(body), result, tuple(arg_units.get(p) for p in params), return_unit,
            self.python, outer,
        )  # fmt: skip

    def _block(self, statements: list[ast.stmt], body: list[Assignment]) -> Expr | None:
        """Translate statements into `body`; the returned expression, if they return."""
        for position, statement in enumerate(statements):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    body.append(Assignment(name, "=", self.reader.expr(value), self.reader.span(statement)))
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    body.append(Assignment(name, "=", self.reader.expr(value), self.reader.span(statement)))
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                    text = {"Add": "+=", "Sub": "-=", "Mult": "*=", "Div": "/="}.get(type(op).__name__)
                    if text is None:
                        raise self.fail(statement, "this operator")
                    body.append(Assignment(name, text, self.reader.expr(value), self.reader.span(statement)))
                case ast.Return(value=ast.expr() as value):
                    return self.reader.expr(value)
                case ast.If(test=test, body=then, orelse=orelse):
                    found = self._branch(statement, test, then, orelse, statements[position + 1 :], body)
                    if found is not None:
                        return found
                case ast.Pass():
                    pass
                case _:
                    raise self.fail(statement, f"'{type(statement).__name__.lower()}'")
        return None

    def _branch(
        self, node: ast.If, test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt],
        rest: list[ast.stmt], body: list[Assignment],
    ) -> Expr | None:  # fmt: skip
        """Both branches are computed; a choice takes what holds."""
        condition = self.reader.expr(test)
        flag = f"_if_{len(body)}"
        body.append(Assignment(flag, "=", condition))
        first: list[Assignment] = []
        second: list[Assignment] = []
        returned = self._block(then, first)
        if returned is not None:  # if ...: return a; [else: ...] return b
            other = self._block([*orelse, *rest], second)
            if other is None:
                raise self.fail(node, "an end without return")
            returned = _renamed(first, returned, f"_then_{len(body)}", body)
            other = _renamed(second, other, f"_else_{len(body)}", body)
            return Call("_select", (Name(flag), returned, other))
        if self._block(orelse, second) is not None:
            raise self.fail(node, "a return in one branch only")
        a = _assigned(first, f"_then_{len(body)}", body)
        b = _assigned(second, f"_else_{len(body)}", body)
        for name in [*a, *(n for n in b if n not in a)]:
            body.append(
                Assignment(
                    name, "=", Call("_select", (Name(flag), Name(a.get(name, name)), Name(b.get(name, name))))
                )
            )
        return None

    def _outer(self, trees: list[Expr], made: set[str]) -> dict[str, Any]:
        """What the body uses from the function's surroundings."""
        from eccles.language.resolve import default_symbol, external_symbol

        closure = inspect.getclosurevars(self.original)
        known = {**closure.globals, **closure.nonlocals}
        outer: dict[str, Any] = {}
        for tree in trees:
            names = names_in(tree) | {c.function for c in walk(tree) if isinstance(c, Call)}
            for name in names - made - set(BUILTINS):
                if name in known:
                    outer[name] = external_symbol(name, known[name])
                else:
                    found = default_symbol(name)
                    if found is None:
                        raise ModelError(f"'{name}' in the function '{self.name}' means nothing")
                    outer[name] = found
        return outer


class _FunctionReader(_Reader):
    """Reads expressions of Python functions: conditional expressions and `np.exp` are possible there."""

    def __init__(self, source: Source, start: int, text: str) -> None:
        super().__init__(source, start, text)

    def expr(self, node: ast.AST, depth: int = 0) -> Expr:
        match node:
            case ast.IfExp(test=test, body=body, orelse=orelse):
                parts = tuple(self.expr(p, depth + 1) for p in (test, body, orelse))
                return Call("_select", parts, self.span(node))
            case ast.Call(func=ast.Attribute(value=ast.Name(), attr=attr), args=args, keywords=[]):
                if attr in ("where",):
                    attr = "_select"
                return Call(attr, tuple(self.expr(a, depth + 1) for a in args), self.span(node))
        return super().expr(node, depth)


def _assigned(statements: list[Assignment], prefix: str, body: list[Assignment]) -> dict[str, str]:
    """Append statements with their targets renamed; new name by old."""
    renamed: dict[str, str] = {}
    for statement in statements:
        value = _substituted(statement.expanded, renamed)
        renamed[statement.target] = f"{prefix}_{statement.target}"
        body.append(Assignment(renamed[statement.target], "=", value, statement.span))
    return renamed


def _renamed(statements: list[Assignment], result: Expr, prefix: str, body: list[Assignment]) -> Expr:
    return _substituted(result, _assigned(statements, prefix, body))


def _substituted(expr: Expr, names: Mapping[str, str]) -> Expr:
    from eccles.language.nodes import substitute

    return substitute(expr, {old: Name(new) for old, new in names.items()})
