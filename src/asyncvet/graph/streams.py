"""Streams: asynchronous iteration that gives up what it is good for, by collecting everything or by leaving half-way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.values import GeneratorOf

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_STREAM_NAME = re.compile(r"^_?a?(stream|iter)(_|$)")
_RESPONSES = frozenset({"StreamingResponse", "EventSourceResponse"})
_STREAM_TYPES = _RESPONSES | {"AsyncGenerator", "AsyncIterator", "AsyncIterable", "Generator", "Iterator"}
_HOLDS_NOTHING = frozenset({"suppress", "nullcontext", "timeout", "catch_warnings"})
_CHANGES = re.compile(
    r"delete|remove|update|unlink|pop|drop|insert|write|purge|expire|close|cancel|discard|set$|save|clear|rem$|del$"
)


@dataclass(frozen=True, slots=True)
class Collected:
    """A stream read to its end into a list before the first item is used.

    Attributes:
        node: What reads it: a comprehension, or a loop that only appends.
        source: The stream.
        use: The only use of the list.
        kind: ``yielded`` item by item, ``iterated`` once, ``streamed`` by a response, or ``returned`` by a function that says it
            streams.
    """

    function: Function
    node: tree.Comprehension | tree.For
    source: tree.Expression
    use: tree.Node
    kind: str


def collected(project: Project) -> Iterator[Collected]:
    """All streams that are collected for no reason, in order."""
    for function in project.functions:
        if function.is_async and not function.is_lambda:
            yield from _collected_in(function)


def _collected_in(function: Function) -> Iterator[Collected]:
    for node in walk.found(function, tree.Comprehension, tree.For):
        source = _source(node)
        if source is None:
            continue
        name = _list_name(function, node)
        uses = [n for n in walk.found(function, tree.Name) if n.id == name and n.start >= node.end]
        if name and len(uses) == 1 and not _is_seen_within(function, name):
            use, kind = _use(function, node, uses[0])
        elif not name and isinstance(node, tree.Comprehension):
            use, kind = _use(function, node, node)
        else:
            continue
        if kind:
            yield Collected(function, node, source, use, kind)


def _source(node: tree.Node) -> tree.Expression | None:
    """The stream that a comprehension or a loop with nothing but an append collects."""
    if isinstance(node, tree.Comprehension) and node.kind == "list" and len(node.generators) == 1 and node.generators[0].is_async:
        return node.generators[0].iter
    if isinstance(node, tree.For) and node.is_async and len(node.body) == 1 and not node.orelse and _appended(node.body[0]):
        return node.iter
    return None


def _appended(statement: tree.Stmt) -> str:
    """The list to which a statement appends, if it does nothing else."""
    call = statement.value if isinstance(statement, tree.ExprStmt) else None
    func = call.func if isinstance(call, tree.Call) and len(call.args) == 1 else None
    if isinstance(func, tree.Attribute) and func.attr == "append" and isinstance(func.value, tree.Name):
        return func.value.id
    return ""


def _list_name(function: Function, node: tree.Comprehension | tree.For) -> str:
    """The local name of the list, empty if it has none or is more than that."""
    if isinstance(node, tree.For):
        name = _appended(node.body[0])
        return name if _starts_empty(function, node, name) else ""
    holders = [name for name, bound in function.bindings.items() if any(b.value is node and b.kind == "assign" for b in bound)]
    return holders[0] if len(holders) == 1 and len(function.bindings[holders[0]]) == 1 else ""


def _starts_empty(function: Function, node: tree.For, name: str) -> bool:
    """Whether a name is bound once, to an empty list, beside the loop that fills it, and nothing speaks of it in between."""
    bindings = function.bindings.get(name, [])
    value = bindings[0].value if len(bindings) == 1 else None
    if not isinstance(value, tree.Sequence) or value.kind != "list" or value.items:
        return False
    seen = [n for n in walk.found(function, tree.Name) if n.id == name and n.start < node.start]
    return len(seen) == 1 and _loop(function, node) is _loop(function, seen[0])


def _is_seen_within(function: Function, name: str) -> bool:
    return any(walk.mentions(below, name) for below in function.inner.values())


def _use(function: Function, node: tree.Node, use: tree.Node) -> tuple[tree.Node, str]:
    holder = next(iter(walk.around(function, use)), None)
    if isinstance(holder, tree.Return):
        return holder, "returned" if _says_it_streams(function) else ""
    if isinstance(holder, tree.Call):
        return holder, "streamed" if _is_streamed(function, use) else ""
    if not isinstance(holder, tree.For) or holder.iter is not use or holder.is_async:
        return use, ""
    if [start for start in _frame(function, node) if start != holder.start] != _frame(function, holder):
        return use, ""
    inside = list(walk.nodes(holder.body))
    if any(isinstance(n, tree.Yield) for n in inside):
        return holder, "yielded"
    changes = any(isinstance(n, tree.Call) and _CHANGES.search(last_name(n.func)) for n in inside)
    return holder, "" if changes else "iterated"


def _is_streamed(function: Function, use: tree.Node) -> bool:
    """Whether a list is the body of a streaming response, as it is or by `iter`."""
    calls = [node for node in walk.around(function, use)[:2] if isinstance(node, tree.Call)]
    if calls and last_name(calls[0].func) == "iter":
        calls = calls[1:]
    return bool(calls) and last_name(calls[0].func) in _RESPONSES


def _says_it_streams(function: Function) -> bool:
    returns = function.node.returns if isinstance(function.node, tree.FunctionDef) else None
    declared = returns.value if isinstance(returns, tree.Subscript) else returns
    return bool(_STREAM_NAME.search(function.name)) or (declared is not None and last_name(declared) in _STREAM_TYPES)


def _frame(function: Function, node: tree.Node) -> list[int]:
    """The loops, handlers and resources around a node: two nodes with the same ones run under the same conditions."""
    return [
        n.start
        for n in walk.around(function, node)
        if isinstance(n, tree.For | tree.While | tree.With | tree.Try) and n is not node
    ]


def _loop(function: Function, node: tree.Node) -> tree.Node | None:
    return next((n for n in walk.around(function, node) if isinstance(n, tree.For | tree.While)), None)


# --- loops that are left ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An asynchronous generator of the project that is left before its end.

    Attributes:
        source: The generator, as a loop or `anext` is given it.
        exit: What leaves the loop, or the call of `anext`.
        cleanup: What the generator holds around its `yield`, to be let go when it is closed.
    """

    function: Function
    source: tree.Expression
    exit: tree.Node
    generator: Function
    cleanup: tree.Node


def abandoned(project: Project) -> Iterator[Abandoned]:
    """All generators with clean-up that a loop leaves half-way, or `anext` takes one item from, and that nothing closes, in order."""
    for function in project.functions:
        if not function.is_async:
            continue
        for node in walk.found(function, tree.For, tree.Call):
            if isinstance(node, tree.For) and node.is_async and not _is_closed(function, node.iter):
                exit_ = next(_exits(node.body), None)
                for generator, cleanup in _generators(project, function, node.iter) if exit_ is not None else ():
                    assert exit_ is not None
                    yield Abandoned(function, node.iter, exit_, generator, cleanup)
                    break
            source = _advanced(node)
            if source is not None and not _is_closed(function, source) and not _is_handed_on(function, source):
                for generator, cleanup in list(_generators(project, function, source))[:1]:
                    yield Abandoned(function, source, node, generator, cleanup)


def _exits(body: list[tree.Statement]) -> Iterator[tree.Stmt]:
    """The statements of a loop's body that leave the loop; a `break` of an inner loop and a raise that is caught do not."""
    for statement in body:
        if isinstance(statement, tree.Return) or (isinstance(statement, tree.Jump) and statement.kind == "break"):
            yield statement
        elif isinstance(statement, tree.If):
            yield from _exits([*statement.body, *statement.orelse])
        elif isinstance(statement, tree.With):
            yield from _exits(statement.body)
        elif isinstance(statement, tree.Try):
            yield from _exits([*statement.body, *(s for h in statement.handlers for s in h.body), *statement.orelse])
        elif isinstance(statement, tree.Match):
            yield from _exits([s for case in statement.cases for s in case.body])
        elif isinstance(statement, tree.For | tree.While):
            yield from (s for s in walk.nodes(statement.body) if isinstance(s, tree.Return))


def _advanced(node: tree.Node) -> tree.Expression | None:
    """The generator that `anext(generator)` or `generator.__anext__()` takes one item from."""
    if not isinstance(node, tree.Call):
        return None
    if isinstance(node.func, tree.Attribute):
        return node.func.value if node.func.attr == "__anext__" else None
    return node.args[0] if last_name(node.func) == "anext" and node.args else None


def _is_handed_on(function: Function, expr: tree.Expression) -> bool:
    """Whether the name of a generator is used for more than taking items from it: a loop that goes on, a call, a result."""
    if not isinstance(expr, tree.Name):
        return False
    uses = [node for node in walk.found(function, tree.Name) if node.id == expr.id]
    return len(uses) > 2 or any(walk.mentions(inner, expr.id) for inner in function.inner.values())


def _generators(project: Project, function: Function, expr: tree.Expression) -> Iterator[tuple[Function, tree.Node]]:
    for value in project.values(expr, function):
        if isinstance(value, GeneratorOf) and value.function.is_async and not value.function.is_context_manager:
            cleanup = _cleanup(value.function)
            if cleanup is not None:
                yield value.function, cleanup


def _cleanup(generator: Function) -> tree.Node | None:
    """What stands around a `yield` and wants to run when the generator is closed."""
    for node in generator.yields:
        for around in walk.around(generator, node):
            if isinstance(around, tree.Try) and around.final and node.start < around.final[0].start:
                return around
            if isinstance(around, tree.With) and not all(_is_trivial(item) for item in around.items):
                return around
    return None


def _is_trivial(item: tree.WithItem) -> bool:
    return isinstance(item.value, tree.Call) and last_name(item.value.func) in _HOLDS_NOTHING


def _is_closed(function: Function, expr: tree.Expression) -> bool:
    """Whether a generator that has a name is entered by `aclosing` or closed in the function, or is not this function's own."""
    if not isinstance(expr, tree.Name):
        return not isinstance(expr, tree.Call)
    bindings = function.bindings.get(expr.id, [])
    if not bindings or any(binding.kind != "assign" for binding in bindings):
        return True
    return any(node.attr == "aclose" and last_name(node.value) == expr.id for node in walk.found(function, tree.Attribute))
