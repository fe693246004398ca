"""Endless work: loops and coroutines that never end by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.cancellation import caught_by
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Coroutine

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_FOREVER = frozenset({"asyncio.Server.serve_forever", "anyio.sleep_forever", "trio.sleep_forever"})
_REST = re.compile(r"_*(has|have|empty|qsize|pending|remaining)(_|$)")
"""Methods that tell whether there is something left to work off."""
_DEPTH = 4


def loops(project: Project, function: Function) -> Iterator[tree.While]:
    """The `while True` loops with an await that nothing in them ends but a cancellation, an error or the end of the process."""
    for node in walk.found(function, tree.While):
        if not (is_true(node.test) and any(walk.awaits(node.body))):
            continue
        if not any(_exits(project, function, node.body, breaks=True)):
            yield node


def never_ends(project: Project, function: Function, depth: int = 0) -> tree.Node | None:
    """The endless loop, or the call that waits forever, that a coroutine function comes to on every path, if any.

    Of an asynchronous generator: before it yields.
    """
    endless = {id(loop) for loop in loops(project, function)}
    for statement in _unconditional(walk.body(function)):
        is_leaf = not isinstance(statement, tree.Try | tree.With)
        if is_leaf and any(isinstance(node, tree.Yield) for node in walk.nodes(statement)):
            return None
        if id(statement) in endless:
            return statement
        if is_leaf and any(_exits(project, function, [statement], breaks=False)):
            return None
        site = _awaited_call(project, function, statement)
        if site is not None and waits_forever(project, site, depth):
            return site.node
    return None


def waits_forever(project: Project, site: CallSite, depth: int = 0) -> bool:
    """Whether an awaited call never comes back by itself."""
    if any(name in _FOREVER for name in site.names):
        return True
    if "asyncio.gather" in site.names and isinstance(site.node, tree.Call):
        values = [value for argument in site.node.args for value in project.values(argument, site.scope)]
        targets = [value.function for value in values if isinstance(value, Coroutine) and value.function is not None]
        return depth < _DEPTH and any(never_ends(project, target, depth + 1) is not None for target in targets)
    targets = [target.function for target in site.targets if target.mode is Mode.COROUTINE]
    return depth < _DEPTH and len(targets) == 1 and never_ends(project, targets[0], depth + 1) is not None


def background_loops(project: Project, function: Function) -> Iterator[tree.While]:
    """The endless loops of a function, and those that only a flag from outside ends: `while self.running`.

    A loop that works off what is there ends by itself: `while self._has_pending()`.
    """
    for node in walk.found(function, tree.While):
        if not any(walk.awaits(node.body)):
            continue
        asked = [last_name(part.func) for part in walk.nodes(node.test) if isinstance(part, tree.Call)]
        is_flag = any(isinstance(part, tree.Attribute) for part in walk.nodes(node.test)) and not any(map(_REST.match, asked))
        if (is_true(node.test) or is_flag) and not any(_exits(project, function, node.body, breaks=True)):
            yield node


def is_true(test: tree.Expr) -> bool:
    """Whether a test is a constant that always holds."""
    return isinstance(test, tree.Const) and bool(test.value)


def _unconditional(statements: list[tree.Statement]) -> Iterator[tree.Stmt]:
    """The statements that run on every path, those in the bodies of `try` and `with` too."""
    for statement in statements:
        yield statement
        if isinstance(statement, tree.Try | tree.With):
            yield from _unconditional(statement.body)


def _awaited_call(project: Project, function: Function, statement: tree.Stmt) -> CallSite | None:
    value = statement.value if isinstance(statement, tree.ExprStmt | tree.Assign) else None
    if not isinstance(value, tree.Await):
        return None
    return next((site for site in project.sites(function) if site.node is value.value), None)


def _exits(project: Project, function: Function, statements: list[tree.Statement], breaks: bool) -> Iterator[tree.Node]:
    """What leaves a loop whose body these are; a handler of cancellation leaves it when it is told to."""
    for statement in statements:
        if isinstance(statement, tree.Return) or (breaks and isinstance(statement, tree.Jump) and statement.kind == "break"):
            yield statement
        elif isinstance(statement, tree.Try):
            yield from _exits(project, function, statement.body + statement.orelse + statement.final, breaks)
            for handler in statement.handlers:
                if not caught_by(project, function, handler) or last_name(handler.exc or handler) == "BaseException":
                    yield from _exits(project, function, handler.body, breaks)
        elif isinstance(statement, tree.While | tree.For):
            yield from _exits(project, function, statement.body + statement.orelse, False)
        elif isinstance(statement, tree.If):
            yield from _exits(project, function, statement.body + statement.orelse, breaks)
        elif isinstance(statement, tree.With):
            yield from _exits(project, function, statement.body, breaks)
        elif isinstance(statement, tree.Match):
            for case in statement.cases:
                yield from _exits(project, function, case.body, breaks)
