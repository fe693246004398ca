"""Neighbourhood: the calls around a function, up to where the program is entered and down to what keeps its thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from asyncvet.graph.entry_points import EntryPoint
from asyncvet.graph.reach import Kind, kind_of
from asyncvet.graph.scopes import Body, Function, Module
from asyncvet.graph.sites import CallSite, Mode, Target
from asyncvet.graph.whereabouts import Context, Whereabouts

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_NODES = 120
"""A drawing of more functions than this helps nobody."""


class Node(msgspec.Struct, frozen=True):
    """A function, a module's top level, or the call of a library that keeps its thread.

    Attributes:
        rank: Calls between it and the function that was asked for: negative above, positive below, 0 for itself.
        contexts: Where it runs, the most harmful first; none for a library call and where nothing tells.
        entries: What enters the program here: ``route GET /items``.
        keeps: How a library call keeps its thread; empty for functions.
    """

    id: int
    name: str
    rank: int
    path: str = ""
    line: int = 0
    is_async: bool = False
    contexts: tuple[Context, ...] = ()
    entries: tuple[str, ...] = ()
    keeps: Kind | None = None
    category: str = ""
    stall: str = ""


class Edge(msgspec.Struct, frozen=True):
    """A call between two nodes. `how` is inline, coroutine, thread, loop or later; `line` that of the first such call."""

    source: int
    target: int
    how: str
    line: int

    @property
    def is_offload(self) -> bool:
        """It hands the function to another thread or process."""
        return self.how == Mode.THREAD.value


class CallGraph(msgspec.Struct, frozen=True):
    """The nodes, by rank, and the calls between them. `left_out` counts functions beyond the depth or the size of a drawing."""

    focus: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0


_Key = Body | str
"""A function, a module, or the name of a library call."""


def neighbourhood(project: Project, focus: Sequence[Function], depth: int) -> CallGraph:
    """The call graph around functions of one name.

    Callers are followed up, through hand-offs too. Of what is called, the functions that the focus calls itself are shown, and
    below them those that lead on to a call that keeps its thread.
    """
    return _Neighbourhood(project, focus, depth).graph()


class _Neighbourhood:
    def __init__(self, project: Project, focus: Sequence[Function], depth: int) -> None:
        self._project = project
        self._focus = focus
        self._depth = depth
        self._whereabouts = Whereabouts(project)
        self._left_out: set[Body] = set()

    def graph(self) -> CallGraph:
        above = self._walk(self._callers)
        below = self._walk(self._callees)
        ranks: dict[_Key, int] = {scope: -rank for scope, rank in above.items()}
        leading = self._leading(below)
        ranks |= {scope: rank for scope, rank in below.items() if scope not in above and (rank <= 1 or scope in leading)}
        sinks: dict[str, Node] = {}
        for scope in [scope for scope in below if scope in ranks]:
            for name, sink in self._sinks(scope):
                rank = max(ranks[scope] + 1, ranks.get(name, 0))
                ranks[name], sinks[name] = rank, sink
        return self._numbered(ranks, sinks)

    # --- what is shown ------------------------------------------------------------------------------

    def _walk(self, around: Callable[[Body], Iterator[Body]]) -> dict[Body, int]:
        """The functions found by following calls in one direction, each with its distance."""
        found: dict[Body, int] = dict.fromkeys(self._focus, 0)
        queue: deque[Body] = deque(self._focus)
        while queue:
            current = queue.popleft()
            for scope in around(current):
                if scope in found:
                    continue
                if found[current] == self._depth or len(found) >= _NODES:
                    self._left_out.add(scope)
                    continue
                found[scope] = found[current] + 1
                queue.append(scope)
        self._left_out -= found.keys()
        return found

    def _callers(self, scope: Body) -> Iterator[Body]:
        if isinstance(scope, Function):
            yield from (site.scope for site, _ in self._whereabouts.callers(scope))

    def _callees(self, scope: Body) -> Iterator[Body]:
        yield from (target.function for _, target in self._runs(scope))

    def _runs(self, scope: Body) -> Iterator[tuple[CallSite, Target]]:
        """What a function runs; what it only passes on for others, if it was asked for itself."""
        for site in self._project.sites(scope):
            for target in site.targets:
                if scope in self._focus or not self._whereabouts.is_middleman(site, target):
                    yield site, target

    def _leading(self, below: dict[Body, int]) -> set[Body]:
        """Those of some functions that lead on, among themselves, to a call that keeps its thread."""
        callers: dict[Body, list[Body]] = {}
        for scope in below:
            for callee in self._callees(scope):
                callers.setdefault(callee, []).append(scope)
        queue = deque(scope for scope in below if any(self._sinks(scope)))
        leading = set(queue)
        while queue:
            fresh = [scope for scope in callers.get(queue.popleft(), ()) if scope not in leading]
            leading.update(fresh)
            queue.extend(fresh)
        return leading

    def _sinks(self, scope: Body) -> Iterator[tuple[str, Node]]:
        for site in self._project.sites(scope):
            for entry in site.apis if not site.awaited else ():
                if (kind := kind_of(entry.api)) is not None:
                    yield entry.name, Node(0, entry.name, 0, keeps=kind, category=entry.api.category or "", stall=entry.api.stall)

    # --- nodes and edges ----------------------------------------------------------------------------

    def _numbered(self, ranks: dict[_Key, int], sinks: dict[str, Node]) -> CallGraph:
        order = sorted(ranks, key=lambda key: (ranks[key], isinstance(key, str), *self._place(key)))
        numbers = {key: number for number, key in enumerate(order)}
        nodes = tuple(self._node(key, numbers[key], ranks[key], sinks) for key in order)
        edges: dict[tuple[int, int, str], Edge] = {}
        for key in order:
            for other, how, line in self._steps(key) if not isinstance(key, str) else ():
                if other in numbers:
                    edge = Edge(numbers[key], numbers[other], how, line)
                    edges.setdefault((edge.source, edge.target, how), edge)
        return CallGraph(self._focus[0].qualname, nodes, tuple(edges.values()), len(self._left_out))

    def _place(self, key: _Key) -> tuple[str, int]:
        return (key, 0) if isinstance(key, str) else (key.path, -1 if isinstance(key, Module) else key.node.start)

    def _node(self, key: _Key, number: int, rank: int, sinks: dict[str, Node]) -> Node:
        if isinstance(key, str):
            return msgspec.structs.replace(sinks[key], id=number, rank=rank)
        is_module = isinstance(key, Module)
        return Node(
            number,
            key.qualname,
            rank,
            key.path,
            1 if isinstance(key, Module) else key.module.facts.position(key.node.start)[0],
            not isinstance(key, Module) and key.is_async,
            self._whereabouts.runs(key).contexts,
            () if is_module else tuple(entry.label for entry in self._entries(key)),
        )

    def _entries(self, scope: Body) -> Iterator[EntryPoint]:
        if isinstance(scope, Function):
            entries = self._project.contexts.entry_points.get(scope, ())
            yield from (entry for entry in entries if entry.role not in ("thread", "loop callback"))

    def _steps(self, scope: Body) -> Iterator[tuple[_Key, str, int]]:
        for site, target in self._runs(scope):
            yield target.function, target.mode.value, self._line(site)
        for site in self._project.sites(scope):
            for entry in site.apis if not site.awaited else ():
                if kind_of(entry.api) is not None:
                    yield entry.name, Mode.INLINE.value, self._line(site)

    def _line(self, site: CallSite) -> int:
        return self._project.frame(site.scope, site.node).line
