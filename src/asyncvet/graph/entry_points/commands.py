"""Command-line programs: functions that Click, Typer, Cyclopts or their wrappers run once, for one user, in a process of its own.

Source: the documentation of Click ("Commands and Groups"), Typer ("Commands") and Cyclopts ("Commands").
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.entry_points.references import is_of
from asyncvet.graph.scopes import Function, last_name

_WORDS = frozenset({"command", "callback", "default", "group"})
_LIBRARIES = ("click", "typer", "cyclopts", "asyncclick", "asyncer", "fire", "rich_click", "async_typer")


def find(view: View) -> Iterator[EntryPoint]:
    """Commands."""
    for function in view.functions:
        if any(_is_command(decorator, function, view) for decorator in function.decorators):
            yield EntryPoint(
                function, "command", "event-loop" if function.is_async else "main-thread", f"command {function.name}"
            )


def _is_command(decorator: tree.Expr, function: Function, view: View) -> bool:
    func = decorator.func if isinstance(decorator, tree.Call) else decorator
    return last_name(func) in _WORDS and is_of(func, function.parent or function.module, view, _LIBRARIES)
