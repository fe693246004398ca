"""Results: what a function does with the list that `asyncio.gather` gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.gathers import Gather
from asyncvet.graph.raising import is_caught
from asyncvet.graph.scopes import last_name

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_CHECKS = frozenset({"isinstance", "issubclass", "type", "is_exception", "hasattr", "raise_first", "partition"})
_ANYTHING = frozenset({"Any", "object"})
_FLAT = frozenset({"sum", "any", "all", "join", "from_iterable"})
_ITERATES = frozenset({"extend", "update", "len", "join"})
_HARMLESS = frozenset({"__class__", "__traceback__", "__cause__", "args"})


@dataclass(frozen=True, slots=True)
class _Element:
    """A name for one result, and the stretch of text where it is that."""

    name: str
    start: int
    end: int


def trusting_use(gather: Gather) -> tree.Node | None:
    """The first place that uses a result as if it could not be an exception; None if there is none, or types are checked."""
    function = gather.function
    names, elements, unpacked = _targets(gather)
    held = next((node for node in walk.found(function, tree.Await) if node.value is gather.call), None)
    start = gather.site.site.statement.start if gather.site.site.statement is not None else gather.call.start
    after = [node for node in walk.inside(function) if node.start >= start]
    if any(_is_check(node) for node in after):
        return None
    uses = list(unpacked)
    for node in after:
        if any(_is_list(part, names) for part in _flattened(node)):
            uses.append(node)
        for target, part in (*_loops(node, names), *_loops_over(node, held)):
            if isinstance(target, tree.Sequence):
                uses.append(part)
            elif isinstance(target, tree.Name):
                elements.append(_Element(target.id, node.start, node.end))
    for node in after:
        uses.extend(use for use in _uses(node) if _is_element(use, names, elements))
    found = sorted((use for use in uses if not is_caught(function, use)), key=lambda use: use.start)
    return found[0] if found else None


def trusting_return(project: Project, gather: Gather) -> tree.Return | None:
    """The statement that returns the results as a list that its function declares to hold no errors, to callers that check none."""
    function = gather.function
    statement = gather.site.site.statement
    value = statement.value if isinstance(statement, tree.Return) else None
    callers = project.contexts.callers.get(function, ())
    if (
        not isinstance(statement, tree.Return)
        or not (isinstance(value, tree.Await) and value.value is gather.call)
        or not callers
    ):
        return None
    if any(_is_check(node) for caller, _ in callers for node in walk.inside(caller)):
        return None
    declared = function.node.returns if isinstance(function.node, tree.FunctionDef) else None
    if not isinstance(declared, tree.Subscript) or last_name(declared.value).lower() not in ("list", "sequence", "tuple"):
        return None
    words = [last_name(node) for node in walk.nodes(declared.index)]
    return None if any(word in _ANYTHING or word.endswith(("Exception", "Error")) for word in words) else statement


def _targets(gather: Gather) -> tuple[set[str], list[_Element], list[tree.Node]]:
    """The names of the list of results, the names of single ones, and what unpacks a result at once."""
    statement = gather.site.site.statement
    if isinstance(statement, tree.Assign) and isinstance(statement.value, tree.Await) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, tree.Name):
            return {target.id}, [], []
        if isinstance(target, tree.Sequence):
            end = gather.function.node.end
            items = target.items
            single = [_Element(item.id, statement.end, end) for item in items if isinstance(item, tree.Name)]
            return set(), single, [item for item in items if isinstance(item, tree.Sequence)]
    return set(), [], []


def _is_check(node: tree.Node) -> bool:
    return isinstance(node, tree.Match) or (isinstance(node, tree.Call) and last_name(node.func) in _CHECKS)


def _is_list(expr: tree.Node, names: set[str]) -> bool:
    return isinstance(expr, tree.Name) and expr.id in names


def _is_element(expr: tree.Node, names: set[str], elements: list[_Element]) -> bool:
    if isinstance(expr, tree.Subscript):
        return _is_list(expr.value, names) and not (isinstance(expr.index, tree.Operation) and expr.index.op == "slice")
    return isinstance(expr, tree.Name) and any(
        element.name == expr.id and element.start <= expr.start < element.end for element in elements
    )


def _flattened(node: tree.Node) -> Iterator[tree.Expression]:
    """Lists whose items a call takes as plain values."""
    if isinstance(node, tree.Call) and last_name(node.func) in _FLAT and node.args:
        yield node.args[0]


def _loops(node: tree.Node, names: set[str]) -> Iterator[tuple[tree.Expression, tree.Node]]:
    """What a loop over the results calls each of them."""
    parts: list[tree.For | tree.Generator] = []
    if isinstance(node, tree.For):
        parts = [node]
    elif isinstance(node, tree.Comprehension):
        parts = list(node.generators)
    for part in parts:
        yield from ((target, part.target) for target in _paired(part.target, part.iter, names))


def _loops_over(node: tree.Node, held: tree.Await | None) -> Iterator[tuple[tree.Expression, tree.Node]]:
    """What a loop over the awaited call itself calls each result."""
    parts = [node] if isinstance(node, tree.For) else node.generators if isinstance(node, tree.Comprehension) else []
    yield from ((part.target, part.target) for part in parts if held is not None and part.iter is held)


def _paired(target: tree.Expression, source: tree.Expression, names: set[str]) -> Iterator[tree.Expression]:
    if _is_list(source, names):
        yield target
    elif isinstance(source, tree.Call) and isinstance(source.func, tree.Name) and source.args:
        if source.func.id == "enumerate" and isinstance(target, tree.Sequence) and len(target.items) == 2:
            yield from _paired(target.items[1], source.args[0], names)
        elif source.func.id == "zip" and isinstance(target, tree.Sequence):
            for item, argument in zip(target.items, source.args, strict=False):
                yield from _paired(item, argument, names)
        elif source.func.id == "reversed":
            yield from _paired(target, source.args[0], names)


def _uses(node: tree.Node) -> Iterator[tree.Node]:
    """Expressions that a node takes apart, iterates or computes with."""
    if isinstance(node, tree.Subscript | tree.Starred) or (isinstance(node, tree.Attribute) and node.attr not in _HARMLESS):
        yield node.value
    elif isinstance(node, tree.For | tree.Generator):
        yield node.iter
    elif isinstance(node, tree.Operation) and node.op in ("+", "-", "*", "/", "<", ">", "<=", ">="):
        yield from node.operands
    elif isinstance(node, tree.AugAssign):
        yield node.value
    elif isinstance(node, tree.Call) and last_name(node.func) in _ITERATES:
        yield from node.args[:1]
