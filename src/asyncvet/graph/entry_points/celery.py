"""Celery: tasks and signal handlers run in a worker process, with no event loop around them.

Source: Celery's documentation, "Tasks" and "Signals".
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.scopes import Class, Function, last_name
from asyncvet.graph.values import Object, Symbol


def find(view: View) -> Iterator[EntryPoint]:
    """Tasks and signal handlers."""
    for function in view.functions:
        if is_task(function, view):
            yield EntryPoint(function, "celery task", "worker-process", f"celery task {function.name}")
        elif _is_signal_handler(function, view):
            yield EntryPoint(function, "celery signal", "worker-process", f"celery signal handler {function.name}")


def is_task(function: Function, view: View) -> bool:
    """Whether a function is registered as a task: `@app.task`, `@shared_task`, or the `run` of a Task class."""
    scope = function.parent or function.module
    for decorator in function.decorators:
        func = decorator.func if isinstance(decorator, tree.Call) else decorator
        name = last_name(func)
        if name == "shared_task":
            return True
        if name in ("task", "periodic_task") and isinstance(func, tree.Attribute):
            values = view.inference.values(func.value, scope)
            if any(isinstance(value, Object) and value.path.startswith("celery") for value in values):
                return True
            if not values and last_name(func.value) in ("celery", "celery_app"):
                return True
    return function.name == "run" and function.owner is not None and _is_task_class(function.owner, view)


def _is_task_class(cls: Class, view: View) -> bool:
    return any(
        isinstance(base, Symbol) and base.path.startswith("celery") and base.path.endswith("Task")
        for base in view.inference.members.mro(cls)
    )


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
