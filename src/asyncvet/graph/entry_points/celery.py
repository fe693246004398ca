"""Celery: tasks and signal handlers run in a worker process, with no event loop around them.

Source: Celery's documentation, "Tasks" and "Signals".
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import celery
from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.scopes import Function
from asyncvet.graph.values import Symbol


def find(view: View) -> Iterator[EntryPoint]:
    """Tasks and signal handlers."""
    for function in view.functions:
        if celery.is_task(function, view.inference):
            yield EntryPoint(function, "celery task", "worker-process", f"celery task {function.name}")
        elif _is_signal_handler(function, view):
            yield EntryPoint(function, "celery signal", "worker-process", f"celery signal handler {function.name}")


def _is_signal_handler(function: Function, view: View) -> bool:
    scope = function.parent or function.module
    for decorator in function.decorators:
        func = decorator.func if isinstance(decorator, tree.Call) else decorator
        if isinstance(func, tree.Attribute) and func.attr == "connect":
            if any(
                isinstance(v, Symbol) and v.path.startswith("celery.signals") for v in view.inference.values(func.value, scope)
            ):
                return True
    return False
