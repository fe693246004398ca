"""Lost updates: shared state that is written from what it was before an await."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.flow import Flow
from asyncvet.graph.scopes import Function
from asyncvet.graph.shared_state import Place, place_of, target_place

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_COMPARISONS = frozenset({"<", ">", "<=", ">="})


@dataclass(frozen=True, slots=True)
class LostUpdate:
    """A place that is read, then others run, then it is written from what was read."""

    place: Place
    read: tree.Node
    wait: tree.Node
    write: tree.Node


def lost_updates(project: Project, function: Function) -> Iterator[LostUpdate]:
    """The updates of a coroutine function that another call of it can make lost, under no lock."""
    if not function.awaits or not project.overlaps.may_overlap(function):
        return
    flow = Flow(project, function)
    if not flow.waits:
        return
    for node in walk.found(function, tree.Assign, tree.AugAssign, tree.If):
        ways = (_within_statement, _through_local, _through_sum, _after_comparison)
        for update in (update for way in ways for update in way(flow, node)):
            if not any(lock.covers(update.read.start) and lock.covers(update.write.start) for lock in flow.locks):
                yield update


def _within_statement(flow: Flow, node: tree.Node) -> Iterator[LostUpdate]:
    """`total += await f()` and `total = total + await f()`: the old value is read before the await."""
    if not isinstance(node, tree.AugAssign | tree.Assign) or node.value is None:
        return
    waits = [wait for wait in flow.waits if node.value.start <= wait.start < node.value.end]
    if not waits:
        return
    for target in [node.target] if isinstance(node, tree.AugAssign) else node.targets:
        place = target_place(flow.project, target, flow.function)
        if place is None:
            continue
        read = node.target if isinstance(node, tree.AugAssign) else _read_before(flow, node.value, place, waits[0])
        if read is not None:
            yield LostUpdate(place, read, waits[0], node)


def _read_before(flow: Flow, value: tree.Node, place: Place, wait: tree.Node) -> tree.Node | None:
    """Where the operand before an await reads a place that the sum of both is written to."""
    if not isinstance(value, tree.Operation) or value.op not in ("+", "-", "*", "|"):
        return None
    first = value.operands[0]
    return first if first.end <= wait.start and place_of(flow.project, first, flow.function) == place else None


def _through_local(flow: Flow, node: tree.Node) -> Iterator[LostUpdate]:
    """`old = total`, an await, `total = old + 1`."""
    if not isinstance(node, tree.Assign) or node.value is None or isinstance(node.value, tree.Name):
        return
    names = [inner for inner in walk.nodes(node.value) if isinstance(inner, tree.Name)]
    for target in node.targets:
        place = target_place(flow.project, target, flow.function)
        for name in names if place is not None else ():
            read = _value_of(flow, name, place)
            wait = next((w for w in flow.waits_before(node) if read is not None and w.start >= read.end), None)
            if read is None or wait is None or place is None or flow.is_repeated(read, node):
                continue
            if not _is_read_again(flow, place, wait, node):
                yield LostUpdate(place, read, wait, node)
                return


def _through_sum(flow: Flow, node: tree.Node) -> Iterator[LostUpdate]:
    """`sum = total`, an await, `sum += 1`, `total = sum`."""
    if not isinstance(node, tree.Assign) or not isinstance(node.value, tree.Name):
        return
    bindings = flow.function.bindings.get(node.value.id, [])
    first = bindings[0].value if len(bindings) > 1 and bindings[0].kind == "assign" else None
    if first is None or any(binding.kind != "augmented" for binding in bindings[1:]) or any(walk.awaits(first)):
        return
    for target in node.targets:
        place = target_place(flow.project, target, flow.function)
        wait = next((w for w in flow.waits_before(node) if w.start >= first.end), None)
        if place is None or wait is None or flow.is_repeated(first, node) or _is_read_again(flow, place, wait, node):
            continue
        if any(place_of(flow.project, inner, flow.function) == place for inner in walk.nodes(first)):
            yield LostUpdate(place, first, wait, node)


def _value_of(flow: Flow, name: tree.Name, place: Place | None) -> tree.Node | None:
    """What a local was given, if that is computed from the place with no await."""
    if name.id not in flow.function.bindings:
        return None
    bindings = flow.project.inference.names.bindings_at(name.id, flow.function, name.start)
    if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].value is None:
        return None
    value = bindings[0].value
    if next(walk.awaits(value), None) is not None:
        return None
    return value if any(place_of(flow.project, inner, flow.function) == place for inner in walk.nodes(value)) else None


def _is_read_again(flow: Flow, place: Place, wait: tree.Node, write: tree.Node) -> bool:
    """Whether the place is looked at again between the await and the write."""
    return any(
        wait.end <= node.start < write.end
        and not _is_target(write, node)
        and place_of(flow.project, node, flow.function) == place
        for node in walk.found(flow.function, tree.Attribute, tree.Subscript, tree.Call)
    )


def _is_target(write: tree.Node, node: tree.Node) -> bool:
    return isinstance(write, tree.Assign) and any(target is node for target in write.targets)


def _after_comparison(flow: Flow, node: tree.Node) -> Iterator[LostUpdate]:
    """`if balance >= amount`, an await, `balance -= amount`."""
    if not isinstance(node, tree.If):
        return
    body_end = node.body[-1].end if node.body else node.end
    leaves = bool(node.body) and isinstance(node.body[-1], tree.Return | tree.Raise | tree.Jump)
    start, end = (node.end, flow.function.block_at(node.start).end) if leaves else (node.test.end, body_end)
    for place in _compared(flow, node.test):
        for write in walk.found(flow.function, tree.AugAssign):
            if start <= write.start < end and write.op in ("+", "-"):
                if target_place(flow.project, write.target, flow.function) == place:
                    yield from _waited_over(flow, place, node.test, write)


def _compared(flow: Flow, test: tree.Node) -> Iterator[Place]:
    for node in walk.nodes(test):
        if isinstance(node, tree.Operation) and node.op in _COMPARISONS:
            for operand in node.operands:
                place = place_of(flow.project, operand, flow.function)
                if place is not None:
                    yield place


def _waited_over(flow: Flow, place: Place, test: tree.Node, write: tree.AugAssign) -> Iterator[LostUpdate]:
    wait = next((w for w in flow.waits_before(write) if w.start >= test.end), None)
    if wait is not None and not flow.is_repeated(test, write):
        yield LostUpdate(place, test, wait, write)
