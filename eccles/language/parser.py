"""Reading expressions and statements: Python's own parser, then a translation of the few nodes we allow.

Nothing is ever evaluated, and hostile text is bounded: by length and depth of brackets before Python's
parser sees it, by the depth of the tree after.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
import warnings

from eccles.errors import MAX_ERRORS, EcclesError, Source, Span, SyntaxProblem, raise_together
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

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Reader",
    "brief",
    "check_name",
    "check_size",
    "logical_lines",
    "normal_name",
    "parse_expression",
    "parse_span",
    "parse_statements",
    "unbalanced",
    "without_comments",
]

MAX_LENGTH = 100_000  # characters of a text
MAX_NAME = 100  # characters of a name
MAX_BRACKETS = 100  # brackets in each other
MAX_DEPTH = 250  # levels of a tree: every pass over trees is recursive, and Python allows about 1000 calls

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
    ast.Subscript: (
        "indexing is not possible in model text",
        "Every line is meant for each element by itself: write v, not v[i].",
    ),
    ast.Attribute: (
        "attributes are not possible in model text",
        "Use the bare name, such as exp(x) instead of np.exp(x).",
    ),
    ast.IfExp: (
        "'if' is not possible in an expression",
        "Multiply by int(condition): 1 where it holds, 0 elsewhere.",
    ),
    ast.Lambda: (
        "functions cannot be defined in model text",
        "Define it in Python with the decorator @function.",
    ),
    ast.NamedExpr: ("':=' is not possible in model text", "Write a line of its own."),
    ast.Tuple: ("a comma is not possible here", "Write one expression; decimals take a point."),
    ast.List: (
        "lists are not possible in model text",
        "Use a TimedArray or a parameter for values that differ.",
    ),
    ast.JoinedStr: ("a string is not possible in model text", "Write numbers, names and operators."),
    ast.Starred: ("'*' is not possible here", "A product has two sides, as in a*b."),
    ast.GeneratorExp: (
        "'for' is not possible here",
        "It has a meaning in Synapses.connect(j='... for k in range(...)') only.",
    ),
}


class Reader:
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
        if line > len(self._lines):  # the bracket that `_python_tree` adds
            return self.start + len(self.text)
        before = self._lines[line - 1][: max(0, column)]
        return self.start + self._starts[line - 1] + len(before.decode(errors="ignore"))

    def span(self, node: ast.AST) -> Span:
        """The span of a node of Python's tree."""
        begin = self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        end = self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        text = self.source.text[begin:end]
        if text[:1].isspace():  # a tuple without brackets of its own has those that `_python_tree` adds
            begin += len(text) - len(text.lstrip())
            end -= len(text) - len(text.rstrip())
        return Span(self.source, begin, max(end, begin + 1))

    def fail(self, message: str, span: Span, hint: str | None = None) -> SyntaxProblem:
        """The error to raise."""
        return SyntaxProblem(message, span=span, hint=hint)

    def expr(self, node: ast.AST, depth: int = 0) -> Expr:
        """Our tree for Python's."""
        if depth > MAX_DEPTH:
            raise _too_deep(self.span(node))
        match node:
            case ast.Constant(value=bool(value)):
                return Boolean(value, self.span(node))
            case ast.Constant(value=int() | float() as value):
                if isinstance(value, int) and abs(value) >= 2**63:
                    return Number(float(value) if abs(value) < 10**308 else float("inf"), self.span(node))
                return Number(value, self.span(node))
            case ast.Constant(value=value):
                span = self.span(node)
                what = "a string" if isinstance(value, str | bytes) else f"'{span.text}'"
                raise self.fail(
                    f"{what} is not possible in model text", span, "Write numbers, names and operators."
                )
            case ast.Name(id=name):
                span = self.span(node)
                check_name(name, span)
                return Name(name, span)
            case ast.UnaryOp(op=op, operand=operand):
                return self._unary(node, op, operand, depth)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, left, op, right, depth)
            case ast.BoolOp(op=op, values=values):
                if len(values) > MAX_DEPTH:  # passes make a chain of it
                    raise _too_deep(self.span(node))
                parts = tuple(self.expr(v, depth + 1) for v in values)
                return Logical("and" if isinstance(op, ast.And) else "or", parts, self.span(node))
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call():
                return self._call(node, depth)
        if isinstance(node, ast.Tuple) and not node.elts:
            raise self.fail("there is nothing between these brackets", self.span(node), "Write a term.")
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
        level = depth + len(chain)
        if level > MAX_DEPTH:
            raise _too_deep(self.span(node))
        result = self.expr(current, level)
        for whole, operator, side in reversed(chain):
            second = self.expr(side, level)
            level -= 1
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
        if len(node.ops) > MAX_DEPTH:
            raise _too_deep(self.span(node))
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
            span = self.span(node) if len(node.ops) == 1 else left.span.join(right.span)
            parts.append(Compare(_COMPARE[type(op)], left, right, span, op_span))  # type: ignore[arg-type]
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
                "a bracket follows a term, but only functions can be called", self.span(node.func),
                "Write '*' for a product, as in 2*(a + b).",
            )  # fmt: skip
        check_name(node.func.id, self.span(node.func))
        if node.keywords:
            first = node.keywords[0]
            raise self.fail(
                "arguments have no names in model text", self.span(first),
                f"Give them in order: {node.func.id}({brief(self.span(first.value).text)}).",
            )  # fmt: skip
        if len(node.args) > 50:
            raise self.fail("a function takes 50 arguments at most", self.span(node))
        return Call(node.func.id, tuple(self.expr(a, depth + 1) for a in node.args), self.span(node))


def _too_deep(span: Span) -> SyntaxProblem:
    return SyntaxProblem(
        f"this expression is too deep: more than {MAX_DEPTH} operators and brackets hang on each other",
        span=span,
        hint="Give parts of it names: a line 'part = ... : unit' for each.",
    )  # fmt: skip


def brief(text: str, most: int = 40) -> str:
    """A text for a message, cut if it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."


def check_name(name: str, span: Span) -> None:
    """Refuse names that are too long to be meant."""
    if len(name) > MAX_NAME:
        raise SyntaxProblem(f"a name has {MAX_NAME} characters at most, this one has {len(name)}", span=span)


def normal_name(name: str) -> str:
    """The name as Python's parser reads it: letters that only look different count as one."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def check_size(text: str, source: Source, start: int = 0) -> None:
    """Refuse text that is too long or has too many brackets in each other.

    Raises
    ------
    SyntaxProblem
        Points to the place.
    """
    if len(text) > MAX_LENGTH:
        raise SyntaxProblem(
            f"this text has {len(text)} characters; {MAX_LENGTH} are the most that is read",
            span=Span(source, start, start + 1),
        )
    depth = 0
    for found in re.finditer(r"[()\[\]{}]", text):
        depth += 1 if found.group() in "([{" else -1
        if depth > MAX_BRACKETS:
            raise SyntaxProblem(
                f"more than {MAX_BRACKETS} brackets are in each other",
                span=Span(source, start + found.start(), start + found.end()),
                hint="Give parts of the expression names: a line 'part = ... : unit' for each.",
            )


# characters that look like, or are meant as, others: from a word processor, a PDF, a web page
_MEANT = {
    "−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "≤": "<=",
    "≥": ">=", "≠": "!=", "²": "**2", "³": "**3", "½": "0.5", "¼": "0.25", "√": "sqrt(...)", "∞": "inf",
    "π": "pi", "＝": "==", "（": "(", "）": ")", "，": ",", "：": ":",
}  # fmt: skip
_ODD = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff"
    + "".join(_MEANT)
    + "]"
)
_BLANKS = dict.fromkeys(
    [*map(ord, "\r\x0b\x0c\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"), *range(0x2000, 0x200B)], " "
)


def _check_characters(text: str, source: Source, start: int) -> None:
    """Refuse characters that are not what they look like, or cannot be seen."""
    for found in _ODD.finditer(text):
        character = found.group()
        if character == "π" and not re.fullmatch(
            r"\W?π\W?", text[max(0, found.start() - 1) : found.end() + 1]
        ):
            continue  # a letter of a name
        span = Span(source, start + found.start(), start + found.end())
        if character in _MEANT:
            raise SyntaxProblem(
                f"the character '{character}' has no meaning in model text", span=span,
                hint=f"Write {_MEANT[character]} instead.",
            )  # fmt: skip
        name = unicodedata.name(character, "").lower()
        raise SyntaxProblem(
            f"there is a character that cannot be seen: "
            f"U+{ord(character):04X}" + (f" ({name})" if name else ""),
            span=span, hint="Delete it; it may have come along when the text was copied.",
        )  # fmt: skip


def _python_tree(reader: Reader, what: str) -> ast.expr:
    """Python's tree of an expression, or a `SyntaxProblem` that points to the trouble."""
    text, source, start = reader.text, reader.source, reader.start
    if not text.strip():
        span = Span(source, start, start + max(1, len(text))) if source.text.strip() else None
        raise SyntaxProblem(f"{what} is missing", span=span, hint="Write an expression.")
    # one bracket around all lets an expression span several lines
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            tree = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        raise _explained(error, reader) from None
    except (RecursionError, MemoryError):
        raise _too_deep(Span(source, start, start + len(text))) from None
    except ValueError as error:
        raise SyntaxProblem(f"this cannot be read: {error}", span=Span(source, start, start + 1)) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.keyword) and node.lineno == 1:
            node.col_offset -= 1
            if node.end_lineno == 1:
                node.end_col_offset -= 1  # type: ignore[operator]  (declared as optional, set by the parser)
    return tree


_WORDS = re.compile(r"\b(?:and|or|not|if|else|in|is|for|lambda)\b")
_NUMBER = r"(?<![\w.])(?>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_OPERATOR = r"\*\*|//|[*/%<>]|[=!<>]=|\band\b|\bor\b"  # what needs a term before it
# What a text that Python cannot read has wrong, in the order in which to look: pattern, message, hint.
# The mark stands under the first group; {0}, {1} ... are the groups.
_TROUBLES = (
    (r"(?<![=<>!+\-*/%:])(=)(?!=)", "'=' is not possible in an expression", "Write '==' to compare."),
    (r"(\+=|-=|\*=|/=|%=|:=)", "'{0}' is not possible in an expression", "Write a statement of its own."),
    (r"(&&|\|\||!(?!=))", "there is no operator '{0}'", "Write 'and', 'or' and 'not'."),
    (r"\w(['’]+)", "a prime is not possible in a name", "Write dv/dt = ... for a derivative."),
    (r"([\"'’“”])", "quotation marks are not possible in model text", "Write names without them."),
    (r"(\?)", "there is no operator '?'", "Write int(condition)*a + int(not condition)*b."),
    (r"([$@`;:])", "the character '{0}' has no meaning in an expression", "Delete it."),
    (
        rf"(({_NUMBER})([^\W\d]\w*))",
        "a number and a name stand side by side",
        "Write {1}*{2} for a product.",
    ),
    (
        rf"((?:{_OPERATOR}|[-+,])\s*(?:{_OPERATOR}))",
        "two operators follow each other",
        "One of them is too many, or something is missing between them.",
    ),
    (
        rf"^\s*({_OPERATOR}|,)",
        "the expression begins with an operator",
        "Something has to stand before it.",
    ),
    (
        rf"({_OPERATOR}|[-+]|\bnot)\s*$",
        "the expression ends too early",
        "Something has to follow the last operator.",
    ),
    (
        rf"(?:{_OPERATOR}|[-+(]|\bnot)\s*(\))",
        "something is missing before this bracket",
        "Write a term, or delete the operator.",
    ),
)


def _explained(error: SyntaxError, reader: Reader) -> SyntaxProblem:
    """Our words for an error of Python's parser."""
    text, source, start = reader.text, reader.source, reader.start

    def problem(message: str, begin: int, end: int, hint: str) -> SyntaxProblem:
        return SyntaxProblem(message, span=Span(source, start + begin, start + end), hint=hint)

    trouble = unbalanced(text)
    if trouble is not None:
        at, message, hint = trouble
        return problem(message, at, at + 1, hint)
    for pattern, message, hint in _TROUBLES:
        found = re.search(pattern, text)  # compiled when it is needed: most texts are right
        if found:
            groups = [brief(group) for group in found.groups()]
            return problem(message.format(*groups), found.start(1), found.end(1), hint.format(*groups))
    for found in re.finditer(r"[^\W\d]\w*", text):
        if keyword.iskeyword(found.group()) and (
            found.group() == "lambda" or not _WORDS.fullmatch(found.group())
        ):
            return problem(
                f"'{found.group()}' is a word of Python and cannot be a name", found.start(), found.end(),
                "Choose another name.",
            )  # fmt: skip
    for found in re.finditer(r"(?<![\w.)])(?>[\w.)]+)(?=\s+([\w(]+))", text):
        both = (found.group(), found.group(1))
        if not any(_WORDS.fullmatch(word) for word in both):
            return problem(
                "an operator is missing between two terms",
                found.start(),
                found.end(1),
                "Write '*' for a product.",
            )
    line = min(max(error.lineno or 1, 1), len(reader._lines))
    column = max(0, (error.offset or 1) - 1 - (1 if line == 1 else 0))
    position = reader._starts[line - 1] + min(column, len(reader._lines[line - 1].decode(errors="ignore")))
    position = min(position, max(0, len(text) - 1))
    word = re.compile(r"\w*").match(text, position)
    end = max(position + 1, word.end() if word else 0)
    if keyword.iskeyword(text[position:end]):
        return problem(
            f"'{text[position:end]}' is a word of Python and has no meaning here",
            position,
            end,
            "Choose another name.",
        )
    return problem("this cannot be read as an expression", position, end, "Look at what stands at the mark.")


_CLOSING = {"(": ")", "[": "]", "{": "}"}


def unbalanced(text: str) -> tuple[int, str, str] | None:
    """The first bracket without its partner: where, what is wrong, what to do."""
    open_brackets: list[tuple[int, str]] = []
    for found in re.finditer(r"[()\[\]{}]", text):
        bracket = found.group()
        if bracket in _CLOSING:
            open_brackets.append((found.start(), bracket))
        elif not open_brackets:
            return found.start(), "this bracket closes nothing", "Delete it, or open one before it."
        elif _CLOSING[open_brackets[-1][1]] != bracket:
            opening = open_brackets[-1][1]
            return found.start(), f"'{opening}' is closed by '{bracket}'", f"Write '{_CLOSING[opening]}'."
        else:
            open_brackets.pop()
    if open_brackets:
        at, bracket = open_brackets[-1]
        return at, "this bracket is not closed", f"Every '{bracket}' needs its '{_CLOSING[bracket]}'."
    return None


def parse_span(source: Source, start: int, stop: int, what: str = "the expression") -> Expr:
    """Read the expression in a part of a source.

    Raises
    ------
    SyntaxProblem
        If it cannot be read; points to the place.
    """
    text = without_comments(source.text[start:stop])
    check_size(text, source, start)
    text = text.translate(_BLANKS)
    _check_characters(text, source, start)
    reader = Reader(source, start, text)
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
    return parse_span(Source(text, title), 0, len(text))


def without_comments(text: str) -> str:
    """The text with its comments blanked out, so that positions stay."""
    return re.sub(r"#[^\n]*", lambda comment: " " * len(comment.group()), text) if "#" in text else text


def logical_lines(text: str, *, semicolons: bool = True) -> list[tuple[int, int]]:
    """The parts [start, stop) of a text that are statements: lines, joined inside brackets, split at `;`."""
    blanked = without_comments(text)
    parts: list[tuple[int, int]] = []
    depth = start = 0

    def close(end: int) -> None:
        nonlocal start, depth
        if blanked[start:end].replace("\\", " ").strip():
            parts.append((start, end))
        start, depth = end + 1, 0

    for found in re.finditer(r"[()\[\]{};\n]", blanked):
        character, at = found.group(), found.start()
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif depth <= 0 and (
            semicolons if character == ";" else not blanked[start:at].rstrip(" \t").endswith("\\")
        ):
            close(at)
    close(len(blanked))
    return parts


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
    check_size(text, source)
    statements: list[Assignment] = []
    errors: list[EcclesError] = []
    for start, stop in logical_lines(text):
        try:
            statements.append(_statement(source, start, stop))
        except EcclesError as error:
            errors.append(error)
            if len(errors) == MAX_ERRORS:
                break
    raise_together(errors)
    return tuple(statements)


def _statement(source: Source, start: int, stop: int) -> Assignment:
    part = without_comments(source.text[start:stop])
    begin = start + len(part) - len(part.lstrip())
    end = start + len(part.rstrip())
    found = _STATEMENT.match(part)
    if found is None:
        raise _not_an_assignment(part, Span(source, begin, end))
    name, op = normal_name(found.group(1)), (found.group(2) or "") + "="
    target = Span(source, start + found.start(1), start + found.end(1))
    check_name(name, target)
    if keyword.iskeyword(name):
        raise SyntaxProblem(
            f"'{name}' is a word of Python and cannot be a name", span=target, hint="Choose another name."
        )
    value = parse_span(source, start + found.end(), stop, f"the value of '{name}'")
    return Assignment(name, op, value, Span(source, target.start, end), target)


def _not_an_assignment(part: str, span: Span) -> SyntaxProblem:
    hint = "Write 'variable = expression' or 'variable += expression'."
    if "==" in part:
        hint = "'==' compares; write '=' to set a variable."
    elif re.match(r"\s*(if|for|while|return|print|def)\b", part):
        hint = (
            "There is no 'if' or 'for' in model text. Multiply by int(condition): 1 where it holds, 0 "
            "elsewhere."
        )
    elif re.match(r"\s*d\w+\s*/\s*dt\s*=", part):
        hint = "A differential equation belongs to the equations of the model."
    elif re.match(r"\s*\w+(\[|\.)", part):
        hint = (
            "Every line is meant for each element by itself: write v = ..., not v[i] = ... or group.v = ..."
        )
    return SyntaxProblem("this is not an assignment", span=span, hint=hint)
