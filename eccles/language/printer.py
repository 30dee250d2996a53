"""Trees as text: what can be read again, and LaTeX."""

from __future__ import annotations

from eccles.language.nodes import Binary, Boolean, Call, Compare, Expr, Logical, Name, Number, Unary

__all__ = ["latex", "show"]

# how tightly an operator binds, as in Python
OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(9)
_LEVEL = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER}


def show(expr: Expr) -> str:
    """The expression with no more brackets than it needs; reading it gives the same tree."""
    return _show(expr)[0]


def _inside(expr: Expr, level: int) -> str:
    text, own = _show(expr)
    return text if own >= level else f"({text})"


def _show(expr: Expr) -> tuple[str, int]:
    match expr:
        case Number(value):
            text = repr(value)
            if text in ("inf", "-inf", "nan"):
                return ("1e999" if text == "inf" else f"({text})"), ATOM
            return (text, ATOM) if not text.startswith("-") else (text, SIGN)
        case Boolean(value):
            return repr(value), ATOM
        case Name(id=name):
            return name, ATOM
        case Unary("not", operand):
            return f"not {_inside(operand, NOT)}", NOT
        case Unary(op, operand):
            return f"{op}{_inside(operand, SIGN)}", SIGN
        case Binary("**", left, right):
            return f"{_inside(left, ATOM)}**{_inside(right, SIGN)}", POWER
        case Binary(op, left, right):
            level = _LEVEL[op]
            return f"{_inside(left, level)} {op} {_inside(right, level + 1)}" if level == SUM else (
                f"{_inside(left, level)}{op}{_inside(right, level + 1)}"
            ), level  # fmt: skip
        case Compare(op, left, right):
            return f"{_inside(left, SUM)} {op} {_inside(right, SUM)}", COMPARE
        case Logical(op, operands):
            level = AND if op == "and" else OR
            return f" {op} ".join(_inside(o, level + 1) for o in operands), level
        case Call(function, args):
            return f"{function}({', '.join(show(a) for a in args)})", ATOM


_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega",
}  # fmt: skip


def _latex_name(name: str) -> str:
    head, _, tail = name.partition("_")
    symbol = f"\\{head}" if head in _GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    escaped = tail.replace("_", r"\_")
    return f"{symbol}_{{{escaped}}}" if tail else symbol


def latex(expr: Expr) -> str:
    """The expression in LaTeX."""
    match expr:
        case Number(value) | Boolean(value):
            return repr(value)
        case Name(id=name):
            return _latex_name(name)
        case Unary(op, operand):
            sign = r"\neg " if op == "not" else op
            return sign + _latex_inside(operand, SIGN)
        case Binary("/", left, right):
            return rf"\frac{{{latex(left)}}}{{{latex(right)}}}"
        case Binary("**", left, right):
            return f"{_latex_inside(left, ATOM)}^{{{latex(right)}}}"
        case Binary(op, left, right):
            symbol = {"*": r" \, ", "//": r" \backslash ", "%": r" \bmod "}.get(op, f" {op} ")
            return _latex_inside(left, _LEVEL[op]) + symbol + _latex_inside(right, _LEVEL[op] + 1)
        case Compare(op, left, right):
            symbol = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}.get(op, op)
            return f"{latex(left)} {symbol} {latex(right)}"
        case Logical(op, operands):
            symbol = r" \wedge " if op == "and" else r" \vee "
            return symbol.join(_latex_inside(o, NOT) for o in operands)
        case Call("exp", (arg,)):
            return f"e^{{{latex(arg)}}}"
        case Call("sqrt", (arg,)):
            return rf"\sqrt{{{latex(arg)}}}"
        case Call(function, args):
            return rf"\operatorname{{{function}}}\left({', '.join(latex(a) for a in args)}\right)"


def _latex_inside(expr: Expr, level: int) -> str:
    return latex(expr) if _show(expr)[1] >= level else rf"\left({latex(expr)}\right)"
