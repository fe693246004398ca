"""Swallowing: broad handlers that let nobody know of an error, and the places where that is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.handlers import Handling, handlings
from asyncvet.graph.scopes import Function, last_name

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_CLEANUP = (
    *("abort", "cancel", "clean", "clear", "close", "closing", "delete", "destroy", "detach", "discard", "disconnect", "dispose"),
    *(
        "drain",
        "evict",
        "exit",
        "expire",
        "flush",
        "kill",
        "leave",
        "logout",
        "purge",
        "quit",
        "reap",
        "release",
        "remove",
        "reset",
    ),
    *("rmtree", "rollback", "shutdown", "stop", "teardown", "terminate", "undo", "unlink", "unsubscribe", "aclose", "aexit"),
)
_BEST_EFFORT = (
    *(
        "ack",
        "analytic",
        "answer",
        "broadcast",
        "cache",
        "display",
        "edit",
        "emit",
        "heartbeat",
        "hint",
        "log",
        "metric",
        "notice",
    ),
    *("notif", "ping", "prefetch", "presence", "progress", "publish", "put", "react", "refresh", "render", "reply", "report"),
    *("send", "status", "telemetry", "title", "touch", "trace", "track", "typing", "warm"),
    # Gestures in a browser, which later steps look at.
    *("blur", "bring", "cursor", "evaluate", "focus", "hover", "press", "screenshot", "scroll"),
)
_ASKING = (
    "can",
    "check",
    "detect",
    "has",
    "health",
    "is",
    "maybe",
    "optional",
    "probe",
    "safe",
    "supports",
    "test",
    "try",
    "wait",
)
_WAITING = frozenset({"wait", "wait_for", "shield", "gather", "sleep"})
_LEAST_COMMENT = 4
"""Characters beyond line ends and indentation that are more than white space."""


def swallowed(function: Function) -> Iterator[Handling]:
    """The handlers of a coroutine function that take every error in and do nothing about it, where work is lost by that."""
    if _speaks_of(function.name, (*_CLEANUP, *_BEST_EFFORT)) or next(iter(_words(function.name)), "") in _ASKING:
        return
    for handling in handlings(function):
        if handling.is_broad and all(map(_does_nothing, handling.body)) and not _is_meant(function, handling):
            yield handling


def _does_nothing(statement: tree.Stmt) -> bool:
    if isinstance(statement, tree.Jump):
        return statement.kind == "continue"
    if type(statement) is tree.Stmt:
        return True
    return isinstance(statement, tree.ExprStmt) and type(statement.value) in (tree.Expr, tree.Const)


def _is_meant(function: Function, handling: Handling) -> bool:
    """Whether what fails is clean-up, a courtesy, or a first attempt; or the code says that it is meant."""
    tried = handling.statement.body
    if not any(walk.awaits(tried)) or handling.statement.orelse or _is_explained(function, handling):
        return True
    if any(isinstance(node, tree.Return | tree.Jump | tree.Import | tree.ImportFrom) for node in walk.nodes(tried)):
        return True
    around = walk.around(function, handling.statement)
    if any(isinstance(holder, tree.Handler) for holder in around) or _is_in_finally(around, handling.statement):
        return True
    called = [last_name(node.func) for node in walk.nodes(tried) if isinstance(node, tree.Call)]
    awaited = {last_name(node.func) for node in walk.nodes(walk.awaits(tried)) if isinstance(node, tree.Call)} - _WAITING
    return (
        not any(awaited)
        or any(_speaks_of(name, _CLEANUP) for name in called)
        or any(_speaks_of(name, _BEST_EFFORT) for name in awaited)
    )


def _speaks_of(name: str, stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stems) for word in _words(name))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _is_in_finally(around: list[tree.Node], node: tree.Node) -> bool:
    return any(isinstance(holder, tree.Try) and any(s.start <= node.start < s.end for s in holder.final) for holder in around)


def _is_explained(function: Function, handling: Handling) -> bool:
    """Whether a comment stands before, in or behind a handler: somebody has thought about it.

    Comments are no part of the facts; the room that they take is.
    """
    facts = function.module.facts
    handler, last = handling.handler, handling.body[-1]
    before = max([handling.statement.body[-1].end, *(other.end for other in handling.earlier)])
    head = handling.head.end + (len(f" as {handler.name}") if handler.name else 0)
    line_end = next((start for start in facts.line_starts if start > last.end), last.end)
    indents = [facts.position(node.start)[1] for node in (handler, handling.body[0])]
    rooms = (handler.start - before - indents[0], handling.body[0].start - head - indents[1], line_end - last.end)
    return max(rooms) > _LEAST_COMMENT
