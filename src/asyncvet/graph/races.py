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
from asyncvet.graph.overlaps import Overlaps
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.shared_state import Place, method_around, place_of, target_place
from asyncvet.graph.suspension import coroutines, suspensions

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_EMPTY_WORDS = re.compile(r"(^|_)(closed|closing|expired|stale|done|cancelled|disconnected|stopped|empty)$")
_FULL_WORDS = re.compile(r"(^|_)(connected|open|alive|ready|valid|running|initialized|started|active|fresh)$")
_TIME = re.compile(
    r"(^|_)(now|time|monotonic|ttl|age|deadline|timestamp|perf_counter|utcnow|datetime|\w*expir\w*)(_|$)", re.IGNORECASE
)
_REFRESHED = re.compile(r"(token|credentials?)$", re.IGNORECASE)
_THING = (
    r"(client|session|conn|connection|pool|engine|model|browser|page|playwright|process|worker|task|channel|socket|websocket|ws"
    r"|instance|service|manager|agent|pipeline|server|driver|producer|consumer|publisher|subscriber|transport|stream|tunnel|container"
    r"|sandbox|bot|cluster|db|database|collection|redis|reader|writer|cdp|context|index|store|tokenizer|embedder|llm|executor"
    r"|scheduler|app|proxy|sdk|broker|exchange|stub|gateway|device|kernel|runtime|workspace|environment|interpreter|graph|table)"
)
_KEPT_THING = re.compile(rf"(^|_){_THING}(_async|_instance)?$", re.IGNORECASE)
_KEPT_THINGS = re.compile(rf"(^|_){_THING}(s|es|_map|_by_\w+|_pool)?$", re.IGNORECASE)
_STARTED = re.compile(
    r"(^|_|is_)(initiali[sz]ed|inited|connected|started|loaded|ready|set_?up|setup_done|registered|injected|opened|launched|prepared"
    r"|configured|created|migrated|warm(ed)?(_up)?|logged_in|authenticated|bootstrapped|installed|seeded|running)$",
    re.IGNORECASE,
)
_MAKING = re.compile(
    r"(^|_)(create|connect|open|start|launch|spawn|init|initiali[sz]e|build|establish|acquire|enter_async_context|aenter|login"
    r"|provision|register|from_pretrained|load_\w*model|get_or_create)(_|$)",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(sent|exhausted|finished|stopped|closed|done|eof|ended|cancelled|disconnected|disabled|failed|consumed|seen|handled|notified"
    r"|logged|warned|reported|completed)$"
)
_OPENING = re.compile(r"(async_|a)?(open|connect|start|init|initiali[sz]e|set_?up|launch|log_?in|authenticate|load|prepare)")
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a place; between `start` and `end` the code relies on what it said: that there is nothing there yet."""

    place: Place
    node: tree.Node
    start: int
    end: int
    statement: tree.Node


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
        wait: The first place after the test at which others can run: before the store, or behind it while what was stored is opened.
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
        self._overlaps = Overlaps(project)

    def of(self, function: Function) -> tuple[Race, ...]:
        """The races of a function with another call of it, one a place."""
        found: dict[Place, Race] = {}
        if function.is_async and self._overlaps.may_overlap(function):
            for race in self._find(function):
                found.setdefault(race.test.place, race)
        return tuple(found.values())

    # --- races --------------------------------------------------------------------------------------

    def _find(self, function: Function) -> Iterator[Race]:
        flow = Flow(self._project, function)
        if not flow.tests or not flow.waits:
            return
        for store in flow.stores:
            test = flow.last_test(store.place, store.node)
            wait = self._wait_between(flow, test, store) if test is not None else None
            if test is None:
                continue
            if wait is not None and not flow.is_claimed(test, wait):
                yield from self._race(flow, test, wait, store, (function, store.node))
            elif (opening := flow.opening(test, store)) is not None:
                yield from self._race(flow, test, opening, store, (function, store.node))
        for wait in flow.waits:
            for setter, store in self._stores_of_helpers(flow, wait, _DEPTH):
                test = flow.last_test(store.place, wait)
                first = next((w for w in flow.waits_before(wait) if test and w.start >= test.node.end), wait)
                if test is not None and not flow.is_claimed(test, first):
                    yield from self._race(flow, test, first, store, (setter, wait))

    def _wait_between(self, flow: Flow, test: Test, store: Store) -> tree.Node | None:
        """Where others can first run between a test and the assignment that relies on it.

        Awaiting what keeps its own result for the next caller does not count where the value is then made at once: both callers make
        the same from the same.
        """
        waits = [wait for wait in flow.waits_before(store.node) if wait.start >= test.node.end]
        inside = any(wait.start >= store.node.start for wait in waits)
        if not inside and all(self._keeps_its_result(flow.function, wait) for wait in waits):
            return None
        return waits[0] if waits else None

    def _keeps_its_result(self, function: Function, wait: tree.Node) -> bool:
        helpers = coroutines(self._project, function, wait)
        return bool(helpers) and all(
            any(inner.last_test(store.place, store.node) is not None for store in inner.stores)
            for inner in (Flow(self._project, helper) for helper in helpers if helper is not function)
        )

    def _race(self, flow: Flow, test: Test, wait: tree.Node, store: Store, at: tuple[Function, tree.Node]) -> Iterator[Race]:
        setter, node = at
        around = [lock for lock in flow.locks if lock.covers(node.start)]
        if any(lock.covers(test.node.start) for lock in around) or flow.is_repeated(test.node, node):
            return
        if is_worth_a_lock(self._project, test, store, setter):
            taken = around[-1] if around and around[-1].is_async and around[-1].start >= wait.start else None
            if taken is not None and flow.is_asked_under(taken, node):
                return
            # Work done before the lock is taken is not what the lock is for.
            is_first = taken is not None and not any(
                test.node.end <= other.start < taken.start for other in flow.real_waits(taken)
            )
            yield Race(flow.function, test, wait, store, setter, taken if is_first else None)

    def _stores_of_helpers(self, flow: Flow, wait: tree.Node, depth: int) -> Iterator[tuple[Function, Store]]:
        """What the coroutines that an await runs set after having waited themselves, with no test and no lock of their own."""
        for helper in coroutines(self._project, flow.function, wait):
            if helper is flow.function or not _is_same_home(flow.function, helper, wait):
                continue
            inner = Flow(self._project, helper)
            if inner.locks:
                continue
            for store in inner.stores:
                has_waited = next(inner.waits_before(store.node), None) is not None
                if has_waited and inner.last_test(store.place, store.node) is None:
                    yield helper, store
            for other in inner.waits if depth else ():
                for setter, store in self._stores_of_helpers(inner, other, depth - 1):
                    if inner.last_test(store.place, other) is None:
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

    def waits_before(self, node: tree.Node) -> Iterator[tree.Node]:
        """The places before a node ends at which others can run, on ways that lead to it."""
        block = self.function.block_at(node.start)
        for wait in self.waits:
            at = self.function.block_at(wait.start)
            if wait.start < node.end and not at.excludes(block):
                if all(around.holds(block) or not around.leaves for around in at.ancestors()):
                    yield wait

    def is_claimed(self, test: Test, wait: tree.Node) -> bool:
        """Whether the function says before it waits that it is at work: sets a place that it has found unset.

        That counts on the way to the wait, and wherever a lock is held over both.
        """
        at = self.function.block_at(wait.start)
        for store in self.stores:
            found = self.last_test(store.place, store.node)
            if store.node.end > wait.start or found is None or (store.place == test.place and store.node.start < test.node.end):
                continue
            if self.function.block_at(store.node.start).holds(at) or any(
                lock.covers(found.node.start) and lock.covers(store.node.start) for lock in self.locks
            ):
                return True
        return False

    def opening(self, test: Test, store: Store) -> tree.Node | None:
        """Where what a store has just made known to all is only then opened, and waited for."""
        block = self.function.block_at(store.node.start)
        for wait in self.waits:
            call = wait.value if isinstance(wait, tree.Await) else None
            func = call.func if isinstance(call, tree.Call) else None
            if store.node.end <= wait.start < test.end and isinstance(func, tree.Attribute) and _OPENING.fullmatch(func.attr):
                if (
                    block.holds(self.function.block_at(wait.start))
                    and place_of(self.project, func.value, self.function) == store.place
                ):
                    return wait
        return None

    def is_repeated(self, test: tree.Node, node: tree.Node) -> bool:
        """Whether test and node stand in one `while` or `async for` loop: a watcher or receiver that comes back to both, alone."""
        return any(
            _is_endless(loop.statement) and loop.holds(self.function.block_at(node.start))
            for loop in self.function.block_at(test.start).loops()
        )

    def is_asked_under(self, taken: Held, node: tree.Node) -> bool:
        """Whether a node under a lock depends on a test that is made there."""
        return any(
            isinstance(outer, tree.If | tree.While) and taken.covers(outer.start) for outer in walk.around(self.function, node)
        )

    def real_waits(self, taken: Held) -> list[tree.Node]:
        """The waits that are not for taking this lock."""
        taking = {
            id(wait)
            for wait in self.waits
            if (isinstance(wait, tree.With) and any(item.value is taken.node for item in wait.items))
            or (isinstance(wait, tree.Await) and wait.value is taken.node)
        }
        return [wait for wait in self.waits if id(wait) not in taking]

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
            yield Test(place, node.test, node.test.end, node.body[-1].end if node.body else node.end, node)
        if not full:
            return
        for place in full:
            if node.orelse:
                yield Test(place, node.test, node.orelse[0].start, node.orelse[-1].end, node)
            if any(isinstance(inner, tree.Return | tree.Jump) for inner in walk.nodes(node.body)):
                yield Test(place, node.test, node.end, self.function.block_at(node.start).end, node)

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
                yield Test(place, node.operands[0], statement.start if statement else 0, node.end + 1, node)

    def _tests_of_try(self, node: tree.Try) -> Iterator[Test]:
        """`try: return table[key]` with a handler that fills the table."""
        if len(node.body) != 1:
            return
        value = getattr(node.body[0], "value", None)
        place = place_of(self.project, value, self.function) if isinstance(value, tree.Subscript | tree.Attribute) else None
        for handler in node.handlers if place is not None else ():
            if place is not None:
                yield Test(place, node.body[0], handler.start, handler.end, node)

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
        item = place_of(self.project, tree.Subscript(test.start, test.end, table, key), self.function)
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


def _is_endless(statement: tree.Node | None) -> bool:
    return isinstance(statement, tree.While) or (isinstance(statement, tree.For) and statement.is_async)


def is_worth_a_lock(project: Project, test: Test, store: Store, setter: Function) -> bool:
    """Whether it matters that two callers both make a value.

    It does for what lives on and for what is done to set something up: clients, connections, models, flags that say that something
    was started. It does not for copies of data that is fetched, by key or from time to time, nor for a note of the last call.
    """
    place = store.place
    if _clears(store) or _OVER.search(place.name) or _is_note_of_last(project, test, setter):
        return False
    if _REFRESHED.search(place.name) and not place.is_item:
        return True
    if any(_TIME.search(word) for word in _words(test.statement)):
        return False
    if place.is_item:
        return bool(_KEPT_THINGS.search(place.name)) or _is_made_up(setter, store.value)
    return bool(_KEPT_THING.search(place.name) or _STARTED.search(place.name)) or _is_made_up(setter, store.value)


def _is_made_up(setter: Function, value: tree.Node | None) -> bool:
    """Whether a value, or what a local in it was assigned, comes from a call whose name says that it makes something."""
    values = [value]
    if isinstance(value, tree.Name):
        values = [binding.value for binding in setter.bindings.get(value.id, ()) if binding.kind == "assign"]
    calls = [node for value in values if value is not None for node in walk.nodes(value) if isinstance(node, tree.Await)]
    return any(_MAKING.search(last_name(call.value.func)) for call in calls if isinstance(call.value, tree.Call))


def _words(node: tree.Node | None) -> Iterator[str]:
    """The names in an expression, or in the tests of a statement."""
    if isinstance(node, tree.If):
        tests = [inner.test for inner in walk.nodes(node) if isinstance(inner, tree.If)]
        yield from (word for test in tests for word in _words(test))
    elif node is not None:
        for inner in walk.nodes(node):
            if word := last_name(inner):
                yield word


def _is_note_of_last(project: Project, test: Test, function: Function) -> bool:
    """`if last is not None and last.key == key`: what is kept is that of the last call, whichever it was."""
    for node in walk.nodes(test.node):
        if isinstance(node, tree.Operation) and node.op == "==":
            for operand in node.operands:
                inner = operand.value if isinstance(operand, tree.Attribute | tree.Subscript) else None
                if inner is not None and place_of(project, inner, function) == test.place:
                    return True
    return False


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
