"""The outside: which coroutines wait for the answer of another system, and which hold themselves back by a limit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Object

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_INSIDE = frozenset(
    {"asyncio", "anyio", "builtins", "contextlib", "functools", "inspect", "aiofiles", "asgiref", "janus", "threading"}
)
_OUTSIDE = frozenset({"asyncio.open_connection", "asyncio.open_unix_connection"})
_OF_PRIMITIVES = frozenset({"acquire", "wait", "join", "sleep", "cancel", "get_nowait", "put", "notify", "wait_for", "shutdown"})
LIMITER = re.compile(r"sem(aphore)?s?$|limit(er)?s?$|throttle|_sem_|rate_?limit|concurren", re.IGNORECASE)
_LIMITS = frozenset({"asyncio.Semaphore", "asyncio.BoundedSemaphore", "asyncio.Lock", "anyio.Semaphore", "anyio.CapacityLimiter"})
_LOADING = frozenset({"connect", "connect_over_cdp", "fetch", "goto", "reload", "wait_for_load_state", "wait_for_url"})
_DEEP = 6


class Outside:
    """Answers what coroutine functions wait for. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._reaches: dict[Function, bool] = {}
        self._limited: dict[Function, bool] = {}

    def is_reached_from(self, function: Function) -> bool:
        """Whether a coroutine function waits for another system.

        It does so in a call of a library, itself or in coroutines it runs, or in a call of its own of which nothing is known.
        """
        return self._is_known_from(function) or any(site.awaited and is_outside(site) for site in self._project.sites(function))

    def _is_known_from(self, function: Function) -> bool:
        known = self._reaches.get(function)
        if known is None:
            self._reaches[function] = False
            known = self._reaches[function] = any(self._is_known_at(site) for site in self._project.sites(function))
        return known

    def _is_known_at(self, site: CallSite) -> bool:
        coroutines = [target.function for target in site.targets if target.mode is Mode.COROUTINE]
        if coroutines:
            return any(self._is_known_from(function) for function in coroutines)
        return site.awaited and bool(site.names) and is_outside(site)

    def asks_network(self, function: Function, steps: int = 1) -> bool:
        """Whether a coroutine function, or one that it runs itself, waits for the answer to a request."""
        for site in self._project.sites(function):
            below = [target.function for target in site.targets if target.mode is Mode.COROUTINE] if steps else []
            if is_request(site) or any(self.asks_network(target, steps - 1) for target in below):
                return True
        return False

    def is_limited(self, function: Function, depth: int = 0) -> bool:
        """Whether a coroutine function, or one that it runs, waits for a semaphore, a lock or a rate limiter."""
        known = self._limited.get(function)
        if known is not None:
            return known
        self._limited[function] = False
        self._limited[function] = any(self._is_limiter(node, function) for node in walk.inside(function)) or (
            depth < _DEEP and any(self.is_limited(below, depth + 1) for below in self._run_by(function))
        )
        return self._limited[function]

    def _run_by(self, function: Function) -> Iterator[Function]:
        for site in self._project.sites(function):
            yield from (target.function for target in site.targets if target.mode is Mode.COROUTINE)

    def _is_limiter(self, node: tree.Node, function: Function) -> bool:
        if isinstance(node, tree.With) and node.is_async:
            return any(self._limits(item.value, function) for item in node.items)
        if isinstance(node, tree.Await) and isinstance(node.value, tree.Call):
            func = node.value.func
            return (
                isinstance(func, tree.Attribute)
                and func.attr in ("acquire", "throttle", "wait")
                and self._limits(func.value, function)
            )
        return False

    def _limits(self, expr: tree.Expression, function: Function) -> bool:
        named = expr.func if isinstance(expr, tree.Call) else expr.value if isinstance(expr, tree.Subscript) else expr
        if LIMITER.search(last_name(named)):
            return True
        return any(isinstance(value, Object) and value.path in _LIMITS for value in self._project.values(expr, function))


def is_request(site: CallSite) -> bool:
    """Whether a call is an asynchronous one of a library that sends a request."""
    return any(call.api.is_async and call.api.category == "network" for call in site.apis)


def is_outside(site: CallSite) -> bool:
    """Whether a call that is awaited leaves the process; an unknown one does unless it has the name of a method of asyncio."""
    node = site.node
    if not isinstance(node, tree.Call) or any(target.mode is Mode.THREAD for target in site.targets):
        return False
    if site.names:
        return any(name in _OUTSIDE or not _is_inside(name) for name in site.names)
    if site.targets or site.is_resolved:
        return False
    return last_name(node.func) not in _OF_PRIMITIVES


def _is_inside(name: str) -> bool:
    """Whether a callable of a library stays with the process, and with the browser that it drives, which loads nothing by it."""
    root = name.partition(".")[0]
    return root in _INSIDE or (root == "playwright" and name.rpartition(".")[2] not in _LOADING)
