"""What the start of a service opens or starts, keeps for all requests, and never ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.ownership import CLOSING
from asyncvet.graph.scopes import Body, Class, Function, last_name, shown
from asyncvet.graph.shared_state import APP_STATE, place_of
from asyncvet.graph.values import Instance

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_ENDS = {
    "start": ("stop", "shutdown", "close", "aclose"),
    "startup": ("shutdown", "stop", "close", "aclose"),
    "connect": ("disconnect", "close", "aclose", "shutdown"),
    "open": ("close", "aclose", "shutdown"),
}
"""What undoes a method that starts something, by its name."""


@dataclass(frozen=True, slots=True)
class KeptOpen:
    """A resource of the library's class `kind` that start-up opens and keeps under `holder`, and that nothing closes by `closer`."""

    function: Function
    node: tree.Call
    kind: str
    holder: str
    closer: str


@dataclass(frozen=True, slots=True)
class NeverStopped:
    """A call in start-up that starts an object of the project, whose method `end` nothing calls."""

    function: Function
    node: tree.Call
    end: str


def kept_open(project: Project) -> Iterator[KeptOpen]:
    """The resources that start-up puts into the application's state, or a global, for good."""
    ownership = project.ownership
    for function in _starts(project):
        for site in project.sites(function):
            if not isinstance(site.node, tree.Call) or not site.names:
                continue
            for kind, index in ownership.resources(site.node, function):
                holders = list(_holders(project, function, site.node)) if index is None else []
                if holders and not any(_is_let_go(project, holder, function, kind.closed_by) for holder in holders):
                    yield KeptOpen(function, site.node, kind.names[0], shown(holders[-1]), kind.closed_by[0])


def never_stopped(project: Project) -> Iterator[NeverStopped]:
    """The objects that start-up starts and that could be stopped, but are not."""
    for function in _starts(project):
        for site in project.sites(function):
            func = site.node.func if isinstance(site.node, tree.Call) else None
            if not isinstance(func, tree.Attribute) or func.attr not in _ENDS or not isinstance(site.node, tree.Call):
                continue
            classes = [value.cls for value in project.values(func.value, function) if isinstance(value, Instance)]
            ends = [end for end in _ENDS[func.attr] if classes and all(_has(project, cls, end) for cls in classes)]
            if ends and not _is_ended(project, func.value, classes, {*ends, *CLOSING}):
                yield NeverStopped(function, site.node, ends[0])


def _starts(project: Project) -> Iterator[Function]:
    for function, entries in project.contexts.entry_points.items():
        if any(entry.role in ("lifespan", "startup") for entry in entries):
            yield function


def _bodies(project: Project) -> Iterator[Body]:
    yield from project.modules.values()
    yield from project.functions


# --- resources ------------------------------------------------------------------------------------


def _holders(project: Project, function: Function, made: tree.Call) -> Iterator[tree.Expression]:
    """The names that keep what a call makes; none if no name of the application or the module is among them."""
    around = walk.around(function, made)
    while around and isinstance(around[0], tree.Await):
        around = around[1:]
    statement = around[0] if around else None
    if not isinstance(statement, tree.Assign) or len(statement.targets) != 1:
        return
    first = statement.targets[0]
    found = [first]
    if isinstance(first, tree.Name):
        for node in walk.found(function, tree.Assign):
            if isinstance(node.value, tree.Name) and node.value.id == first.id:
                found += node.targets
    if any(_is_for_all(project, function, target) for target in found):
        yield from found


def _is_for_all(project: Project, function: Function, target: tree.Expression) -> bool:
    if isinstance(target, tree.Name):
        return target.id in function.globals
    place = place_of(project, target, function)
    return place is not None and place.home == APP_STATE


def _is_let_go(project: Project, holder: tree.Expression, function: Function, closers: tuple[str, ...]) -> bool:
    """Whether something closes or enters what a name keeps, or gives it to a call that may."""
    word = last_name(holder)
    is_local = isinstance(holder, tree.Name) and holder.id not in function.globals
    for scope in [function] if is_local else _bodies(project):
        names = {word, *_aliases(scope, word)}
        for node in walk.inside(scope):
            for part in walk.children(node):
                if (last_name(part) in names and _lets_go(node, part, closers)) or _is_text(node, part, word):
                    return True
    return any(_mentions(inner, word) for inner in function.inner.values())


def _aliases(scope: Body, word: str) -> Iterator[str]:
    """The local names that a body gives to what an attribute or a global keeps."""
    for node in walk.found(scope, tree.Assign):
        if node.value is not None and last_name(node.value) == word:
            yield from (target.id for target in node.targets if isinstance(target, tree.Name))


def _lets_go(node: tree.Node, part: tree.Node, closers: tuple[str, ...]) -> bool:
    if isinstance(node, tree.Attribute):
        return node.attr in closers or node.attr in CLOSING
    return isinstance(node, tree.WithItem | tree.Keyword) or (isinstance(node, tree.Call) and part in node.args)


def _is_text(node: tree.Node, part: tree.Node, word: str) -> bool:
    """`getattr(app.state, "client")` names an attribute by a text."""
    is_getattr = isinstance(node, tree.Call) and last_name(node.func) == "getattr"
    return is_getattr and isinstance(part, tree.Const) and part.value == word


def _mentions(function: Function, word: str) -> bool:
    return any(last_name(node) == word for node in walk.inside(function))


# --- objects of the project -----------------------------------------------------------------------


def _has(project: Project, cls: Class, name: str) -> bool:
    return project.inference.members.method(cls, name) is not None


def _is_ended(project: Project, receiver: tree.Expression, classes: list[Class], ends: set[str]) -> bool:
    """Whether something ends an object of these classes, or one of the same name, or of a name that tells nothing of what it is."""
    for scope in _bodies(project):
        for node in walk.found(scope, tree.WithItem, tree.Attribute):
            if isinstance(node, tree.WithItem) and last_name(node.value) == last_name(receiver):
                return True
            if not isinstance(node, tree.Attribute) or node.attr not in ends:
                continue
            values = project.values(node.value, scope)
            if not values or last_name(node.value) == last_name(receiver):
                return True
            if any(isinstance(value, Instance) and value.cls in classes for value in values):
                return True
    return False
