"""Raising: where an error that leaves an expression is caught, inside its function and in the callers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Function, last_name

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_BROAD = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})
_NOT_ERRORS = frozenset(
    {"CancelledError", "KeyboardInterrupt", "SystemExit", "StopAsyncIteration", "StopIteration", "GeneratorExit"}
)
_UNTIL = 6
"""Callers further up than this are not asked whether they catch."""


def guards(function: Body, node: tree.Node) -> Iterator[tree.Handler | tree.With]:
    """What stands around `node` and catches errors that it raises, innermost first: handlers, and `with suppress(...)`."""
    for around in walk.around(function, node):
        if isinstance(around, tree.Try) and any(part.start <= node.start < part.end for part in around.body):
            yield from around.handlers
        elif isinstance(around, tree.With) and any(_suppresses(item) for item in around.items):
            yield around


def is_caught(function: Body, node: tree.Node) -> bool:
    """Whether some error of `node` has a handler in the function."""
    return any(
        isinstance(guard, tree.With) or not _names(guard) or _names(guard) - _NOT_ERRORS for guard in guards(function, node)
    )


def is_contained(function: Body, node: tree.Node) -> bool:
    """Whether no error of `node` leaves the function: a broad handler around it raises nothing itself."""
    return any(_swallows(guard) for guard in guards(function, node))


def uncontained(function: Function) -> Iterator[tree.Node]:
    """The awaits of a function whose errors leave it. Taking a lock or a semaphore raises none."""
    return (node for node in function.awaits if not _takes_lock(node) and not is_contained(function, node))


def escapes(project: Project, function: Function) -> bool:
    """Whether an error that leaves `function` provably meets no handler of the project on its way to a framework."""
    return _escapes(project, function, frozenset())


def _escapes(project: Project, function: Function, seen: frozenset[Function]) -> bool:
    if function in seen or len(seen) > _UNTIL:
        return False
    if project.contexts.entry_points.get(function):
        return not project.contexts.runs_once(function)
    callers = project.contexts.callers.get(function, ())
    return bool(callers) and all(
        isinstance(caller, Function) and not is_caught(caller, site.node) and _escapes(project, caller, seen | {function})
        for caller, site in callers
    )


def _takes_lock(node: tree.Node) -> bool:
    return isinstance(node, tree.With) and all(isinstance(item.value, tree.Name | tree.Attribute) for item in node.items)


def _swallows(guard: tree.Handler | tree.With) -> bool:
    if isinstance(guard, tree.With):
        return any(_BROAD & _suppressed(item) for item in guard.items)
    return (not _names(guard) or bool(_names(guard) & _BROAD)) and not any(
        isinstance(node, tree.Raise) for node in walk.nodes(guard.body)
    )


def _names(handler: tree.Handler) -> frozenset[str]:
    """Last words of the types that a handler names; none for a bare `except`."""
    if handler.exc is None:
        return frozenset()
    exprs = handler.exc.items if isinstance(handler.exc, tree.Sequence) else [handler.exc]
    return frozenset(last_name(expr) for expr in exprs)


def _suppresses(item: tree.WithItem) -> bool:
    return bool(_suppressed(item) - _NOT_ERRORS)


def _suppressed(item: tree.WithItem) -> frozenset[str]:
    call = item.value
    if isinstance(call, tree.Call) and last_name(call.func) == "suppress":
        return frozenset(last_name(arg) for arg in call.args)
    return frozenset()
