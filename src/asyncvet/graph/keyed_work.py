"""Work on one of many, named by an argument, that waits for a lock that is the same for all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.locks import Held, held
from asyncvet.graph.scopes import Class, Function, Module
from asyncvet.graph.shared_state import SELF, place_of
from asyncvet.graph.suspension import suspensions

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_SEVERAL = re.compile(r"([^s]s|list|set)$")
"""Names of parameters that hold more than one key."""
_LOOKUPS = frozenset({"get", "pop", "setdefault"})


@dataclass(frozen=True, slots=True)
class Contention:
    """A lock of the process that is held over `wait`, whose call works on what `param` names."""

    function: Function
    taken: Held
    param: str
    wait: tree.Await


def contentions(project: Project) -> Iterator[Contention]:
    """Locks of the process that are held over awaited work which has a key, one finding a section."""
    for function in project.functions:
        params = {name for name in function.params if name != function.self_name and not _SEVERAL.search(name)}
        if not function.is_async or not params:
            continue
        for taken in held(project, function):
            if (
                taken.is_async
                and taken.lock is not None
                and taken.lock.is_exclusive
                and taken.body
                and _is_global(project, function, taken)
            ):
                contention = _keyed(project, function, taken, params)
                if contention is not None:
                    yield contention


def _is_global(project: Project, function: Function, taken: Held) -> bool:
    """Whether the process has one such lock: a name of a module, or of a class."""
    place = place_of(project, taken.expr, function)
    return place is not None and not place.is_item and place.home != SELF and isinstance(place.home, Module | Class)


def _keyed(project: Project, function: Function, taken: Held, params: set[str]) -> Contention | None:
    keys = {key for key in _keys(walk.body(function)) if key in params}
    for wait in suspensions(project, function, taken.body):
        call = wait.value if isinstance(wait, tree.Await) else None
        if not isinstance(call, tree.Call) or not isinstance(wait, tree.Await):
            continue
        given = [name for name in _given(call) if name in params]
        fitting = [name for name in given if name in keys]
        if not fitting and given and _is_alone(project, function, taken):
            fitting = given
        if fitting:
            return Contention(function, taken, fitting[0], wait)
    return None


def _keys(nodes: list[tree.Statement]) -> Iterator[str]:
    """Names by which tables are looked up."""
    for node in walk.nodes(nodes):
        key: tree.Node | None = None
        if isinstance(node, tree.Subscript):
            key = node.index
        elif isinstance(node, tree.Operation) and node.op in ("in", "not in"):
            key = node.operands[0]
        elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr in _LOOKUPS and node.args:
            key = node.args[0]
        if isinstance(key, tree.Name):
            yield key.id


def _given(call: tree.Call) -> Iterator[str]:
    """Names that a call, or one within its arguments, is given."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, tree.Name):
            yield argument.id
        elif isinstance(argument, tree.Call):
            yield from _given(argument)


def _is_alone(project: Project, function: Function, taken: Held) -> bool:
    """Whether a section touches no shared state and no object: it does nothing but call one function on an argument."""
    if len(taken.body) != 1:
        return False
    for node in walk.nodes(taken.body):
        if isinstance(node, tree.Attribute) or (
            isinstance(node, tree.Name) and node.id not in function.params and place_of(project, node, function) is not None
        ):
            return False
    return True
