"""Waits: calls of `asyncio.wait` that can come back before all tasks are done, and what becomes of those that are left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.scopes import Function, dotted, last_name
from asyncvet.graph.sites import CallSite

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_TASKS = frozenset({"create_task", "ensure_future"})


@dataclass(frozen=True, slots=True)
class Wait:
    """A call of `asyncio.wait` with a timeout, or that returns with the first task.

    Attributes:
        done, pending: Names of the two sets; empty if nobody keeps them.
        given: Names of the tasks, and of the collections of tasks, that are waited for; also where one of them was kept.
        is_complete: `given` names all of them.
    """

    function: Function
    site: CallSite
    done: str
    pending: str
    given: tuple[str, ...]
    is_complete: bool

    @property
    def pending_is_forgotten(self) -> bool:
        """Nobody speaks of a task again that may be pending; tasks that were cancelled before are on their way out."""
        return (
            not self._follows_cancel and self.is_complete and not self._speaks_of({self.pending, *self.given}, of_work_left=True)
        )

    @property
    def done_is_unread(self) -> bool:
        """Nobody looks at what the tasks gave, or whether they failed."""
        return not self._follows_cancel and self.is_complete and not self._speaks_of({self.done, *self.given}, of_work_left=False)

    @property
    def _follows_cancel(self) -> bool:
        before = (node for node in walk.found(self.function, tree.Attribute) if node.start < self.site.node.start)
        return any(node.attr == "cancel" for node in before)

    def _speaks_of(self, names: set[str], of_work_left: bool) -> bool:
        call = self.site.node
        statement = self.site.site.statement
        loop = next((n for n in walk.around(self.function, call) if isinstance(n, tree.While | tree.For)), None)
        for node in walk.found(self.function, tree.Name, tree.Attribute):
            if dotted(node) not in names or call.start <= node.start < call.end:
                continue
            is_target = statement is not None and statement.start <= node.start < call.start
            later = node.start >= call.end or (loop is not None and loop.start <= node.start < loop.end)
            is_counted = not of_work_left and self._is_counted(node)
            if not is_target and not is_counted and (later or self._is_kept(node) or (of_work_left and self._has_callback(node))):
                return True
        return False

    def _has_callback(self, node: tree.Node) -> bool:
        """Given a callback before it is waited for."""
        return any(
            isinstance(around, tree.Call) and last_name(around.func) == "add_done_callback"
            for around in walk.around(self.function, node)[:3]
        )

    def _is_counted(self, node: tree.Node) -> bool:
        """Only asked how many there are."""
        holder = next(iter(walk.around(self.function, node)), None)
        return isinstance(holder, tree.Call) and last_name(holder.func) == "len"

    def _is_kept(self, node: tree.Node) -> bool:
        """Kept in a collection that has other readers than this function."""
        for around in walk.around(self.function, node)[:3]:
            if isinstance(around, tree.Call) and last_name(around.func) in ("append", "add"):
                return node in around.args
        return False


def waits(project: Project) -> Iterator[Wait]:
    """All waits that may leave tasks pending, in order."""
    for function in project.functions:
        for site in project.sites(function):
            if "asyncio.wait" in site.names and site.awaited and isinstance(site.node, tree.Call) and _may_leave(site.node):
                yield _wait(function, site, site.node)


def _may_leave(call: tree.Call) -> bool:
    timeout = argument_at(call, ["timeout"])
    when = argument_at(call, ["return_when"])
    has_timeout = timeout is not None and not (isinstance(timeout, tree.Const) and timeout.kind == "none")
    return has_timeout or (when is not None and last_name(when) in ("FIRST_COMPLETED", "FIRST_EXCEPTION"))


def _wait(function: Function, site: CallSite, call: tree.Call) -> Wait:
    done, pending = _targets(site.site.statement, call)
    names: list[str] = []
    is_complete = bool(call.args) and _name(call.args[0], names) and all(_is_made_here(function, name) for name in names)
    return Wait(function, site, done, pending, tuple(names), is_complete)


def _targets(statement: tree.Stmt | None, call: tree.Call) -> tuple[str, str]:
    if isinstance(statement, tree.Assign) and isinstance(statement.value, tree.Await) and statement.value.value is call:
        target = statement.targets[0]
        if isinstance(target, tree.Sequence) and len(target.items) == 2:
            done, pending = (dotted(item) for item in target.items)
            return done, pending
        return dotted(target), dotted(target)
    return "", ""


def _name(expr: tree.Expression, names: list[str]) -> bool:
    """Collect the names of tasks in an expression; false if some have none that can be followed."""
    if isinstance(expr, tree.Sequence):
        known = [_name(item, names) for item in expr.items]
        return all(known)
    if isinstance(expr, tree.Starred):
        return _name(expr.value, names)
    if isinstance(expr, tree.Comprehension):
        return True
    if isinstance(expr, tree.Call):
        if last_name(expr.func) in _TASKS:
            return True
        return len(expr.args) == 1 and _name(expr.args[0], names)
    if isinstance(expr, tree.Name):
        names.append(expr.id)
        return True
    return False


def _is_made_here(function: Function, name: str) -> bool:
    """Whether a name stands for tasks that this function made and that no function within it speaks of."""
    bindings = function.bindings.get(name, [])
    if any(walk.mentions(below, name) for below in function.inner.values()):
        return False
    made = [binding.value for binding in bindings if binding.kind == "assign"]
    return len(made) == len(bindings) > 0 and all(_makes_tasks(value) for value in made)


def _makes_tasks(value: tree.Node | None) -> bool:
    if isinstance(value, tree.Call):
        return last_name(value.func) in _TASKS or (last_name(value.func) in ("set", "list") and not value.args)
    if isinstance(value, tree.Comprehension):
        return _makes_tasks(value.element)
    return isinstance(value, tree.Sequence) and all(isinstance(item, tree.Name) or _makes_tasks(item) for item in value.items)
