"""Reading expressions and statements: Python's own parser, then a translation of the few nodes we allow.

Nothing is ever evaluated, and hostile text is bounded: by length before parsing, by depth after.
"""

from __future__ import annotations

import ast
import re
import warnings

from eccles.errors import Source, Span, SyntaxProblem
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
)

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "logical_lines", "parse_expression", "parse_span", "parse_statements"]

MAX_LENGTH = 100_000
MAX_DEPTH = 100

_BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_INSTEAD: dict[type, str] = {
    ast.BitAnd: "write 'and' instead of '&'",
    ast.BitOr: "write 'or' instead of '|'",
    ast.BitXor: "write '**' for a power instead of '^'",
    ast.LShift: "there are no bit operations",
    ast.RShift: "there are no bit operations",
    ast.MatMult: "there are no matrices in model text",
}
_REFUSED: dict[type, tuple[str, str]] = {
    ast.Subscript: ("indexing is not possible in model text", "Every line is meant for each element by itself: write v, not v[i]."),
    ast.Attribute: ("attributes are not possible in model text", "Use the bare name, such as exp(x) instead of np.exp(x)."),
    ast.IfExp: ("'if' is not possible in an expression", "Multiply by int(condition): 1 where it holds, 0 elsewhere."),
    ast.Lambda: ("functions cannot be defined in model text", "Define it in Python with the decorator @function."),
    ast.NamedExpr: ("':=' is not possible in model text", "Write a line of its own."),
    ast.Tuple: ("a comma is not possible here", "Write one expression; decimals take a point."),
    ast.List: ("lists are not possible in model text", "Use a TimedArray or a parameter for values that differ."),
    ast.JoinedStr: ("strings are not possible in model text", "Write numbers, names and operators."),
}  # fmt: skip


class _Reader:
    """Translates one piece of a source; knows where its characters are in the user's text."""

    def __init__(self, source: Source, start: int, text: str) -> None:
        self.source = source
        self.start = start
        self.text = text
        lines = text.split("\n")
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._lines = [line.encode() for line in lines]

    def offset(self, line: int, column: int) -> int:
        """The position in the source of a line and a column in utf-8 bytes."""
        return (
            self.start + self._starts[line - 1] + len(self._lines[line - 1][:column].decode(errors="ignore"))
        )

    def span(self, node: ast.AST) -> Span:
        """The span of a node of Python's tree."""
        begin = self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        end = self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return Span(self.source, begin, end)

    def fail(self, message: str, span: Span, hint: str | None = None) -> SyntaxProblem:
        """The error to raise."""
        return SyntaxProblem(message, span=span, hint=hint)

    def expr(self, node: ast.AST, depth: int = 0) -> Expr:
        """Our tree for Python's."""
        if depth > MAX_DEPTH:
            raise self.fail(
                "this expression is nested too deeply",
                self.span(node),
                "Give parts of it names of their own.",
            )
        match node:
            case ast.Constant(value=bool(value)):
                return Boolean(value, self.span(node))
            case ast.Constant(value=int() | float() as value):
                if isinstance(value, int) and abs(value) >= 2**63:
                    return Number(float(value) if abs(value) < 10**308 else float("inf"), self.span(node))
                return Number(value, self.span(node))
            case ast.Constant(value=value):
                what = "a string" if isinstance(value, str) else repr(value)
                raise self.fail(
                    f"{what} is not possible in model text",
                    self.span(node),
                    "Write numbers, names and operators.",
                )
            case ast.Name(id=name):
                return Name(name, self.span(node))
            case ast.UnaryOp(op=op, operand=operand):
                return self._unary(node, op, operand, depth)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, left, op, right, depth)
            case ast.BoolOp(op=op, values=values):
                parts = tuple(self.expr(v, depth + 1) for v in values)
                return Logical("and" if isinstance(op, ast.And) else "or", parts, self.span(node))
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call():
                return self._call(node, depth)
        message, hint = _REFUSED.get(
            type(node),
            ("this is not possible in model text", "Write numbers, names, operators and function calls."),
        )
        raise self.fail(message, self.span(node), hint)

    def _unary(self, node: ast.UnaryOp, op: ast.unaryop, operand: ast.expr, depth: int) -> Expr:
        inner = self.expr(operand, depth + 1)
        match op:
            case ast.USub():
                return Unary("-", inner, self.span(node))
            case ast.UAdd():
                return Unary("+", inner, self.span(node))
            case ast.Not():
                return Unary("not", inner, self.span(node))
        raise self.fail(
            "'~' is not possible in model text",
            self.span(node),
            "Write 'not' for the opposite of a condition.",
        )

    def _binary(self, node: ast.BinOp, left: ast.expr, op: ast.operator, right: ast.expr, depth: int) -> Expr:
        # long sums lean to the left: walk down that side without recursion
        chain: list[tuple[ast.BinOp, ast.operator, ast.expr]] = []
        current: ast.expr = node
        while isinstance(current, ast.BinOp):
            chain.append((current, current.op, current.right))
            current = current.left
        result = self.expr(current, depth + 1)
        for whole, operator, side in reversed(chain):
            second = self.expr(side, depth + 1)
            op_span = self._operator_span(result, second)
            if type(operator) not in _BINARY:
                hint = _INSTEAD[type(operator)]
                raise self.fail(
                    "this operator is not possible in model text", op_span, hint[0].upper() + hint[1:] + "."
                )
            result = Binary(_BINARY[type(operator)], result, second, self.span(whole), op_span)  # type: ignore[arg-type]
        return result

    def _operator_span(self, left: Expr, right: Expr) -> Span:
        """The operator between two operands, brackets and blanks left out."""
        assert left.span is not None
        assert right.span is not None
        begin, end = left.span.stop, right.span.start
        between = self.source.text[begin:end]
        found = re.search(r"[^\s()]+", between)
        if found is None:
            return Span(self.source, begin, max(end, begin + 1))
        return Span(self.source, begin + found.start(), begin + found.end())

    def _compare(self, node: ast.Compare, depth: int) -> Expr:
        parts: list[Expr] = []
        left = self.expr(node.left, depth + 1)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expr(comparator, depth + 1)
            op_span = self._operator_span(left, right)
            if type(op) not in _COMPARE:
                raise self.fail(
                    "this comparison is not possible in model text", op_span, "Use < <= > >= == or !=."
                )
            assert left.span is not None
            assert right.span is not None
            parts.append(Compare(_COMPARE[type(op)], left, right, left.span.join(right.span), op_span))  # type: ignore[arg-type]
            left = right
        return parts[0] if len(parts) == 1 else Logical("and", tuple(parts), self.span(node))

    def _call(self, node: ast.Call, depth: int) -> Expr:
        if not isinstance(node.func, ast.Name):
            if isinstance(node.func, ast.Attribute):
                raise self.fail(
                    "a function is called by its bare name in model text", self.span(node.func),
                    f"Write {node.func.attr}(...).",
                )  # fmt: skip
            raise self.fail(
                "only a named function can be called", self.span(node.func), "Write exp(x), for example."
            )
        if node.keywords:
            raise self.fail(
                "arguments have no names in model text",
                self.span(node.keywords[0].value),
                "Give them in order.",
            )
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self.fail("'*' is not possible before an argument", self.span(argument))
        return Call(node.func.id, tuple(self.expr(a, depth + 1) for a in node.args), self.span(node))


def _checked_length(text: str, source: Source, start: int) -> None:
    if len(text) > MAX_LENGTH:
        raise SyntaxProblem(
            f"this text has {len(text)} characters; {MAX_LENGTH} are the most that is read",
            span=Span(source, start, start + 1),
        )
    depth = deepest = 0
    for position, character in enumerate(text):
        if character in "([{":
            depth += 1
            if depth > MAX_DEPTH > deepest:
                raise SyntaxProblem(
                    f"brackets are nested more than {MAX_DEPTH} deep",
                    span=Span(source, start + position, start + position + 1),
                    hint="Give parts of the expression names of their own.",
                )
        elif character in ")]}":
            depth -= 1


def _python_tree(reader: _Reader, what: str) -> ast.expr:
    """Python's tree of an expression, or a `SyntaxProblem` that points to the trouble."""
    text, source, start = reader.text, reader.source, reader.start
    if not text.strip():
        raise SyntaxProblem(
            f"{what} is missing",
            span=Span(source, start, start + max(1, len(text))),
            hint="Write an expression.",
        )
    # one bracket around all lets an expression span several lines
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        raise _explained(error, reader) from None
    except (RecursionError, MemoryError):
        raise SyntaxProblem(
            "this expression is nested too deeply", span=Span(source, start, start + 1)
        ) from None
    except ValueError as error:
        raise SyntaxProblem(f"this cannot be read: {error}", span=Span(source, start, start + 1)) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.keyword) and node.lineno == 1:
            node.col_offset -= 1
            if node.end_lineno == 1:
                node.end_col_offset -= 1  # type: ignore[operator]
    return tree


def _explained(error: SyntaxError, reader: _Reader) -> SyntaxProblem:
    """Our words for an error of Python's parser."""
    text, source, start = reader.text, reader.source, reader.start
    line = min(max(error.lineno or 1, 1), len(reader._lines))
    column = max(0, (error.offset or 1) - 1 - (1 if line == 1 else 0))
    line_length = len(reader._lines[line - 1].decode())
    position = start + reader._starts[line - 1] + min(column, line_length)
    span = Span(
        source, min(position, start + max(0, len(text) - 1)), min(position, start + max(0, len(text) - 1)) + 1
    )
    single = re.search(r"(?<![=<>!+\-*/%])=(?!=)", text)
    if single:
        return SyntaxProblem(
            "'=' is not possible in an expression", span=Span(source, start + single.start(), start + single.end()),
            hint="Write '==' to compare.",
        )  # fmt: skip
    for pattern, message, hint in (
        (r"&&|\|\||!(?!=)", "this operator does not exist", "Write 'and', 'or' and 'not'."),
        (
            r"'",
            "a prime is not possible in a name",
            "Write dv/dt = ... for a derivative, and quotes nowhere.",
        ),
        (
            r"\b\d+(\.\d*)?[A-Za-z_]",
            "a number and a name stand side by side",
            "Write '*' between them, as in 2*ms.",
        ),
        (r"[\w)]\s+[\w(]", "an operator is missing between two terms", "Write '*' for a product."),
    ):
        found = re.search(pattern, text)
        if found and not (
            pattern.startswith(r"[\w)]") and re.search(r"\b(and|or|not|if|else|in|is|for)\b", text)
        ):
            return SyntaxProblem(
                message, span=Span(source, start + found.start(), start + found.end()), hint=hint
            )
    if text.count("(") != text.count(")"):
        more = "closing" if text.count("(") > text.count(")") else "opening"
        return SyntaxProblem(f"a {more} bracket is missing", span=span, hint="Every '(' needs its ')'.")
    if re.search(r"(\*\*|[-+*/%<>=]|\b(and|or|not))\s*$", text):
        end = len(text.rstrip())
        return SyntaxProblem(
            "the expression ends too early", span=Span(source, start + end - 1, start + end),
            hint="Something has to follow the last operator.",
        )  # fmt: skip
    return SyntaxProblem(
        "this cannot be read as an expression", span=span, hint="Look at what stands at the mark."
    )


def parse_span(source: Source, start: int, stop: int, what: str = "the expression") -> Expr:
    """Read the expression in a part of a source."""
    text = source.text[start:stop]
    _checked_length(text, source, start)
    if "#" in text:
        text = "\n".join(_without_comment(line) for line in text.split("\n"))
    reader = _Reader(source, start, text)
    return reader.expr(_python_tree(reader, what))


def parse_expression(text: str, title: str = "expression") -> Expr:
    """Read an expression.

    Raises
    ------
    SyntaxProblem
        If it cannot be read; points to the place.
    """
    if not isinstance(text, str):
        raise TypeError(f"{title} has to be text, not {text!r}")
    return parse_span(Source(text, title), 0, len(text), title)


def _without_comment(line: str) -> str:
    """The line with its comment blanked out, so that positions stay."""
    at = line.find("#")
    return line if at < 0 else line[:at] + " " * (len(line) - at)


def logical_lines(text: str, *, semicolons: bool = True) -> list[tuple[int, int]]:
    """The parts [start, stop) of a text that are statements: lines, joined inside brackets, split at `;`."""
    parts: list[tuple[int, int]] = []
    depth, start, position = 0, 0, 0
    comment = False
    while position <= len(text):
        character = text[position] if position < len(text) else "\n"
        if character == "\n":
            comment = False
        if comment:
            position += 1
            continue
        if character == "#":
            comment = True
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif (character == "\n" and (depth <= 0 or position == len(text))) or (
            character == ";" and semicolons and depth <= 0
        ):
            if text[start:position].rstrip().endswith("\\") and character == "\n" and position < len(text):
                position += 1
                continue
            if _without_comments(text[start:position]).strip():
                parts.append((start, position))
            start = position + 1
            depth = 0
        position += 1
    return parts


def _without_comments(text: str) -> str:
    return "\n".join(_without_comment(line) for line in text.split("\n"))


_STATEMENT = re.compile(r"\s*([^\W\d]\w*)\s*(\+|-|\*\*|\*|//|/|%)?=(?!=)")


def parse_statements(text: str, title: str = "statements") -> tuple[Assignment, ...]:
    """Read statements: `x = expression`, `x += expression` ..., one a line or separated by `;`.

    Raises
    ------
    SyntaxProblem
        If one cannot be read; points to the place.
    """
    if not isinstance(text, str):
        raise TypeError(f"{title} has to be text, not {text!r}")
    source = Source(text, title)
    _checked_length(text, source, 0)
    statements = []
    for start, stop in logical_lines(text):
        part = _without_comments(text[start:stop]).replace("\\\n", " \n")
        found = _STATEMENT.match(part)
        if found is None:
            begin = start + len(part) - len(part.lstrip())
            end = start + len(part.rstrip())
            raise SyntaxProblem(
                "this is not an assignment", span=Span(source, begin, end),
                hint="Write 'variable = expression' or 'variable += expression'.",
            )  # fmt: skip
        name, op = found.group(1), (found.group(2) or "") + "="
        target = Span(source, start + found.start(1), start + found.end(1))
        value = parse_span(source, start + found.end(), stop, f"the value of '{name}'")
        end = start + len(part.rstrip())
        statements.append(Assignment(name, op, value, Span(source, target.start, end), target))
    return tuple(statements)
