"""Gathers: calls of `asyncio.gather`, the awaitables that each runs at once, and what becomes of the results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.outside import LIMITER, Outside, is_outside, is_request
from asyncvet.graph.raising import escapes, is_caught, uncontained
from asyncvet.graph.scopes import Binding, Function, last_name
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Coroutine

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_TASKS = frozenset({"create_task", "ensure_future"})
_ALL_AT_ONCE = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed"})
_CHANGES = re.compile(
    r"^_?a?(delete|remove|drop|clear|reset|insert|create_(?!task)|update|upsert|save|write|put|post|patch|send|publish|commit|pay)(_|$)"
)
_CHECKS = re.compile(r"^_?(assert|authorize|check|ensure|require|validate|verify)(_|$)")
_AROUND = frozenset({"create_task", "ensure_future", "wait_for", "shield"})


@dataclass(frozen=True, slots=True)
class Member:
    """An awaitable that a gather runs.

    Attributes:
        expr: The expression that makes the coroutine, tasks and time limits around it taken off.
        is_task: It was made a task before the gather.
        loop: The `for` or comprehension clause that makes one for each item; None if it stands alone.
    """

    expr: tree.Expression
    is_task: bool
    loop: tree.For | tree.Generator | None


@dataclass(frozen=True, slots=True)
class Gather:
    """A call of `asyncio.gather` in a function.

    Attributes:
        members: What it runs, as far as the function tells.
        is_complete: `members` are all there are.
        lists: Names of the lists that hold them.
    """

    function: Function
    site: CallSite
    members: tuple[Member, ...]
    is_complete: bool
    lists: tuple[str, ...]

    @property
    def call(self) -> tree.Call:
        """The call."""
        assert isinstance(self.site.node, tree.Call)
        return self.site.node

    @property
    def returns_exceptions(self) -> bool:
        """`return_exceptions` is given and not the literal False."""
        expr = argument_at(self.call, ["return_exceptions"])
        return expr is not None and not (isinstance(expr, tree.Const) and expr.value is False)

    @property
    def runs_several(self) -> bool:
        """It can have more than one member."""
        return len(self.members) > 1 or any(member.loop is not None for member in self.members)

    @property
    def awaits_here(self) -> bool:
        """Its result is awaited where it stands, itself or through `wait_for`."""
        if self.site.awaited:
            return True
        outer = walk.around(self.function, self.call)[:2]
        is_bounded = isinstance(outer[0], tree.Call) and last_name(outer[0].func) == "wait_for"
        return is_bounded and isinstance(outer[1], tree.Await)

    @property
    def drops_results(self) -> bool:
        """Nobody looks at what its members give."""
        statement = self.site.site.statement
        if not isinstance(statement, tree.ExprStmt):
            return False
        value = statement.value.value if isinstance(statement.value, tree.Await) else None
        return value is self.call or (isinstance(value, tree.Call) and value.args[:1] == [self.call])


class Gathers:
    """Finds gathers. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.outside = Outside(project)
        self._coroutines = [function for function in project.functions if function.is_async]

    def __iter__(self) -> Iterator[Gather]:
        """All gathers that functions of the project wait for, in order."""
        for function in self._coroutines:
            for site in self._project.sites(function):
                if "asyncio.gather" in site.names and isinstance(site.node, tree.Call):
                    yield self._gather(function, site, site.node)

    def fan_outs(self) -> Iterator[tuple[Function, tree.Call, Member]]:
        """Members that run once for each item of a collection, with the call that runs them: gathers, waits, task groups."""
        for function in self._coroutines:
            for site in self._project.sites(function):
                if not isinstance(site.node, tree.Call):
                    continue
                if not _ALL_AT_ONCE.isdisjoint(site.names):
                    members = self._gather(function, site, site.node).members
                elif "asyncio.TaskGroup.create_task" in site.names and site.node.args:
                    members = (Member(site.node.args[0], True, _loop_in_group(function, site.node)),)
                else:
                    continue
                yield from ((function, site.node, member) for member in members if member.loop is not None)

    def functions(self, function: Function, member: Member) -> tuple[Function, ...]:
        """The coroutine functions of the project that a member runs."""
        site = self.site(function, member)
        found = [target.function for target in site.targets if target.mode is Mode.COROUTINE] if site is not None else []
        values = self._project.values(member.expr, function)
        found.extend(value.function for value in values if isinstance(value, Coroutine) and value.function is not None)
        return tuple(dict.fromkeys(found))

    def site(self, function: Function, member: Member) -> CallSite | None:
        """The call that makes a member."""
        return next((site for site in self._project.sites(function) if site.node is member.expr), None)

    def is_external(self, function: Function, member: Member) -> bool:
        """Whether a member waits for another system."""
        run = self.functions(function, member)
        if run:
            return any(self.outside.is_reached_from(below) for below in run)
        site = self.site(function, member)
        return site is not None and is_outside(site)

    def can_fail(self, function: Function, member: Member) -> bool:
        """Whether an error of what a member waits for leaves it."""
        run = self.functions(function, member)
        return not run or not all(self._contains_errors(below, frozenset()) for below in run)

    def _contains_errors(self, function: Function, above: frozenset[Function]) -> bool:
        """Whether no error of what a function waits for leaves it, or the functions that it waits for."""
        if function in above or not function.awaits:
            return False
        return all(self._is_harmless(node, function, above | {function}) for node in uncontained(function))

    def _is_harmless(self, node: tree.Node, function: Function, above: frozenset[Function]) -> bool:
        call = node.value if isinstance(node, tree.Await) else None
        site = next((site for site in self._project.sites(function) if site.node is call), None)
        if site is None or not isinstance(call, tree.Call):
            return False
        if "asyncio.gather" in site.names:
            return not self._may_fail(self._gather(function, site, call), above)
        run = [target.function for target in site.targets if target.mode is Mode.COROUTINE]
        return bool(run) and all(self._contains_errors(below, above) for below in run)

    def _may_fail(self, gather: Gather, above: frozenset[Function]) -> bool:
        """Whether an error of what a member waits for leaves it, as far as the function tells what they are."""
        if gather.returns_exceptions:
            return False
        function = gather.function
        run = [(member, self.functions(function, member)) for member in gather.members]
        return not run or any(
            self.is_external(function, member) and not (found and all(self._contains_errors(f, above) for f in found))
            for member, found in run
        )

    def _ends_process(self, function: Function) -> bool:
        """Whether an error that leaves a function ends the process, and its other tasks with it."""
        roles = {entry.role for entry in self._project.contexts.entries(function)}
        return (bool(roles) and roles <= {"main", "command"}) or self._project.contexts.runs_once(function)

    def is_limited(self, function: Function, member: Member) -> bool:
        """Whether something holds members back: a limiter in what they run, or a wait or a way out in the loop around."""
        made_by = member.expr.func if isinstance(member.expr, tree.Call) else member.expr
        run = self.functions(function, member)
        if LIMITER.search(last_name(made_by)) or any(self.outside.is_limited(below) for below in run):
            return True
        given = member.expr.args if isinstance(member.expr, tree.Call) else []
        if any(LIMITER.search(last_name(argument)) for argument in given):
            return True
        assert member.loop is not None
        inside = walk.nodes(member.loop.body) if isinstance(member.loop, tree.For) else iter(())
        return any(isinstance(n, tree.Await) or (isinstance(n, tree.Jump) and n.kind == "break") for n in inside)

    def is_task_group(self, gather: Gather) -> bool:
        """Whether a task group would say the same: the tasks are made here, for the gather alone, and errors are not values."""
        if argument_at(gather.call, ["return_exceptions"]) is not None or not gather.awaits_here or not gather.is_complete:
            return False
        if (
            not gather.runs_several
            or not all(member.is_task for member in gather.members)
            or is_caught(gather.function, gather.call)
        ):
            return False
        return self._has_no_other_reader(gather)

    def _has_no_other_reader(self, gather: Gather) -> bool:
        function = gather.function
        names = {*gather.lists, *(arg.id for arg in gather.call.args if isinstance(arg, tree.Name))}
        if any(walk.mentions(below, name) for below in function.inner.values() for name in names):
            return False
        used = (node for node in walk.found(function, tree.Name) if node.id in names)
        return all(self._fills_or_gathers(gather, node) for node in used)

    def _fills_or_gathers(self, gather: Gather, name: tree.Name) -> bool:
        if gather.call.start <= name.start < gather.call.end:
            return True
        around = walk.around(gather.function, name)
        if isinstance(around[0], tree.Assign):
            return name in around[0].targets
        return isinstance(around[0], tree.Attribute) and around[0].attr in ("append", "add", "extend")

    def fails_fast(self, gather: Gather) -> bool:
        """Whether the first error of a gather leaves its siblings running with nobody to look after them."""
        function = gather.function
        if gather.returns_exceptions or not gather.awaits_here or not gather.runs_several or is_caught(function, gather.call):
            return False
        if self._ends_process(function):
            return False
        if not any(self.is_external(function, m) and self.can_fail(function, m) for m in gather.members):
            return False
        if gather.drops_results and not all(_is_check(member) for member in gather.members):
            return True
        if any(self._asks_network(function, m) and m.loop is not None and not _is_check(m) for m in gather.members):
            return self._is_unused(function) or escapes(self._project, function)
        return self._leaves_half_done(gather) and escapes(self._project, function)

    def _asks_network(self, function: Function, member: Member) -> bool:
        """Whether a member provably waits for the answer to a request."""
        run = self.functions(function, member)
        if run:
            return any(self.outside.asks_network(below) for below in run)
        site = self.site(function, member)
        return site is not None and is_request(site)

    def _is_unused(self, function: Function) -> bool:
        """Whether the project only offers a function: who calls it is not seen."""
        contexts = self._project.contexts
        return not contexts.callers.get(function) and not contexts.entry_points.get(function)

    def _leaves_half_done(self, gather: Gather) -> bool:
        """Whether an error leaves something half-done: a change made before the gather in its function, or made by its members."""
        before = (node for node in walk.inside(gather.function) if node.start < gather.call.start)
        run = (below for member in gather.members for below in self.functions(gather.function, member))
        nodes = [*before, *(m.expr for m in gather.members), *(node for below in run for node in walk.inside(below))]
        return any(isinstance(node, tree.Call) and _CHANGES.search(last_name(node.func)) for node in nodes)

    # --- members ------------------------------------------------------------------------------------

    def _gather(self, function: Function, site: CallSite, call: tree.Call) -> Gather:
        collector = _Collector(function, call)
        for argument in call.args:
            if "asyncio.gather" in site.names:
                collector.argument(argument)
            else:
                collector.several(argument)
        return Gather(function, site, tuple(collector.members), collector.is_complete, tuple(collector.lists))


def _is_check(member: Member) -> bool:
    """Whether a member only asks whether something is allowed or right: its error is its answer."""
    return isinstance(member.expr, tree.Call) and _CHECKS.search(last_name(member.expr.func)) is not None


class _Collector:
    """Collects the members of one gather."""

    def __init__(self, function: Function, call: tree.Call) -> None:
        self._function = function
        self._call = call
        self.members: list[Member] = []
        self.lists: list[str] = []
        self.is_complete = True

    def argument(self, argument: tree.Expression) -> None:
        if isinstance(argument, tree.Starred):
            self.several(argument.value)
        else:
            self._add(argument, None)

    def several(self, expr: tree.Expression) -> None:
        """Members from a list, a comprehension, or a name that stands for one."""
        if isinstance(expr, tree.Comprehension) and expr.generators:
            self._add(expr.element, expr.generators[-1])
        elif isinstance(expr, tree.Sequence):
            for item in expr.items:
                self.argument(item)
        elif isinstance(expr, tree.Name) and expr.id in self._function.bindings and expr.id not in self.lists:
            self.lists.append(expr.id)
            self._bound(expr.id)
        else:
            self.is_complete = False

    def _bound(self, name: str) -> None:
        for binding in self._function.bindings[name]:
            value = binding.value
            if binding.kind == "assign" and not binding.path and isinstance(value, tree.Sequence | tree.Comprehension):
                self.several(value)
            elif not _is_empty_collection(value):
                self.is_complete = False
        for site in self._function.sites:
            call = site.node
            if not isinstance(call, tree.Call) or not isinstance(call.func, tree.Attribute) or len(call.args) != 1:
                continue
            if isinstance(call.func.value, tree.Name) and call.func.value.id == name:
                if call.func.attr in ("append", "add"):
                    self._add(call.args[0], self._loop_around(call))
                elif call.func.attr in ("extend", "update"):
                    self.several(call.args[0])

    def _loop_around(self, node: tree.Node) -> tree.For | None:
        """The innermost loop around an append that does not hold the gather as well."""
        for around in walk.around(self._function, node):
            if isinstance(around, tree.For | tree.While):
                holds = around.start <= self._call.start < around.end
                return around if isinstance(around, tree.For) and not holds else None
        return None

    def _add(self, expr: tree.Expression, loop: tree.For | tree.Generator | None) -> None:
        is_task = False
        while True:
            if isinstance(expr, tree.Call) and last_name(expr.func) in _AROUND and expr.args:
                is_task = is_task or last_name(expr.func) in _TASKS
                expr = expr.args[0]
            elif isinstance(expr, tree.Name) and (value := self._assigned(expr)) is not None:
                expr = value
            else:
                break
        self.members.append(Member(expr, is_task, loop))

    def _assigned(self, name: tree.Name) -> tree.Call | None:
        """The one call that gives a name its value."""
        bindings: list[Binding] = self._function.bindings.get(name.id, [])
        value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" and not bindings[0].path else None
        return value if isinstance(value, tree.Call) and value.end <= name.start else None


def _is_empty_collection(value: tree.Node | None) -> bool:
    return isinstance(value, tree.Call) and last_name(value.func) in ("set", "list") and not value.args


def _loop_in_group(function: Function, call: tree.Call) -> tree.For | tree.Generator | None:
    """The loop between a task and the task group that waits for it."""
    for around in walk.around(function, call):
        if isinstance(around, tree.Comprehension):
            return around.generators[-1]
        if isinstance(around, tree.For):
            return around
        if isinstance(around, tree.With) and around.is_async:
            return None
    return None
