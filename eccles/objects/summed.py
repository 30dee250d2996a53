"""Summed variables: `x_post = w*y_pre : unit (summed)` adds up all synapses of each target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eccles.compile import ir
from eccles.compile.ir import Op
from eccles.compile.lower import convert
from eccles.engine.program import Block, ProgramBuilder
from eccles.engine.state import Array
from eccles.errors import EquationError
from eccles.language.equations import Equation
from eccles.objects.neurons import SpikeSource

if TYPE_CHECKING:
    from eccles.objects.synapses import Synapses

__all__ = ["check_summed", "summed_array", "summing_block"]


def check_summed(synapses: Synapses, equation: Equation) -> None:
    """Check that the equation sums into a parameter of the same dimension.

    Raises
    ------
    EquationError
        If it does not.
    """
    side, stem = _target(equation)
    group = synapses.group(side)
    symbol = group.symbol(stem)
    if symbol is None:
        raise EquationError(
            f"'{equation.name}' is summed, but {group.name} has no variable '{stem}'", span=equation.span,
            hint=f"Add a line '{stem} : ...' to the equations of {group.name}.",
        )  # fmt: skip
    if symbol.dim is not equation.dim:
        raise EquationError(
            f"'{equation.name}' is {equation.dim.friendly()}, but '{stem}' of {group.name} is "
            f"{symbol.dim.friendly()}",
            span=equation.span,
        )
    if "shared" in equation.flags:
        raise EquationError(
            f"'{equation.name}' is summed for each neuron, so it cannot be shared", span=equation.span
        )
    if symbol.shared or symbol.type != "float":
        raise EquationError(
            f"'{stem}' of {group.name} cannot be summed into: it is "
            + ("shared by all neurons" if symbol.shared else f"of type {symbol.type}"),
            span=equation.span,
        )
    whole = group.whole
    has_equations = isinstance(whole, SpikeSource) and "equations" in whole.__dict__
    declared = whole.equations.get(stem) if has_equations else None
    if declared is not None and declared.kind != "parameter":
        raise EquationError(
            f"'{stem}' of {group.name} cannot be summed into: it has an equation of its own",
            span=equation.span,
            hint=f"Declare it as a parameter, '{stem} : unit', and use it in the equations.",
        )
    if (declared is not None and "linked" in declared.flags) or len(list(whole.arrays_of(stem))) != 1:
        raise EquationError(
            f"'{stem}' of {group.name} cannot be summed into: it has no values of its own",
            span=equation.span,
        )


def _target(equation: Equation) -> tuple[str, str]:
    """The side and the name of the neurons' variable."""
    if equation.name.endswith("_pre"):
        return "pre", equation.name[:-4]
    if equation.name.endswith("_post"):
        return "post", equation.name[:-5]
    raise EquationError(
        f"'{equation.name}' is flagged 'summed', so its name has to end in _post or _pre",
        span=equation.span,
    )


def summed_array(synapses: Synapses, equation: Equation) -> Array:
    """The array that is summed into."""
    side, stem = _target(equation)
    (array,) = synapses.group(side).whole.arrays_of(stem)
    return array


def summing_block(synapses: Synapses, equation: Equation) -> Block:
    """What sums in each time step, before the neurons are updated."""
    side, _ = _target(equation)
    group = synapses.group(side)
    order = group.whole.order - 1
    if group is not group.whole and synapses.semantics.sums_on_parts == "in turn":
        order += 1
    return Block(
        f"{synapses.name}_summed_variable_{equation.name}", synapses.clock, "groups", order,
        lambda b: _emit_sum(b, synapses, equation),
    )  # fmt: skip


def _emit_sum(b: ProgramBuilder, synapses: Synapses, equation: Equation) -> None:
    """Zero the target, then add synapse by synapse, in order of creation."""
    side, stem = _target(equation)
    group = synapses.group(side)
    other = b.claimed.setdefault(("summed", id(group.whole), stem), synapses.name)
    if other != synapses.name:
        raise NotImplementedError(
            f"both {' and '.join(sorted([other, synapses.name]))} sum into '{stem}' of {group.whole.name}: "
            f"let each sum into a variable of its own, and add these in the equations"
        )
    assert equation.expr is not None
    array = summed_array(synapses, equation)
    n = b.integer_constant(("N", id(group)), "N", lambda: len(group))
    with b.elements("i", n, group.first_element(b)) as i:
        b.store(array, i, ir.const(0.0))
    with b.loop("s", ir.const(0), synapses.size(b)) as s:
        code = synapses.element_code(b, s, equation.name)
        element = b.let("to", synapses.neuron(b, side, s, code.lowerer, None, None))
        value = convert(code.expr(equation.expr), ir.F64)
        b.store(array, element, Op("fadd", (b.load(array, element), value)))
