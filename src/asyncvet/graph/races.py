"""Races between coroutines: shared state that is tested, then awaited over, then set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.locks import Held, held
from asyncvet.graph.modules import is_test
from asyncvet.graph.scopes import Function
from asyncvet.graph.shared_state import SELF, Place, method_around, place_of, target_place
from asyncvet.graph.suspension import coroutines, suspensions

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_EMPTY_WORDS = re.compile(r"(^|_)(closed|closing|expired|stale|done|cancelled|disconnected|stopped|empty)$")
_FULL_WORDS = re.compile(r"(^|_)(connected|open|alive|ready|valid|running|initialized|started|active|fresh)$")
_ONE_AT_A_TIME = re.compile(r"(lock|synchron|serial|once|single|cache|mutex|exclusive)", re.IGNORECASE)
_ONCE_ROLES = frozenset({"lifespan", "startup", "shutdown", "main"})
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a place; between `start` and `end` the code knows what it said: that there is nothing there yet."""

    place: Place
    node: tree.Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Store:
    """An assignment to a place. `value` is None where it is not one expression."""

    place: Place
    node: tree.Node
    value: tree.Node | None


@dataclass(frozen=True, slots=True)
class Race:
    """A test, an await, and an assignment that relies on the test though others ran in between.

    Attributes:
        wait: The first place after the test at which others can run.
        store: In `setter`, which is `function` itself or a coroutine that `wait` awaits.
        taken: The lock that is taken after the test and held over the assignment.
    """

    function: Function
    test: Test
    wait: tree.Node
    store: Store
    setter: Function
    taken: Held | None


class Races:
    """Finds races. The answers for a function are computed once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[Function, tuple[Race, ...]] = {}

    def of(self, function: Function) -> tuple[Race, ...]:
        """The races of a function with another call of it, at most one a place."""
        known = self._known.get(function)
        if known is None:
            found: dict[Place, Race] = {}
            for race in self._find(function) if self._is_concurrent(function) else ():
                found.setdefault(race.test.place, race)
            known = self._known[function] = tuple(found.values())
        return known

    # --- whether two calls can meet ---------------------------------------------------------------

    def _is_concurrent(self, function: Function) -> bool:
        """Whether two calls of a coroutine function may run at once, as far as the code tells."""
        if not function.is_async or is_test(function.module.filename) or function.name.startswith("__"):
            return False
        if any(_ONE_AT_A_TIME.search(name) for name in function.decorator_names):
            return False
        entries = self._project.contexts.entries(function)
        if self._project.contexts.runs_once(function) or (entries and all(entry.role in _ONCE_ROLES for entry in entries)):
            return False
        return not self._is_called_under_lock(function)

    def _is_called_under_lock(self, function: Function) -> bool:
        callers = self._project.contexts.callers.get(function, ())
        return bool(callers) and all(
            isinstance(caller, Function) and any(lock.covers(site.node.start) for lock in held(self._project, caller))
            for caller, site in callers
        )

    # --- races --------------------------------------------------------------------------------------

    def _find(self, function: Function) -> Iterator[Race]:
        flow = Flow(self._project, function)
        if not flow.tests or not flow.waits:
            return
        for store in flow.stores:
            test = flow.last_test(store.place, store.node)
            wait = flow.first_wait(test, store.node) if test is not None else None
            if test is not None and wait is not None and not _clears(store):
                yield from self._race(flow, test, wait, store, function)
        for wait in flow.waits:
            for setter, store in self._stores_of_helpers(flow, wait, _DEPTH):
                test = flow.last_test(store.place, wait)
                if test is not None and not _clears(store):
                    yield from self._race(flow, test, flow.first_wait(test, wait) or wait, store, setter, wait)

    def _race(
        self, flow: Flow, test: Test, wait: tree.Node, store: Store, setter: Function, at: tree.Node | None = None
    ) -> Iterator[Race]:
        place = at or store.node
        around = [lock for lock in flow.locks if lock.covers(place.start)]
        if any(lock.covers(test.node.start) for lock in around) or flow.is_claimed(test, wait):
            return
        yield Race(flow.function, test, wait, store, setter, around[-1] if around else None)

    def _stores_of_helpers(self, flow: Flow, wait: tree.Node, depth: int) -> Iterator[tuple[Function, Store]]:
        """What the coroutines that an await runs set after having waited themselves, with no test and no lock of their own."""
        for helper in coroutines(self._project, flow.function, wait):
            if helper is flow.function or not _is_same_home(flow.function, helper, wait):
                continue
            inner = Flow(self._project, helper)
            for store in inner.stores:
                waited = any(other.start < store.node.end and other.start >= helper.node.start for other in inner.waits_before(store.node))
                if waited and not inner.locks and inner.last_test(store.place, store.node) is None:
                    yield helper, store
            if depth:
                for other in inner.waits:
                    for setter, store in self._stores_of_helpers(inner, other, depth - 1):
                        if inner.last_test(store.place, other) is None and not inner.locks:
                            yield setter, store


class Flow:
    """What matters for races in one function, in the order of the text."""

    def __init__(self, project: Project, function: Function) -> None:
        self.project = project
        self.function = function
        self._nodes = list(walk.nodes(walk.body(function)))

    @cached_property
    def locks(self) -> list[Held]:
        """The stretches over which the function holds a lock."""
        return list(held(self.project, self.function))

    @cached_property
    def waits(self) -> list[tree.Node]:
        """The places at which others can run."""
        return sorted(suspensions(self.project, self.function, walk.body(self.function)), key=lambda node: node.start)

    @cached_property
    def tests(self) -> list[Test]:
        """The tests of shared places."""
        return [test for node in self._nodes for test in self._tests(node)]

    @cached_property
    def stores(self) -> list[Store]:
        """The assignments to shared places."""
        return [store for node in self._nodes for store in self._stores(node)]

    def last_test(self, place: Place, node: tree.Node) -> Test | None:
        """The last test of a place on whose outcome a node relies."""
        fitting = [test for test in self.tests if test.place == place and test.start <= node.start < test.end]
        return max(fitting, key=lambda test: test.node.start, default=None)

    def first_wait(self, test: Test, node: tree.Node) -> tree.Node | None:
        """Where others can first run between a test and a node, on a way that leads from one to the other."""
        return next((wait for wait in self.waits_before(node) if wait.start >= test.node.end), None)

    def waits_before(self, node: tree.Node) -> Iterator[tree.Node]:
        """The places before a node ends at which others can run, on ways that lead to it."""
        block = self.function.block_at(node.start)
        for wait in self.waits:
            at = self.function.block_at(wait.start)
            if wait.start < node.end and not at.excludes(block):
                if all(around.holds(block) or not around.leaves for around in at.ancestors()):
                    yield wait

    def is_claimed(self, test: Test, wait: tree.Node) -> bool:
        """Whether the function says before it waits that it is at work: sets a place that it, too, tests first."""
        tested = {other.place for other in self.tests if other.node.start < wait.start and other.place != test.place}
        return any(store.place in tested and store.node.end <= wait.start for store in self.stores) or any(
            store.place == test.place and test.node.end <= store.node.start and store.node.end <= wait.start for store in self.stores
        )

    # --- tests --------------------------------------------------------------------------------------

    def _tests(self, node: tree.Node) -> Iterator[Test]:
        if isinstance(node, tree.If):
            yield from self._tests_of_if(node)
        elif isinstance(node, tree.Operation) and node.op in ("or", "if"):
            yield from self._tests_of_operation(node)
        elif isinstance(node, tree.Try):
            yield from self._tests_of_try(node)

    def _tests_of_if(self, node: tree.If) -> Iterator[Test]:
        empty, full = self._outcome(node.test)
        for place in empty:
            yield Test(place, node.test, node.test.end, node.body[-1].end if node.body else node.end)
        if not full:
            return
        for place in full:
            if node.orelse:
                yield Test(place, node.test, node.orelse[0].start, node.orelse[-1].end)
            if any(isinstance(inner, tree.Return | tree.Raise | tree.Jump) for inner in walk.nodes(node.body)):
                yield Test(place, node.test, node.end, self.function.block_at(node.start).end)

    def _tests_of_operation(self, node: tree.Operation) -> Iterator[Test]:
        """`place or make()` and `place if place else make()`."""
        if node.op == "or":
            place = place_of(self.project, node.operands[0], self.function)
            places = {place} if place is not None else set()
        else:
            empty, full = self._outcome(node.operands[0])
            places = empty | full
        statement = next((outer for outer in self._nodes if isinstance(outer, tree.Assign) and outer.value is node), None)
        for place in places if statement is not None else ():
            if place is not None:
                yield Test(place, node.operands[0], statement.start if statement else 0, node.end + 1)

    def _tests_of_try(self, node: tree.Try) -> Iterator[Test]:
        """`try: return table[key]` with a handler that fills the table."""
        if len(node.body) != 1:
            return
        value = getattr(node.body[0], "value", None)
        place = place_of(self.project, value, self.function) if isinstance(value, tree.Subscript | tree.Attribute) else None
        for handler in node.handlers if place is not None else ():
            if place is not None:
                yield Test(place, node.body[0], handler.start, handler.end)

    def _outcome(self, test: tree.Node) -> tuple[set[Place], set[Place]]:
        """The places that are empty if a test holds, and those that are full."""
        if isinstance(test, tree.Operation):
            return self._outcome_of_operation(test)
        if isinstance(test, tree.Call) and not (isinstance(test.func, tree.Name) and test.func.id in ("getattr", "hasattr")):
            return self._outcome_of_word(test.func) if isinstance(test.func, tree.Attribute) else (set(), set())
        place = place_of(self.project, test, self.function)
        if place is None:
            return set(), set()
        if _EMPTY_WORDS.search(place.name) and not place.key:
            return {place}, set()
        more = self._outcome_of_word(test) if isinstance(test, tree.Attribute) else (set(), set())
        return more[0], {place} | more[1]

    def _outcome_of_word(self, test: tree.Attribute) -> tuple[set[Place], set[Place]]:
        """`place.is_closed` says that it is as good as empty, `place.is_connected()` that it is full."""
        place = place_of(self.project, test.value, self.function)
        if place is None:
            return set(), set()
        return ({place} if _EMPTY_WORDS.search(test.attr) else set()), ({place} if _FULL_WORDS.search(test.attr) else set())

    def _outcome_of_operation(self, test: tree.Operation) -> tuple[set[Place], set[Place]]:
        if test.op == "not":
            empty, full = self._outcome(test.operands[0])
            return full, empty
        if test.op in ("and", "or"):
            outcomes = [self._outcome(operand) for operand in test.operands]
            return set().union(*(empty for empty, _ in outcomes)), set().union(*(full for _, full in outcomes))
        if test.op in ("in", "not in"):
            return self._outcome_of_membership(test)
        if len(test.operands) != 2:
            return set(), set()
        places = {place for operand in test.operands if (place := place_of(self.project, operand, self.function)) is not None}
        if test.op in ("is", "==") and _is_nothing(test.operands[1]):
            return places, set()
        if test.op in ("is not", "!=") and _is_nothing(test.operands[1]):
            return set(), places
        return set(), set()

    def _outcome_of_membership(self, test: tree.Operation) -> tuple[set[Place], set[Place]]:
        key, table = test.operands[0], test.operands[-1]
        item = place_of(self.project, tree.Subscript(test.start, test.end, table, key), self.function)  # type: ignore[arg-type]
        places = {item} if item is not None else set()
        return (places, set()) if test.op == "not in" else (set(), places)

    # --- stores -------------------------------------------------------------------------------------

    def _stores(self, node: tree.Node) -> Iterator[Store]:
        if isinstance(node, tree.Assign) and node.value is not None:
            for target in node.targets:
                several = isinstance(target, tree.Sequence)
                for item in target.items if isinstance(target, tree.Sequence) else [target]:
                    place = target_place(self.project, item, self.function)
                    if place is not None:
                        yield Store(place, node, None if several else node.value)
        elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr in ("add", "setdefault"):
            if node.args and node.func.attr == "add":
                entry = tree.Subscript(node.start, node.end, node.func.value, node.args[0])
                place = place_of(self.project, entry, self.function)
                if place is not None:
                    yield Store(place, node, node.args[0])


def _clears(store: Store) -> bool:
    """Whether an assignment takes away rather than puts there: `None`, `False`, an empty display."""
    value = store.value
    if isinstance(value, tree.Const):
        return not value.value
    return isinstance(value, tree.Sequence | tree.Dict) and not next(walk.children(value), None)


def _is_nothing(expr: tree.Node) -> bool:
    return isinstance(expr, tree.Const) and not expr.value


def _is_same_home(function: Function, helper: Function, wait: tree.Node) -> bool:
    """Whether `self` means the same object in a function and in a helper that it awaits."""
    method = method_around(function)
    if helper.owner is None or helper.is_static:
        return helper.module is function.module
    func = wait.value.func if isinstance(wait, tree.Await) and isinstance(wait.value, tree.Call) else None
    receiver = func.value if isinstance(func, tree.Attribute) else None
    return method is not None and isinstance(receiver, tree.Name) and receiver.id == method.self_name
