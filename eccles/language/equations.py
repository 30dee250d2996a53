"""Equations: one line per variable, read into a mapping from name to `Equation`."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from eccles.errors import (
    MAX_ERRORS,
    EcclesError,
    EquationError,
    Source,
    Span,
    SyntaxProblem,
    nearest,
    raise_together,
)
from eccles.language.functions import BUILTINS
from eccles.language.nodes import Binary, Expr, Name, Number, Unary, extent, names_in, substitute
from eccles.language.parser import (
    MAX_DEPTH,
    brief,
    check_name,
    check_size,
    normal_name,
    parse_expression,
    parse_span,
    without_comments,
)
from eccles.language.printer import latex, show
from eccles.units import DIMENSIONLESS, Dimension, Quantity, second
from eccles.units.names import si_unit, unit_named, unit_names

__all__ = ["Equation", "Equations"]

Kind = Literal["differential", "subexpression", "parameter"]
FLAGS = (
    "constant", "shared", "unless refractory", "event-driven", "clock-driven", "constant over dt", "summed",
    "linked", "point current",
)  # fmt: skip
RESERVED = {
    "t": "is the time",
    "dt": "is the time step",
    "t_in_timesteps": "is the number of the time step",
    "i": "is the index of an element",
    "j": "is the index of the target of a synapse",
    "N": "is the number of elements",
    "lastspike": "is the time of the last spike",
    "lastupdate": "is the time of the last update",
    "not_refractory": "says whether an element can spike",
    "delay": "is the delay of a synapse",
}

MAX_SIZE = 20_000  # nodes of a right-hand side with all subexpressions put in

_DIFFERENTIAL = re.compile(r"\s*d([^\W\d]\w*)\s*/\s*dt\s*=")
_SUBEXPRESSION = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_PARAMETER = re.compile(r"\s*([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*:")
_EXPRESSION_STARTS = re.compile(r"\s*(d[^\W\d]\w*\s*/\s*dt|[^\W\d]\w*)\s*=(?!=)")


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

    def __init__(self, text: str | Sequence[Equation], **replacements: Any) -> None:
        self._equations: dict[str, Equation] = {}
        if isinstance(text, str):
            check_size(text, Source(text, "equations"))
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
        self._check_extent(self._ordered_subexpressions())
        self._substituted: dict[str, Expr] | None = None
        self._inlined: dict[str, Expr] | None = None

    def _add(self, equation: Equation) -> None:
        if equation.name in self._equations:
            raise EquationError(
                f"there are two equations for '{equation.name}'", span=equation.span,
                hint=f"The first is '{self._equations[equation.name]}'. Delete one, or give it another name.",
            )  # fmt: skip
        self._equations[equation.name] = equation

    def _check_names(self) -> None:
        errors: list[EcclesError] = []
        for e in self._equations.values():
            problem = _forbidden(e.name, "summed" in e.flags)
            if problem is not None:
                errors.append(EquationError(problem, span=e.span, hint="Choose another name."))
        raise_together(errors)

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
        """Names of subexpressions, each after those it uses."""
        uses = {
            e.name: [n for n in sorted(names_in(e.expr)) if self._is_subexpression(n)]
            for e in self._of("subexpression")
            if e.expr is not None
        }
        done: dict[str, None] = {}
        for first in uses:
            path = [first] if first not in done else []
            while path:
                waiting = [n for n in uses[path[-1]] if n not in done]
                if not waiting:
                    done[path.pop()] = None
                elif waiting[0] in path:
                    raise self._circle([*path[path.index(waiting[0]) :], waiting[0]])
                else:
                    path.append(waiting[0])
        return list(done)

    def _is_subexpression(self, name: str) -> bool:
        return name in self._equations and self._equations[name].kind == "subexpression"

    def _circle(self, names: list[str]) -> EquationError:
        shown = " -> ".join(names if len(names) <= 12 else [*names[:10], "...", names[-1]])
        what = (
            "this expression depends on itself"
            if len(names) == 2
            else "expressions depend on each other in a circle"
        )
        return EquationError(
            f"{what}: {shown}", span=self._equations[names[0]].span,
            hint="One of them has to be a differential equation or a parameter.",
        )  # fmt: skip

    def _check_extent(self, order: list[str]) -> None:
        """Refuse expressions that become huge when those that they use are put in."""
        known: dict[str, tuple[int, int]] = {}
        for e in [*(self._equations[name] for name in order), *self._of("differential")]:
            assert e.expr is not None
            size, depth = extent(e.expr, known)
            if size > MAX_SIZE or depth > MAX_DEPTH:
                raise EquationError(
                    "with the expressions that it uses put in, "
                    f"the right-hand side of '{e.name}' is too long: "
                    f"{size if size < 10**9 else 'more than 10**9'} parts, {depth} of them in each other; "
                    f"{MAX_SIZE} and {MAX_DEPTH} are the most",
                    span=e.span, hint="Flag an expression that it uses with (constant over dt), or make it "
                    "shorter.",
                )  # fmt: skip
            if e.kind == "subexpression" and not _is_held(e):
                known[e.name] = (size, depth)

    def substituted(self) -> dict[str, Expr]:
        """Right-hand sides of differential equations, with subexpressions put in (not those held over dt)."""
        if self._substituted is None:
            inlined = self.inlined()
            self._inlined = inlined
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
        self, variables: object = None, include_subexpressions: bool = False
    ) -> list[tuple[str, Expr]]:
        """Names and right-hand sides, with subexpressions put in (`variables` is not used, as in Brian 2)."""
        found = list(self.substituted().items())
        if include_subexpressions:
            assert self._inlined is not None
            found = [*self._inlined.items(), *found]
        return found

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
                        f"the flags {' and '.join(repr(f) for f in sorted(together))} exclude each other",
                        span=e.span, hint=f"Delete one of them from '{e}'.",
                    )  # fmt: skip


def _is_held(equation: Equation) -> bool:
    """Whether a subexpression has one value for the whole step."""
    return "constant over dt" in equation.flags or "summed" in equation.flags


def _forbidden(name: str, summed: bool) -> str | None:
    """Why a variable cannot have this name, if it cannot."""
    if name in RESERVED:
        return f"'{name}' {RESERVED[name]}, so no variable can have this name"
    if name.startswith("_"):
        return f"'{name}' begins with an underscore, which is kept for internal names"
    if name == "xi" or name.startswith("xi_"):
        return f"'{name}' is the name of noise and cannot be a variable"
    if name in BUILTINS:
        return f"'{name}' is the name of a function and cannot be a variable"
    if keyword.iskeyword(name):
        return f"'{name}' is a word of Python and cannot be a variable"
    if name in ("pi", "e", "inf"):
        return f"'{name}' is a constant and cannot be a variable"
    if name.endswith(("_pre", "_post")) and not summed:
        return f"'{name}' ends in _pre or _post, which refers to the connected neurons"
    if unit_named(name) is not None:
        return f"'{name}' is the name of a unit and cannot be a variable"
    return None


def _replaced(equation: Equation, replacements: Mapping[str, Any]) -> Equation:
    trees: dict[str, Expr] = {}
    name = equation.name
    for old, new in replacements.items():
        if old == equation.name:
            if not (isinstance(new, str) and new.isidentifier()):
                raise EquationError(
                    f"'{old}' is a variable: it can only be replaced by another name, not by '{new}'",
                    span=equation.span, hint="Make it a constant: leave its line out.",
                )  # fmt: skip
            name = new
        trees[old] = (
            parse_expression(new, f"replacement of '{old}'") if isinstance(new, str) else _value_tree(new)
        )
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
    """The parts of a text (without comments) that are equations.

    A line goes on with the equation before it while that one has no unit yet or an open bracket, and if
    it begins with flags; but no equation goes on with `x =`.
    """
    parts: list[tuple[int, int]] = []
    depth = position = 0
    unit: str | None = None  # what stands behind the colon so far
    for line in text.split("\n"):
        end = position + len(line)
        if line.strip():
            ended = (
                unit is not None
                and depth <= 0
                and unit.strip()
                and not unit.rstrip().endswith(("*", "/", "\\"))
            )
            if not parts or _EXPRESSION_STARTS.match(line) or (ended and not line.lstrip().startswith("(")):
                parts.append((position, end))
                depth, unit = 0, None
            else:
                parts[-1] = (parts[-1][0], end)
            depth += line.count("(") - line.count(")")
            if ":" in line:
                unit = line.rpartition(":")[2]
            elif unit is not None:
                unit = line
        position = end + 1
    return parts


def _read(text: str) -> list[Equation]:
    source = Source(text, "equations")
    blanked = without_comments(text)
    equations: list[Equation] = []
    errors: list[EcclesError] = []
    for start, stop in _lines(blanked):
        try:
            equations.append(_read_one(source, start, blanked[start:stop]))
        except EcclesError as error:
            errors.append(error)
            if len(errors) == MAX_ERRORS:
                break
    raise_together(errors)
    return equations


def _read_one(source: Source, start: int, text: str) -> Equation:
    whole = Span(source, start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
    colon = text.rfind(":")
    expr: Expr | None = None
    if (found := _DIFFERENTIAL.match(text)) or (found := _SUBEXPRESSION.match(text)):
        kind: Kind = "differential" if found.re is _DIFFERENTIAL else "subexpression"
        name = found.group(1)
        if colon < 0:
            first = " ".join(text.split())
            example = first if len(first) <= 60 else f"{found.group().strip()} ..."
            raise SyntaxProblem(
                f"the unit of '{name}' is missing", span=whole,
                hint=f"End the line with a colon and a unit: '{example} : volt', or ' : 1' for a number "
                f"without unit.",
            )  # fmt: skip
        if not text[found.end() : colon].strip():
            raise SyntaxProblem(
                f"the right-hand side of '{name}' is missing", span=whole,
                hint=f"Write an expression between '=' and ':', or '{name} : unit' for a parameter.",
            )  # fmt: skip
        expr = parse_span(source, start + found.end(), start + colon, f"the right-hand side of '{name}'")
    elif (found := _PARAMETER.match(text)) is not None:
        kind, name = "parameter", found.group(1)
        if "," in name:
            raise _several_names(source, start, text, found)
    else:
        raise _not_an_equation(text, whole)
    name_span = Span(source, start + found.start(1), start + found.end(1))
    name = normal_name(name)
    check_name(name, name_span)
    unit_text, unit_span, flags, flag_spans = _unit_and_flags(source, start, text, colon)
    dim, kind_of_value = _unit(unit_text, unit_span, name)
    if kind == "differential" and kind_of_value != "float":
        raise EquationError(
            f"'{name}' changes continuously, so it cannot be {unit_text}", span=unit_span,
            hint="Write 1 for a number without unit.",
        )  # fmt: skip
    return Equation(kind, name, dim, kind_of_value, expr, flags, name_span, unit_text, flag_spans)


def _several_names(source: Source, start: int, text: str, found: re.Match[str]) -> EquationError:
    names = [brief(n) for n in found.group(1).split(",")]
    rest = brief(text[found.end() :]) or "1"
    lines = ", ".join(f"'{n} : {rest}'" for n in names[:3]) + (" ..." if len(names) > 3 else "")
    return EquationError(
        "one line declares one variable", span=Span(source, start + found.start(1), start + found.end(1)),
        hint=f"Write a line for each: {lines}.",
    )  # fmt: skip


def _not_an_equation(text: str, span: Span) -> SyntaxProblem:
    hint = "Write 'dx/dt = expression : unit', 'x = expression : unit' or 'x : unit'."
    if found := re.match(r"\s*d(\w+)\s*/\s*d(\w+)\s*=", text):
        hint = f"Derivatives are with respect to time: write d{brief(found.group(1))}/dt = ..."
    elif found := re.match(r"\s*(\w+)['’]\s*=", text):
        hint = f"Write d{brief(found.group(1))}/dt = ... for a derivative."
    elif found := re.match(r"\s*(\w+)\s*(\+|-|\*|/)=", text):
        hint = (
            "Statements like this belong into reset, on_pre or on_post; "
            "an equation has the form 'x = ... : unit'."
        )
    elif found := re.match(r"\s*([^\W\d]\w*)\s*$", text):
        hint = (
            f"A parameter needs a unit: '{brief(found.group(1))} : volt', "
            f"or '{brief(found.group(1))} : 1' for a number without unit."
        )
    return SyntaxProblem("this line is not an equation", span=span, hint=hint)


def _unit_and_flags(
    source: Source, start: int, text: str, colon: int
) -> tuple[str, Span, tuple[str, ...], tuple[Span, ...]]:
    """The part behind the colon: the unit, then flags in brackets."""
    rest = text[colon + 1 :].rstrip()
    origin = start + colon + 1
    if rest.count("(") != rest.count(")"):
        at = rest.rfind("(" if rest.count("(") > rest.count(")") else ")")
        raise SyntaxProblem(
            "this bracket has no partner", span=Span(source, origin + at, origin + at + 1),
            hint="Flags stand in brackets behind the unit, as in 'v : volt (constant)'.",
        )  # fmt: skip
    body, flags_text, flags_at = rest, "", 0
    # a bracket at the end holds flags, unless it is a part of the unit, as in amp/(volt*second)
    found = re.fullmatch(r"(.*[^\s*/(])\s*\(([^()]*)\)", rest, re.DOTALL)
    if found and all(re.fullmatch(r"\s*[A-Za-z][\w\s\-]*", word) for word in found.group(2).split(",")):
        body, flags_text, flags_at = found.group(1), found.group(2), origin + found.start(2)
    unit_text = " ".join(body.split())
    begin = origin + len(body) - len(body.lstrip())
    unit_span = Span(source, begin, max(begin + 1, origin + len(body.rstrip())))
    flags: list[str] = []
    spans: list[Span] = []
    for word in re.finditer(r"[^\s,][^,]*", flags_text):
        written = word.group().rstrip()
        span = Span(source, flags_at + word.start(), flags_at + word.start() + len(written))
        flag = " ".join(written.split())
        if flag not in FLAGS:
            near = nearest(flag, FLAGS)
            raise EquationError(
                f"there is no flag '{flag}'", span=span,
                hint=f"Did you mean '{near}'?" if near else f"Flags: {', '.join(FLAGS)}.",
            )  # fmt: skip
        if flag in flags:
            raise EquationError(f"the flag '{flag}' stands here twice", span=span, hint="Delete one of them.")
        flags.append(flag)
        spans.append(span)
    return unit_text, unit_span, tuple(flags), tuple(spans)


# what people write for units that have no names of one letter here
_SYMBOLS = {
    "V": "volt", "A": "amp", "s": "second", "sec": "second", "S": "siemens", "F": "farad", "m": "metre",
    "K": "kelvin", "C": "coulomb", "kg": "kilogram", "g": "gram", "M": "molar", "J": "joule", "W": "watt",
    "Ω": "ohm", "Ohm": "ohm", "bool": "boolean", "int": "integer", "float": "1", "dimensionless": "1",
    "none": "1", "None": "1",
}  # fmt: skip

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
        with np.errstate(all="ignore"):
            value = _unit_value(parse_expression(text, "unit"))
    except (EcclesError, ZeroDivisionError) as error:
        span_of_error = getattr(error, "span", None)
        wrong = span_of_error.text if span_of_error is not None else text
        near = _SYMBOLS.get(wrong) or nearest(wrong, unit_names())
        hint = (
            f"Did you mean '{near}'? " if near else ""
        ) + "Write a unit such as volt, siemens/meter**2 or 1."
        for flag in FLAGS:
            if text.endswith(f" {flag}"):
                hint = f"Flags stand in brackets: '{text.removesuffix(flag).strip()} ({flag})'."
        what = f"'{text}'" if len(text) <= 60 else "this"
        raise EquationError(f"{what} is not a unit", span=span, hint=hint) from None
    if not isinstance(value, Quantity):
        raise EquationError(f"'{text}' is not a unit", span=span, hint="Write 1 for a number without unit.")
    if abs(float(value) - 1.0) > 1e-12:
        raise EquationError(
            f"the unit of '{name}' is scaled: {text}", span=span,
            hint=f"Write '{_unscaled(text)}' in equations; values may be given in {text} all the same.",
        )  # fmt: skip
    return value.dim, "float"


def _unscaled(text: str) -> str:
    """The unit with every name in it replaced by the one in SI: 'siemens/metre**2' for 'mS/cm**2'."""

    def plain(name: re.Match[str]) -> str:
        unit = unit_named(name.group())
        if unit is None or float(unit) == 1.0:
            return name.group()
        return si_unit(unit.dim).name

    return re.sub(r"[^\W\d]\w*", plain, text)


def _unit_value(tree: Expr) -> Any:
    """The unit that an expression of names of units stands for; 1 for the number 1."""
    match tree:
        case Number(1 | 1.0):
            return 1
        case Name(id=name):
            unit = unit_named(name)
            if unit is not None:
                return unit
        case Binary("*", left, right):
            return _unit_value(left) * _unit_value(right)
        case Binary("/", left, right):
            return _unit_value(left) / _unit_value(right)
        case Binary("**", left, right):
            exponent = _exponent(right)
            if exponent is not None and abs(exponent) <= 20:
                return _unit_value(left) ** exponent
    raise EquationError("this is not a unit", span=tree.span)


def _exponent(tree: Expr) -> float | None:
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
