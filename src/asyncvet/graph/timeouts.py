"""Timeouts: which calls and clients wait for another system for as long as it is silent, and what above them ends that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from asyncvet.catalogue import Api, Type
from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at, hides_arguments
from asyncvet.graph.scopes import Body, Function, last_name, shown
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Instance, Object, Symbol

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

LONGEST = 600
"""Default timeouts of more seconds than this count as none."""

_SHOWN = 3
"""Requests of one client that a finding shows."""
_SCOPES = frozenset({"timeout", "timeout_at", "Timeout", "fail_after", "fail_at", "move_on_after", "move_on_at"})
_WAITS = re.compile(r"timeout|deadline|wait_for", re.IGNORECASE)
_LIMIT = re.compile(r"time_?limit|timeout", re.IGNORECASE)
_OF_TASKS = frozenset({"task_time_limit", "task_soft_time_limit", "CELERY_TASK_TIME_LIMIT", "CELERY_TASK_SOFT_TIME_LIMIT"})


@dataclass(frozen=True, slots=True)
class Endless:
    """A call that waits for as long as the other side is silent, or that makes a client whose requests do.

    Attributes:
        text: The call, or the function that it hands to a thread, for messages.
        argument: The argument that would bound it, empty if it has none.
        given: What it passes for it, where that is no timeout: `None`, or an object that says so.
        makes_client: It makes a client.
    """

    site: CallSite
    text: str
    argument: str
    given: tree.Expression | None
    makes_client: bool


class Timeouts:
    """Answers how long calls wait. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._bounded: dict[Function, bool] = {}

    def endless(self, site: CallSite) -> Endless | None:
        """What of a site waits without end, None where it is bounded or not known."""
        call = site.node
        if not isinstance(call, tree.Call):
            return None
        for api in site.apis:
            is_of_unseen = isinstance(api.receiver, Object) and api.receiver.made_by is None
            if api.api.timeout is not None and not is_of_unseen and not self._is_customised(site, api.receiver):
                return self._judge(site, call, shown(call), api.api)
            handed = self._handed(site, call, api.api)
            if handed is not None:
                return handed
        for name in site.names:
            kind = self._project.catalogue.type(name)
            if kind is not None and kind.timeout is not None:
                return self._judge(site, call, shown(call), kind)
        return None

    def requests(self, found: Endless) -> list[CallSite]:
        """The first requests of the client that a call makes."""
        uses = self._uses.get(id(found.site.node), ()) if found.makes_client else ()
        return [site for site, api in uses if api.category in ("network", "database") and site.node is not found.site.node][
            :_SHOWN
        ]

    def is_bounded(self, scope: Body, node: tree.Node) -> bool:
        """Whether a timeout above a node of `scope` ends its wait: around it, or around every call that leads to it."""
        return isinstance(scope, Function) and (self._is_bounded_in(scope, node) or self._is_bounded_from(scope))

    # --- the call itself ----------------------------------------------------------------------------

    def _judge(self, site: CallSite, call: tree.Call, text: str, known: Api | Type) -> Endless | None:
        given = self._given(call, known.bound)
        is_long = known.timeout == "none" or (known.timeout is not None and known.timeout > LONGEST)
        if _is_hidden(call) or not (is_long or given) or any(self._bounds(expr, site.scope) for expr in given):
            return None
        argument = next((key for key in known.bound if isinstance(key, str)), "")
        makes_client = isinstance(known, Type) or not (
            known.category == "network" or argument.startswith("connect") or not argument
        )
        found = Endless(site, text, argument, given[0] if given else None, makes_client)
        return None if makes_client and self._is_bounded_in_use(call) else found

    def _handed(self, site: CallSite, call: tree.Call, api: Api) -> Endless | None:
        """What of a function that is handed to a thread waits without end: `to_thread(requests.get, url)`."""
        expr = argument_at(call, api.argument) if api.effect == "offloads" else None
        text = shown(expr) if expr is not None else ""
        for value in self._project.values(expr, site.scope) if expr is not None else ():
            for known in self._project.catalogue.api(value.path) if isinstance(value, Symbol) else ():
                if known.timeout == "none":
                    keywords = tuple(key for key in known.bound if isinstance(key, str))
                    return self._judge(site, call, text, msgspec.structs.replace(known, bound=keywords))
        return None

    def _given(self, call: tree.Call, bound: Sequence[str | int]) -> list[tree.Expression]:
        found = (argument_at(call, (key,)) for key in bound)
        return list({expr.start: expr for expr in found if expr is not None}.values())

    def _bounds(self, expr: tree.Expression, scope: Body) -> bool:
        """Whether what is passed as a timeout is one: neither `None` nor an object that was made without seconds."""
        if isinstance(expr, tree.Const):
            return expr.kind != "none"
        for value in self._project.values(expr, scope):
            if isinstance(value, Object) and value.made_by is not None:
                kind = self._project.catalogue.type(value.path)
                if kind is not None and kind.timeout is None and kind.bound and not _is_hidden(value.made_by):
                    return any(self._bounds(inner, scope) for inner in self._given(value.made_by, kind.bound))
        return True

    # --- clients ------------------------------------------------------------------------------------

    @cached_property
    def _uses(self) -> dict[int, list[tuple[CallSite, Api]]]:
        """The calls on clients, by the identity of the call that made the client."""
        uses: dict[int, list[tuple[CallSite, Api]]] = {}
        for function in self._project.functions:
            for site in self._project.sites(function):
                for api in site.apis:
                    if isinstance(api.receiver, Object) and api.receiver.made_by is not None:
                        uses.setdefault(id(api.receiver.made_by), []).append((site, api.api))
        return uses

    def _is_bounded_in_use(self, call: tree.Call) -> bool:
        """Whether every request that is seen has a timeout of its own or above it."""
        requests = [(site, api) for site, api in self._uses.get(id(call), ()) if api.category in ("network", "database")]
        return bool(requests) and all(
            self.is_bounded(site.scope, site.node)
            or (isinstance(site.node, tree.Call) and any(self._bounds(e, site.scope) for e in self._given(site.node, api.bound)))
            for site, api in requests
        )

    def _is_customised(self, site: CallSite, receiver: object) -> bool:
        """Whether a client was given an object of a class of the project, such as an adapter, that may set timeouts."""
        if not isinstance(receiver, Object) or receiver.made_by is None:
            return False
        calls = [use.node for use, _ in self._uses.get(id(receiver.made_by), ()) if isinstance(use.node, tree.Call)]
        calls.append(receiver.made_by)
        return any(
            isinstance(value, Instance)
            for call in calls
            for expr in (*call.args, *(keyword.value for keyword in call.keywords))
            for value in self._project.values(expr, site.scope)
        )

    # --- above it -----------------------------------------------------------------------------------

    def _is_bounded_in(self, function: Function, node: tree.Node) -> bool:
        if any(self._ends(holder, node, function) for holder in walk.around(function, node)):
            return True
        return self._is_waited_for_later(function, node)

    def _ends(self, holder: tree.Node, node: tree.Node, function: Function) -> bool:
        """Whether a `with` or a call around a node ends its wait."""
        if isinstance(holder, tree.With):
            calls = [item.value for item in holder.items if isinstance(item.value, tree.Call)]
            return any(
                last_name(call.func) in _SCOPES and _has_seconds(call.args[:1]) for call in calls if call.end <= node.start
            )
        if not isinstance(holder, tree.Call) or holder.func.end > node.start:
            return False
        name = last_name(holder.func)
        if name == "wait_for" or (name == "wait" and argument_at(holder, ("timeout",)) is not None):
            return _has_seconds([expr for expr in (argument_at(holder, ("timeout", 1)),) if expr is not None])
        if _WAITS.search(name):
            return True
        return any(self._waits_for_parameter(target) for target in self._targets(function, holder))

    def _targets(self, function: Function, call: tree.Call) -> Iterator[Function]:
        for site in self._project.sites(function):
            if site.node is call:
                yield from (target.function for target in site.targets if target.mode in (Mode.COROUTINE, Mode.INLINE))

    def _waits_for_parameter(self, function: Function) -> bool:
        """Whether a function puts a timeout around something that it was given."""
        return any(
            last_name(node.func) == "wait_for" and node.args and _names(node.args[0]) & set(function.params)
            for node in walk.found(function, tree.Call)
        )

    def _is_waited_for_later(self, function: Function, node: tree.Node) -> bool:
        """Whether a coroutine or task is kept under a name that a later `wait_for` of the function names."""
        holder = next((n for n in walk.around(function, node) if isinstance(n, tree.Assign)), None)
        if holder is None:
            return False
        kept = frozenset[str]().union(*map(_names, holder.targets))
        return any(
            call.start > node.start
            and (last_name(call.func) == "wait_for" or (last_name(call.func) == "wait" and argument_at(call, ("timeout",))))
            and any(kept & _names(argument) for argument in call.args[:1])
            for call in walk.found(function, tree.Call)
        )

    def _is_bounded_from(self, function: Function) -> bool:
        """Whether every way into a function passes a timeout."""
        known = self._bounded.get(function)
        if known is None:
            self._bounded[function] = True  # A call of itself is one more way in through the others.
            known = self._bounded[function] = _is_limited(function) or self._is_entered_bounded(function)
        return known

    def _is_entered_bounded(self, function: Function) -> bool:
        entries = self._project.contexts.entry_points.get(function, ())
        if any(not (entry.role == "celery task" and self._tasks_are_limited) for entry in entries):
            return False
        callers = self._callers.get(function, ())
        return bool(callers or entries) and all(self.is_bounded(site.scope, site.node) for site in callers)

    @cached_property
    def _callers(self) -> dict[Function, list[CallSite]]:
        """The sites that run a function, in their own thread or in another."""
        callers: dict[Function, list[CallSite]] = {}
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        for scope in bodies:
            for site in self._project.sites(scope):
                for target in site.targets:
                    callers.setdefault(target.function, []).append(site)
        return callers

    @cached_property
    def _tasks_are_limited(self) -> bool:
        """Whether the configuration of Celery limits the time of all tasks."""
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        return any(_sets_limit(node) for scope in bodies for node in walk.found(scope, tree.Assign, tree.Keyword, tree.Const))


def _is_limited(function: Function) -> bool:
    """Whether a decorator limits the time of a function."""
    return any(
        _LIMIT.search(last_name(decorator.func if isinstance(decorator, tree.Call) else decorator))
        or (isinstance(decorator, tree.Call) and any(k.name and _LIMIT.search(k.name) for k in decorator.keywords))
        for decorator in function.decorators
    )


def _sets_limit(node: tree.Node) -> bool:
    if isinstance(node, tree.Assign):
        return any(last_name(target) in _OF_TASKS for target in node.targets)
    if isinstance(node, tree.Keyword):
        return node.name in _OF_TASKS
    return isinstance(node, tree.Const) and node.value in _OF_TASKS


def _is_hidden(call: tree.Call) -> bool:
    """Whether a call passes arguments that are not seen, or a text that speaks of a timeout itself."""
    if hides_arguments(call):
        return True
    return any(isinstance(arg, tree.Const) and isinstance(arg.value, str) and "timeout" in arg.value for arg in call.args)


def _has_seconds(given: Sequence[tree.Expression]) -> bool:
    return bool(given) and not (isinstance(given[0], tree.Const) and given[0].kind == "none")


def _names(expr: tree.Node | Iterable[tree.Node]) -> frozenset[str]:
    return frozenset(node.id for node in walk.nodes(expr) if isinstance(node, tree.Name))
