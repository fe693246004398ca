"""Explains a line: which functions have code on it, where they run, what their calls resolve to and reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from asyncvet.facts import tree
from asyncvet.graph.explanation import Call, Callee, Explanation, Judged, Library, Part, Told, Way
from asyncvet.graph.reach import Kind, Step
from asyncvet.graph.reasons import Reasons
from asyncvet.graph.scopes import Body, Function, Module, shown
from asyncvet.graph.sites import CallSite, Target
from asyncvet.graph.whereabouts import Whereabouts
from asyncvet.model import Frame, Sink

if TYPE_CHECKING:
    from asyncvet.graph.project import Project


def explain(project: Project, module: Module, line: int, judged: Sequence[Judged]) -> Explanation:
    """Explain one line of a module.

    Args:
        project: The project that the module is of.
        module: The module.
        line: From 1, within the file.
        judged: The findings of all rules over the whole project.
    """
    return _Explainer(project, judged).line(module, line)


class _Explainer:
    def __init__(self, project: Project, judged: Sequence[Judged]) -> None:
        self._project = project
        self._judged = judged
        self._whereabouts = Whereabouts(project)
        self._reasons = Reasons(project, self._whereabouts, judged)

    def line(self, module: Module, line: int) -> Explanation:
        sites = self._sites(module, line)
        home = _home(module, line)
        scopes = dict.fromkeys([home, *(site.scope for site in sites)])
        parts = tuple(self._part(scope, [site for site in sites if site.scope is scope]) for scope in scopes)
        findings = tuple(_told(each) for each in self._judged if _is_on(each, module, line))
        return Explanation(module.path, line, parts, findings)

    def _sites(self, module: Module, line: int) -> list[CallSite]:
        """The call sites on a line: those that begin or name what they call there, else the innermost that goes on there."""
        scopes: list[Body] = [module, *module.functions]
        sites = sorted((s for scope in scopes for s in self._project.sites(scope)), key=lambda s: (s.node.start, -s.node.end))
        here = [site for site in sites if line in _named_on(site)]
        if here:
            return here
        across = [site for site in sites if _named_on(site)[0] < line <= _last_line(site)]
        return [min(across, key=lambda site: site.node.end - site.node.start)] if across else []

    def _part(self, scope: Body, sites: list[CallSite]) -> Part:
        line = 1 if isinstance(scope, Module) else scope.module.facts.position(scope.node.start)[0]
        calls = tuple(map(self._call, sites))
        return Part(scope.qualname, _kind(scope), scope.path, line, self._whereabouts.runs(scope), calls)

    def _call(self, site: CallSite) -> Call:
        ways = tuple(self._ways(site))
        frame = self._project.frame(site.scope, site.node)
        return Call(
            text=shown(site.node),
            line=frame.line,
            column=frame.column,
            awaited=site.awaited,
            runs=tuple(map(self._callee, site.targets)),
            uses=tuple(self._libraries(site)),
            reaches=ways,
            reasons=tuple(dict.fromkeys(self._reasons.of(site, ways))),
        )

    def _ways(self, site: CallSite) -> Iterator[Way]:
        for kind in get_args(Kind):
            steps = self._project.reach.way_from(site, kind)
            api = steps[-1].api if steps else None
            if api is not None:
                sink = Sink(api.name, api.api.category or "", api.api.stall)
                yield Way(kind, sink, tuple(frame for step in steps for frame in self._frames(step)))

    def _frames(self, step: Step) -> Iterator[Frame]:
        yield from self._whereabouts.steps(step.site, step.target)

    def _callee(self, target: Target) -> Callee:
        function = target.function
        line, _ = function.module.facts.position(function.node.start)
        via = tuple(self._whereabouts.hand_overs(target))
        return Callee(function.qualname, function.path, line, target.mode.value, via)

    def _libraries(self, site: CallSite) -> Iterator[Library]:
        canonical = self._project.catalogue.canonical
        for entry in site.apis:
            api = entry.api
            yield Library(entry.name, api.effect, api.category or "", api.stall, api.is_async, api.why, api.replacement)
        known = {entry.name for entry in site.apis}
        yield from (Library(name) for name in dict.fromkeys(map(canonical, site.names)) if name not in known)


def _home(module: Module, line: int) -> Body:
    """The innermost function that a line stands in, lambdas apart; else the module."""
    home: Body = module
    for function in module.functions:
        span = module.facts.span(module.path, function.node.start, function.node.end)
        if not function.is_lambda and span.line <= line <= span.end_line:
            inside = isinstance(home, Module) or function.node.start > home.node.start
            home = function if inside else home
    return home


def _kind(scope: Body) -> str:
    if isinstance(scope, Function):
        return "lambda" if scope.is_lambda else "async def" if scope.is_async else "def"
    return "module"


def _named_on(site: CallSite) -> tuple[int, int]:
    """The line on which a site begins, and that on which the name of what it calls ends."""
    position = site.scope.module.facts.position
    node = site.node
    end = node.func.end if isinstance(node, tree.Call) else node.start
    return position(node.start)[0], position(end)[0]


def _last_line(site: CallSite) -> int:
    node = site.node
    end = node.iter.end if isinstance(node, tree.For) else node.items[-1].end if isinstance(node, tree.With) else node.end
    return site.scope.module.facts.position(end)[0]


def _is_on(judged: Judged, module: Module, line: int) -> bool:
    span = judged.finding.span
    return span.path == module.path and span.line <= line <= span.end_line


def _told(judged: Judged) -> Told:
    finding, span = judged.finding, judged.finding.span
    return Told(finding.code, finding.name, finding.severity.word, span.line, span.column, finding.message, judged.status)
