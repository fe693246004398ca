"""One function as a race sees it: where it tests shared state, where it sets it, where others can run, where a lock is held."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.locks import Held
from asyncvet.graph.scopes import Function
from asyncvet.graph.shared_state import Place, place_of, target_place
from asyncvet.graph.suspension import suspensions

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_EMPTY_WORDS = re.compile(r"(^|_)(closed|closing|expired|stale|done|cancelled|disconnected|stopped|empty)$")
_FULL_WORDS = re.compile(r"(^|_)(connected|open|alive|ready|valid|running|initialized|started|active|fresh)$")
_OPENING = re.compile(r"(async_|a)?(open|connect|start|init|initiali[sz]e|set_?up|launch|log_?in|authenticate|load|prepare)")
_TESTING = (tree.If, tree.Assert, tree.Operation, tree.Try)


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
    """An assignment to a place, or a call that adds the key to a set. `value` is None where it is not one expression."""

    place: Place
    node: tree.Node
    value: tree.Node | None


class Flow:
    """What matters for races in one function, in the order of the text."""

    def __init__(self, project: Project, function: Function) -> None:
        self.project = project
        self.function = function

    @cached_property
    def locks(self) -> tuple[Held, ...]:
        """The stretches over which the function holds a lock."""
        return self.project.held(self.function)

    @cached_property
    def waits(self) -> list[tree.Node]:
        """The places at which others can run."""
        return sorted(suspensions(self.project, self.function, walk.body(self.function)), key=lambda node: node.start)

    @cached_property
    def tests(self) -> list[Test]:
        """The tests of shared places."""
        return [test for node in walk.found(self.function, *_TESTING) for test in self._tests(node)]

    @cached_property
    def stores(self) -> list[Store]:
        """The assignments to shared places."""
        return [store for node in walk.found(self.function, tree.Assign, tree.Call) for store in self._stores(node)]

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
        """Whether a node under a lock depends on a test that is made there, around it or in a way out before it."""
        around = walk.around(self.function, node)
        return any(
            taken.covers(test.start)
            and (test in around or (test.end <= node.start and isinstance(test.body[-1], tree.Return | tree.Raise | tree.Jump)))
            for test in walk.found(self.function, tree.If, tree.While)
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
        elif isinstance(node, tree.Assert):
            for place in self._outcome(node.test)[0]:
                yield Test(place, node.test, node.end, self.function.block_at(node.start).end, node)
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
        statement = next((outer for outer in walk.found(self.function, tree.Assign) if outer.value is node), None)
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
        elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute):
            if len(node.args) == 1 and node.func.attr == "add":
                entry = tree.Subscript(node.start, node.end, node.func.value, node.args[0])
                place = place_of(self.project, entry, self.function)
                if place is not None:
                    yield Store(place, node, node.args[0])


def _is_endless(statement: tree.Node | None) -> bool:
    return isinstance(statement, tree.While) or (isinstance(statement, tree.For) and statement.is_async)


def _is_nothing(expr: tree.Node) -> bool:
    return isinstance(expr, tree.Const) and not expr.value
