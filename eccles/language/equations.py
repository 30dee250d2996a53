"""Equations: one line per variable, read into a mapping from name to `Equation`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from eccles.errors import EquationError, Source, Span, SyntaxProblem, nearest
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Binary, Expr, Name, Number, names_in, substitute
from eccles.language.parser import _checked_length, _without_comment, parse_expression, parse_span
from eccles.language.printer import latex, show
from eccles.units import DIMENSIONLESS, Dimension, Quantity, second
from eccles.units.names import si_unit, unit_named, unit_names

__all__ = ["Equation", "Equations"]

Kind = Literal["differential", "subexpression", "parameter"]
FLAGS = (
    "constant", "shared", "unless refractory", "event-driven", "clock-driven", "constant over dt", "summed",
    "linked", "point current",
)  # fmt: skip
RESERVED = {"t", "dt", "t_in_timesteps", "i", "j", "N", "lastspike", "lastupdate", "not_refractory", "delay"}

_DIFFERENTIAL = re.compile(r"\s*d([^\W\d]\w*)\s*/\s*dt\s*=")
_SUBEXPRESSION = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_PARAMETER = re.compile(r"\s*([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*:")
_STARTS = re.compile(r"\s*(d[^\W\d]\w*\s*/\s*dt\s*=|[^\W\d]\w*\s*=(?!=)|[^\W\d][\w\s,]*:)")


@dataclass(frozen=True)
class Equation:
    """One line of a model.

    Attributes
    ----------
    kind : {'differential', 'subexpression', 'parameter'}
    name : str
    dim : Dimension
    type : {'float', 'integer', 'boolean'}
    expr : Expr or None
        The right-hand side; None for a parameter.
    flags : tuple of str
    """

    kind: Kind
    name: str
    dim: Dimension
    type: str
    expr: Expr | None
    flags: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
    unit_text: str = field(default="1", compare=False)
    flag_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    @property
    def varname(self) -> str:
        """The name, as Brian 2 calls it."""
        return self.name

    def __str__(self) -> str:
        flags = f" ({', '.join(self.flags)})" if self.flags else ""
        right = f" : {self.unit_text}{flags}"
        match self.kind:
            case "differential":
                return f"d{self.name}/dt = {show(self.expr)}{right}"  # type: ignore[arg-type]
            case "subexpression":
                return f"{self.name} = {show(self.expr)}{right}"  # type: ignore[arg-type]
            case "parameter":
                return f"{self.name}{right}"

    def _repr_latex_(self) -> str:
        left = (
            rf"\frac{{\mathrm{{d}}{latex(Name(self.name))}}}{{\mathrm{{d}}t}}"
            if self.kind == "differential"
            else latex(Name(self.name))
        )
        right = f" = {latex(self.expr)}" if self.expr is not None else ""
        return f"${left}{right}$"


class Equations(Mapping[str, Equation]):
    """The equations of a model.

    Parameters
    ----------
    text : str, or sequence of Equation
        Lines of the forms `dx/dt = expression : unit (flags)`, `x = expression : unit (flags)` and
        `x : unit (flags)`. An expression may go on over several lines; `#` begins a comment.
    **replacements
        For names in the text: another name (str), or a value that is put in their place.

    Raises
    ------
    SyntaxProblem, EquationError
        If the text is wrong; points to the place.
    """

    def __init__(
        self, text: str | Sequence[Equation], *, suffixes: bool = False, **replacements: Any
    ) -> None:
        self._suffixes = suffixes
        self._equations: dict[str, Equation] = {}
        if isinstance(text, str):
            _checked_length(text, Source(text, "equations"), 0)
            equations = _read(text)
        elif isinstance(text, Sequence):
            equations = list(text)
        else:
            raise TypeError(f"equations have to be text, not {text!r}")
        for equation in equations:
            if replacements:
                equation = _replaced(equation, replacements)
            self._add(equation)
        self._check_names()
        self._ordered_subexpressions()
        self._substituted: dict[str, Expr] | None = None

    def _add(self, equation: Equation) -> None:
        if equation.name in self._equations:
            raise EquationError(
                f"there are two equations for '{equation.name}'", span=equation.span,
                hint="Give one of them another name.",
            )  # fmt: skip
        self._equations[equation.name] = equation

    def _check_names(self) -> None:
        for e in self._equations.values():
            problem = None
            if e.name in RESERVED:
                problem = f"'{e.name}' has a meaning of its own and cannot be a variable"
            elif e.name.startswith("_"):
                problem = f"'{e.name}' begins with an underscore, which is kept for internal names"
            elif e.name == "xi" or e.name.startswith("xi_"):
                problem = f"'{e.name}' is the name of noise and cannot be a variable"
            elif e.name in BUILTINS:
                problem = f"'{e.name}' is the name of a function and cannot be a variable"
            elif e.name in ("pi", "e", "inf", "and", "or", "not", "True", "False"):
                problem = f"'{e.name}' is a constant and cannot be a variable"
            elif e.name in ("int", "rand", "randn"):
                problem = f"'{e.name}' is the name of a function and cannot be a variable"
            elif e.name.endswith(("_pre", "_post")) and "summed" not in e.flags:
                problem = f"'{e.name}' ends in _pre or _post, which refers to the connected neurons"
            elif unit_named(e.name) is not None:
                problem = f"'{e.name}' is the name of a unit and cannot be a variable"
            if problem is not None:
                raise EquationError(problem, span=e.span, hint="Choose another name.")

    # -- a mapping ------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Equation:
        return self._equations[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._equations)

    def __len__(self) -> int:
        return len(self._equations)

    def __hash__(self) -> int:
        return hash(tuple(self._equations.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equations) and self._equations == other._equations

    def __add__(self, other: Equations | str) -> Equations:
        if isinstance(other, str):
            other = Equations(other)
        if not isinstance(other, Equations):
            return NotImplemented
        return Equations([*self._equations.values(), *other._equations.values()])

    def __radd__(self, other: str) -> Equations:
        return Equations(other) + self if isinstance(other, str) else NotImplemented

    def __str__(self) -> str:
        return "\n".join(str(e) for e in self._equations.values())

    def __repr__(self) -> str:
        return f"<Equations of {', '.join(self._equations) or 'nothing'}>"

    def _repr_latex_(self) -> str:
        lines = [e._repr_latex_().strip("$") for e in self._equations.values()]
        return r"\begin{align*}" + r"\\ ".join(lines) + r"\end{align*}"

    # -- parts ----------------------------------------------------------------------------------

    def _of(self, *kinds: str) -> list[Equation]:
        return [e for e in self._equations.values() if e.kind in kinds]

    @property
    def names(self) -> set[str]:
        """All variables."""
        return set(self._equations)

    @property
    def diff_eq_names(self) -> list[str]:
        """Variables with a differential equation, in order."""
        return [e.name for e in self._of("differential")]

    @property
    def subexpr_names(self) -> set[str]:
        """Variables that are expressions."""
        return {e.name for e in self._of("subexpression")}

    @property
    def eq_names(self) -> set[str]:
        """Variables with an expression of either kind."""
        return {e.name for e in self._of("differential", "subexpression")}

    @property
    def parameter_names(self) -> set[str]:
        """Variables without an expression."""
        return {e.name for e in self._of("parameter")}

    @property
    def diff_eq_expressions(self) -> list[tuple[str, Expr]]:
        """Names and right-hand sides of differential equations."""
        return [(e.name, e.expr) for e in self._of("differential") if e.expr is not None]

    @property
    def eq_expressions(self) -> list[tuple[str, Expr]]:
        """Names and right-hand sides of all expressions."""
        return [(e.name, e.expr) for e in self._equations.values() if e.expr is not None]

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """The dimension of each variable."""
        return {name: e.dim for name, e in self._equations.items()} | {"t": second.dim, "dt": second.dim}

    @property
    def identifiers(self) -> set[str]:
        """All names in right-hand sides that are not variables."""
        used = {n for e in self._equations.values() if e.expr is not None for n in names_in(e.expr)}
        return used - set(self._equations)

    @property
    def stochastic_variables(self) -> set[str]:
        """Names of noise: `xi`, `xi_1` ..."""
        used = {n for e in self._equations.values() if e.expr is not None for n in names_in(e.expr)}
        return {n for n in used if n == "xi" or n.startswith("xi_")}

    @property
    def is_stochastic(self) -> bool:
        """Whether there is noise."""
        return bool(self.stochastic_variables)

    @property
    def stochastic_type(self) -> str | None:
        """None, 'additive' (the factor of the noise is constant) or 'multiplicative'."""
        if not self.is_stochastic:
            return None
        from eccles.language.algebra import linear_in

        variable = set(self.diff_eq_names) | {"t"}
        for expr in self.substituted().values():
            for noise in self.stochastic_variables:
                found = linear_in(expr, noise)
                if found is None or names_in(found[0]) & variable:
                    return "multiplicative"
        return "additive"

    @property
    def ordered(self) -> list[Equation]:
        """Subexpressions first, each after those it uses; then differential equations, then parameters."""
        order = [self._equations[n] for n in self._ordered_subexpressions()]
        return order + self._of("differential") + self._of("parameter")

    @property
    def dependencies(self) -> dict[str, set[str]]:
        """The names that each expression uses."""
        return {e.name: names_in(e.expr) for e in self._equations.values() if e.expr is not None}

    def _ordered_subexpressions(self) -> list[str]:
        subexpressions = {e.name: e for e in self._of("subexpression")}
        done: list[str] = []
        under_way: list[str] = []

        def visit(name: str) -> None:
            if name in done:
                return
            if name in under_way:
                circle = [*under_way[under_way.index(name) :], name]
                raise EquationError(
                    f"these expressions depend on each other in a circle: {' -> '.join(circle)}",
                    span=subexpressions[name].span, hint="One of them has to be a differential equation or a parameter.",
                )  # fmt: skip
            under_way.append(name)
            expr = subexpressions[name].expr
            assert expr is not None
            for used in sorted(names_in(expr)):
                if used in subexpressions:
                    visit(used)
            under_way.pop()
            done.append(name)

        for name in subexpressions:
            visit(name)
        return done

    def substituted(self) -> dict[str, Expr]:
        """Right-hand sides of differential equations, with subexpressions put in (not those held over dt)."""
        if self._substituted is None:
            inlined = self.inlined()
            self._substituted = {
                e.name: substitute(e.expr, inlined) for e in self._of("differential") if e.expr is not None
            }
        return self._substituted

    def inlined(self) -> dict[str, Expr]:
        """Subexpressions in terms of other variables alone (not those held over dt, or summed)."""
        inlined: dict[str, Expr] = {}
        for name in self._ordered_subexpressions():
            e = self._equations[name]
            if e.expr is not None and "constant over dt" not in e.flags and "summed" not in e.flags:
                inlined[name] = substitute(e.expr, inlined)
        return inlined

    def get_substituted_expressions(
        self, variables: Any = None, include_subexpressions: bool = False
    ) -> list[tuple[str, Expr]]:
        """Names and right-hand sides, with subexpressions put in."""
        return list(self.substituted().items())

    def substitute(self, **replacements: Any) -> Equations:
        """The equations with names replaced by names or values."""
        return Equations([_replaced(e, replacements) for e in self._equations.values()])

    def check_flags(self, allowed: Mapping[str, set[str]], incompatible: Sequence[set[str]] = ()) -> None:
        """Refuse flags that have no meaning where they stand.

        Raises
        ------
        EquationError
            Points to the flag.
        """
        words = {
            "differential": "a differential equation",
            "subexpression": "an expression",
            "parameter": "a parameter",
        }
        for e in self._equations.values():
            for position, flag in enumerate(e.flags):
                if flag not in allowed.get(e.kind, set()):
                    span = e.flag_spans[position] if e.flag_spans else e.span
                    possible = ", ".join(f"'{f}'" for f in sorted(allowed.get(e.kind, set())))
                    raise EquationError(
                        f"the flag '{flag}' is not possible for {words[e.kind]} here", span=span,
                        hint=f"Possible here: {possible or 'none'}.",
                    )  # fmt: skip
            for together in (*incompatible, {"event-driven", "clock-driven"}):
                if together <= set(e.flags):
                    raise EquationError(
                        f"the flags {' and '.join(sorted(together))} exclude each other", span=e.span
                    )


def _replaced(equation: Equation, replacements: Mapping[str, Any]) -> Equation:
    trees: dict[str, Expr] = {}
    name = equation.name
    for old, new in replacements.items():
        if isinstance(new, str):
            trees[old] = parse_expression(new, f"replacement of '{old}'")
            if old == name:
                if not new.isidentifier():
                    raise EquationError(
                        f"'{old}' is a variable: it can only be replaced by another name, not '{new}'"
                    )
                name = new
        else:
            trees[old] = _value_tree(new)
    expr = substitute(equation.expr, trees) if equation.expr is not None else None
    return replace(equation, name=name, expr=expr)


def _value_tree(value: Any) -> Expr:
    """A tree for a value, with its unit as a product of unit names."""
    number = Number(float(value)) if not isinstance(value, int) else Number(value)
    if not isinstance(value, Quantity) or value.dim is DIMENSIONLESS:
        return number
    unit = si_unit(value.dim)
    return Binary("*", number, parse_expression(unit.name.replace(" ", "")))


# -- reading ----------------------------------------------------------------------------------------


def _lines(text: str) -> list[tuple[int, int]]:
    """The parts of the text that are equations: a line that does not begin one goes on the one before."""
    parts: list[tuple[int, int]] = []
    position = 0
    for line in text.split("\n"):
        stripped = _without_comment(line)
        end = position + len(line)
        if stripped.strip():
            open_brackets = bool(parts) and _depth(text[parts[-1][0] : parts[-1][1]]) > 0
            complete = bool(parts) and ":" in _blanked(text[parts[-1][0] : parts[-1][1]])
            if parts and (open_brackets or not complete or not _STARTS.match(stripped)):
                parts[-1] = (parts[-1][0], end)
            else:
                parts.append((position, end))
        position = end + 1
    return parts


def _blanked(text: str) -> str:
    return "\n".join(_without_comment(line) for line in text.split("\n"))


def _depth(text: str) -> int:
    text = _blanked(text)
    return text.count("(") - text.count(")")


def _read(text: str) -> list[Equation]:
    source = Source(text, "equations")
    return [_read_one(source, start, stop) for start, stop in _lines(text)]


def _read_one(source: Source, start: int, stop: int) -> Equation:
    text = _blanked(source.text[start:stop])
    whole = Span(source, start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
    colon = text.rfind(":")
    if (found := _DIFFERENTIAL.match(text)) or (found := _SUBEXPRESSION.match(text)):
        kind: Kind = "differential" if _DIFFERENTIAL.match(text) else "subexpression"
        name = found.group(1)
        if colon < 0:
            raise SyntaxProblem(
                f"the unit of '{name}' is missing", span=whole, hint=f"End the line with ' : unit', such as '{text.strip().splitlines()[0]} : volt' or ' : 1'."
            )  # fmt: skip
        left, right = found.end(), colon
        blank = source.text[start + left : start + right]
        expr = (
            parse_span(source, start + left, start + right, f"the right-hand side of '{name}'")
            if blank.strip()
            else None
        )
        if expr is None:
            raise SyntaxProblem(f"the right-hand side of '{name}' is missing", span=whole)
    elif (found := _PARAMETER.match(text)) is not None:
        kind, name, expr = "parameter", found.group(1), None
        if "," in name:
            names = [n.strip() for n in name.split(",")]
            raise EquationError(
                "one line declares one variable", span=Span(source, start + found.start(1), start + found.end(1)),
                hint="Write a line for each: " + ", ".join(f"'{n} : {text[found.end():].strip()}'" for n in names) + ".",
            )  # fmt: skip
    else:
        raise SyntaxProblem(
            "this line is not an equation", span=whole,
            hint="Write 'dx/dt = expression : unit', 'x = expression : unit' or 'x : unit'.",
        )  # fmt: skip
    name_span = Span(source, start + found.start(1), start + found.end(1))
    unit_text, unit_span, flags, flag_spans = _unit_and_flags(source, start, text, colon)
    dim, kind_of_value = _unit(unit_text, unit_span, name)
    if kind == "differential" and kind_of_value != "float":
        raise EquationError(
            f"'{name}' has a differential equation, so it cannot be {unit_text}", span=unit_span
        )
    return Equation(kind, name, dim, kind_of_value, expr, flags, name_span, unit_text, flag_spans)


def _unit_and_flags(
    source: Source, start: int, text: str, colon: int
) -> tuple[str, Span, tuple[str, ...], tuple[Span, ...]]:
    """The part behind the colon: the unit, then flags in brackets."""
    rest = text[colon + 1 :]
    origin = start + colon + 1
    body, flags_text, flags_at = rest, None, 0
    stripped = rest.rstrip()
    if stripped.endswith(")"):
        opening = stripped.rfind("(")
        inside = stripped[opening + 1 : -1]
        words = [w.strip() for w in inside.split(",")]
        before = stripped[:opening].rstrip()
        if (
            before
            and not before.endswith(("*", "/", "**"))
            and all(re.fullmatch(r"[A-Za-z][\w\s\-]*", w) for w in words)
        ):
            body, flags_text, flags_at = stripped[:opening], inside, opening + 1
    unit_text = " ".join(body.split())
    begin = origin + len(body) - len(body.lstrip())
    unit_span = Span(source, begin, max(begin + 1, origin + len(body.rstrip())))
    flags: list[str] = []
    spans: list[Span] = []
    if flags_text is not None:
        position = 0
        for word in flags_text.split(","):
            flag = " ".join(word.split())
            lead = len(word) - len(word.lstrip())
            span = Span(
                source, origin + flags_at + position + lead, origin + flags_at + position + len(word.rstrip())
            )
            if flag not in FLAGS:
                near = nearest(flag, FLAGS)
                raise EquationError(
                    f"there is no flag '{flag}'", span=span,
                    hint=f"Did you mean '{near}'?" if near else f"Flags: {', '.join(FLAGS)}.",
                )  # fmt: skip
            flags.append(flag)
            spans.append(span)
            position += len(word) + 1
    return unit_text, unit_span, tuple(flags), tuple(spans)


_units_seen: dict[str, tuple[Dimension, str]] = {}


def _unit(text: str, span: Span, name: str) -> tuple[Dimension, str]:
    """The dimension and type that a unit in an equation stands for."""
    found = _units_seen.get(text)
    if found is None:
        found = _read_unit(text, span, name)
        if len(_units_seen) < 1000:
            _units_seen[text] = found
    return found


def _read_unit(text: str, span: Span, name: str) -> tuple[Dimension, str]:
    if text in ("1", "1.0", "1."):
        return DIMENSIONLESS, "float"
    if text == "boolean":
        return DIMENSIONLESS, "boolean"
    if text == "integer":
        return DIMENSIONLESS, "integer"
    if not text:
        raise SyntaxProblem(
            f"the unit of '{name}' is missing",
            span=span,
            hint="Write a unit such as 'volt', or 1 for a number without unit.",
        )
    try:
        tree = parse_expression(text, "unit")
        value = _unit_value(tree)
    except (SyntaxProblem, EquationError) as error:
        wrong = error.span.text if error.span is not None else text
        near = nearest(wrong, unit_names())
        raise EquationError(
            f"'{text}' is not a unit", span=span,
            hint=(f"Did you mean '{near}'? " if near else "") + "Write a unit such as volt, siemens/meter**2 or 1.",
        ) from None  # fmt: skip
    if not isinstance(value, Quantity):
        raise EquationError(f"'{text}' is not a unit", span=span, hint="Write 1 for a number without unit.")
    if abs(float(value) - 1.0) > 1e-12:
        plain = si_unit(value.dim).name
        from eccles.units.names import standard_names

        base = value.dim.example_unit(scaled=False) if plain not in standard_names else plain
        raise EquationError(
            f"the unit of '{name}' is scaled: {text}", span=span,
            hint=f"Write '{base}' in equations; values may be given in {text} all the same.",
        )  # fmt: skip
    return value.dim, "float"


def _unit_value(tree: Expr) -> Any:
    match tree:
        case Number(value):
            return value
        case Name(id=name):
            unit = unit_named(name)
            if unit is None:
                raise EquationError(f"'{name}' is not a unit", span=tree.span)
            # `mM` is 1 mol/m^3 in SI, so it is not scaled
            return unit
        case Binary("*", left, right):
            return _unit_value(left) * _unit_value(right)
        case Binary("/", left, right):
            return _unit_value(left) / _unit_value(right)
        case Binary("**", left, right):
            exponent = _exponent(right)
            if exponent is None or abs(exponent) > 20:
                raise EquationError("a unit can be raised to a number only", span=right.span)
            return _unit_value(left) ** exponent
    raise EquationError("this is not a unit", span=getattr(tree, "span", None))


def _exponent(tree: Expr) -> float | None:
    from eccles.language.nodes import Unary

    match tree:
        case Number(value):
            return float(value)
        case Unary("-", operand):
            value = _exponent(operand)
            return None if value is None else -value
        case Binary("/", left, right):
            a, b = _exponent(left), _exponent(right)
            return None if a is None or not b else a / b
    return None
