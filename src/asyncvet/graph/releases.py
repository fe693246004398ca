"""Locks that are acquired by a call and not released on every way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.handlers import type_names
from asyncvet.graph.locks import acquisitions
from asyncvet.graph.scopes import Function, last_name, shown

if TYPE_CHECKING:
    from asyncvet.graph.project import Project


_BROAD = frozenset({"Exception", "BaseException", "CancelledError"})


@dataclass(frozen=True, slots=True)
class Leak:
    """An asynchronous lock that is acquired at `call` and stays taken if the function is left at `exit`, or in any case if None."""

    function: Function
    call: tree.Call
    lock: tree.Expression
    exit: tree.Node | None


def leaks(project: Project) -> Iterator[Leak]:
    """All locks that can stay taken."""
    elsewhere: dict[str, set[Function]] | None = None
    for function in project.functions:
        if not function.is_async:
            continue
        for call, lock, kind in acquisitions(project, function):
            if kind.kind != "async" or _is_used_up(function, lock):
                continue
            releases = _releases(function, lock)
            if not releases:
                elsewhere = elsewhere if elsewhere is not None else _releasers(project)
                if not elsewhere.get(last_name(lock), set()) - {function}:
                    yield Leak(function, call, lock, None)
            else:
                exit_ = _way_out(function, call, releases)
                if exit_ is not None:
                    yield Leak(function, call, lock, exit_)


def _releasers(project: Project) -> dict[str, set[Function]]:
    """By the name of the lock, the functions that read its `release`, called or handed on."""
    found: dict[str, set[Function]] = {}
    for function in project.functions:
        for site in function.sites:
            for node in (site.node, site.node.func if isinstance(site.node, tree.Call) else None):
                if isinstance(node, tree.Attribute) and node.attr in ("release", "__aexit__"):
                    found.setdefault(last_name(node.value), set()).add(function)
    return found


def _releases(function: Function, lock: tree.Expression) -> list[tree.Node]:
    """The nodes of a function, and of those within it, that read the lock's `release`."""
    own = [
        node
        for node in walk.found(function, tree.Attribute)
        if node.attr in ("release", "__aexit__") and shown(node.value) == shown(lock)
    ]
    return own + [node for inner in function.inner.values() for node in _releases(inner, lock)]


def _safe_from(function: Function, releases: list[tree.Node]) -> int | None:
    """Where the stretch begins whose every end releases the lock: a `try` with a release in its `finally` or in a broad handler.

    It is 0 if the release is handed on, or belongs to a function within; None if there is no such stretch.
    """
    called = {id(node.func) for node in walk.found(function, tree.Call)}
    starts = []
    for release in releases:
        around = walk.around(function, release)
        if id(release) not in called or not around:
            return 0
        starts += [outer.start for outer in around if isinstance(outer, tree.Try) and _releases_at_end(outer, release)]
    return min(starts, default=None)


def _releases_at_end(statement: tree.Try, release: tree.Node) -> bool:
    final = any(stmt.start <= release.start < stmt.end for stmt in statement.final)
    return final or any(
        handler.start <= release.start < handler.end and (not type_names(handler) or type_names(handler) & _BROAD)
        for handler in statement.handlers
    )


def _way_out(function: Function, call: tree.Call, releases: list[tree.Node]) -> tree.Node | None:
    """Where the function can be left between a call of `acquire` and the releases, or the `try` that sees to them."""
    safe = _safe_from(function, releases)
    first, last = min(node.start for node in releases), max(node.start for node in releases)
    if safe is not None:
        first = last = safe
    taken = function.block_at(call.start)
    for node in walk.found(function, tree.Return, tree.Raise):
        if call.end <= node.start < first:
            if not function.block_at(node.start).excludes(taken) and not _follows_failure(function, call, node):
                return node
    between = (node for node in walk.waits(function) if call.end < node.start < last)
    reached = (node for node in between if not function.block_at(node.start).excludes(taken))
    return next((node for node in reached if not _follows_failure(function, call, node)), None)


def _follows_failure(function: Function, call: tree.Call, node: tree.Node) -> bool:
    """Whether a node stands in a handler of the `try` around `acquire`, or under a test of what it gave: the lock was not taken."""
    for outer in walk.around(function, node):
        if isinstance(outer, tree.Handler):
            return True
        if isinstance(outer, tree.If) and outer.start <= call.start:
            return True
    return False


def _is_used_up(function: Function, lock: tree.Expression) -> bool:
    """Whether a local lock is given away: returned, or passed to somebody who releases it."""
    if not isinstance(lock, tree.Name):
        return False
    harmless = {id(node.value) for node in walk.found(function, tree.Attribute)}
    targets = {id(t) for node in walk.found(function, tree.Assign) for t in node.targets}
    return any(
        node.id == lock.id and id(node) not in harmless and id(node) not in targets for node in walk.found(function, tree.Name)
    )
