"""Stalls: the places in code that the event loop runs from which a call is reached that keeps the loop waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.catalogue import Api
from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.contexts import in_loop
from asyncvet.graph.reach import Kind, Step, is_doubtful
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.sites import ApiCall, CallSite
from asyncvet.graph.values import Object

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_GRAVER: dict[Kind, tuple[Kind, ...]] = {"metadata": ("blocks", "cpu"), "cpu": ("blocks",)}
"""What else a line does to the loop that is told instead."""
_MEMOISED = frozenset({"cache", "lru_cache", "cached_property"})


@dataclass(frozen=True, slots=True)
class Stall:
    """A way from a site in `function`, which the loop runs, to a call that stalls it.

    Attributes:
        is_memoised: A cache on the way, or the library, lets it happen once for each set of arguments.
        runs_once: It provably happens once in the life of the process.
    """

    function: Function
    way: tuple[Step, ...]
    is_memoised: bool
    runs_once: bool

    @property
    def site(self) -> CallSite:
        """Where it starts."""
        return self.way[0].site

    @property
    def end(self) -> CallSite:
        """The call that stalls."""
        return self.way[-1].site

    @property
    def sink(self) -> ApiCall:
        """What the catalogue says of the call that stalls."""
        api = self.way[-1].api
        assert api is not None
        return api

    @property
    def is_direct(self) -> bool:
        """The stalling call stands in the function that the loop runs."""
        return len(self.way) == 1

    @property
    def is_iteration(self) -> bool:
        """It starts at a loop or comprehension whose every step may stall."""
        return isinstance(self.site.node, tree.For | tree.Comprehension)

    @property
    def is_doubtful(self) -> bool:
        """A step of the way is one of many methods that its site may call."""
        return is_doubtful(self.way)

    @property
    def call(self) -> str:
        """The first call as the code writes it."""
        return shown(self.site.node)

    @property
    def bound(self) -> float | None:
        """Seconds that it waits at most, where a literal says so and no loop on the way multiplies them."""
        return None if any(in_loop(step.site) for step in self.way[1:]) else bound_of(self.sink.api, self.end.node)

    @property
    def cause(self) -> str:
        """Identity of what one edit would end: the object that is used, or the function that holds the stalling call."""
        scope, node = self.end.scope, self.end.node
        made_by = self.sink.receiver.made_by if isinstance(self.sink.receiver, Object) else None
        if self.is_direct:
            maker = made_by if made_by is not None and scope.has(made_by) else node
            return f"{scope.path}:{maker.start}"
        return f"{scope.path}:{scope.qualname}"


def find(project: Project, kind: Kind) -> Iterator[Stall]:
    """All stalls of a kind, one a line of each function: the shortest way, the leftmost of equals.

    A line that blocks is not told of again for what else it does to the loop: the edit that ends the one ends the other. A command-line
    program with the loop to itself stalls nobody.
    """
    for function in project.loop_functions:
        # A second loop fails there too.
        if kind != "runs-loop" and project.contexts.is_command(function):
            continue
        graver = {
            project.frame(function, way[0].site.node).line
            for other in _GRAVER.get(kind, ())
            for way in project.reach.ways(function, other)
        }
        lines: dict[int, list[Step]] = {}
        for way in project.reach.ways(function, kind):
            line = project.frame(function, way[0].site.node).line
            if line not in graver and (line not in lines or len(way) < len(lines[line])):
                lines[line] = way
        for way in _first_of_kept(list(lines.values())):
            stall = _stall(project, function, way)
            if not (stall.sink.api.stall == "device" and stall.runs_once and project.contexts.is_script(function)):
                yield stall


def _first_of_kept(ways: list[list[Step]]) -> Iterator[list[Step]]:
    """The ways but for those to what the library keeps, where a call that surely runs before has waited for it."""
    kept: dict[str, list[Step]] = {}
    for way in sorted(ways, key=lambda way: way[0].site.node.start):
        api = way[-1].api
        if api is not None and api.api.is_kept:
            before = kept.setdefault(api.name, way)
            if before is not way and before[0].site.site.block.holds(way[0].site.site.block):
                continue
        yield way


def _stall(project: Project, function: Function, way: list[Step]) -> Stall:
    cached = [step for step in way if step.target and not step.target.function.decorator_names.isdisjoint(_MEMOISED)]
    once = project.contexts.happens_once(way[0].site) or any(map(_passes_nothing, cached))
    api = way[-1].api
    return Stall(function, tuple(way), bool(cached) or (api is not None and api.api.is_kept), once)


def _passes_nothing(step: Step) -> bool:
    """Whether a step calls a plain function with no arguments, the same each time."""
    node = step.site.node
    is_plain = step.target is not None and step.target.function.owner is None
    return is_plain and isinstance(node, tree.Call) and not node.args and not node.keywords


def bound_of(api: Api, node: tree.Node) -> float | None:
    """The literal bound, in seconds, that a call gives to its wait."""
    if not api.bound or not isinstance(node, tree.Call):
        return None
    expr = argument_at(node, api.bound)
    value = expr.value if isinstance(expr, tree.Const) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
