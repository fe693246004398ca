"""Ownership: the asynchronous resources that functions open, and who closes each: a `with`, the function, somebody else, or nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asyncvet.catalogue import Type
from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Class, Function, dotted, last_name
from asyncvet.graph.values import Bound, Instance, Object, Tuple, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

Fate = Literal["never closed", "closed only if nothing fails", "kept and never closed"]
CLOSING = frozenset(
    {"close", "aclose", "dispose", "stop", "quit", "shutdown", "disconnect", "terminate", "drain", "cleanup", "abort"}
)
"""Methods by which objects are closed, whatever they are."""


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
            for site in self._project.sites(function):
                node = site.node
                if isinstance(node, tree.Call) and site.names:
                    for kind, index in self.resources(node, function):
                        yield from self._opened(node, kind, index, function)

    def resources(self, node: tree.Call, function: Function) -> Iterator[tuple[Type, int | None]]:
        """The classes of the asynchronous resources that a call makes, with their place where it gives a tuple."""
        if any(self._is_closed_by_owner(value) for value in self._project.inference.callee(node, function)):
            return
        values = self._project.inference.awaited(self._project.values(node, function))
        if len(values) != 1:
            return
        made = values[0]
        items = enumerate(made.items) if isinstance(made, Tuple) else [(None, values)]
        for index, parts in items:
            for value in parts:
                kind = self._project.catalogue.type(value.path) if isinstance(value, Object) and value.made_by is node else None
                if kind is not None and kind.closed_by and (kind.aenter or not kind.enter):
                    yield kind, index

    def _is_closed_by_owner(self, callee: Value) -> bool:
        """Whether what a method gives belongs to its object: closing a session closes its connection."""
        receiver = callee.receiver if isinstance(callee, Bound) else None
        kind = self._project.catalogue.type(receiver.path) if isinstance(receiver, Object) else None
        return kind is not None and bool(kind.closed_by)

    def _opened(self, node: tree.Call, kind: Type, index: int | None, function: Function) -> Iterator[Opened]:
        around = walk.around(function, node)
        made: tree.Expression = node
        if around and isinstance(around[0], tree.Await):
            made, around = around[0], around[1:]
        holder = around[0] if around else None
        fate: Fate | None = None
        name = ""
        if isinstance(holder, tree.ExprStmt):
            fate = "never closed"
        elif isinstance(holder, tree.Attribute):
            # What an awaited method gives is a result; what a plain one gives may be the object itself.
            is_used_up = isinstance(made, tree.Await) or any(isinstance(node, tree.Await) for node in around[:3])
            fate = "never closed" if is_used_up and holder.attr not in (*kind.closed_by, "__aenter__") else None
        elif isinstance(holder, tree.Assign) and holder.value is made and len(holder.targets) == 1:
            fate, name = self._fate_in(_part(holder.targets[0], index), node, kind.closed_by, function)
        if fate is not None:
            yield Opened(function, made, fate, kind.closed_by[0], name, bool(kind.aenter))

    def _fate_in(
        self, target: tree.Expression | None, made: tree.Call, closers: tuple[str, ...], function: Function
    ) -> tuple[Fate | None, str]:
        """What becomes of a resource that is assigned to a target, and the target's name."""
        if isinstance(target, tree.Name) and target.id not in function.globals | function.nonlocals:
            return self._fate_of_name(target.id, made, closers, function), target.id
        if isinstance(target, tree.Attribute) and self._is_kept_open(target, function):
            return "kept and never closed", dotted(target)
        return None, ""

    # --- held by a name -------------------------------------------------------------------------------

    def _fate_of_name(self, name: str, made: tree.Call, closers: tuple[str, ...], function: Function) -> Fate | None:
        """What becomes of a resource in a local name; None if it is closed, or handed on to whoever closes it."""
        if len(function.bindings.get(name, ())) > 1 or any(_mentions(inner, name) for inner in function.inner.values()):
            return None
        closings: list[tree.Node] = []
        for node in walk.inside(function):
            for part in walk.children(node):
                # What stands before the call is the target that it is assigned to.
                if part.start < made.start or not (isinstance(part, tree.Name) and part.id == name):
                    continue
                if not isinstance(node, tree.Attribute):
                    if not _only_asks(node):
                        return None
                elif node.attr in closers or node.attr in CLOSING or node.attr.startswith("__"):
                    closings.append(node)
        if not closings:
            return "never closed"
        if self._is_closed_whatever(closings, made, function) or self._ends_with_it(function):
            return None
        return "closed only if nothing fails"

    def _ends_with_it(self, function: Function) -> bool:
        """Whether the program ends soon after a function: a failure in a command or a script's main coroutine leaves nothing open."""
        entries = self._project.contexts.entries(function)
        return bool(entries) and all(entry.role in ("command", "main") for entry in entries)

    def _is_closed_whatever(self, closings: list[tree.Node], made: tree.Call, function: Function) -> bool:
        """Whether a failure between opening and closing cannot leave it open."""
        first = min(closing.start for closing in closings)
        if not any(made.end < node.start and node.end < first for node in function.awaits):
            return True
        return any(self._is_safe(closing, function) for closing in closings)

    def _is_safe(self, closing: tree.Node, function: Function) -> bool:
        """Whether closing happens after an error too, or is left to a callback: in `finally`, in a handler, past one."""
        around = walk.around(function, closing)
        if around and isinstance(around[0], tree.Call) and around[0].func is not closing:
            return True
        for node in around:
            if isinstance(node, tree.Handler) or (isinstance(node, tree.Try) and node.handlers):
                return True
            if isinstance(node, tree.Try) and any(part.start <= closing.start < part.end for part in node.final):
                return True
        return False

    # --- held by an attribute -------------------------------------------------------------------------

    def _is_kept_open(self, target: tree.Attribute, function: Function) -> bool:
        """Whether an attribute of `self` holds it that no code of the project closes or gives out."""
        if function.owner is None or last_name(target.value) != function.self_name:
            return False
        return self._is_seen_whole(function.owner) and not self._is_released(target.attr, function.owner)

    def _is_seen_whole(self, cls: Class) -> bool:
        """Whether a class closes nothing at all: what has a way to be closed may close its parts in ways that are not followed."""
        members = self._project.inference.members
        family = [cls, *members.subclasses(cls)]
        names = (*CLOSING, "__aexit__", "__exit__", "__del__", "teardown", "finalize", "on_shutdown", "aclose_all", "close_all")
        return not any(members.method(member, name) for member in family for name in names)

    def _is_released(self, attr: str, cls: Class) -> bool:
        """Whether an attribute of a class's objects, or of objects that are not known, is closed, entered or given out somewhere."""
        members = self._project.inference.members
        family = {*members.mro(cls), *members.subclasses(cls)}
        for scope, mention in self._releases(attr):
            owners = self._project.values(mention.value, scope)
            if not owners or any(not isinstance(owner, Instance) or owner.cls in family for owner in owners):
                return True
        return False

    def _releases(self, attr: str) -> Iterator[tuple[Body, tree.Attribute]]:
        """Where an attribute is closed, entered, given out or handed on."""
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        for scope in bodies:
            if all(mention.attr != attr for mention in walk.found(scope, tree.Attribute)):
                continue
            for node in walk.inside(scope):
                for part in walk.children(node):
                    if not (isinstance(part, tree.Attribute) and part.attr == attr):
                        continue
                    is_target = isinstance(node, tree.Assign) and part in node.targets
                    is_used = isinstance(node, tree.Attribute) and node.attr not in CLOSING | {"__aexit__"}
                    if not is_target and not is_used and not _only_asks(node):
                        yield scope, part


def _part(target: tree.Expression, index: int | None) -> tree.Expression | None:
    """The target of one item of a tuple, or the target itself."""
    if index is None:
        return target
    item = target.items[index] if isinstance(target, tree.Sequence) and index < len(target.items) else None
    # The streams of a connection belong together: who keeps one may reach the other.
    return None if isinstance(item, tree.Name) and item.id == "_" else item


def _only_asks(node: tree.Node) -> bool:
    """Whether a node only looks at what it holds: a test or a comparison."""
    if isinstance(node, tree.If | tree.While):
        return True
    return isinstance(node, tree.Operation) and node.op in ("is", "is not", "not", "==", "!=", "fstring")


def _mentions(function: Function, name: str) -> bool:
    return walk.mentions(function, name) or any(_mentions(inner, name) for inner in function.inner.values())
