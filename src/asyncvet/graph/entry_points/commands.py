"""Command-line programs: functions that Click, Typer, Cyclopts or their wrappers run once, for one user, in a process of its own.

Source: the documentation of Click ("Commands and Groups"), Typer ("Commands") and Cyclopts ("Commands").
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.values import Bound, Instance, Object, Symbol, Value

_WORDS = frozenset({"command", "callback", "default", "group"})
_LIBRARIES = frozenset({"click", "typer", "cyclopts", "asyncclick", "asyncer", "fire", "rich_click", "async_typer"})


def find(view: View) -> Iterator[EntryPoint]:
    """Commands."""
    for function in view.functions:
        if any(_is_command(decorator, function, view) for decorator in function.decorators):
            yield EntryPoint(
                function, "command", "event-loop" if function.is_async else "main-thread", f"command {function.name}"
            )


def _is_command(decorator: tree.Expr, function: Function, view: View) -> bool:
    func = decorator.func if isinstance(decorator, tree.Call) else decorator
    if last_name(func) not in _WORDS:
        return False
    scope = function.parent or function.module
    values = [*view.inference.values(func, scope)]
    if isinstance(func, tree.Attribute):
        values += view.inference.values(func.value, scope)
    return any(_is_of_library(value, view) for value in values)


def _is_of_library(value: Value, view: View) -> bool:
    if isinstance(value, Bound):
        return _is_of_library(value.function, view) or _is_of_library(value.receiver, view)
    if isinstance(value, Symbol | Object):
        return value.path.partition(".")[0] in _LIBRARIES
    if isinstance(value, Instance):
        bases = view.inference.members.mro(value.cls)
        return any(isinstance(base, Symbol) and base.path.partition(".")[0] in _LIBRARIES for base in bases)
    return False
