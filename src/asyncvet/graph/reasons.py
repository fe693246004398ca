"""Reasons: why a call is reported, or why it is not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from asyncvet.graph.clearances import Clearances
from asyncvet.graph.explanation import Judged, Reason, Way
from asyncvet.graph.loop_checks import LoopChecks
from asyncvet.graph.reach import Kind
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.sites import CallSite, Mode, Target
from asyncvet.graph.unknowns import why_unknown
from asyncvet.graph.whereabouts import Whereabouts
from asyncvet.model import Frame

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_STATUS = {
    "suppressed": "a comment in the code silences {}",
    "not-selected": "{} is not among the rules that are selected",
    "below-severity": "{} is lighter than what is to be reported",
    "test-file": "{} is in a test file, which is not reported on",
    "in-baseline": "the baseline accepts {}",
}
_SHOWN = 3
_Place = tuple[str, int, int]


class Reasons:
    """Tells why calls are reported or not. One object an explanation."""

    def __init__(self, project: Project, whereabouts: Whereabouts, judged: Sequence[Judged]) -> None:
        self._project = project
        self._whereabouts = whereabouts
        self._checks = LoopChecks(project.inference)
        self._clearances = Clearances(project)
        self._through: dict[_Place, list[Judged]] = {}
        for each in judged:
            for place in dict.fromkeys(map(_place, each.finding.chain)):
                self._through.setdefault(place, []).append(each)

    def of(self, site: CallSite, ways: Sequence[Way]) -> Iterator[Reason]:
        """Why a site from which these ways lead is reported or not."""
        through = self._through.get(_place(self._project.frame(site.scope, site.node)), [])
        yield from self._findings(site, through)
        ends = {_place(each.finding.chain[-1]) for each in through}
        for way in ways:
            if _place(way.chain[-1]) not in ends:
                yield self._why_silent(site, way)
        if not ways:
            yield from self._why_harmless(site)

    # --- reported ---------------------------------------------------------------------------------

    def _findings(self, site: CallSite, through: Sequence[Judged]) -> Iterator[Reason]:
        here = _place(self._project.frame(site.scope, site.node))
        elsewhere = []
        for each in through:
            finding = each.finding
            name = f"{finding.code} {finding.name}"
            if _place(finding.chain[0]) != here:
                elsewhere.append(each)
            elif each.status != "reported":
                yield Reason(each.status, _STATUS[each.status].format(name))
            else:
                yield Reason("reported", f"{name}, {finding.severity.word}, on this line")
                if finding.severity < each.usual:
                    causes = " and ".join(_why_lighter(each))
                    yield Reason("lowered", f"{finding.severity.word} and not {each.usual.word}, as {causes}")
        for each in elsewhere[:_SHOWN]:
            span = each.finding.span
            kind = "told-elsewhere" if each.status == "reported" else each.status
            where = f"{span.path}:{span.line}, where the event loop's own code gets here"
            lead = f"{each.finding.code} {each.finding.name}"
            yield Reason(
                kind, f"{lead} at {where}" if each.status == "reported" else f"{_STATUS[each.status].format(lead)}: {where}"
            )
        if len(elsewhere) > _SHOWN:
            yield Reason("told-elsewhere", f"{len(elsewhere) - _SHOWN} more findings lead through here")

    # --- a call that keeps its thread, and no finding ----------------------------------------------

    def _why_silent(self, site: CallSite, way: Way) -> Reason:
        scope = site.scope
        if not isinstance(scope, Function):
            return Reason("not-on-the-loop", f"`{way.sink.name}` runs at import time, when no event loop waits for it")
        if self._project.contexts.is_command(scope):
            return Reason("command", "only a command-line program gets here, which has the event loop to itself")
        ways = self._whereabouts.loop_ways(scope)
        if not ways:
            return self._off_the_loop(scope, way)
        if ways[0][0] is scope:
            return self._on_the_loop(site, way)
        for _, chain in ways:
            for each in self._through.get(_place(chain[0]), ()):
                finding = each.finding
                if _place(finding.chain[0]) == _place(chain[0]):
                    sink = finding.sink.name if finding.sink else finding.chain[-1].text
                    place = f"{finding.span.path}:{finding.span.line}"
                    return Reason(
                        "told-elsewhere", f"{finding.code} at {place} stands for it: its chain ends nearer, in `{sink}`"
                    )
        why = "not with such arguments, not on such an object, or only after a check that no loop runs"
        return Reason("ruled-out", f"code of the event loop calls this function, but {why}")

    def _off_the_loop(self, scope: Function, way: Way) -> Reason:
        runs = self._whereabouts.runs(scope)
        if not runs.shown:
            return Reason("unreached", f"nothing that was read calls `{scope.name}`, so no event loop is known to wait for it")
        contexts = " and ".join(runs.contexts)
        return Reason("not-on-the-loop", f"`{way.sink.name}` keeps a {contexts} waiting, not the event loop")

    def _on_the_loop(self, site: CallSite, way: Way) -> Reason:
        line = self._project.frame(site.scope, site.node).line
        for judged in self._through.values():
            for each in judged:
                span = each.finding.span
                if each.finding.sink and (span.path, span.line, each.finding.function) == (
                    site.scope.path,
                    line,
                    site.scope.qualname,
                ):
                    return Reason("told-elsewhere", f"{each.finding.code} at column {span.column} stands for this line")
        if isinstance(site.scope, Function) and self._project.contexts.runs_once(site.scope):
            return Reason("runs-once", f"`{way.sink.name}` happens once, in a script that has the event loop to itself")
        return Reason("harmless", f"no rule reports `{way.sink.name}` at this place; `asyncvet rule` tells when each does")

    # --- a call that harms nobody -------------------------------------------------------------------

    def _why_harmless(self, site: CallSite) -> Iterator[Reason]:
        if not site.is_resolved:
            callee = site.node.func if hasattr(site.node, "func") else site.node
            steps = why_unknown(self._project, callee, site.scope)
            yield Reason("unresolved", ": ".join(steps) or f"what `{shown(callee)}` is, the source does not tell")
            return
        if self._checks.runs_without_loop(site):
            yield Reason("ruled-out", "the code has just found out that no event loop runs here")
        found = [*self._handed(site), *self._clearances.of(site), *self._inline(site)]
        yield from found or [Reason("harmless", "resolved; it runs nothing that waits or computes for long")]

    def _handed(self, site: CallSite) -> Iterator[Reason]:
        for target in site.targets:
            name = target.function.name
            if target.mode is Mode.THREAD:
                yield Reason("handed-off", f"`{name}` runs in a thread or process of its own{self._there(target.function)}")
            elif target.mode is Mode.LOOP:
                yield Reason("later", f"`{name}` runs later, as a callback of the event loop: it is looked at where it stands")
            elif target.mode is Mode.LATER:
                yield Reason("later", f"`{name}` runs when no event loop does")
            elif target.mode is Mode.COROUTINE:
                waits = "awaited" if site.awaited else "gives a coroutine"
                yield Reason("coroutine", f"{waits}: the lines of `{name}` are looked at where they stand")

    def _there(self, function: Function) -> str:
        """What a function that is handed over does where it runs."""
        for kind in get_args(Kind):
            way = next(iter(self._project.reach.ways(function, kind)), None)
            if way is not None and (api := way[-1].api) is not None:
                return f", where it may call `{api.name}`"
        return ""

    def _inline(self, site: CallSite) -> Iterator[Reason]:
        inline = [target for target in site.targets if target.mode is Mode.INLINE]
        if not inline:
            return
        if any(self._project.reach.ways(t.function, kind) for t in inline for kind in get_args(Kind)):
            yield Reason("ruled-out", "what is passed here, or the class of the object, rules out the branch that waits")
            return
        functions, unresolved = self._below(inline)
        below = "one function was followed" if functions == 1 else f"{functions} functions were followed"
        unknown = f", in which {unresolved} calls are unresolved" if unresolved > 1 else ", with one unresolved call"
        yield Reason("harmless", f"nothing that it runs keeps its thread: {below}{unknown if unresolved else ''}")

    def _below(self, targets: Sequence[Target]) -> tuple[int, int]:
        """How many functions run in the caller's thread from here, and how many calls in them are unresolved."""
        seen = dict.fromkeys(target.function for target in targets)
        queue, unresolved = deque(seen), 0
        while queue:
            for site in self._project.sites(queue.popleft()):
                unresolved += not site.is_resolved
                for target in site.targets:
                    if target.mode is Mode.INLINE and target.function not in seen:
                        seen[target.function] = None
                        queue.append(target.function)
        return len(seen), unresolved


def _place(frame: Frame) -> _Place:
    return frame.path, frame.line, frame.column


def _why_lighter(judged: Judged) -> Iterator[str]:
    """Why a finding is lighter than its rule."""
    finding, expected = judged.finding, judged.usual
    if finding.sink is not None and finding.sink.stall == "device":
        expected = expected.lowered().lowered()
        yield "it waits for a disk only"
    if finding.severity < expected:
        yield "it happens once" if finding.runs_once else "a cache on the way lets it happen once for each argument"
