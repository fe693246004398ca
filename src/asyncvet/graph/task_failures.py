"""Task failures: Celery tasks that catch every error of their work and end as if it had succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.celery import is_task, registration
from asyncvet.graph.handlers import Handling, own_nodes
from asyncvet.graph.scopes import Function, last_name

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_LOGGING = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "log", "exception", "print", "print_exc", "format_exc"}
)
_CLEANING = frozenset({"rollback", "close", "capture_exception"})
_SHOWING = frozenset(
    {"str", "repr", "type", "format", "join", "format_exception", "isoformat", "now", "utcnow", "time", "getattr"}
)


def succeeding_failures(project: Project, function: Function) -> Iterator[Handling]:
    """The handlers of a task that take every error of the whole work in, only log it, and let the task return."""
    if not function.is_lambda and is_task(function, project.inference) and not _ignores_result(project, function):
        for handling in _around_the_work(project, function):
            if handling.is_broad and _only_tells(handling):
                yield handling


def _ignores_result(project: Project, function: Function) -> bool:
    """Whether the task is registered with `ignore_result`: nobody asks how it ended."""
    index = registration(function, project.inference)
    decorator = function.decorators[index] if index is not None else None
    return isinstance(decorator, tree.Call) and any(keyword.name == "ignore_result" for keyword in decorator.keywords)


def _around_the_work(project: Project, function: Function) -> Iterator[Handling]:
    """The handlers of the `try` that the body of a task ends with, or that holds a call of the project's own code and leaves."""
    statements = list(walk.body(function))
    while statements and isinstance(statements[-1], tree.With):
        statements = list(statements[-1].body)
    if len(statements) > 1 and isinstance(statements[-1], tree.Return):
        statements = statements[:-1]
    own = [site.node for site in project.sites(function) if site.targets]
    for statement in statements:
        if isinstance(statement, tree.Try):
            tried = list(walk.nodes(statement.body))
            is_last = statement is statements[-1] and any(isinstance(node, tree.Call) for node in tried)
            calls_own = any(node is call for node in tried for call in own)
            for handler in statement.handlers:
                handling = Handling(function, statement, handler)
                if is_last or (calls_own and handling.leaves):
                    yield handling


def _only_tells(handling: Handling) -> bool:
    """Whether a handler does nothing but undo, log, make up a result and return it."""
    for node in own_nodes(handling.body):
        if isinstance(node, tree.Raise | tree.Jump | tree.Await | tree.Yield | tree.With | tree.AugAssign | tree.Try | tree.For):
            return False
        if isinstance(node, tree.Assign) and not all(isinstance(target, tree.Name) for target in node.targets):
            return False
        if isinstance(node, tree.Call) and last_name(node.func) not in _LOGGING | _CLEANING | _SHOWING:
            return False
    return True
