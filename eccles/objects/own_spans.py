"""Neurons whose errors are estimated: every one goes ahead in spans of its own length.

All that are under way form a list; a round takes each of them one span further, in a vector loop, and drops
those that have arrived. A neuron that may cross its threshold within its span is left where that span
begins, and searched from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from eccles.compile import ir
from eccles.compile.ir import Element, Op
from eccles.engine.program import ProgramBuilder
from eccles.engine.state import Array
from eccles.objects.dynamics import State
from eccles.objects.search import MOST_TRIALS

if TYPE_CHECKING:
    from eccles.objects.precise import PreciseNeurons

__all__ = ["OwnSpans"]


class OwnSpans:
    """How the neurons of a group go ahead in spans of their own.

    Attributes
    ----------
    reached : Array
        The time at which the variables of each neuron stand, while it is under way.
    span : Array
        How long the next span of each neuron may be.
    """

    def __init__(self, neurons: PreciseNeurons) -> None:
        self._neurons = neurons
        name, n = neurons.group.name, len(neurons.group)
        self.reached = Array(f"{name}.reached", Element.F64, n)
        self.span = Array(f"{name}.span", Element.F64, n, fill=np.inf)
        self._going = Array(f"{name}.going", Element.I32, n)  # not at the end of the step yet
        self._n_going = Array(f"{name}.n_going", Element.I64, 1)
        self._new_reached = Array(f"{name}.reached.result", Element.F64, n)
        self._new_span = Array(f"{name}.span.result", Element.F64, n)
        self._goes_on = Array(f"{name}.goes_on.result", Element.U8, n)

    def emit_begin(self, b: ProgramBuilder) -> None:
        """A step begins: all neurons have it before them."""
        n, group = self._neurons, self._neurons.group
        count = b.var("n_going", ir.const(0))
        with b.vector("i", b.size_of(group, len(group))) as i:
            code = group.element_code(b, i, "update")
            code.lowerer.env["t"] = b.step_start(group.clock)
            if group.refractory_condition() is not None and n.dynamics.waking is None:
                group.emit_not_refractory(b, code, i)  # on the grid, as the threshold
            for v in n.names:
                b.store(n.before[v], i, b.load(group.variable(v).array, i))
            b.store(self.reached, i, ir.const(0.0))
            b.emit(ir.Append(b.buffer(self._going), count, i, ir.const(True)))
        b.store(self._n_going, 0, count)

    def emit_predict(self, b: ProgramBuilder) -> None:
        n, group = self._neurons, self._neurons.group
        end = b.dt(group.clock)
        size = b.let("n", b.load(n.batch.n, 0))
        n.emit_change_input(b)
        with b.when(Op("igt", (size, ir.const(0)))):
            with b.loop("k", ir.const(0), size) as k:
                e = b.let("e", b.load(n.batch.ids, k))
                for v in n.names:
                    b.store(n.before[v], e, b.load(group.variable(v).array, e))
                b.store(self.reached, e, b.load(n.at, e))
                b.store(n.next, e, end)
                b.store(self._going, k, e)
            b.store(self._n_going, 0, size)
            n.batch.emit_clear(b)
        self._emit_rounds(b, end, searching=True)

    def emit_advance(self, b: ProgramBuilder) -> None:
        n, group, now = self._neurons, self._neurons.group, b.moment
        assert now is not None
        size = b.let("n", b.load(n.batch.n, 0))
        with b.when(Op("igt", (size, ir.const(0)))):
            count = b.var("n_going", ir.const(0))
            with b.loop("k", ir.const(0), size) as k:
                e = b.let("e", b.load(n.batch.ids, k))
                own = n.is_own(b, e, now)
                with b.when(Op("not", (own,))):
                    for v in n.names:
                        b.store(group.variable(v).array, e, b.load(n.before[v], e))
                    b.store(self.reached, e, n.begin_of(b, e))
                    b.store(self._going, count, e)
                    b.set(count, Op("iadd", (count, ir.const(1))))
                b.store(n.at, e, Op("select", (own, n.next_of(b, e), now)))
                b.store(n.touched, e, b.load(n.instants.number, 0))
            b.store(self._n_going, 0, count)
            self._emit_rounds(b, now, searching=False)

    def _emit_rounds(self, b: ProgramBuilder, goal: ir.Expr, *, searching: bool) -> None:
        """Take all that are under way to the goal, span by span."""
        n, group = self._neurons, self._neurons.group
        searching = searching and n.dynamics.margin is not None
        careful = b.var("n_careful", ir.const(0))
        left_over = b.var("n_left", b.load(self._n_going, 0))
        rounds = b.var("rounds", ir.const(0))
        going = Op("and", (
            Op("igt", (left_over, ir.const(0))), Op("ilt", (rounds, ir.const(MOST_TRIALS)))
        ))  # fmt: skip
        with b.body() as statements:
            b.set(rounds, Op("iadd", (rounds, ir.const(1))))
            n.emit_count_spans(b, left_over)
            with b.vector("k", left_over) as k:
                e = b.let("e", b.load(self._going, k))
                x0: State = {v: b.let(v, b.load(group.variable(v).array, e)) for v in n.names}
                at = b.let("at", b.load(self.reached, e))
                left = b.let("left", Op("fsub", (goal, at)))
                wanted = b.let("wanted", b.load(self.span, e))
                here = b.let("here", Op("fmin", (wanted, left)))
                trial = n.dynamics.after(b, e, x0, at, here)
                accepted = b.let("accepted", n.dynamics.is_accepted(trial, here, x0))
                leaves: ir.Expr = ir.const(False)
                if searching:
                    leaves = Op("and", (accepted, n.dynamics.may_cross(b, e, x0, trial.state, at, here)))
                if searching and group.has_refractory:
                    leaves = Op("or", (leaves, n.dynamics.wakes_in_step(b, e)))
                leaves = b.let("leaves", leaves)
                goes = b.let("goes", Op("and", (accepted, Op("not", (leaves,)))))
                whole = b.let("whole", Op("fge", (here, left)))
                there = Op("select", (whole, goal, Op("fadd", (at, here))))
                following = n.dynamics.following_span(trial, here, accepted)
                # one that was cut short says little about the next
                cut = Op("and", (accepted, Op("flt", (here, wanted))))
                following = Op("select", (cut, Op("fmax", (wanted, following)), following))
                for v in n.names:
                    b.store(n.result[v], k, Op("select", (goes, trial.state[v], x0[v])))
                b.store(self._new_reached, k, Op("select", (goes, there, at)))
                b.store(self._new_span, k, following)
                stays = Op("and", (Op("not", (leaves,)), Op("not", (Op("and", (goes, whole)),))))
                b.store(self._goes_on, k, stays)
                if searching:
                    b.emit(ir.Append(b.buffer(n.careful), careful, e, leaves))
            kept = b.var("n_kept", ir.const(0))
            with b.loop("k", ir.const(0), left_over) as k:
                e = b.let("e", b.load(self._going, k))
                for v in n.names:
                    b.store(group.variable(v).array, e, b.load(n.result[v], k))
                b.store(self.reached, e, b.load(self._new_reached, k))
                b.store(self.span, e, b.load(self._new_span, k))
                b.store(self._going, kept, e)  # no further than k
                b.set(kept, Op("iadd", (kept, Op("btoi", (b.load(self._goes_on, k),)))))
            b.set(left_over, kept)
        b.emit(ir.While(going, tuple(statements)))
        b.store(self._n_going, 0, ir.const(0))
        if searching:
            b.store(n.n_careful, 0, careful)
        with b.when(Op("igt", (left_over, ir.const(0))), likely=False):
            n.emit_stuck(b, b.load(self._going, 0))
        n.emit_leave_if_stuck(b)
