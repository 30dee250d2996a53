"""Types and dimensions of model text.

`infer` finds the type and dimension of an expression or says what is wrong, pointing at the smallest
wrong part. The `check_...` functions collect all errors of a text and raise them together.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from eccles.errors import (
    MAX_SHOWN,
    DimensionMismatchError,
    EcclesError,
    EquationError,
    NameResolutionError,
    Span,
    SyntaxProblem,
    TypeProblem,
    UnitError,
    nearest,
    raise_together,
)
from eccles.language.equations import Equation, Equations
from eccles.language.functions import BUILTINS
from eccles.language.nodes import (
    Assignment,
    Binary,
    Boolean,
    Call,
    Compare,
    Expr,
    Logical,
    Name,
    Number,
    Unary,
    names_in,
    walk,
)
from eccles.language.parser import brief
from eccles.language.printer import show
from eccles.units import DIMENSIONLESS, Dimension, second
from eccles.units.names import unit_named, unit_names

__all__ = [
    "DictScope",
    "ExprType",
    "Scope",
    "Symbol",
    "check_equations",
    "check_expression",
    "check_statements",
    "infer",
]


@dataclass(frozen=True)
class Symbol:
    """What a name stands for.

    Attributes
    ----------
    type : {'float', 'integer', 'boolean'}
    kind : {'variable', 'constant', 'builtin'}
    value : number, optional
        Of a constant, in SI units.
    """

    name: str
    dim: Dimension
    type: str
    kind: str = "variable"
    value: Any = None
    writable: bool = True
    shared: bool = False
    owner: str = ""


@dataclass(frozen=True)
class ExprType:
    """The dimension and type of an expression."""

    dim: Dimension
    type: str


class Scope(Protocol):
    """Where names are looked up."""

    def symbol(self, name: str) -> Symbol | None:
        """What a name stands for."""
        ...

    def function(self, name: str) -> Any:
        """What a call calls: something with `arity`, `dims` and `types`."""
        ...

    def known_names(self) -> Iterable[str]:
        """Names for suggestions."""
        ...


class DictScope:
    """A scope made of dictionaries."""

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        functions: Mapping[str, Any] | None = None,
        parent: Scope | None = None,
    ) -> None:
        self._symbols = symbols
        self._functions = functions or {}
        self._parent = parent

    def symbol(self, name: str) -> Symbol | None:
        """What a name stands for."""
        found = self._symbols.get(name)
        return self._parent.symbol(name) if found is None and self._parent is not None else found

    def function(self, name: str) -> Any:
        """What a call calls."""
        found = self._functions.get(name) or BUILTINS.get(name)
        return self._parent.function(name) if found is None and self._parent is not None else found

    def known_names(self) -> Iterable[str]:
        """Names for suggestions."""
        return {*self._symbols, *(self._parent.known_names() if self._parent is not None else ())}


def infer(expr: Expr, scope: Scope) -> ExprType:
    """The dimension and type of an expression.

    Raises
    ------
    UnitError, TypeProblem, NameResolutionError
        If it has none; points to the place.
    """
    match expr:
        case Number(value):
            return ExprType(DIMENSIONLESS, "integer" if isinstance(value, int) else "float")
        case Boolean():
            return ExprType(DIMENSIONLESS, "boolean")
        case Name(id=name):
            symbol = scope.symbol(name)
            if symbol is None:
                raise _unknown_name(name, expr.span, scope)
            return ExprType(symbol.dim, symbol.type)
        case Unary("not", operand):
            _boolean(operand, scope)
            return ExprType(DIMENSIONLESS, "boolean")
        case Unary(_, operand):
            return _number(operand, scope)
        case Binary():
            return _arithmetic(expr, scope)
        case Compare(op, left, right):
            a, b = infer(left, scope), infer(right, scope)
            if a.dim is not b.dim:
                raise _mismatch("compare", op, left, a.dim, right, b.dim, expr.op_span or expr.span)
            return ExprType(DIMENSIONLESS, "boolean")
        case Logical(_, operands):
            for operand in operands:
                _boolean(operand, scope)
            return ExprType(DIMENSIONLESS, "boolean")
        case Call(function, args):
            return _call(expr, function, args, scope)


def _arithmetic(expr: Binary, scope: Scope) -> ExprType:
    """The type of a binary operation; a long chain of operators is no deep recursion."""
    chain: list[Binary] = []
    first: Expr = expr
    while isinstance(first, Binary):
        chain.append(first)
        first = first.left
    found = infer(first, scope)
    for node in reversed(chain):
        found = _operation(node, found, infer(node.right, scope), scope)
    return found


def _operation(node: Binary, a: ExprType, b: ExprType, scope: Scope) -> ExprType:
    """The type of one operation; conditions count as integers 0 and 1, as in Brian 2."""
    integer = a.type != "float" and b.type != "float"
    match node.op:
        case "+" | "-" | "%":
            if a.dim is not b.dim:
                verb = {"+": "add", "-": "subtract", "%": "take the remainder of"}[node.op]
                span = node.op_span or node.span
                raise _mismatch(verb, node.op, node.left, a.dim, node.right, b.dim, span)
            return ExprType(a.dim, "integer" if integer else "float")
        case "**":
            return _power(node.left, a, node.right, b, scope)
        case "*":
            return ExprType(a.dim * b.dim, "integer" if integer else "float")
        case "//":
            return ExprType(a.dim / b.dim, "integer" if integer else "float")
        case "/":
            return ExprType(a.dim / b.dim, "float")


def _number(expr: Expr, scope: Scope) -> ExprType:
    found = infer(expr, scope)
    if found.type == "boolean":
        text = _brief(expr)
        raise TypeProblem(
            f"'{text}' is a condition, where a number is needed", span=expr.span,
            hint=f"Write int({text}): 1 where it holds, 0 elsewhere.",
        )  # fmt: skip
    return found


def _boolean(expr: Expr, scope: Scope) -> None:
    found = infer(expr, scope)
    if found.type != "boolean":
        text = _brief(expr)
        number = "0" if found.dim is DIMENSIONLESS else f"0*{found.dim.example_unit()}"
        raise TypeProblem(
            f"'{text}' is {_a_number(found.dim)}, where a condition is needed", span=expr.span,
            hint=f"Compare it, as in '{text} > {number}'.",
        )  # fmt: skip


def _a_number(dim: Dimension, *, symbol: bool = True) -> str:
    if dim is DIMENSIONLESS:
        return "a number"
    return dim.friendly() if symbol else dim.friendly().partition(" (")[0]


def _brief(expr: Expr) -> str:
    """The expression for a message, cut if it is long."""
    return brief(show(expr), 60)


def _mismatch(
    verb: str, op: str, left: Expr, a: Dimension, right: Expr, b: Dimension, span: Span | None
) -> DimensionMismatchError:
    """The error for two sides that do not fit."""
    joined = {"add": "to", "subtract": "from", "compare": "with", "take the remainder of": "and"}[verb]
    sides = (b, a) if verb in ("add", "subtract") else (a, b)
    message = f"cannot {verb} {sides[0].friendly()} {joined} {sides[1].friendly()}"
    left_text, right_text = _brief(left), _brief(right)
    hint = (
        f"'{left_text}' is {a.friendly()}, '{right_text}' is {b.friendly()}. Both sides of {op} need "
        f"the same unit."
    )
    for side, dim, other in ((left, a, b), (right, b, a)):
        if dim is DIMENSIONLESS and other is not DIMENSIONLESS:
            text = _brief(side)
            if isinstance(side, Number) or (isinstance(side, Unary) and isinstance(side.operand, Number)):
                hint += f" Give the number a unit, as in {text}*{other.example_unit()}."
    hint += _advice(a, b)
    if any(name == "xi" or name.startswith("xi_") for name in names_in(left) | names_in(right)):
        hint += " Noise (xi) has the unit second**-.5: multiply it as in sigma*sqrt(2/tau)*xi."
    return DimensionMismatchError(message, a, b, span=span, hint=hint)


def _advice(a: Dimension, b: Dimension) -> str:
    """What neuroscientists forget most often between two dimensions."""
    pair = {a.describe(), b.describe()}
    if pair == {"current", "voltage"}:
        return " Multiply the current by a resistance, as in R*I."
    if pair == {"current", "conductance"}:
        return " Multiply the conductance by a voltage, as in g*(E - v)."
    return ""


def _power(left: Expr, a: ExprType, right: Expr, b: ExprType, scope: Scope) -> ExprType:
    if b.dim is not DIMENSIONLESS:
        raise DimensionMismatchError(
            f"an exponent has to be a number without unit, but '{_brief(right)}' is {b.dim.friendly()}",
            b.dim,
            span=right.span, hint=f"Divide it by its scale, as in "
            f"{_factor(right)}/(1*{b.dim.example_unit()}).",
        )  # fmt: skip
    if a.dim is DIMENSIONLESS:
        integer = a.type != "float" and b.type != "float" and not _negative(right)
        return ExprType(DIMENSIONLESS, "integer" if integer else "float")
    value = _constant(right, scope)
    if value is None:
        raise UnitError(
            f"'{_brief(left)}' is {a.dim.friendly()}, so its exponent has to be a constant number",
            span=right.span, hint="The unit of the result has to be known beforehand: write a number.",
        )  # fmt: skip
    try:
        return ExprType(a.dim**value, "float")
    except DimensionMismatchError as error:  # an exponent without bound
        error.span = right.span
        raise


def _negative(expr: Expr) -> bool:
    return (
        isinstance(expr, Unary)
        or (isinstance(expr, Number) and expr.value < 0)
        or not isinstance(expr, Number)
    )


def _constant(expr: Expr, scope: Scope) -> float | None:
    match expr:
        case Number(value):
            return value
        case Unary("-", operand):
            value = _constant(operand, scope)
            return None if value is None else -value
        case Binary("/", left, right):
            a, b = _constant(left, scope), _constant(right, scope)
            return None if a is None or not b else a / b
        case Name(id=name):
            symbol = scope.symbol(name)
            return None if symbol is None or symbol.kind != "constant" else symbol.value
    return None


_USAGE = {
    "clip": "clip(x, low, high)", "timestep": "timestep(t, dt)", "rand": "rand()", "randn": "randn()",
    "poisson": "poisson(mean)", "binomial": "binomial(n, p)", "arctan2": "arctan2(y, x)", "int": "int(x)",
}  # fmt: skip


def _call(expr: Call, function: str, args: tuple[Expr, ...], scope: Scope) -> ExprType:
    spec = scope.function(function)
    if spec is None:
        raise _unknown_function(function, expr, scope)
    if len(args) != spec.arity:
        many = "argument" if spec.arity == 1 else "arguments"
        params = getattr(spec, "params", ("x", "y", "z")[: spec.arity])
        usage = _USAGE.get(function) or f"{function}({', '.join(params)})"
        raise SyntaxProblem(
            f"{function} takes {spec.arity or 'no'} {many}, but gets {len(args) or 'none'}", span=expr.span,
            hint=f"Write {usage}.",
        )  # fmt: skip
    found = [infer(argument, scope) for argument in args]
    try:
        return ExprType(spec.dims(tuple(f.dim for f in found)), spec.types(tuple(f.type for f in found)))
    except EcclesError as error:
        if error.span is None:
            position = 0 if len(args) == 1 else error.argument
            error.span = expr.span if position is None else args[position].span
        raise


def _unknown_name(name: str, span: Span | None, scope: Scope) -> NameResolutionError:
    if scope.function(name) is not None:
        return NameResolutionError(
            f"'{name}' is a function, but stands here without arguments",
            span=span,
            hint=f"Write {name}(...).",
        )
    known = list(scope.known_names())
    # these include what the script imports: units and functions are hardly meant by a vague likeness
    values = [n for n in known if scope.function(n) is None and unit_named(n) is None]
    near = nearest(name, known) or nearest(name, values, likeness=0.6)
    near = near or nearest(name, [*(b for b in BUILTINS if b[0] != "_"), *unit_names()])
    hint = f"Did you mean '{near}'? " if near and near != name else ""
    odd = [c for c in name if not c.isascii()]
    if odd and not hint:
        hint = f"'{odd[0]}' is the letter {unicodedata.name(odd[0], 'without a name')}. "
    hint += (
        f"If '{name}' is a parameter of the model, add a line '{name} : unit' to the equations; if it is a "
        f"constant, define it in Python before."
    )
    return NameResolutionError(f"the name '{name}' means nothing here", span=span, hint=hint)


_INSTEAD = {
    "max": "Write clip(x, low, inf), or int(a > b)*a + int(a <= b)*b.",
    "min": "Write clip(x, -inf, high), or int(a < b)*a + int(a >= b)*b.",
    "pow": "Write a**b.",
    "round": "Write floor(x + 0.5).",
    "float": "Numbers are floats already; delete it.",
    "bool": "Compare, as in x > 0.",
    "heaviside": "Write int(x > 0).",
    "where": "Write int(condition)*a + int(not condition)*b.",
    "random": "Write rand().",
    "normal": "Write randn().",
    "ln": "Write log(x).",
    "asin": "Write arcsin(x).",
    "acos": "Write arccos(x).",
    "atan": "Write arctan(x).",
}


def _unknown_function(name: str, expr: Call, scope: Scope) -> NameResolutionError:
    span = expr.span
    if span is not None:
        span = Span(span.source, span.start, span.start + len(name))
    if scope.symbol(name) is not None:
        return NameResolutionError(
            f"'{name}' is not a function", span=span, hint=f"Write '{name}*(...)' if a product is meant."
        )
    if name in _INSTEAD:
        return NameResolutionError(f"there is no function '{name}'", span=span, hint=_INSTEAD[name])
    near = nearest(name, [b for b in BUILTINS if not b.startswith("_")])
    hint = "Functions of your own are made with the decorator @function."
    if near:
        hint = f"Did you mean '{near}'?"
    return NameResolutionError(f"there is no function '{name}'", span=span, hint=hint)


# -- checks that collect ----------------------------------------------------------------------------


def _infer_all(expr: Expr, scope: Scope) -> ExprType:
    """As `infer`, but all names that mean nothing are reported together."""
    errors: dict[str, EcclesError] = {}
    for node in walk(expr):
        if isinstance(node, Name) and scope.symbol(node.id) is None:
            errors.setdefault(node.id, _unknown_name(node.id, node.span, scope))
        elif isinstance(node, Call) and scope.function(node.function) is None:
            errors.setdefault(node.function, _unknown_function(node.function, node, scope))
        if len(errors) == MAX_SHOWN:
            break
    raise_together(list(errors.values()))
    return infer(expr, scope)


def check_expression(
    expr: Expr,
    scope: Scope,
    *,
    expect_dim: Dimension | None = None,
    expect_type: str | None = None,
    what: str = "",
) -> ExprType:
    """The dimension and type of an expression, which have to be as expected."""
    found = _infer_all(expr, scope)
    what, text = what or "this", _brief(expr)
    if expect_type == "boolean" and found.type != "boolean":
        number = "1" if found.dim is DIMENSIONLESS else f"-50*{found.dim.example_unit()}"
        raise TypeProblem(
            f"{what} has to be a condition, but '{text}' is {_a_number(found.dim)}", span=expr.span,
            hint=f"Compare it with something, as in '{text} > {number}'.",
        )  # fmt: skip
    if expect_dim is not None and found.dim is not expect_dim:
        hint = None
        if found.dim is DIMENSIONLESS:
            hint = f"Give it a unit, as in {_factor(expr)}*{expect_dim.example_unit()}."
        elif expect_dim is DIMENSIONLESS:
            hint = f"Divide it by its scale, as in {_factor(expr)}/(1*{found.dim.example_unit()})."
        else:
            hint = f"Its unit has to be one such as {expect_dim.example_unit()}."
        raise DimensionMismatchError(
            f"{what} has to be {expect_dim.friendly()}, but '{text}' is {found.dim.friendly()}", found.dim,
            expect_dim, span=expr.span, hint=hint,
        )  # fmt: skip
    return found


def check_statements(assignments: Sequence[Assignment], scope: Scope) -> dict[str, ExprType]:
    """Check statements; returns dimension and type of the temporaries among their targets.

    Raises
    ------
    EcclesError
        All problems together.
    """
    temporaries: dict[str, ExprType] = {}
    symbols: dict[str, Symbol] = {}
    inner = DictScope(symbols, parent=scope)
    errors: list[EcclesError] = []
    for a in assignments:
        try:
            _check_assignment(a, scope, inner, temporaries)
        except EcclesError as error:
            errors.append(error)
            if a.target not in temporaries and scope.symbol(a.target) is None:
                temporaries[a.target] = ExprType(DIMENSIONLESS, "float")
        if a.target in temporaries:
            kind = temporaries[a.target]
            symbols[a.target] = Symbol(a.target, kind.dim, kind.type)
    raise_together(errors)
    return temporaries


_CHANGES = {
    "*=": "multiplied by", "/=": "divided by", "//=": "divided by", "%=": "divided by", "**=": "raised to",
}  # fmt: skip


def _check_assignment(a: Assignment, scope: Scope, inner: Scope, temporaries: dict[str, ExprType]) -> None:
    symbol = scope.symbol(a.target)
    if symbol is not None and symbol.kind == "constant":
        raise EquationError(
            f"'{a.target}' is a constant of the script and cannot be assigned to", span=a.target_span,
            hint=f"Make it a parameter of the model with a line '{a.target} : ...', or choose another name.",
        )  # fmt: skip
    if symbol is not None and not symbol.writable:
        raise EquationError(
            f"'{a.target}' cannot be assigned to", span=a.target_span,
            hint="Its value follows from an expression or from the simulation. "
            "Assign to a parameter, or to a variable with a differential equation.",
        )  # fmt: skip
    if symbol is None and a.target not in temporaries and a.op != "=":
        raise _unknown_name(a.target, a.target_span, scope)
    found = _infer_all(a.value, inner)
    target = ExprType(symbol.dim, symbol.type) if symbol is not None else temporaries.get(a.target)
    if target is None:
        temporaries[a.target] = found
        return
    if a.op in _CHANGES:
        if found.dim is not DIMENSIONLESS:
            raise DimensionMismatchError(
                f"'{a.target}' would change its unit: it is {_CHANGES[a.op]} {found.dim.friendly()}",
                found.dim, span=a.value.span,
                hint=f"Use a number without unit, as in {_factor(a.value)}/(1*{found.dim.example_unit()}).",
            )  # fmt: skip
        return
    if (found.type == "boolean") != (target.type == "boolean"):
        if target.type == "boolean":
            _boolean(a.value, inner)
        else:
            _number(a.value, inner)
    if found.dim is not target.dim:
        word = {"=": "set", "+=": "increase", "-=": "decrease"}[a.op]
        joint = "to" if a.op == "=" else "by"
        hint = f"The value needs a unit such as {target.dim.example_unit()}.{_advice(found.dim, target.dim)}"
        if found.dim is DIMENSIONLESS:
            hint = f"Give the value a unit, as in {_factor(a.value)}*{target.dim.example_unit()}."
        elif target.dim is DIMENSIONLESS:
            hint = (
                f"Either leave the unit out, or declare '{a.target}' with a unit "
                f"('... : {found.dim.example_unit(scaled=False)}')."
            )
        raise DimensionMismatchError(
            f"cannot {word} '{a.target}', which is {target.dim.friendly()}, {joint} {found.dim.friendly()}",
            found.dim, target.dim, span=a.value.span, hint=hint,
        )  # fmt: skip


def _factor(expr: Expr) -> str:
    """The expression as a factor."""
    return f"({_brief(expr)})" if isinstance(expr, Binary | Compare | Logical) else _brief(expr)


def check_equations(equations: Equations, scope: Scope) -> None:
    """Check dimensions and types of all equations.

    Raises
    ------
    EcclesError
        All problems together.
    """
    noise = {
        name: Symbol(name, second.dim**-0.5, "float", "builtin", writable=False)
        for name in equations.stochastic_variables
    }
    inner = DictScope(noise, parent=scope)
    errors: list[EcclesError] = []
    for equation in equations.values():
        if equation.expr is None:
            continue
        try:
            _check_equation(equation, equation.expr, inner)
        except EcclesError as error:
            errors.append(error)
    raise_together(errors)


def _missing_time(expr: Expr, scope: Scope) -> str:
    """What to do about a right-hand side that lacks a division by a time."""
    if isinstance(expr, Binary) and expr.op == "/" and isinstance(expr.right, Name):
        divisor = expr.right.id
        symbol = scope.symbol(divisor)
        if symbol is not None and symbol.dim is DIMENSIONLESS:
            value = "10" if symbol.value is None else f"{symbol.value:g}"
            return (
                f" It is divided by '{divisor}', which is a number without unit: if that is a time, give it "
                f"a unit, as in {divisor} = {value}*ms."
            )
    return " Divide the right-hand side by a time constant, as in (...)/tau."


def _check_equation(equation: Equation, expr: Expr, scope: Scope) -> None:
    for node in walk(expr):
        if isinstance(node, Call):
            spec = scope.function(node.function)
            if spec is not None and spec.stateful and "constant over dt" not in equation.flags:
                raise EquationError(
                    f"{node.function}() gives another number each time, so it cannot stand in this equation",
                    span=node.span,
                    hint="For noise in a differential equation use xi (unit second**-.5); for a number "
                    "drawn once per step flag a subexpression with (constant over dt).",
                )
    found = _infer_all(expr, scope)
    if equation.type == "boolean":
        if found.type != "boolean":
            _boolean(expr, scope)
        return
    if found.type == "boolean":
        _number(expr, scope)
    if equation.type == "integer" and found.type == "float":
        raise TypeProblem(
            f"'{equation.name}' is an integer, but its expression is not", span=expr.span,
            hint="Write int(...) around it, or give it the unit 1 instead of integer.",
        )  # fmt: skip
    wanted = equation.dim / second.dim if equation.kind == "differential" else equation.dim
    if found.dim is wanted:
        return
    if equation.kind == "differential":
        message = (
            f"d{equation.name}/dt has to be {_a_number(equation.dim, symbol=False)} per second "
            f"({wanted.symbol()}), but the right-hand side is {found.dim.friendly()}"
        )
        hint = f"'{equation.name}' is {equation.dim.friendly()}, as its unit says."
        if found.dim is equation.dim:
            hint += _missing_time(expr, scope)
    else:
        message = (
            f"'{equation.name}' is declared as {wanted.friendly()}, but its expression is "
            f"{found.dim.friendly()}"
        )
        hint = (
            f"Change the unit behind the colon to '{found.dim.example_unit(scaled=False)}', or the "
            f"expression."
        )
        if found.dim is DIMENSIONLESS:
            hint = (
                f"Give the expression a unit, as in {_factor(expr)}*{wanted.example_unit()}, or declare "
                f"it as 1."
            )
    raise DimensionMismatchError(message, found.dim, wanted, span=expr.span, hint=hint)
