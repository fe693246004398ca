"""Walking the body of one function: its nodes in the order of the text, what stands around one, where it may wait.

Nested functions, lambdas and classes are nodes of the body; what is inside them is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

from asyncvet.facts import tree

if TYPE_CHECKING:
    from asyncvet.graph.scopes import Body

_HOLDS_NODES = re.compile(r"\b(Express\w+|Statement|Keyword|Param|Generator|WithItem|Handler|Case|Name)\b")
Kind = TypeVar("Kind", bound=tree.Node)
Other = TypeVar("Other", bound=tree.Node)
_CLOSED = (tree.FunctionDef, tree.Lambda, tree.ClassDef)


def children(node: tree.Node) -> list[tree.Node]:
    """The nodes directly below a node, in the order of the text."""
    below: list[tree.Node] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name)
        if type(value) is list:
            below += [item for item in value if item is not None]
        elif value is not None:
            below.append(value)
    return below


def nodes(start: tree.Node | Iterable[tree.Node]) -> Iterator[tree.Node]:
    """A node, or several, and everything below, outer ones first; not into nested functions, lambdas and classes."""
    stack = [start] if isinstance(start, tree.Node) else list(start)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if type(node) not in _LEAVES:
            stack += children(node)[::-1]


class Nodes:
    """All nodes of one body, in the order of a walk and by kind: made once, as every rule asks for them."""

    __slots__ = ("_by_kind", "all", "names")

    def __init__(self, statements: Iterable[tree.Node]) -> None:
        self.all: Sequence[tree.Node] = tuple(nodes(statements))
        self._by_kind: dict[type[tree.Node], list[tree.Node]] = {}
        for node in self.all:
            kind = type(node)
            if kind in self._by_kind:
                self._by_kind[kind].append(node)
            else:
                self._by_kind[kind] = [node]
        self.names: frozenset[str] = frozenset(node.id for node in self.all if type(node) is tree.Name)

    def of(self, *kinds: type[tree.Node]) -> Sequence[tree.Node]:
        """Those of some kinds, in the order of a walk."""
        present = [kind for kind in kinds if kind in self._by_kind]
        if len(present) < 2:
            return self._by_kind[present[0]] if present else ()
        return [node for node in self.all if type(node) in present]


def inside(scope: Body) -> Sequence[tree.Node]:
    """The nodes of a body, outer ones first; not those of nested functions, lambdas and classes."""
    return scope.nodes.all


@overload
def found(scope: Body, kind: type[Kind], /) -> Sequence[Kind]: ...
@overload
def found(scope: Body, kind: type[Kind], other: type[Other], /) -> Sequence[Kind | Other]: ...
@overload
def found(scope: Body, /, *kinds: type[tree.Node]) -> Sequence[tree.Node]: ...
def found(scope: Body, /, *kinds: type[tree.Node]) -> Sequence[tree.Node]:
    """The nodes of some kinds in a body, outer ones first."""
    return scope.nodes.of(*kinds)


def mentions(scope: Body, name: str) -> bool:
    """Whether a name stands in a body."""
    return name in scope.nodes.names


def waits(scope: Body) -> Sequence[tree.Node]:
    """The places of a body that `awaits` gives."""
    return list(filter(_gives_way, found(scope, tree.Await, tree.With, tree.For, tree.Generator)))


def body(scope: Body) -> list[tree.Statement]:
    """The statements of a function or module; a lambda's expression counts as one."""
    if isinstance(scope.node, tree.Lambda):
        return [tree.ExprStmt(scope.node.body.start, scope.node.body.end, scope.node.body)]
    return scope.node.body


def awaits(start: tree.Node | Iterable[tree.Node]) -> Iterator[tree.Node]:
    """The places where running these nodes gives the loop to others: `await`, `async with`, `async for`, async comprehensions.

    A `yield` is one too in an async generator; it is not given here.
    """
    return filter(_gives_way, nodes(start))


def _gives_way(node: tree.Node) -> bool:
    return isinstance(node, tree.Await) or (isinstance(node, tree.With | tree.For | tree.Generator) and node.is_async)


def around(function: Body, node: tree.Node) -> list[tree.Node]:
    """The nodes that hold `node` in the body of its function, innermost first, `node` itself not among them."""
    path: list[tree.Node] = []
    level: Iterable[tree.Node] = body(function)
    while True:
        holder = next((n for n in level if n.start <= node.start and node.end <= n.end), None)
        if holder is None or holder is node:
            return path[::-1]
        path.append(holder)
        level = children(holder)


def _node_fields(kind: type[tree.Node]) -> tuple[str, ...]:
    """The fields of a kind of node that hold nodes, by their annotations."""
    annotations = {name: text for base in kind.__mro__[::-1] for name, text in vars(base).get("__annotations__", {}).items()}
    return tuple(name for name in kind.__struct_fields__ if _HOLDS_NODES.search(str(annotations[name])))


def _kinds(kind: type[tree.Node]) -> Iterator[type[tree.Node]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


_FIELDS = {kind: _node_fields(kind) for kind in _kinds(tree.Node)}
_LEAVES = {kind for kind, fields in _FIELDS.items() if not fields} | set(_CLOSED)
"""Kinds with nothing below, and those into which a walk does not go."""
