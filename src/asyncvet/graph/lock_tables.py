"""Tables of locks: where they get new entries, by which key, and whether anything takes entries away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import passed
from asyncvet.graph.locks import made_lock, makes_locks
from asyncvet.graph.scopes import Body, Function, Module, last_name
from asyncvet.graph.shared_state import SELF, Place, method_around, place_of
from asyncvet.graph.values import Symbol

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_REMOVING = frozenset({"pop", "popitem", "clear"})
_FEW = re.compile(
    r"(^|_)(path|file|filename|dir|folder|dst|provider|plugin|backend|driver|server|app|channel|kind|type|loop|thread|pid|cls|resolve)s?"
    r"(_id|_name|_key)?$"
)
"""Names of keys of which a program has few: what it is configured with, what its own files are called."""
_PLAIN = frozenset({"builtins.dict", "collections.defaultdict", "collections.OrderedDict"})


@dataclass(frozen=True, slots=True)
class Growth:
    """A place at which a table of locks gets an entry for a key that the function is given."""

    function: Function
    node: tree.Node
    table: Place
    key: tree.Node


def growing(project: Project) -> Iterator[Growth]:
    """Tables of locks that outlive a call, get an entry for each key, and never lose one: where they first grow."""
    lifetimes = project.lifetimes
    seen: set[tuple[object, str]] = set()
    for function in project.functions:
        for node, table, key in _insertions(project, function):
            place = place_of(project, table, function)
            if (
                place is None
                or place.is_item
                or not lifetimes.outlives_call(place, function)
                or not _is_given(project, function, key)
            ):
                continue
            owner = method_around(function)
            home = owner.owner if place.home == SELF and owner is not None else place.home
            if (home, place.name) not in seen and not _is_bounded(project, function, place):
                seen.add((home, place.name))
                yield Growth(function, node, place, key)


def _insertions(project: Project, function: Function) -> Iterator[tuple[tree.Node, tree.Node, tree.Node]]:
    """Where a function puts a new lock into a table: the node, the table, the key."""
    for scope, target, value in function.module.item_assignments:
        if scope is function and _is_new_lock(project, value, function):
            yield target, target.value, target.index
    for site in function.sites:
        node = site.node
        if isinstance(node, tree.Subscript) and _makes_missing_locks(project, node.value, function):
            yield node, node.value, node.index
        elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr == "setdefault":
            if len(node.args) == 2 and _is_new_lock(project, node.args[1], function):
                yield node, node.func.value, node.args[0]


def _is_new_lock(project: Project, expr: tree.Node | None, function: Function) -> bool:
    if isinstance(expr, tree.Name) and expr.id in function.bindings:
        bindings = project.inference.names.bindings_at(expr.id, function, expr.start)
        return any(made_lock(project, binding.value, function) is not None for binding in bindings)
    return made_lock(project, expr, function) is not None


def _makes_missing_locks(project: Project, table: tree.Node, function: Function) -> bool:
    """Whether a table is a `defaultdict` of locks."""
    place = place_of(project, table, function)
    for value, scope in _first_values(project, function, place) if place is not None else ():
        if isinstance(value, tree.Call) and last_name(value.func) == "defaultdict" and value.args:
            return makes_locks(project, value.args[0], scope)
    return False


def _first_values(project: Project, function: Function, place: Place) -> Iterator[tuple[tree.Node | None, Body]]:
    """What a table is made as, with the scopes in which that stands."""
    if place.home == SELF:
        method = method_around(function)
        for cls in project.inference.members.mro(method.owner) if method is not None and method.owner is not None else ():
            if not isinstance(cls, Symbol):
                yield from ((binding.value, method) for method, binding in cls.attribute_bindings.get(place.name, ()))
                yield from ((binding.value, cls.module) for binding in cls.bindings.get(place.name, ()))
    elif not isinstance(place.home, str):
        module = place.home if isinstance(place.home, Module) else place.home.module
        yield from ((binding.value, module) for binding in place.home.bindings.get(place.name, ()))


def _is_given(project: Project, function: Function, key: tree.Node) -> bool:
    """Whether a key is made of what the function is given, and is not of a kind of which there are few."""
    sources = _sources(function, key)
    params = sources & (function.params.keys() - {function.self_name})
    return bool(params) and not _are_few(sources) and not any(map(_are_few, _given_by_callers(project, function, params)))


def _are_few(names: set[str]) -> bool:
    return any(_FEW.search(name) for name in names)


def _given_by_callers(project: Project, function: Function, params: set[str]) -> Iterator[set[str]]:
    """The names in what callers give for parameters of a function."""
    for caller, site in project.contexts.callers.get(function, ()):
        for name in params if isinstance(caller, Function) and isinstance(site.node, tree.Call) else ():
            assert isinstance(site.node, tree.Call)
            assert isinstance(caller, Function)
            given = passed(function, function.params[name], site.node, isinstance(site.node.func, tree.Attribute))
            if given is not None:
                yield _sources(caller, given)


def _sources(function: Function, key: tree.Node) -> set[str]:
    """The names in a key, and in what the locals among them were assigned."""
    names = set(_names(key))
    for name in list(names):
        for binding in function.bindings.get(name, ()) if name not in function.params else ():
            if binding.kind == "assign" and binding.value is not None:
                names.update(_names(binding.value))
    return names


def _names(expr: tree.Node) -> Iterator[str]:
    return (name for node in walk.nodes(expr) if (name := last_name(node)))


def _is_bounded(project: Project, function: Function, place: Place) -> bool:
    """Whether a table is of a kind that forgets, or some code takes entries out of it, replaces it, or gets it handed."""
    values = list(_first_values(project, function, place))
    if not values or not all(_is_plain(project, value, scope) for value, scope in values) or len(values) > 2:
        return True
    modules = [function.module] if isinstance(place.home, str) else list(project.modules.values())
    return any(_shrinks(node, place.name) for body in _bodies(modules) for node in walk.found(body, tree.Delete, tree.Call))


def _bodies(modules: list[Module]) -> Iterator[Body]:
    for module in modules:
        yield module
        yield from module.functions


def _is_plain(project: Project, value: tree.Node | None, scope: Body) -> bool:
    if isinstance(value, tree.Dict) or value is None:
        return True
    return isinstance(value, tree.Call) and any(
        isinstance(found, Symbol) and found.path in _PLAIN for found in project.inference.callee(value, scope)
    )


def _shrinks(node: tree.Node, name: str) -> bool:
    if isinstance(node, tree.Delete):
        return any(isinstance(target, tree.Subscript) and last_name(target.value) == name for target in node.targets)
    if isinstance(node, tree.Call):
        if isinstance(node.func, tree.Attribute) and node.func.attr in _REMOVING and last_name(node.func.value) == name:
            return True
        return any(last_name(argument) == name for argument in node.args) and last_name(node.func) not in (
            "len",
            "list",
            "sorted",
        )
    return False
