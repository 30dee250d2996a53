"""Functions that model text can call: the built-in ones, and those that users write in Python."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eccles.errors import (
    DimensionMismatchError,
    EcclesError,
    ModelError,
    NameResolutionError,
    Source,
    Span,
    TypeProblem,
    nearest,
)
from eccles.language.nodes import Assignment, Call, Compare, CompareOp, Expr, Name, substitute, walk
from eccles.language.parser import Reader
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


def _wrong_argument(position: int, error: EcclesError) -> EcclesError:
    """Remember which argument of a call an error is about."""
    error.argument = position
    return error


def _plain(name: str) -> Dims:
    def dims(args: tuple[Dimension, ...]) -> Dimension:
        for position, dim in enumerate(args):
            if dim is not DIMENSIONLESS:
                raise _wrong_argument(position, DimensionMismatchError(
                    f"{name} needs a number without unit, but this is {dim.friendly()}", dim,
                    hint=f"Divide it by its scale, as in {name}(x/(1*{dim.example_unit()})).",
                ))  # fmt: skip
        return DIMENSIONLESS

    return dims


def _same(name: str) -> Dims:
    def dims(args: tuple[Dimension, ...]) -> Dimension:
        for position, dim in enumerate(args[1:], start=1):
            if dim is not args[0]:
                hint = "All of them need one unit."
                if dim is DIMENSIONLESS:
                    hint = f"Give this one a unit, as in 0*{args[0].example_unit()}."
                raise _wrong_argument(position, DimensionMismatchError(
                    f"the arguments of {name} need the same unit, but are {args[0].friendly()} and "
                    f"{dim.friendly()}",
                    args[0], dim, hint=hint,
                ))  # fmt: skip
        return args[0]

    return dims


def _timestep(args: tuple[Dimension, ...]) -> Dimension:
    for position, dim in enumerate(args):
        if dim is not second.dim:
            raise _wrong_argument(position, DimensionMismatchError(
                f"timestep(t, dt) needs two times, but this is {dim.friendly()}", dim,
                hint="Write timestep(t - lastspike, dt), for example.",
            ))  # fmt: skip
    return DIMENSIONLESS


def _select_dims(args: tuple[Dimension, ...]) -> Dimension:
    return _same("a choice")(args[1:])


def _float(types: tuple[str, ...]) -> str:
    for position, kind in enumerate(types):
        if kind == "boolean":
            raise _wrong_argument(position, TypeProblem(
                "a number is needed here, but this is a condition",
                hint="Write int(condition): 1 where it holds, 0 elsewhere.",
            ))  # fmt: skip
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
        "exp": np.exp, "expm1": np.expm1, "exprel": _exprel, "log": np.log, "log10": np.log10,
        "log2": np.log2, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin,
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
                raise _wrong_argument(position, DimensionMismatchError(
                    f"argument {position + 1} ('{name}') of {self.name} has to be {wanted.friendly()}, "
                    f"but is {dim.friendly()}",
                    dim, wanted, hint=f"{self.name} is defined in Python with these units; give it what it "
                    f"needs.",
                ))  # fmt: skip
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
            values[statement.target] = evaluate(statement.value, look_up, call)
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


MAX_STATEMENTS = 1000  # of a function whose branches all go on to the end separately

# what Python has and functions in models have not, in words
_PYTHON = {
    ast.For: "a 'for' loop", ast.While: "a 'while' loop", ast.With: "'with'", ast.Try: "'try'",
    ast.Raise: "'raise'",
    ast.Import: "'import'", ast.ImportFrom: "'import'", ast.FunctionDef: "a function inside",
    ast.Delete: "'del'",
    ast.ClassDef: "a class", ast.Return: "a return without a value", ast.Assert: "'assert'",
    ast.Global: "'global'",
    ast.Expr: "an expression whose value is not used", ast.Match: "'match'", ast.Nonlocal: "'nonlocal'",
    ast.Assign: "an assignment to anything but one name",
    ast.AugAssign: "an assignment to anything but a name",
    ast.Break: "'break'", ast.Continue: "'continue'",
}  # fmt: skip


class _Compiler:
    """Reads the source of one function."""

    def __init__(self, python: Callable[..., Any], original: Any, name: str, text: str) -> None:
        self.python = python
        self.original = original
        self.name = name
        self.body: list[Assignment] = []
        self.partial: set[str] = set()  # names that have a value in one branch only
        self.reader = _FunctionReader(Source(text, f"function '{name}'"), 0, text)
        try:
            self.tree = ast.parse(text).body[0]
        except SyntaxError:  # the lines of a lambda are not always Python by themselves
            raise self.not_a_def() from None

    def not_a_def(self) -> ModelError:
        return ModelError(
            f"the function '{self.name}' cannot be compiled with the model", span=self.reader.whole(),
            hint="Define it with def, in lines of its own.",
        )  # fmt: skip

    def fail(self, node: ast.AST, what: str) -> ModelError:
        return ModelError(
            f"{what} is not possible in a function that is compiled with the model",
            span=self.reader.span(node),
            hint="Assignments, if/else, conditional expressions, arithmetic and calls are possible.",
        )  # fmt: skip

    def compile(self, arg_units: Mapping[str, Any], return_unit: Any) -> UserFunction:
        tree = self.tree
        if not isinstance(tree, ast.FunctionDef):
            raise self.not_a_def()
        odd = [tree.args.vararg, tree.args.kwarg, *tree.args.kwonlyargs, *tree.args.defaults]
        for argument in odd:
            if argument is not None:
                raise self.fail(argument, "a default, * or keyword-only argument")
        params = tuple(a.arg for a in tree.args.args)
        statements = list(tree.body)
        if isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
            statements = statements[1:]  # the docstring
        result = self._block(statements, {p: p for p in params})
        if result is None:
            raise self.fail(tree.body[-1], "an end without return")
        made = {a.target for a in self.body} | set(params)
        outer = self._outer([*(a.value for a in self.body), result], made)
        return UserFunction(
            self.name, params, tuple(self.body), result, tuple(arg_units.get(p) for p in params), return_unit,
            self.python, outer,
        )  # fmt: skip

    # Every assignment makes a new temporary; `env` says which one a name of the function stands for now.

    def _bind(self, env: dict[str, str], name: str, value: Expr, span: Span | None) -> None:
        if len(self.body) == MAX_STATEMENTS:
            raise ModelError(
                f"the function '{self.name}' is too long: its branches make more than {MAX_STATEMENTS} "
                f"statements",
                span=span, hint="Split it into several functions.",
            )  # fmt: skip
        temporary = f"_{name}_{len(self.body)}"
        self.body.append(Assignment(temporary, "=", value, span))
        env[name] = temporary

    def _read(self, node: ast.expr, env: Mapping[str, str]) -> Expr:
        return _renamed(self.reader.expr(node), env)

    def _block(self, statements: list[ast.stmt], env: dict[str, str]) -> Expr | None:
        """Translate statements; the returned expression, if they return."""
        for position, statement in enumerate(statements):
            span = self.reader.span(statement)
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._bind(env, name, self._read(value, env), span)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._bind(env, name, self._read(value, env), span)
                case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                    whole = ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), op, value), statement)
                    ast.copy_location(whole.left, target)
                    self._bind(env, name, self._read(whole, env), span)
                case ast.Return(value=ast.expr() as value):
                    return self._read(value, env)
                case ast.If(test=test, body=then, orelse=orelse):
                    returned = self._branch(
                        self._read(test, env), then, orelse, statements[position + 1 :], env
                    )
                    if returned is not None:
                        return returned
                case ast.Pass():
                    pass
                case _:
                    raise self.fail(statement, _PYTHON.get(type(statement), "this statement"))
        return None

    def _branch(
        self, condition: Expr, then: list[ast.stmt], orelse: list[ast.stmt], rest: list[ast.stmt],
        env: dict[str, str],
    ) -> Expr | None:  # fmt: skip
        """Both branches are computed, a choice takes what holds.

        If one of them may return, what follows the `if` belongs to both.
        """
        flags: dict[str, str] = {}
        self._bind(flags, "if", condition, condition.span)
        flag = Name(flags["if"], condition.span)
        env_then, env_else = dict(env), dict(env)
        if any(isinstance(node, ast.Return) for part in (*then, *orelse) for node in ast.walk(part)):
            a = self._block([*then, *rest], env_then)
            b = self._block([*orelse, *rest], env_else)
            if a is None or b is None:
                raise self.fail((rest or orelse or then)[-1], "an end without return")
            return Call("_select", (flag, a, b), condition.span)
        self._block(then, env_then)
        self._block(orelse, env_else)
        for name in {**env_then, **env_else}:
            first, second = env_then.get(name), env_else.get(name)
            if first is None or second is None:
                self.partial.add(name)
            elif first != second:
                self._bind(
                    env,
                    name,
                    Call("_select", (flag, Name(first), Name(second)), condition.span),
                    condition.span,
                )
        return None

    def _outer(self, trees: list[Expr], made: set[str]) -> dict[str, Any]:
        """What the body uses from the function's surroundings."""
        closure = inspect.getclosurevars(self.original)
        known = {**closure.globals, **closure.nonlocals}
        outer: dict[str, Any] = {}
        for node in (node for tree in trees for node in walk(tree)):
            if isinstance(node, Call):
                name = node.function
            elif isinstance(node, Name) and node.id not in made:
                name = node.id
            else:
                continue
            if name in outer or (isinstance(node, Call) and name in BUILTINS):
                continue
            outer[name] = self._meaning(node, name, known, made)
        return outer

    def _meaning(self, node: Expr, name: str, known: Mapping[str, Any], made: set[str]) -> Any:
        """What a name from outside the function stands for."""
        from eccles.language.resolve import default_symbol, external_symbol

        if name == self.name or name not in known:
            found = None if isinstance(node, Call) else default_symbol(name)
            if found is not None:
                return found
            if name == self.name:
                raise ModelError(
                    f"'{name}' calls itself", span=node.span,
                    hint="Write it without recursion: it is compiled with the model."
                )  # fmt: skip
            if name in self.partial:
                raise NameResolutionError(
                    f"'{name}' has a value in one branch only", span=node.span,
                    hint="Give it a value before the 'if', or in the other branch too.",
                )  # fmt: skip
            near = nearest(name, [*made, *known, *(b for b in BUILTINS if b[0] != "_")])
            raise NameResolutionError(
                f"'{name}' in the function '{self.name}' means nothing", span=node.span,
                hint=f"Did you mean '{near}'?" if near else "Define it before the function.",
            )  # fmt: skip
        try:
            return external_symbol(name, known[name])
        except EcclesError as error:
            if error.span is None:
                error.span = node.span
            raise


class _FunctionReader(Reader):
    """Reads expressions of Python functions: conditional expressions and `np.exp` are possible there."""

    def whole(self) -> Span:
        """The first line of the function."""
        return Span(self.source, 0, len(self.text.split("\n", 1)[0]))

    def expr(self, node: ast.AST, depth: int = 0) -> Expr:
        match node:
            case ast.IfExp(test=test, body=body, orelse=orelse):
                parts = tuple(self.expr(p, depth + 1) for p in (test, body, orelse))
                return Call("_select", parts, self.span(node))
            case ast.Attribute(value=ast.Name(), attr="pi" | "e" | "inf" as attr):
                return Name(attr, self.span(node))
            case ast.Call(
                func=ast.Attribute(value=ast.Name(), attr=attr) | ast.Name(id=attr), args=args, keywords=[]
            ):
                span = self.span(node)
                trees = tuple(self.expr(a, depth + 1) for a in args)
                if attr in _EXTREMES and len(trees) == 2:
                    return Call("_select", (Compare(_EXTREMES[attr], *trees, span, span), *trees), span)
                return Call(_NUMPY.get(attr, attr), trees, span)
        return super().expr(node, depth)


# functions of NumPy and Python under the names that they have in models
_NUMPY = {"where": "_select", "fabs": "abs", "absolute": "abs"}
_NUMPY |= {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}
_EXTREMES: dict[str, CompareOp] = {"max": ">", "maximum": ">", "min": "<", "minimum": "<"}


def _renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    return substitute(expr, {old: Name(new) for old, new in names.items() if old != new})
