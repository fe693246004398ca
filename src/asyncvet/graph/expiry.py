"""Expiry: which timeouts that code sets end a route, and with which answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint
from asyncvet.graph.handlers import Handling, handlings, type_names
from asyncvet.graph.http_errors import HttpErrors
from asyncvet.graph.raising import guards
from asyncvet.graph.scopes import Body, Function, last_name
from asyncvet.graph.sites import CallSite

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_RAISING = frozenset(
    {
        "asyncio.wait_for",
        "asyncio.timeout",
        "asyncio.timeout_at",
        "anyio.fail_after",
        "async_timeout.timeout",
        "async_timeout.timeout_at",
    }
)
_TAKING = frozenset({"TimeoutError", "OSError", "Exception", "BaseException"})
_DEEP = 6


@dataclass(frozen=True, slots=True)
class Expiry:
    """A timeout that a route ends with.

    Attributes:
        site: The call that sets it.
        route: The route.
        handling: The handler that makes a 500 of it, None where nothing catches it.
    """

    site: CallSite
    route: EntryPoint
    handling: Handling | None


class Expiries:
    """Answers what becomes of timeouts. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._http = HttpErrors(project)

    def unmapped(self) -> Iterator[Expiry]:
        """The timeouts that end a route with a 500."""
        if self._is_mapped:
            return
        for function in self._project.functions:
            for site in self._project.sites(function) if function.is_async else ():
                if _sets_seconds(site):
                    yield from self._way_up(site, function, site.node)

    def _way_up(self, site: CallSite, function: Function, node: tree.Node) -> Iterator[Expiry]:
        seen = {function}
        queue: list[tuple[Function, tree.Node]] = [(function, node)]
        while queue and len(seen) < _DEEP * _DEEP:
            current, place = queue.pop(0)
            guard = next((g for g in guards(current, place) if _takes(g)), None)
            routes = [entry for entry in self._project.contexts.entries(current) if entry.role == "route"]
            if guard is not None:
                handling = _handling(current, guard)
                if handling is not None and routes and self._answers_500(handling):
                    yield Expiry(site, routes[0], handling)
                    return
                continue
            own = [entry for entry in self._project.contexts.entry_points.get(current, ()) if entry.role == "route"]
            if own:
                yield Expiry(site, own[0], None)
                return
            for caller, above in self._project.contexts.callers.get(current, ()):
                if isinstance(caller, Function) and above.awaited and caller not in seen:
                    seen.add(caller)
                    queue.append((caller, above.node))

    def _answers_500(self, handling: Handling) -> bool:
        statuses = [self._http.error(node, handling.function) for node in handling.new_errors]
        return bool(statuses) and all(error is not None and error.status == 500 for error in statuses) and not handling.hands_on

    @cached_property
    def _is_mapped(self) -> bool:
        """Whether the app has a handler, or a middleware, that takes timeouts."""
        functions = self._project.functions
        return any(
            (isinstance(node, tree.Name | tree.Attribute) and last_name(node) == "TimeoutError")
            for function in functions
            if any(entry.role == "exception handler" for entry in self._project.contexts.entry_points.get(function, ()))
            for decorator in (*function.decorators, *walk.body(function))
            for node in walk.nodes(decorator)
        ) or any(_registers(node) or _calls_next(node) for node in self._everything())

    def _everything(self) -> Iterator[tree.Node]:
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        for scope in bodies:
            yield from walk.found(scope, tree.Call, tree.Try)


def _registers(node: tree.Node) -> bool:
    """Whether a call registers a handler of timeouts."""
    if not isinstance(node, tree.Call):
        return False
    if last_name(node.func) == "add_exception_handler":
        return bool(node.args) and last_name(node.args[0]) == "TimeoutError"
    given = next((keyword.value for keyword in node.keywords if keyword.name == "exception_handlers"), None)
    return isinstance(given, tree.Dict) and any(key is not None and last_name(key) == "TimeoutError" for key in given.keys)


def _calls_next(node: tree.Node) -> bool:
    """Whether a `try` of a middleware takes the timeouts of all routes."""
    return (
        isinstance(node, tree.Try)
        and any("TimeoutError" in type_names(handler) for handler in node.handlers)
        and any(isinstance(call, tree.Call) and last_name(call.func) in ("call_next", "app") for call in walk.nodes(node.body))
    )


def _sets_seconds(site: CallSite) -> bool:
    node = site.node
    if not isinstance(node, tree.Call) or not any(name in _RAISING for name in site.names):
        return False
    position = 1 if "asyncio.wait_for" in site.names else 0
    given = argument_at(node, ("timeout", "delay", "when", "deadline", position))
    return given is not None and not (isinstance(given, tree.Const) and given.kind == "none")


def _takes(guard: tree.Handler | tree.With) -> bool:
    if isinstance(guard, tree.With):
        return any(isinstance(i.value, tree.Call) and _TAKING & set(map(last_name, i.value.args)) for i in guard.items)
    if not type_names(guard):
        return True
    if not type_names(guard) & _TAKING:
        return False
    nodes = list(walk.nodes(guard.body))
    raised = [node.exc for node in nodes if isinstance(node, tree.Raise)]
    return not raised or any(raised) or any(isinstance(node, tree.Name) and node.id == "TimeoutError" for node in nodes)


def _handling(function: Function, guard: tree.Handler | tree.With) -> Handling | None:
    return next((handling for handling in handlings(function) if handling.handler is guard), None)
