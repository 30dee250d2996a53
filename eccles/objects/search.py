"""The search for the moment at which a neuron spikes, or stops being refractory.

Every evaluation is one integration over a trial span, so that the state at the moment found is the very
state whose margin (how far it is over threshold) was seen to be positive. A neuron whose margin is positive
at the end of the span has crossed; the crossing is found by Newton's method within a bracket, to rounding.
One whose margin rises at the start and falls at the end has a maximum in between, which is found by the
secant method on the slope, unless tangents show that it stays below zero; so a touch within a step is not
missed. That holds where the margin bends one way, which it need not do over many time constants: where a
bound on its curvature is known, and leaves room for a crossing, the span is halved. Spans over which the
error estimate is too large are made shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eccles.compile import ir
from eccles.compile.ir import Op
from eccles.engine.program import ProgramBuilder
from eccles.engine.walk import SAME
from eccles.objects.dynamics import SHORTEST, Dynamics, Trial

__all__ = ["MOST_TRIALS", "Search"]

MOST_TRIALS = 100_000  # integrations of one neuron in one step
FINEST = 1e-4  # of a time step: a span within which a margin does not bend twice
RESOLUTION = 2.0**-51  # of the span: how finely a crossing is located

# what is done with the trial that has just been integrated
WHOLE, BEYOND, ROOT, PEAK, BACK, DONE = range(6)


@dataclass(frozen=True)
class Bracket:
    """Mutable numbers of a search: time since its start, margin there, slope of the margin there."""

    time: ir.Local
    margin: ir.Local
    slope: ir.Local

    @classmethod
    def declare(cls, b: ProgramBuilder, stem: str) -> Bracket:
        return cls(*[b.var(f"{stem}_{part}", ir.const(0.0)) for part in ("time", "margin", "slope")])

    def set(self, b: ProgramBuilder, time: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        for local, value in ((self.time, time), (self.margin, margin), (self.slope, slope)):
            b.set(local, value)


@dataclass(frozen=True)
class Search:
    """The search for one neuron: integrate over a trial span, decide what is next, and again.

    Attributes
    ----------
    trials
        How many there were.
    at, x
        Where the state `x` stands, which is followed until something is found.
    y
        The state at the upper end of the bracket: what was found, if `found`.
    goal, end
        Until when to search, and the end of the time step.
    span, whole
        Of the trial, and the one that was accepted last.
    low, high, last
        The bracket, and the trial before.
    size
        Of what the margin is the difference of.
    """

    trials: ir.Local
    dynamics: Dynamics
    b: ProgramBuilder
    e: ir.Expr
    at: ir.Local
    x: dict[str, ir.Local]
    y: dict[str, ir.Local]
    goal: ir.Expr
    end: ir.Expr
    searching: ir.Expr
    phase: ir.Local
    found: ir.Local
    span: ir.Local
    whole: ir.Local
    low: Bracket
    high: Bracket
    last: Bracket
    size: ir.Expr

    @classmethod
    def begin(
        cls,
        b: ProgramBuilder,
        dynamics: Dynamics,
        e: ir.Expr,
        at: ir.Local,
        x: dict[str, ir.Local],
        goal: ir.Expr,
        longest: ir.Expr | None,
    ) -> Search:
        """Begin where `x` stands, at the time `at`; `longest` is how long the first span may be."""
        y = {v: b.var(f"{v}_there", x[v]) for v in x}
        end = b.dt(dynamics.group.clock)
        searching = b.let("searching", dynamics.can_cross(b, e, {**x}, at))
        phase = b.var("phase", ir.const(WHOLE))
        found = b.var("found", ir.const(False))
        span = b.var("span", Op("fsub", (goal, at)))
        if longest is not None:
            b.set(span, Op("fmin", (span, longest)))
        low, high, last = [Bracket.declare(b, stem) for stem in ("low", "high", "last")]
        whole = b.var("whole", ir.const(0.0))
        size: ir.Expr = ir.const(0.0)
        if dynamics.margin is not None:
            size = b.let("size", dynamics.size_of_margin(b, e, {**x}, at))
            low.set(b, ir.const(0.0), dynamics.margin_at(b, e, {**x}, at), ir.const(0.0))
            b.set(low.slope, dynamics.slope_at(b, e, {**x}, at))

            def over_already() -> None:
                b.set(found, ir.const(True))
                b.set(phase, ir.const(DONE))

            b.choose(Op("and", (searching, dynamics.is_over(low.margin))), over_already)
        trials = b.var("trials", ir.const(0))
        return cls(
            trials,
            dynamics,
            b,
            e,
            at,
            x,
            y,
            goal,
            end,
            searching,
            phase,
            found,
            span,
            whole,
            low,
            high,
            last,
            size,
        )

    def emit(self) -> ir.Expr:
        """Search until something is found or the goal is reached; returns when that is."""
        b, trials = self.b, self.trials
        going = Op("and", (
            Op("ine", (self.phase, ir.const(DONE))), Op("ilt", (trials, ir.const(MOST_TRIALS)))
        ))  # fmt: skip
        with b.body() as statements:
            b.set(trials, Op("iadd", (trials, ir.const(1))))
            self.emit_trial(trials)
        b.emit(ir.While(going, tuple(statements)))
        return Op("fadd", (self.at, Op("select", (self.found, self.high.time, ir.const(0.0)))))

    def is_stuck(self) -> ir.Expr:
        """Whether the search was given up."""
        return Op("ine", (self.phase, ir.const(DONE)))

    def emit_trial(self, trials: ir.Expr) -> None:
        b, d = self.b, self.dynamics
        span = b.let("span", self.span)
        trial = d.after(b, self.e, {**self.x}, self.at, span)
        there = Op("fadd", (self.at, span))
        if d.margin is None:
            margin = slope = ir.const(0.0)
        else:
            margin = d.margin_at(b, self.e, trial.state, there)
            slope = d.slope_at(b, self.e, trial.state, there)
        if d.margin is None:
            self._whole(trial, span, margin, slope)
            return
        b.choose(
            Op("ieq", (self.phase, ir.const(WHOLE))),
            lambda: self._whole(trial, span, margin, slope),
            lambda: self._refine(trial, span, margin, slope, trials),
        )

    # -- a whole span ------------------------------------------------------------------------------

    def _whole(self, trial: Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        b, d = self.b, self.dynamics
        accepted = b.let("accepted", d.is_accepted(trial, span, {**self.x}))

        def accept() -> None:
            b.set(self.whole, span)
            if d.margin is None:
                self._go_on(trial, span, margin, slope)
            else:
                b.choose(
                    self.searching,
                    lambda: self._look(trial, span, margin, slope),
                    lambda: self._go_on(trial, span, margin, slope),
                )

        b.choose(accepted, accept, lambda: b.set(self.span, d.following_span(trial, span, accepted)))

    def _keep(self, trial: Trial) -> None:
        for name, local in self.y.items():
            self.b.set(local, trial.state[name])

    def _look(self, trial: Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """Find out whether the margin has become positive within the span."""
        b, low = self.b, self.low

        def crossed() -> None:
            self.high.set(b, span, margin, slope)
            self.last.set(b, span, margin, slope)
            self._keep(trial)
            b.set(self.phase, ir.const(ROOT))
            b.set(self.span, self._guess_root())

        def not_at_end() -> None:
            bound = self._peak_bound(low, span, margin, slope)
            humped = Op("and", (Op("fgt", (low.slope, ir.const(0.0))), Op("flt", (slope, ir.const(0.0)))))

            def look_for_peak() -> None:
                self.high.set(b, span, margin, slope)
                b.set(self.phase, ir.const(PEAK))
                b.set(self.span, self._guess_peak())

            def no_peak() -> None:
                b.choose(
                    self._is_hidden(span, margin),
                    lambda: b.set(self.span, Op("fmul", (ir.const(0.5), span))),
                    lambda: self._beyond(trial, span, margin, slope),
                )

            b.choose(Op("and", (humped, Op("fgt", (bound, ir.const(0.0))))), look_for_peak, no_peak)

        b.choose(Op("fgt", (margin, ir.const(0.0))), crossed, not_at_end)

    def _is_hidden(self, span: ir.Expr, margin: ir.Expr) -> ir.Expr:
        """Whether the margin could bend over zero within the span, though its ends do not show it."""
        if self.dynamics.slack is None:
            return ir.const(False)
        b, low = self.b, self.low
        part = Op("fdiv", (span, self.end))  # the slack is for a whole step, and grows with its square
        slack = Op("fmul", (Op("fmul", (part, part)), self.dynamics.slack_at(b, self.e, {**self.x})))
        larger = Op("fmax", (low.margin, margin))
        open_ = Op("fgt", (Op("fadd", (larger, slack)), ir.const(0.0)))
        return Op("and", (open_, Op("fgt", (part, ir.const(FINEST)))))

    def _beyond(self, trial: Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """At the end of the step the instant there still belongs to it."""
        b = self.b
        last = Op("fge", (Op("fadd", (self.at, span)), Op("fsub", (self.end, ir.const(0.5 * SAME)))))
        reach = Op("fadd", (margin, Op("fmul", (ir.const(2 * SAME), slope))))
        near = Op("and", (last, Op("and", (
            Op("fge", (reach, ir.const(0.0))), Op("fgt", (slope, ir.const(0.0)))
        ))))  # fmt: skip

        def try_beyond() -> None:
            # the bracket begins where the span ends
            self.low.set(b, span, margin, slope)
            self._keep(trial)
            b.set(self.phase, ir.const(BEYOND))
            b.set(self.span, Op("fadd", (span, ir.const(SAME))))

        b.choose(near, try_beyond, lambda: self._go_on(trial, span, margin, slope))

    def _go_on(self, trial: Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """Nothing has happened: the next span begins where this one ended."""
        b, d = self.b, self.dynamics
        left = b.let("left", Op("fsub", (Op("fsub", (self.goal, self.at)), span)))
        done = b.let("done", Op("not", (Op("fgt", (left, ir.const(SHORTEST))),)))
        b.set(self.at, Op("select", (done, self.goal, Op("fadd", (self.at, span)))))
        for name, local in self.x.items():
            b.set(local, trial.state[name])
        self.low.set(b, ir.const(0.0), margin, slope)
        following = d.following_span(trial, span, ir.const(True))
        b.set(self.span, Op("select", (Op("flt", (following, left)), following, left)))
        b.set(self.phase, Op("select", (done, ir.const(DONE), ir.const(WHOLE))))

    # -- a crossing or a maximum within the span -----------------------------------------------------

    def _refine(self, trial: Trial, span: ir.Expr, margin: ir.Expr, slope: ir.Expr, trials: ir.Expr) -> None:
        b = self.b
        positive = b.let("positive", Op("fgt", (margin, ir.const(0.0))))

        def above() -> None:
            # from a maximum or beyond the end, what was tried before lies on the lower side
            new = Op("ine", (self.phase, ir.const(ROOT)))
            with b.when(new):
                self.last.set(b, self.low.time, self.low.margin, self.low.slope)
            self.high.set(b, span, margin, slope)
            self._keep(trial)
            b.set(self.phase, ir.const(ROOT))
            self._next_root(span, margin, slope, trials)

        def is_root() -> None:
            self.low.set(b, span, margin, slope)
            self._next_root(span, margin, slope, trials)

        def is_peak() -> None:
            self._next_peak(span, margin, slope)

        def is_back() -> None:
            b.choose(
                self._is_hidden(span, margin),
                lambda: self._again(Op("fmul", (ir.const(0.5), span))),
                lambda: self._beyond(trial, span, margin, slope),
            )

        def below() -> None:
            phases = ((ROOT, is_root), (PEAK, is_peak), (BACK, is_back))
            b.choose(Op("ieq", (self.phase, ir.const(BEYOND))), self._end, lambda: self._one_of(phases))

        b.choose(positive, above, below)

    def _one_of(self, phases: Sequence[tuple[int, Callable[[], None]]]) -> None:
        b, (phase, then), rest = self.b, phases[0], phases[1:]
        if not rest:
            then()
        else:
            b.choose(Op("ieq", (self.phase, ir.const(phase))), then, lambda: self._one_of(rest))

    def _again(self, span: ir.Expr) -> None:
        """Begin anew where the state `x` stands, with this span."""
        b, d = self.b, self.dynamics
        margin = d.margin_at(b, self.e, {**self.x}, self.at)
        self.low.set(b, ir.const(0.0), margin, d.slope_at(b, self.e, {**self.x}, self.at))
        b.set(self.phase, ir.const(WHOLE))
        b.set(self.span, span)

    def _end(self) -> None:
        """Nothing happens until the end of the step; the state there was kept."""
        b = self.b
        b.set(self.at, self.goal)
        for name, local in self.x.items():
            b.set(local, self.y[name])
        b.set(self.phase, ir.const(DONE))

    def _next_root(self, span: ir.Expr, margin: ir.Expr, slope: ir.Expr, trials: ir.Expr) -> None:
        """Narrow the bracket of a crossing, or be done with it."""
        b, low, high = self.b, self.low, self.high
        width = b.let("width", Op("fsub", (high.time, low.time)))
        # of the margin: what rounding makes of numbers of the size that it is the difference of
        noise = b.let("noise", Op("fmul", (ir.const(RESOLUTION), self.size)))
        finest = Op("fadd", (Op("fmul", (ir.const(RESOLUTION), Op("fabs", (high.time,)))), ir.const(1e-23)))
        fine = b.let("fine", Op("fmax", (finest, Op("fabs", (Op("fdiv", (noise, slope)),)))))
        # the slope of the equations is not quite that of a method of low order: better from the last trial
        rise = b.let("rise", Op("fsub", (margin, self.last.margin)))
        telling = Op("fgt", (Op("fabs", (rise,)), Op("fmul", (ir.const(64.0), noise))))
        secant = Op("fdiv", (rise, Op("fsub", (span, self.last.time))))
        steep = b.let("steep", Op("select", (telling, secant, slope)))
        self.last.set(b, span, margin, slope)
        newton = b.let("newton", Op("fsub", (span, Op("fdiv", (margin, steep)))))
        middle = Op("fadd", (low.time, Op("fmul", (ir.const(0.5), width))))
        # just beyond the crossing, so that its upper side becomes tight as well
        nudged = Op("fadd", (newton, Op("select", (
            Op("fgt", (margin, ir.const(0.0))), Op("fneg", (fine,)), fine
        ))))  # fmt: skip
        inside = Op("and", (Op("fgt", (nudged, low.time)), Op("flt", (nudged, high.time))))
        often = Op("ieq", (Op("iand", (trials, ir.const(7))), ir.const(0)))  # in case Newton creeps
        usable = Op("and", (inside, Op("not", (often,))))
        b.set(self.span, Op("select", (usable, nudged, middle)))
        done = Op("or", (
            Op("fle", (width, Op("fmul", (ir.const(2.0), finest)))),
            # where it rises: a low peak has as small margins on its other side
            Op("and", (
                Op("fle", (high.margin, Op("fmul", (ir.const(2.0), noise)))),
                Op("fge", (high.slope, ir.const(0.0))),
            )),
        ))  # fmt: skip

        def finish() -> None:
            # The state is the one that was seen to be over; the moment is where the margin vanishes.
            # Otherwise every spike would come late by a rounding error, which a regular train adds up.
            late = Op("fdiv", (high.margin, high.slope))
            sure = Op("and", (Op("fgt", (high.slope, ir.const(0.0))), Op("fgt", (late, ir.const(0.0)))))
            exact = Op("fmax", (low.time, Op("fsub", (high.time, late))))
            b.set(high.time, Op("select", (sure, exact, high.time)))
            b.set(self.found, ir.const(True))
            b.set(self.phase, ir.const(DONE))

        b.choose(done, finish)

    def _next_peak(self, span: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> None:
        """Narrow the bracket of a maximum, or find that it stays below zero."""
        b, low, high = self.b, self.low, self.high
        b.choose(
            Op("fgt", (slope, ir.const(0.0))),
            lambda: low.set(b, span, margin, slope),
            lambda: high.set(b, span, margin, slope),
        )
        bound = self._peak_bound(low, high.time, high.margin, high.slope)
        width = Op("fsub", (high.time, low.time))
        narrow = Op("fle", (width, Op("fmul", (ir.const(1e-13), high.time))))
        over = Op("or", (narrow, Op("not", (Op("fgt", (bound, ir.const(0.0))),))))

        def give_up() -> None:  # and integrate over the whole span again, to go on from its end
            b.set(self.span, self.whole)
            b.set(self.phase, ir.const(BACK))

        b.choose(over, give_up, lambda: b.set(self.span, self._guess_peak()))

    def _peak_bound(self, low: Bracket, time: ir.Expr, margin: ir.Expr, slope: ir.Expr) -> ir.Expr:
        """Where the tangents at both ends meet: a concave margin stays below."""
        b = self.b
        width = Op("fsub", (time, low.time))
        # low.margin + low.slope*s = margin + slope*(s - width)
        s = Op("fdiv", (
            Op("fsub", (Op("fsub", (margin, low.margin)), Op("fmul", (slope, width)))),
            Op("fsub", (low.slope, slope)),
        ))  # fmt: skip
        return b.let("bound", Op("fadd", (low.margin, Op("fmul", (low.slope, s)))))

    def _guess_root(self) -> ir.Expr:
        low, high = self.low, self.high
        share = Op("fdiv", (low.margin, Op("fsub", (low.margin, high.margin))))
        return Op("fadd", (low.time, Op("fmul", (share, Op("fsub", (high.time, low.time))))))

    def _guess_peak(self) -> ir.Expr:
        """Where the slope would vanish if it changed linearly; the middle if that is no use."""
        b, low, high = self.b, self.low, self.high
        width = Op("fsub", (high.time, low.time))
        share = b.let("share", Op("fdiv", (low.slope, Op("fsub", (low.slope, high.slope)))))
        kept = Op("fmin", (Op("fmax", (share, ir.const(0.02))), ir.const(0.98)))
        return b.let("peak", Op("fadd", (low.time, Op("fmul", (kept, width)))))
