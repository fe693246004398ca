"""Serving: the code that an asynchronous service runs, in whatever thread, as against scripts and commands beside it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from asyncvet.graph.scopes import Function

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_ALONE = frozenset({"command", "main"})


def serving(project: Project) -> frozenset[Function]:
    """The functions that coroutines, routes, tasks and callbacks reach, the ones that they hand to threads included.

    Functions that only a command-line program or a script runs are not among them.
    """
    queue = deque(function for function in project.functions if _is_entered(project, function))
    found = set(queue)
    while queue:
        function = queue.popleft()
        targets = [target.function for site in project.sites(function) for target in site.targets]
        for below in (*targets, *function.inner.values()):
            if below not in found and not _is_alone(project, below):
                found.add(below)
                queue.append(below)
    return frozenset(found)


def _is_entered(project: Project, function: Function) -> bool:
    if _is_alone(project, function):
        return False
    return function.is_async or any(entry.role not in _ALONE for entry in project.contexts.entry_points.get(function, ()))


def _is_alone(project: Project, function: Function) -> bool:
    return project.contexts.is_script(function) or project.contexts.is_command(function)
