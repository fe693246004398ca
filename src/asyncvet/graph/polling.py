"""Polling: loops of coroutines that do nothing but sleep until something that this process itself sets has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Class, Function, Module, last_name
from asyncvet.graph.values import Bound, Instance, Object, Symbol

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_SLEEPS = frozenset({"asyncio.sleep", "anyio.sleep", "trio.sleep"})
_CLOCKS = frozenset(
    {"time", "monotonic", "perf_counter", "now", "utcnow", "total_seconds", "timedelta", "monotonic_ns", "time_ns"}
)
_LOGGING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "trace", "print"})
_SIZES = frozenset({"len", "bool", "all", "any", "not"})
_SIGNALS = {
    "asyncio.Event": ("is_set",),
    "asyncio.Task": ("done", "cancelled"),
    "asyncio.Future": ("done", "cancelled"),
    "asyncio.Queue": ("empty", "qsize", "full"),
    "asyncio.Lock": ("locked",),
    "anyio.Event": ("is_set",),
}
"""What can be awaited, and the methods that only ask."""
_QUEUES = ("asyncio.Queue.", "queue.Queue.", "queue.SimpleQueue.")
_MUTATING = frozenset(
    {"append", "add", "pop", "remove", "discard", "clear", "update", "popleft", "appendleft", "setdefault", "extend"}
)


@dataclass(frozen=True, slots=True)
class Poll:
    """A loop that polls.

    Attributes:
        loop: The loop.
        state: What it asks again and again.
        kind: ``state`` (a flag or container), ``signal`` (an object that can be awaited), ``queue`` or ``thread queue``.
    """

    function: Function
    loop: tree.While
    state: tree.Node
    kind: str

    @property
    def sleep(self) -> tree.Node:
        """Where it waits before it asks again."""
        return next(walk.awaits(self.loop.body), self.loop.test)


class Polling:
    """Finds polls. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self) -> Iterator[Poll]:
        """All polls, in the order of the functions."""
        for function in self._project.functions:
            if not function.is_async:
                continue
            for node in walk.found(function, tree.While):
                poll = self._poll(node, function) or self._queue_poll(node, function) or self._table_poll(node, function)
                if poll is not None:
                    yield poll

    def _is_sleep(self, node: tree.Node, function: Function) -> bool:
        call = node.value if isinstance(node, tree.Await) else None
        if not isinstance(call, tree.Call):
            return False
        callees = self._project.inference.callee(call, function)
        return any(isinstance(value, Symbol) and value.path in _SLEEPS for value in callees)

    def _poll(self, loop: tree.While, function: Function) -> Poll | None:
        tests = [loop.test]
        sleeps = any(self._is_sleep(node, function) for node in walk.nodes(loop.body))
        if not sleeps or not self._is_idle(loop.body, function, tests) or _keeps_alive(loop, function):
            return None
        if not isinstance(loop.test, tree.Const) and self._works(loop, function):
            return None
        parts = [part for test in tests for part in _parts(test)]
        kinds = [(part, self._kind(part, function)) for part in parts]
        if any(kind == "outside" for _, kind in kinds):
            return None
        return next((Poll(function, loop, part, kind) for part, kind in kinds if kind in ("state", "signal", "queue")), None)

    def _table_poll(self, loop: tree.While, function: Function) -> Poll | None:
        """`if table: ...` with a sleep where it is empty, or `if not table: ` with a sleep and `continue`, first thing in the loop."""
        first = loop.body[0] if isinstance(loop.test, tree.Const) and loop.body else None
        if not isinstance(first, tree.If):
            return None
        for arm in (first.orelse, first.body if isinstance(first.test, tree.Operation) and first.test.op == "not" else []):
            if any(self._is_sleep(node, function) for node in walk.nodes(arm)) and self._is_idle(arm, function, []):
                state = next((part for part in _parts(first.test) if self._is_filled(part, function)), None)
                return Poll(function, loop, state, "state") if state is not None else None
        return None

    def _queue_poll(self, loop: tree.While, function: Function) -> Poll | None:
        """`try: item = queue.get_nowait()`, and a sleep where it is empty; `queue.get(timeout=...)` of a thread's queue."""
        for node in loop.body:
            if not isinstance(node, tree.Try) or not node.handlers:
                continue
            for call in walk.nodes(node.body[:2]):
                path = self._taken_from(call, function)
                waits = path.endswith(".get") or any(self._is_sleep(n, function) for h in node.handlers for n in walk.nodes(h))
                if path and waits:
                    return Poll(function, loop, call, "queue" if path.startswith("asyncio.") else "thread queue")
        return None

    def _taken_from(self, call: tree.Node, function: Function) -> str:
        """The method of a queue of this process that a call is and that does not wait for long, empty if it is none."""
        if not isinstance(call, tree.Call):
            return ""
        values = self._project.inference.callee(call, function)
        paths = {value.function.path for value in values if isinstance(value, Bound) and isinstance(value.function, Symbol)}
        path = next(iter(paths)) if len(paths) == 1 else ""
        if not path.startswith(_QUEUES) or path.rpartition(".")[2] not in ("get", "get_nowait"):
            return ""
        if path.endswith(".get") and (path.startswith("asyncio.") or not any(k.name == "timeout" for k in call.keywords)):
            return ""
        return path

    # --- the body -----------------------------------------------------------------------------------

    def _is_idle(self, statements: Sequence[tree.Statement], function: Function, tests: list[tree.Expression]) -> bool:
        """Whether statements only sleep, log, count, look at the clock, and leave. Their tests are added to `tests`."""
        return all(self._is_idle_statement(statement, function, tests) for statement in statements)

    def _is_idle_statement(self, node: tree.Statement, function: Function, tests: list[tree.Expression]) -> bool:
        if isinstance(node, tree.If):
            tests.append(node.test)
            return self._is_exit(node.body, function) and self._is_idle(node.orelse, function, tests)
        if isinstance(node, tree.ExprStmt):
            if self._is_sleep(node.value, function) or not isinstance(node.value, tree.Call):
                return not isinstance(node.value, tree.Await) or self._is_sleep(node.value, function)
            return last_name(node.value.func) in _LOGGING
        if isinstance(node, tree.AugAssign):
            return isinstance(node.target, tree.Name)
        if isinstance(node, tree.Assign):
            return all(isinstance(target, tree.Name) for target in node.targets) and _only_clocks(node.value)
        return type(node) is tree.Stmt

    def _is_exit(self, body: Sequence[tree.Statement], function: Function) -> bool:
        """Whether an arm leaves the loop, or only logs, counts or sleeps."""
        return (bool(body) and isinstance(body[-1], tree.Return | tree.Raise | tree.Jump)) or self._is_idle(body, function, [])

    def _works(self, loop: tree.While, function: Function) -> bool:
        """Whether an arm that leaves the loop does something first: a watchdog, which has more to do than to wait."""
        arms = [node.body for node in walk.nodes(loop.body) if isinstance(node, tree.If)]
        return any(not self._is_idle(arm[:-1], function, []) for arm in arms)

    # --- the tests ------------------------------------------------------------------------------------

    def _kind(self, part: tree.Expression, function: Function) -> str:
        """What a part of a test asks: ``state``, ``signal``, ``clock``, or ``outside`` if nothing here could tell."""
        is_compound = isinstance(part, tree.Operation | tree.Subscript)
        if isinstance(part, tree.Const) or (not is_compound and _only_clocks(part)):
            return "clock" if not self._is_state(part, function) else "state"
        if isinstance(part, tree.Call):
            return self._kind_of_call(part, function)
        if isinstance(part, tree.Operation | tree.Subscript):
            operands = part.operands if isinstance(part, tree.Operation) else [part.value]
            kinds = {self._kind(operand, function) for operand in operands}
            return "outside" if "outside" in kinds else next((k for k in ("signal", "state") if k in kinds), "clock")
        return "state" if self._is_state(part, function) else "outside"

    def _kind_of_call(self, call: tree.Call, function: Function) -> str:
        if last_name(call.func) in _SIZES and len(call.args) == 1:
            return self._kind(call.args[0], function)
        callees = self._project.inference.callee(call, function)
        getters = [value.function for value in callees if isinstance(value, Bound) and isinstance(value.function, Function)]
        if getters and len(getters) == len(callees):
            return "state" if all(self._is_getter(getter) for getter in getters) else "outside"
        for value in callees:
            path = value.receiver.path if isinstance(value, Bound) and isinstance(value.receiver, Object) else ""
            if last_name(call.func) not in _SIGNALS.get(path, ()):
                return "outside"
        return "signal" if callees else "outside"

    def _is_getter(self, method: Function) -> bool:
        """Whether a method only gives a flag of its object, which other code sets."""
        if method.is_async or len(method.returns) != 1 or len(walk.body(method)) > 2:
            return False
        return self._kind(method.returns[0][0], method) == "state" and not any(
            isinstance(s.node, tree.Call) for s in method.sites
        )

    def _is_state(self, expr: tree.Expression, function: Function) -> bool:
        """Whether other code of the project, which the loop lets run, sets or fills a name or attribute."""
        if isinstance(expr, tree.Attribute):
            owners = [value.cls for value in self._project.values(expr.value, function) if isinstance(value, Instance)]
            return bool(owners) and all(self._is_set_elsewhere(cls, expr.attr, function) for cls in owners)
        if isinstance(expr, tree.Name):
            homes = list(self._homes(expr.id, function))
            return any((home, expr.id) in self._set_names for home in homes) or self._is_filled(expr, function)
        return False

    def _is_filled(self, expr: tree.Expression, function: Function) -> bool:
        """Whether other functions add to, or take from, the container that a name of the module or an attribute of `self` holds."""
        if isinstance(expr, tree.Name):
            return any(
                isinstance(home, Module)
                and (filler := (home, expr.id)) in self._filled_names
                and self._filled_names[filler] != {function}
                for home in self._homes(expr.id, function)
            )
        if not isinstance(expr, tree.Attribute) or last_name(expr.value) != function.self_name:
            return False
        fillers = {scope for scope, name in self._filled if name == expr.attr and isinstance(scope, Function)}
        return any(filler is not function and filler.owner is function.owner for filler in fillers)

    def _homes(self, name: str, function: Function) -> Iterator[Body]:
        for scope in function.enclosing():
            if isinstance(scope, Function | Module) and name in scope.bindings:
                yield scope
                return

    def _is_set_elsewhere(self, cls: Class, attr: str, function: Function) -> bool:
        family = [part for part in self._project.inference.members.mro(cls) if isinstance(part, Class)]
        setters = {method for part in family for method, _ in part.attribute_bindings.get(attr, ())}
        setters |= {scope for scope, name in self._filled if name == attr and isinstance(scope, Function)}
        return any(setter is not function and setter.name not in ("__init__", "__post_init__") for setter in setters)

    @cached_property
    def _set_names(self) -> frozenset[tuple[Body, str]]:
        """Names of modules and functions that a function inside them sets by `global` or `nonlocal`."""
        found: set[tuple[Body, str]] = set()
        for function in self._project.functions:
            found |= {(function.module, name) for name in function.globals}
            for name in function.nonlocals:
                homes = [s for s in list(function.enclosing())[1:] if isinstance(s, Function) and name in s.params | s.bindings]
                found |= {(home, name) for home in homes[:1]}
        return frozenset(found)

    @cached_property
    def _filled(self) -> frozenset[tuple[Body, str]]:
        """Attributes that hold containers, with the functions that fill or empty them."""
        found: set[tuple[Body, str]] = set()
        for module in self._project.modules.values():
            for scope, target, _ in module.item_assignments:
                found.add((scope, last_name(target.value)))
        for function in self._project.functions:
            for site in function.sites:
                func = site.node.func if isinstance(site.node, tree.Call) else None
                if isinstance(func, tree.Attribute) and func.attr in _MUTATING and isinstance(func.value, tree.Attribute):
                    found.add((function, func.value.attr))
        return frozenset(found)

    @cached_property
    def _filled_names(self) -> dict[tuple[Body, str], set[Function]]:
        """Names of modules that hold containers, with the functions of the module that fill or empty them."""
        found: dict[tuple[Body, str], set[Function]] = {}
        for module in self._project.modules.values():
            for scope, target, _ in module.item_assignments:
                if isinstance(target.value, tree.Name) and isinstance(scope, Function):
                    found.setdefault((module, target.value.id), set()).add(scope)
        for function in self._project.functions:
            for site in function.sites:
                func = site.node.func if isinstance(site.node, tree.Call) else None
                if isinstance(func, tree.Attribute) and func.attr in _MUTATING and isinstance(func.value, tree.Name):
                    found.setdefault((function.module, func.value.id), set()).add(function)
        return found


def _keeps_alive(loop: tree.While, function: Function) -> bool:
    """Whether a loop only runs as long as a flag says so, with nothing after it: nobody waits for its end."""
    if not isinstance(loop.test, tree.Name | tree.Attribute):
        return False
    node: tree.Node = loop
    for around in (*walk.around(function, loop), function.node):
        body = getattr(around, "body", None)
        if not isinstance(around, tree.Try | tree.FunctionDef) or not isinstance(body, list) or body[-1] is not node:
            return False
        if isinstance(around, tree.Try) and (around.final or around.orelse):
            return False
        node = around
    return True


def _parts(test: tree.Expression) -> Iterator[tree.Expression]:
    """The parts of a test that `and`, `or` and `not` join."""
    if isinstance(test, tree.Operation) and test.op in ("and", "or", "not"):
        for operand in test.operands:
            yield from _parts(operand)
    else:
        yield test


def _only_clocks(expr: tree.Node | None) -> bool:
    """Whether an expression computes with times, numbers and local names only."""
    if expr is None:
        return True
    for node in walk.nodes(expr):
        if isinstance(node, tree.Call) and last_name(node.func) not in _CLOCKS | {"get_event_loop", "get_running_loop"}:
            return False
        if isinstance(node, tree.Await | tree.Subscript | tree.Yield):
            return False
        if isinstance(node, tree.Attribute) and node.attr not in _CLOCKS | {"datetime"} and "time" not in node.attr:
            return False
    return True
