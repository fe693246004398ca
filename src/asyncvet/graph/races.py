"""Races between coroutines: shared state that is tested, then awaited over, then set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.duplicates import is_made_once, is_worth_a_lock
from asyncvet.graph.flow import Flow, Store, Test
from asyncvet.graph.locks import Held
from asyncvet.graph.scopes import Function
from asyncvet.graph.shared_state import Place, method_around
from asyncvet.graph.suspension import coroutines

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_DEPTH = 3


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
    """Finds races."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._overlaps = project.overlaps

    def of(self, function: Function) -> tuple[Race, ...]:
        """The races of a function with another call of it, one a place."""
        found: dict[Place, Race] = {}
        if function.awaits and self._overlaps.may_overlap(function):
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
        if (
            isinstance(test.statement, tree.Assert)
            or any(lock.covers(test.node.start) for lock in around)
            or flow.is_repeated(test.node, node)
        ):
            return
        taken = around[-1] if around and around[-1].is_async and around[-1].start >= wait.start else None
        # Who takes a lock for it has said that it is worth one.
        is_worth = is_worth_a_lock if taken is None else is_made_once
        if is_worth(self._project, test, store, setter):
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


def _is_same_home(function: Function, helper: Function, wait: tree.Node) -> bool:
    """Whether `self` means the same object in a function and in a helper that it awaits."""
    method = method_around(function)
    if helper.owner is None or helper.is_static:
        return helper.module is function.module
    func = wait.value.func if isinstance(wait, tree.Await) and isinstance(wait.value, tree.Call) else None
    receiver = func.value if isinstance(func, tree.Attribute) else None
    return method is not None and isinstance(receiver, tree.Name) and receiver.id == method.self_name
