"""Work on one of many, named by an argument, that waits for a lock that is the same for all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.lifetimes import Lifetimes
from asyncvet.graph.locks import Held
from asyncvet.graph.scopes import Class, Function, Module, last_name
from asyncvet.graph.shared_state import APP_STATE, SELF, method_around, place_of
from asyncvet.graph.suspension import suspensions

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_SEVERAL = re.compile(r"([^s]s|list|set)$")
"""Names of parameters that hold more than one key."""
_LOOKUPS = frozenset({"get", "pop", "setdefault"})
_KEY = re.compile(
    r"(^|_)(?<!request_)(?<!job_)(?<!task_)(?<!run_)(?<!trace_)(?<!message_)(id|key|uuid|slug|url|user|tenant|account|customer|repo|domain)$"
)
"""Names of what identifies one of many things that are asked for again; a job's number is asked for once."""
_FOR_ALL = re.compile(r"(pool|client|http|db|database|redis|repo|repository|service|api)$")
"""Names of objects that serve many callers at once."""
_STEPS = 3


@dataclass(frozen=True, slots=True)
class Contention:
    """A lock of the process that is held over `wait`, where `call` works on what `param` names."""

    function: Function
    taken: Held
    param: str
    wait: tree.Node
    call: tree.Call


def contentions(project: Project) -> Iterator[Contention]:
    """Locks of the process that are held over awaited work which has a key, one finding a section."""
    lifetimes = project.lifetimes
    for function in project.functions:
        params = {name for name in function.params if name != function.self_name and not _SEVERAL.search(name)}
        if not function.is_async or not params:
            continue
        for taken in project.held(function):
            is_lock = taken.lock is not None and taken.lock.is_exclusive
            if taken.is_async and is_lock and _is_global(project, function, taken, lifetimes):
                contention = _keyed(project, function, taken, params)
                if contention is not None:
                    yield contention


def _is_global(project: Project, function: Function, taken: Held, lifetimes: Lifetimes) -> bool:
    """Whether the process has one such lock: a name of a module or class, or an attribute of an object that is there once."""
    place = place_of(project, taken.expr, function)
    if place is None or place.is_item:
        return False
    if place.home != SELF:
        return isinstance(place.home, Module | Class) or place.home == APP_STATE
    method = method_around(function)
    return method is not None and method.owner is not None and lifetimes.is_single(method.owner)


def _keyed(project: Project, function: Function, taken: Held, params: set[str]) -> Contention | None:
    keys = set(_origins(function, _keys(walk.body(function)), params))
    makes_one = not keys and _sets_one(taken.body or ())
    for wait in suspensions(project, function, taken.body or walk.body(function)):
        for call in _calls(wait) if taken.covers(wait.start) and wait.start > taken.node.end else ():
            given = list(_origins(function, _given(call), params))
            fitting = [name for name in _origins(function, _directly_given(call), params) if name in keys]
            if _is_of_one(project, function, call):
                fitting = [] if _is_of_object(project, function, taken) else fitting
            else:
                fitting = fitting or [name for name in given if _KEY.search(name) and not makes_one]
            if not fitting and given and not makes_one and _is_alone(project, function, taken):
                fitting = given
            if fitting:
                return Contention(function, taken, fitting[0], wait, call)
    return None


def _sets_one(body: Iterable[tree.Node]) -> bool:
    """Whether a section keeps what it makes in one place for all: `Cache.presets = presets`."""
    assigned = (target for node in walk.nodes(body) if isinstance(node, tree.Assign) for target in node.targets)
    return any(isinstance(target, tree.Attribute) for target in assigned)


def _calls(wait: tree.Node) -> Iterator[tree.Call]:
    """The calls whose work is waited for."""
    if isinstance(wait, tree.Await) and isinstance(wait.value, tree.Call):
        yield wait.value
    elif isinstance(wait, tree.With):
        yield from (item.value for item in wait.items if isinstance(item.value, tree.Call))


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
    """Names in what a call is given."""
    return (node.id for node in walk.nodes((*call.args, *call.keywords)) if isinstance(node, tree.Name))


def _directly_given(call: tree.Call) -> Iterator[str]:
    """Names that a call, or one within its arguments, is given as they are, and the object whose method it is."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, tree.Name):
            yield argument.id
        elif isinstance(argument, tree.Call):
            yield from _directly_given(argument)
    if isinstance(call.func, tree.Attribute) and isinstance(call.func.value, tree.Name):
        yield call.func.value.id


def _origins(function: Function, names: Iterable[str], params: set[str], steps: int = _STEPS) -> Iterator[str]:
    """The parameters that names stand for or were made from, with no await."""
    for name in names:
        if name in params:
            yield name
        bindings = function.bindings.get(name, ())
        value = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
        if steps and value is not None and not any(walk.awaits(value)):
            inner = (node.id for node in walk.nodes(value) if isinstance(node, tree.Name) and node.id != name)
            yield from _origins(function, inner, params, steps - 1)


def _is_of_one(project: Project, function: Function, call: tree.Call) -> bool:
    """Whether a call is a method of a shared object, which the lock may be there to protect: a connection, a device."""
    receiver = call.func.value if isinstance(call.func, tree.Attribute) else None
    if receiver is None or _FOR_ALL.search(last_name(receiver).lower()):
        return False
    return place_of(project, receiver, function) is not None


def _is_of_object(project: Project, function: Function, taken: Held) -> bool:
    place = place_of(project, taken.expr, function)
    return place is not None and place.home == SELF


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
