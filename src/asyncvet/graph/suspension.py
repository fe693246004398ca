"""Where running code gives the event loop to others: the places at which another coroutine can come in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function
from asyncvet.graph.sites import Mode
from asyncvet.graph.values import Coroutine

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_DEPTH = 6


def suspensions(project: Project, function: Function, start: tree.Node | Iterable[tree.Node]) -> Iterator[tree.Node]:
    """The awaits among these nodes of a function at which others may run.

    Awaiting a coroutine of the project whose body never waits does not let others in; everything else that is awaited may.
    """
    return (node for node in walk.awaits(start) if _lets_others_in(project, function, node, 0))


def _lets_others_in(project: Project, function: Function, node: tree.Node, depth: int) -> bool:
    if not isinstance(node, tree.Await):
        return True
    runs = [value.function for value in project.values(node.value, function) if isinstance(value, Coroutine)]
    if not runs or depth == _DEPTH:
        return True
    return any(run is None or _may_wait(project, run, depth) for run in runs)


def _may_wait(project: Project, function: Function, depth: int) -> bool:
    if function.is_abstract or project.inference.members.overrides(function):
        return True
    return any(_lets_others_in(project, function, node, depth + 1) for node in walk.waits(function))


def coroutines(project: Project, function: Function, node: tree.Node) -> list[Function]:
    """The coroutine functions of the project that an await of `function` runs."""
    if not isinstance(node, tree.Await):
        return []
    for site in project.sites(function):
        if site.node is node.value:
            return [target.function for target in site.targets if target.mode is Mode.COROUTINE]
    return []
