"""Locks: which one an expression is, and over which stretch of a function it is held.

A lock is an object of the catalogue whose `acquire` waits for a lock: an asynchronous one if that is awaited, a thread lock if it
blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.scopes import Function, Scope, last_name, shown
from asyncvet.graph.values import GeneratorOf, Instance, Object, Symbol, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

Kind = Literal["async", "thread"]
_LOCK_WORDS = re.compile(
    r"(^|_)(\w*lock(s|ed|er)?|mutex(es)?|sem(aphore)?s?|exclusive(ly)?|serialized?|guard(ed)?|singleflight)(_|$)"
)
_NO_LOCK = re.compile(r"(^|_)(un|b|c)lock")


@dataclass(frozen=True, slots=True)
class Lock:
    """What an expression stands for; `path` is the library's class."""

    path: str
    kind: Kind

    @property
    def is_exclusive(self) -> bool:
        """It lets one in at a time: no semaphore, no limiter."""
        return not any(word in self.path for word in ("Semaphore", "Limiter"))

    @property
    def is_reentrant(self) -> bool:
        """Its holder may take it again: for a thread lock, everything that runs in the same thread. A condition has such a lock."""
        return self.path.endswith((".RLock", ".Condition"))


@dataclass(frozen=True, slots=True)
class Held:
    """A stretch of a function, in offsets, over which a lock is held.

    Attributes:
        node: Where it is taken: the item of the `with`, or the call of `acquire`.
        expr: The lock.
        lock: What it is; None where only its name says that it is a lock.
        is_async: It is taken by `async with` or an awaited call.
        body: The nodes that run meanwhile, if that is the body of a `with`.
        is_given_back: The function itself releases it.
    """

    node: tree.Node
    expr: tree.Node
    lock: Lock | None
    is_async: bool
    start: int
    end: int
    body: tuple[tree.Node, ...] = ()
    is_given_back: bool = True

    def covers(self, offset: int) -> bool:
        """Whether it is held at an offset."""
        return self.start <= offset < self.end


def lock_of(project: Project, expr: tree.Node, scope: Scope) -> Lock | None:
    """The lock that an expression stands for, None if it is none or may be of both kinds."""
    found = {lock for value in project.values(expr, scope) if (lock := _lock(project, value)) is not None}
    kinds = {lock.kind for lock in found}
    return min(found, key=lambda lock: lock.path) if len(kinds) == 1 else None


def made_lock(project: Project, expr: tree.Node | None, scope: Scope) -> Lock | None:
    """The lock that an expression makes anew."""
    return lock_of(project, expr, scope) if isinstance(expr, tree.Call) and _makes(project, expr, scope) else None


def is_bounded(project: Project, expr: tree.Node, scope: Scope) -> bool:
    """Whether the lock that an expression stands for was made with a time after which taking it gives up: `FileLock(path, timeout=5)`."""
    made = [value.made_by for value in project.values(expr, scope) if isinstance(value, Object)]
    bounds = [argument_at(call, ["timeout"]) for call in made if isinstance(call, tree.Call)]
    return (
        bool(bounds)
        and len(bounds) == len(made)
        and all(isinstance(bound, tree.Const) and bound.kind in ("int", "float") for bound in bounds)
    )


def makes_locks(project: Project, expr: tree.Node, scope: Scope) -> bool:
    """Whether calling what an expression stands for makes a lock: the argument of `defaultdict`."""
    return any(
        (isinstance(value, Symbol) and _lock(project, Object(value.path)) is not None)
        or (isinstance(value, Function) and value.is_lambda and any(made_lock(project, made, value) for made, _ in value.returns))
        for value in project.values(expr, scope)
    )


def held(project: Project, function: Function) -> Iterator[Held]:
    """The stretches of a function over which it holds a lock, in the order in which they are written."""
    for site in function.sites:
        if isinstance(site.node, tree.With):
            yield from _entered(project, function, site.node)
        elif isinstance(site.node, tree.Call):
            taken = _acquired(project, function, site.node, site.awaited)
            if taken is not None:
                yield taken


def acquisitions(project: Project, function: Function) -> Iterator[tuple[tree.Call, tree.Expression, Lock]]:
    """Calls of `acquire` on locks, with the lock."""
    for site in function.sites:
        node = site.node
        if isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr == "acquire":
            lock = lock_of(project, node.func.value, function)
            if lock is not None:
                yield node, node.func.value, lock


def is_named_like_lock(expr: tree.Node) -> bool:
    """Whether the name of an expression, or of what it calls, says that it is a lock."""
    if isinstance(expr, tree.Call):
        return is_named_like_lock(expr.func)
    if isinstance(expr, tree.Subscript):
        return is_named_like_lock(expr.value)
    name = last_name(expr)
    if name in ("get", "setdefault") and isinstance(expr, tree.Attribute):
        return is_named_like_lock(expr.value)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return bool(_LOCK_WORDS.search(words)) and not _NO_LOCK.search(words)


# --- inside ---------------------------------------------------------------------------------------


def _lock(project: Project, value: Value) -> Lock | None:
    if not isinstance(value, Object):
        return None
    catalogue = project.catalogue
    for api in catalogue.api(catalogue.member(value.path, "acquire")):
        if api.category == "lock":
            return Lock(value.path, "async" if api.is_async else "thread")
    return None


def _makes(project: Project, expr: tree.Call, scope: Scope) -> bool:
    return any(isinstance(value, Object) and value.made_by is expr for value in project.values(expr, scope))


def _entered(project: Project, function: Function, node: tree.With) -> Iterator[Held]:
    for item in node.items:
        lock = lock_of(project, item.value, function) or _taken_by(project, item.value, function, node.is_async)
        if lock is not None or is_named_like_lock(item.value):
            yield Held(item.value, item.value, lock, node.is_async, item.value.start, node.end, tuple(node.body))


def _taken_by(project: Project, expr: tree.Node, function: Function, is_async: bool) -> Lock | None:
    """The lock that a context manager of the project holds while its `with` runs."""
    for value in project.values(expr, function):
        if isinstance(value, GeneratorOf) and value.function is not function and value.function.is_context_manager:
            for inner in project.held(value.function):
                if inner.lock is not None and any(inner.covers(given.start) for given in value.function.yields):
                    return inner.lock
        elif isinstance(value, Instance):
            enter = project.inference.members.method(value.cls, "__aenter__" if is_async else "__enter__")
            if enter is not None and enter is not function:
                for _, _, lock in acquisitions(project, enter):
                    return lock
    return None


def _acquired(project: Project, function: Function, node: tree.Call, awaited: bool) -> Held | None:
    if not (isinstance(node.func, tree.Attribute) and node.func.attr == "acquire"):
        return None
    expr = node.func.value
    lock = lock_of(project, expr, function)
    if lock is None and not is_named_like_lock(expr):
        return None
    releases = [site.node.start for site in function.sites if _is_release(site.node, expr) and site.node.start > node.end]
    end = max(releases, default=function.node.end)
    return Held(node, expr, lock, awaited, node.start, end, is_given_back=bool(releases))


def _is_release(node: tree.Node, lock: tree.Node) -> bool:
    return (
        isinstance(node, tree.Call)
        and isinstance(node.func, tree.Attribute)
        and node.func.attr == "release"
        and shown(node.func.value) == shown(lock)
    )


def waits(held: Held, function: Function) -> list[tree.Node]:
    """The awaits over which a lock is held, and in an asynchronous generator the yields."""
    nodes = list(walk.awaits(held.body or walk.body(function)))
    nodes += function.yields if function.is_async else []
    return sorted((node for node in nodes if held.covers(node.start) and node is not held.node), key=lambda node: node.start)


# --- whose lock it is -----------------------------------------------------------------------------


def own_lock(project: Project, expr: tree.Node, function: Function) -> Lock | None:
    """The lock that `function` takes at `expr`, if each call of it takes a new one that no other code gets."""
    if isinstance(expr, tree.Call):
        return _new_lock(project, expr, function) or _given_anew(project, expr, function)
    if not isinstance(expr, tree.Name) or expr.id not in function.bindings:
        return None
    bindings = function.bindings[expr.id]
    if any(binding.kind == "param" for binding in bindings):
        return _injected(project, expr.id, function) if len(bindings) == 1 else None
    locks = [own_lock(project, binding.value, function) for binding in bindings if isinstance(binding.value, tree.Call)]
    if len(locks) != len(bindings) or None in locks or any(binding.kind != "assign" for binding in bindings):
        return None
    return locks[0] if not _is_handed_on(function, expr.id) else None


def _new_lock(project: Project, expr: tree.Node, function: Function) -> Lock | None:
    """The lock that an expression makes, unless it stands for something beyond the process, as one made with a name does."""
    lock = made_lock(project, expr, function)
    return lock if lock is not None and lock.path.partition(".")[0] in ("asyncio", "threading", "anyio") else None


def _given_anew(project: Project, call: tree.Call, function: Function) -> Lock | None:
    """The lock of `table.get(key, Lock())`, or of a call of a function that makes one each time."""
    if isinstance(call.func, tree.Attribute) and call.func.attr == "get" and len(call.args) == 2:
        return _new_lock(project, call.args[1], function)
    for site in project.sites(function):
        if site.node is call and len(site.targets) == 1:
            return _made_by(project, site.targets[0].function)
    return None


def _made_by(project: Project, maker: Function) -> Lock | None:
    """The lock that every call of a function makes and does nothing with but return it."""
    if maker.decorators or maker.is_generator or not maker.returns:
        return None
    locks = [_new_lock(project, expr, maker) for expr, _ in maker.returns]
    return locks[0] if None not in locks else None


def _injected(project: Project, name: str, function: Function) -> Lock | None:
    """The lock that a dependency makes for each request."""
    expr = project.inference.parameters.dependency(function.params[name])
    for value in project.values(expr, function.parent or function.module) if expr is not None else ():
        if isinstance(value, Function):
            return _made_by(project, value)
    return None


def _is_handed_on(function: Function, name: str) -> bool:
    """Whether a local is used for anything but taking and releasing it in the function itself."""
    own: set[int] = set()
    if not walk.mentions(function, name):
        return any(_names(inner, name) for inner in function.inner.values())
    for node in walk.found(function, tree.With, tree.Attribute, tree.Assign, tree.Name):
        if isinstance(node, tree.With):
            own.update(id(item.value) for item in node.items)
        elif isinstance(node, tree.Attribute):
            own.add(id(node.value))
        elif isinstance(node, tree.Assign):
            own.update(id(target) for target in node.targets)
        if isinstance(node, tree.Name) and node.id == name and id(node) not in own:
            return True
    return any(_names(inner, name) for inner in function.inner.values())


def _names(function: Function, name: str) -> bool:
    return walk.mentions(function, name) or any(_names(inner, name) for inner in function.inner.values())
