"""Ownership: the asynchronous resources that functions open, and who closes each: a `with`, the function, somebody else, or nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Class, Function, last_name
from asyncvet.graph.values import Object

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

Fate = Literal["never closed", "closed only if nothing fails", "kept and never closed"]
_CLOSING = frozenset(
    {"close", "aclose", "dispose", "stop", "quit", "shutdown", "disconnect", "terminate", "drain", "cleanup", "abort"}
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A resource that a function opens and leaves to nobody.

    Attributes:
        node: The expression that opens it.
        fate: What becomes of it.
        closer: The method that closes it.
        holder: The name or attribute that holds it; empty if it is used where it is made.
        is_entered: `async with` can hold it.
    """

    function: Function
    node: tree.Expression
    fate: Fate
    closer: str
    holder: str
    is_entered: bool


class Ownership:
    """Finds what is opened and not closed. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self) -> Iterator[Opened]:
        """The resources that nobody closes, in the order of the functions."""
        for function in self._project.functions:
            if function.is_lambda:
                continue
            for site in function.sites:
                node = site.node
                closers = self._closers(node, function) if isinstance(node, tree.Call) else ()
                if closers and isinstance(node, tree.Call):
                    yield from self._opened(node, closers, function)

    def _closers(self, node: tree.Call, function: Function) -> tuple[str, ...]:
        """How to close what a call makes, empty if it makes no resource."""
        values = self._project.inference.awaited(self._project.values(node, function))
        kinds = [
            self._project.catalogue.type(value.path) for value in values if isinstance(value, Object) and value.made_by is node
        ]
        known = [kind for kind in kinds if kind is not None and kind.closed_by]
        return known[0].closed_by if len(values) == 1 and known else ()

    def _opened(self, node: tree.Call, closers: tuple[str, ...], function: Function) -> Iterator[Opened]:
        around = walk.around(function, node)
        made: tree.Expression = node
        if around and isinstance(around[0], tree.Await):
            made, around = around[0], around[1:]
        kind = next(v for v in self._project.inference.awaited(self._project.values(node, function)) if isinstance(v, Object))
        is_entered = bool((described := self._project.catalogue.type(kind.path)) and described.aenter)

        def result(fate: Fate, holder: str = "") -> Opened:
            return Opened(function, made, fate, closers[0], holder, is_entered)

        statement = around[0] if around else None
        if isinstance(statement, tree.ExprStmt):
            yield result("never closed")
        elif isinstance(statement, tree.Attribute) and statement.attr not in (*closers, "__aenter__"):
            if not (isinstance(made, tree.Call) and self._is_chained(statement, around)):
                yield result("never closed")
        elif isinstance(statement, tree.Assign) and statement.value is made and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, tree.Name) and target.id not in function.globals | function.nonlocals:
                fate = self._fate_of_name(target.id, node, closers, function)
                if fate is not None:
                    yield result(fate, target.id)
            elif isinstance(target, tree.Attribute) and self._is_kept_open(target, closers, function):
                yield result("kept and never closed", f"{last_name(target.value)}.{target.attr}")

    def _is_chained(self, attribute: tree.Attribute, around: list[tree.Node]) -> bool:
        """`Session().begin()` and `Client().configure()`: what a method gives may hold the object, and close it."""
        return not any(isinstance(node, tree.Await) for node in around[:3])

    # --- held by a name -------------------------------------------------------------------------------

    def _fate_of_name(self, name: str, made: tree.Call, closers: tuple[str, ...], function: Function) -> Fate | None:
        """What becomes of a resource in a local name; None if it is closed, or handed on to whoever closes it."""
        if len(function.bindings.get(name, ())) > 1 or any(_mentions(inner, name) for inner in function.inner.values()):
            return None
        closings: list[tree.Node] = []
        for node in walk.nodes(walk.body(function)):
            for part in walk.children(node):
                if (
                    not (isinstance(part, tree.Name) and part.id == name)
                    or isinstance(node, tree.Assign)
                    and part in node.targets
                ):
                    continue
                if not isinstance(node, tree.Attribute):
                    if not _only_asks(node):
                        return None
                elif node.attr in closers or node.attr in _CLOSING or node.attr.startswith("__"):
                    closings.append(node)
        if not closings:
            return "never closed"
        return None if self._is_closed_whatever(closings, made, function) else "closed only if nothing fails"

    def _is_closed_whatever(self, closings: list[tree.Node], made: tree.Call, function: Function) -> bool:
        """Whether a failure between opening and closing cannot leave it open."""
        first = min(closing.start for closing in closings)
        if not any(made.end < node.start < first and node.end < first for node in function.awaits):
            return True
        for closing in closings:
            for around in walk.around(function, closing):
                if isinstance(around, tree.Handler):
                    return True
                if isinstance(around, tree.Try) and any(part.start <= closing.start < part.end for part in around.final):
                    return True
            if isinstance(last := next(iter(walk.around(function, closing)), None), tree.Call) and last.func is not closing:
                return True
        return any(isinstance(a, tree.Try) and a.handlers for c in closings for a in walk.around(function, c))

    # --- held by an attribute -------------------------------------------------------------------------

    def _is_kept_open(self, target: tree.Attribute, closers: tuple[str, ...], function: Function) -> bool:
        """Whether an attribute of `self` holds it that no code of the project closes or gives out."""
        if function.owner is None or last_name(target.value) != function.self_name:
            return False
        return target.attr not in self._closed_attributes and self._is_seen_whole(function.owner)

    def _is_seen_whole(self, cls: Class) -> bool:
        """Whether a class closes nothing at all: what has a way to be closed may close its parts in ways that are not followed."""
        members = self._project.inference.members
        family = [cls, *members.subclasses(cls)]
        names = (*_CLOSING, "__aexit__", "__exit__", "__del__", "teardown", "finalize", "on_shutdown", "aclose_all", "close_all")
        return not any(members.method(member, name) for member in family for name in names)

    @cached_property
    def _closed_attributes(self) -> frozenset[str]:
        """Attributes that are closed somewhere, entered, given out, or handed on."""
        found: set[str] = set()
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        for scope in bodies:
            for node in walk.nodes(walk.body(scope)):
                for part in walk.children(node):
                    if not isinstance(part, tree.Attribute) or (isinstance(node, tree.Assign) and part in node.targets):
                        continue
                    is_used = isinstance(node, tree.Attribute) and node.attr not in _CLOSING | {"__aexit__"}
                    if not is_used and not _only_asks(node):
                        found.add(part.attr)
        return frozenset(found)


def _only_asks(node: tree.Node) -> bool:
    """Whether a node only looks at what it holds: a test or a comparison."""
    if isinstance(node, tree.If | tree.While):
        return True
    return isinstance(node, tree.Operation) and node.op in ("is", "is not", "not", "==", "!=", "fstring")


def _mentions(function: Function, name: str) -> bool:
    return any(isinstance(node, tree.Name) and node.id == name for node in walk.nodes(walk.body(function))) or any(
        _mentions(inner, name) for inner in function.inner.values()
    )
