"""Whether two calls of a coroutine function may run at once, as far as the code tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Function, Module, dotted
from asyncvet.graph.shared_state import method_around
from asyncvet.graph.sites import CallSite
from asyncvet.graph.tasks import Task

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_ONE_AT_A_TIME = re.compile(r"(lock|synchron|serial|once|single|cache|mutex|exclusive)", re.IGNORECASE)
_ONCE_ROLES = frozenset({"lifespan", "startup", "shutdown", "main"})
_START = re.compile(
    r"_*(async_|a)?((re)?connect|(re)?start|open|init|initiali[sz]e|set_?up|log_?in|prepare|launch|boot|bootstrap|startup|on_startup"
    r"|run|main|enter|activate|(re)?acquire|start_\w+|run_\w+|_*aenter_*)(_async)?",
    re.IGNORECASE,
)


class Overlaps:
    """Answers whether calls of coroutine functions overlap."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[Function, bool] = {}

    def may_overlap(self, function: Function) -> bool:
        """Whether a second call may come in while a first one waits.

        These do not overlap: special methods, streams that one consumer iterates, what runs at start-up only, what every caller calls
        under a lock, what one task awaits in its loop, what a decorator lets run once. The methods that start an object are called
        once by its owner, unless a method of the same object, or code that has tested the object, calls them on first use.
        """
        known = self._known.get(function)
        if known is None:
            known = self._known[function] = self._may_overlap(function)
        return known

    def _may_overlap(self, function: Function) -> bool:
        if not function.is_async or function.name.startswith("__") or (function.is_generator and not function.is_context_manager):
            return False
        if any(_ONE_AT_A_TIME.search(name) for name in function.decorator_names):
            return False
        if self._project.contexts.runs_once(function) or self._is_for_start(function, {function}):
            return False
        return not self._is_called_under_lock(function, {function}) and not self._is_run_by_pump(function, {function})

    def _is_for_start(self, function: Function, seen: set[Function]) -> bool:
        """Whether a function runs at start-up only, or starts an object at its owner's word."""
        entries = self._project.contexts.entry_points.get(function, ())
        if any(entry.role not in _ONCE_ROLES for entry in entries):
            return False
        callers = self._project.contexts.callers.get(function, ())
        if _is_start(function):
            callers = [(caller, site) for caller, site in callers if _is_on_first_use(caller, site)]
        elif not entries and not callers:
            return False
        rest = {caller: None for caller, _ in callers if isinstance(caller, Function) and caller not in seen}
        seen.update(rest)
        return all(self._is_for_start(caller, seen) for caller in rest)

    def _is_run_by_pump(self, function: Function, seen: set[Function]) -> bool:
        """Whether only one task that serves its object's queue awaits it, in the `while` loop of a method, or by way of others."""
        callers = self._project.contexts.callers.get(function, ())
        return bool(callers) and all(
            isinstance(caller, Function)
            and caller.self_name is not None
            and site.awaited
            and (self._is_pump(caller, site) or (caller not in seen and self._is_run_by_pump(caller, seen | {caller})))
            for caller, site in callers
        )

    def _is_pump(self, caller: Function, site: CallSite) -> bool:
        """Whether a call stands in the `while` loop of a method that is given nothing, or whose one task an attribute holds."""
        if not any(isinstance(loop.statement, tree.While) for loop in site.site.block.loops()):
            return False
        tasks = self._project.tasks.started.get(caller, ())
        return len(caller.params) == 1 or (len(tasks) == 1 and _is_held_by_attribute(tasks[0]))

    def _is_called_under_lock(self, function: Function, seen: set[Function]) -> bool:
        """Whether every caller holds a lock, or is itself called under one."""
        callers = self._project.contexts.callers.get(function, ())
        return bool(callers) and all(
            isinstance(caller, Function)
            and (
                any(lock.covers(site.node.start) for lock in self._project.held(caller))
                or (caller not in seen and self._is_called_under_lock(caller, seen | {caller}))
            )
            for caller, site in callers
        )


def _is_held_by_attribute(task: Task) -> bool:
    if not isinstance(task.scope, Function):
        return False
    holder = next(iter(walk.around(task.scope, task.node)), None)
    return isinstance(holder, tree.Assign) and all(isinstance(target, tree.Attribute) for target in holder.targets)


def _is_start(function: Function) -> bool:
    """A method, or a closure, whose name says that it starts something."""
    return not isinstance(function.parent, Module) and bool(_START.fullmatch(function.name))


def _is_on_first_use(caller: Body, site: CallSite) -> bool:
    """Whether a call goes to the caller's own object, or to one that an `if` around it asks about."""
    func = site.node.func if isinstance(site.node, tree.Call) else None
    receiver = dotted(func.value) if isinstance(func, tree.Attribute) else ""
    method = method_around(caller)
    if not receiver or (method is not None and receiver == method.self_name):
        return True
    tests = [outer.test for outer in walk.around(caller, site.node) if isinstance(outer, tree.If)]
    return any(dotted(node) == receiver for test in tests for node in walk.nodes(test))
