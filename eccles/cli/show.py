"""The forms that a model takes on its way to machine code, for `eccles show`.

The script runs up to its first `run()`; the network is built there and shown instead of being run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from eccles.cli.script import execute
from eccles.engine.program import Block, ProgramBuilder
from eccles.errors import SetupError, nearest
from eccles.integrate.choose import explain_choice
from eccles.integrate.event_driven import ELAPSED
from eccles.language import printer
from eccles.language.equations import Equations
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
    children,
)
from eccles.language.parser import parse_expression, parse_statements
from eccles.objects import NeuronGroup, Synapses
from eccles.objects.group import SimulationObject
from eccles.objects.network import Network
from eccles.objects.pathway import Pathway
from eccles.objects.regular import CodeRunner

__all__ = ["STAGES", "first_network", "form"]


class _Built(BaseException):
    """Ends a script at its first run. Not an `Exception`: no `except` of the script may stop it."""

    def __init__(self, network: Network, objects: list[SimulationObject]) -> None:
        self.network = network
        self.objects = objects


def first_network(path: Path, arguments: Sequence[str]) -> tuple[Network, list[SimulationObject]]:
    """The network of a script's first run, and all objects that take part in it.

    Raises
    ------
    SetupError
        If the script ends without a run.
    """

    def stop(network: Network, objects: list[SimulationObject]) -> None:
        raise _Built(network, objects)

    Network.on_built = staticmethod(stop)
    try:
        execute(path, arguments)
    except _Built as built:
        return built.network, built.objects
    finally:
        Network.on_built = None
    raise SetupError(f"{path} ended without a run, so nothing was built")


def form(stage: str, network: Network, objects: list[SimulationObject], only: str | None) -> str:
    """A built network in the form of one stage; `only` an object of this name where one is given.

    Raises
    ------
    SetupError
        If no object is called so.
    """
    if only is not None:
        names = [obj.name for obj in objects]
        if only not in names:
            near = nearest(only, names)
            raise SetupError(
                f"no object of the network is called '{only}'",
                hint=(f"Did you mean '{near}'? " if near else "") + f"There are {', '.join(names)}.",
            )
    chosen = [obj for obj in objects if only is None or obj.name == only]
    return STAGES[stage](network, objects, chosen)


# -- tree ---------------------------------------------------------------------------------------------


def _trees(network: Network, objects: list[SimulationObject], chosen: list[SimulationObject]) -> str:
    """Model text as it was read: equations, conditions and statements with their trees."""
    return _paragraphs(chosen, _tree_lines)


def _tree_lines(obj: SimulationObject) -> Iterator[str]:
    match obj:
        case NeuronGroup():
            yield from _equation_trees(obj.equations)
            for event in obj.events:
                title = "threshold" if event == "spike" else f"event {event}"
                yield f"{title}: {printer.show(obj.condition(event))}"
                yield from _branches(obj.condition(event))
            if obj.reset_text is not None:
                yield from _statement_trees("reset", obj.reset_text)
            if isinstance(obj.refractory, str):
                yield f"refractory: {obj.refractory}"
                yield from _branches(parse_expression(obj.refractory, "refractory"))
            elif obj.has_refractory:
                yield f"refractory: {obj.refractory}"
        case Synapses():
            yield from _equation_trees(obj.equations)
        case Pathway():
            yield from _statement_trees(f"on_{obj.side}", obj.code)
        case CodeRunner():
            yield from _statement_trees("every step", obj.code)


def _equation_trees(equations: Equations) -> Iterator[str]:
    for equation in equations.values():
        yield str(equation)
        if equation.expr is not None:
            yield from _branches(equation.expr)


def _statement_trees(title: str, text: str) -> Iterator[str]:
    yield f"{title}:"
    for statement in parse_statements(text, title):
        yield f"  {_statement(statement)}"
        yield from (f"  {line}" for line in _branches(statement.value))


def _branches(expr: Expr, depth: int = 1) -> Iterator[str]:
    yield f"{'  ' * depth}{_node(expr)}"
    for child in children(expr):
        yield from _branches(child, depth + 1)


def _node(expr: Expr) -> str:
    match expr:
        case Number(value) | Boolean(value):
            return f"number {value}"
        case Name(id=name):
            return f"name {name}"
        case Unary(op) | Binary(op) | Compare(op) | Logical(op):
            return op
        case Call(function):
            return f"call {function}"


# -- step ---------------------------------------------------------------------------------------------


def _steps(network: Network, objects: list[SimulationObject], chosen: list[SimulationObject]) -> str:
    """The statements of one time step, with the method of integration and why it was chosen."""
    return _paragraphs(chosen, _step_lines)


def _step_lines(obj: SimulationObject) -> Iterator[str]:
    if (
        isinstance(obj, NeuronGroup | Synapses)
        and obj.method_choice is not None
        and obj.method_choice.statements
    ):
        step = obj.method_choice
        yield explain_choice(step)
        for system in step.systems:
            names = ", ".join(system.wanted())
            yield f"once per run, from the matrix exponential for {', '.join(system.variables)}: {names}"
        for hoisted in step.hoisted:
            yield f"once per run: {hoisted.name} = {printer.show(hoisted.expr)}"
        for name in step.noise:
            yield f"each step: {name} = a standard normal number"
        yield from (_statement(statement) for statement in step.statements)
    match obj:
        case NeuronGroup():
            for event in obj.events:
                slot = obj.event_schedule[event][0]
                yield f"in slot {slot}: event {event} if {printer.show(obj.condition(event))}"
            if obj.reset_text is not None:
                yield "in slot resets, for each neuron that spiked:"
                yield from _statements(obj.reset_text)
        case Synapses() if obj.event_driven:
            yield f"at each event of a synapse, with {ELAPSED} the time since its last one:"
            yield from (f"  {_statement(s)}" for s in obj.event_driven_statements())
        case Pathway():
            yield f"in slot {obj.when}, for each synapse at which a {obj.side} spike arrives:"
            yield from _statements(obj.code)
        case CodeRunner():
            yield f"in slot {obj.when}, every {obj.clock.dt}:"
            yield from _statements(obj.code)


def _statements(text: str) -> Iterator[str]:
    return (f"  {_statement(statement)}" for statement in parse_statements(text, "statements"))


def _statement(statement: Assignment) -> str:
    return f"{statement.target} {statement.op} {printer.show(statement.value)}"


def _paragraphs(
    objects: Iterable[SimulationObject], lines_of: Callable[[SimulationObject], Iterator[str]]
) -> str:
    parts = []
    for obj in objects:
        lines = list(lines_of(obj))
        if lines:
            parts.append("\n".join([f"{obj.name} ({type(obj).__name__})", *(f"  {line}" for line in lines)]))
    return "\n\n".join(parts) or "no model text"


# -- programs -----------------------------------------------------------------------------------------


def _program(network: Network, objects: list[SimulationObject], chosen: list[SimulationObject]) -> Any:
    """The loop of the network, or of some of its objects alone."""
    wanted = _own_blocks(network, chosen)
    blocks = network.blocks(objects)  # last: to ask for blocks may register what the program has to handle
    timing = network._timing
    if len(chosen) < len(objects):
        if timing is not None:
            wanted |= {(block.owner, block.when, block.order) for block in timing.blocks()}
        blocks = [block for block in blocks if (block.owner, block.when, block.order) in wanted]
    if not blocks:
        raise SetupError("there is nothing to do in a time step, so there is no program")
    clocks = list(dict.fromkeys(block.clock for block in blocks))
    return ProgramBuilder(clocks, None if timing is None else timing.instants).build(blocks).program


def _own_blocks(network: Network, chosen: list[SimulationObject]) -> set[tuple[str, str, int]]:
    """What tells the blocks of these objects, and of those that belong to them, from others."""
    found: set[tuple[str, str, int]] = set()
    waiting = list(chosen)
    while waiting:
        obj = waiting.pop()
        waiting += obj.contained_objects
        own: list[Block] = obj.blocks(frozenset())
        found |= {(block.owner, block.when, block.order) for block in own}
    return found


def _ir(network: Network, objects: list[SimulationObject], chosen: list[SimulationObject]) -> str:
    """The loop as typed intermediate code, after Eccles' own passes."""
    from eccles.compile.pipeline import optimise
    from eccles.compile.text import show

    return show(optimise(_program(network, objects, chosen)))


def _llvm(network: Network, objects: list[SimulationObject], chosen: list[SimulationObject]) -> str:
    """LLVM's intermediate code, before LLVM's passes."""
    from eccles.compile.pipeline import llvm_text

    return llvm_text(_program(network, objects, chosen))


def _assembly(network: Network, objects: list[SimulationObject], chosen: list[SimulationObject]) -> str:
    """Machine code for this CPU."""
    from eccles.compile.pipeline import assembly_text

    return assembly_text(_program(network, objects, chosen))


STAGES: dict[str, Callable[[Network, list[SimulationObject], list[SimulationObject]], str]] = {
    "tree": _trees,
    "step": _steps,
    "ir": _ir,
    "llvm": _llvm,
    "asm": _assembly,
}
