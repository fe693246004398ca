"""Coroutines: which calls certainly make one, and which of those are thrown away before anybody awaits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.scopes import Body, Class, Function, last_name
from asyncvet.graph.sites import CallSite
from asyncvet.graph.values import Bound, Instance, Partial, Symbol, Value, Wrapped

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

Fate = Literal["dropped", "never read", "taken for a value", "dropped by its caller"]

_KEEPING = frozenset({"staticmethod", "classmethod", "abstractmethod", "override", "final", "wraps"})
"""Decorators that leave a coroutine function as it is."""
_LATER = frozenset({"schedules", "defers", "offloads"})
_PLAIN_CALLERS = (
    "asyncio.AbstractEventLoop.call_",
    "asyncio.AbstractEventLoop.add_",
    "asyncio.Future.",
    "asyncio.Task.",
    "atexit.",
    "threading.",
)
"""They call what they are given and drop what it returns."""
_OF_COROUTINES = ("close", "send", "throw", "cr_", "__")


@dataclass(frozen=True, slots=True)
class Lost:
    """A coroutine that nobody awaits.

    Attributes:
        node: The call that makes it, or the function that is handed to whoever makes it.
        fate: What becomes of it.
        name: The name that keeps it, unread.
        is_stream: It is an asynchronous generator.
    """

    scope: Body
    node: tree.Expression
    fate: Fate
    name: str = ""
    is_stream: bool = False


def lost(project: Project, scope: Body) -> Iterator[Lost]:
    """The coroutines that a body makes and that nobody awaits."""
    for site in project.sites(scope):
        node = site.node
        if isinstance(node, tree.Call):
            found = [*_handed_to_sync_callers(project, site), *_lost_itself(project, site, node)]
            if found and not _never_runs(scope, node):
                yield from found


def _lost_itself(project: Project, site: CallSite, node: tree.Call) -> Iterator[Lost]:
    if site.awaited:
        return
    is_stream = _makes_stream(project, node, site.scope)
    found = _fate(site, node) if is_stream or makes_coroutine(project, site) else None
    if found is not None and (not is_stream or found[0] == "dropped"):
        yield Lost(site.scope, node, *found, is_stream=is_stream)


def makes_coroutine(project: Project, site: CallSite) -> bool:
    """Whether a call certainly gives a coroutine: all that it can call does."""
    node = site.node
    callees = project.inference.callee(node, site.scope) if isinstance(node, tree.Call) else ()
    return bool(callees) and all(_is_coroutine_function(project, value, site) for value in callees)


def is_coroutine_function(project: Project, function: Function, skip: int = 0) -> bool:
    """Whether calling a function certainly gives a coroutine; the first `skip` decorators are left out."""
    if not function.is_async or function.is_generator:
        return False
    return all(_keeps_coroutine(project, decorator, function) for decorator in function.decorators[skip:])


def _never_runs(scope: Body, node: tree.Node) -> bool:
    """Whether a node stands under an `if` whose test can never hold: `if False and ...`."""
    return any(
        isinstance(around, tree.If) and _never_holds(around.test) and any(s.start <= node.start < s.end for s in around.body)
        for around in walk.around(scope, node)
    )


def _never_holds(test: tree.Expr) -> bool:
    if isinstance(test, tree.Operation) and test.op == "and":
        return any(map(_never_holds, test.operands))
    return isinstance(test, tree.Const) and test.kind == "bool" and not test.value


# --- what is called ------------------------------------------------------------------------------


def _is_coroutine_function(project: Project, value: Value, site: CallSite | None = None) -> bool:
    if isinstance(value, Function):
        return is_coroutine_function(project, value) or _passes_coroutine_on(project, value)
    if isinstance(value, Bound) and isinstance(value.function, Function):
        method = value.function
        is_last = not project.inference.members.overrides(method)
        return _is_coroutine_method(project, method, value.receiver) or (is_last and _passes_coroutine_on(project, method))
    if isinstance(value, Wrapped):
        return value.wrapper.is_async and not value.wrapper.is_generator
    if isinstance(value, Partial | Bound):
        return _is_coroutine_function(project, value.function, site)
    return isinstance(value, Symbol) and site is not None and _is_library_coroutine(site)


def _passes_coroutine_on(project: Project, function: Function) -> bool:
    """Whether a plain function always returns what a coroutine function of the project gives it."""
    if function.is_async or function.is_generator or function.decorators or function.is_lambda:
        return False
    if not isinstance(walk.body(function)[-1], tree.Return) or not function.returns:
        return False
    return all(_calls_coroutine_function(project, expr, function) for expr, _ in function.returns)


def _calls_coroutine_function(project: Project, expr: tree.Expression, function: Function) -> bool:
    callees = project.inference.callee(expr, function) if isinstance(expr, tree.Call) else ()
    return bool(callees) and all(
        isinstance(callee := value.function if isinstance(value, Bound) else value, Function)
        and is_coroutine_function(project, callee)
        and not project.inference.members.overrides(callee)
        for value in callees
    )


def _is_library_coroutine(site: CallSite) -> bool:
    """Whether a library's call gives a coroutine. In plain code the object may well be the library's plain client."""
    entries = site.apis
    if not entries or not (isinstance(site.scope, Function) and site.scope.is_async):
        return False
    return all(entry.api.is_async and _last(entry.name) in map(_last, entry.api.names) for entry in entries)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _is_coroutine_method(project: Project, method: Function, receiver: Value) -> bool:
    """Whether a method gives a coroutine on every object that the receiver can be."""
    if not is_coroutine_function(project, method):
        return False
    cls = receiver.cls if isinstance(receiver, Instance) else receiver if isinstance(receiver, Class) else None
    if cls is None:
        return False
    if any(method.name in getattr(base, "attribute_bindings", ()) for base in project.inference.members.mro(cls)):
        return False
    return all(below.is_async for below in project.inference.members.overrides(method))


def _keeps_coroutine(project: Project, decorator: tree.Expression, function: Function) -> bool:
    """Whether a decorator leaves a coroutine function one: it is known to, or it gives back the function or one like it."""
    func = decorator.func if isinstance(decorator, tree.Call) else decorator
    if last_name(func) in _KEEPING or project.contexts.entry_points.get(function):
        return True
    makers = project.values(decorator, function.parent or function.module)
    return bool(makers) and all(isinstance(maker, Function) and _gives_coroutine_function(project, maker) for maker in makers)


def _gives_coroutine_function(project: Project, maker: Function) -> bool:
    """Whether a decorator gives its argument back, or a coroutine function around it."""

    def is_one(expr: tree.Expr) -> bool:
        if isinstance(expr, tree.Name) and expr.id in maker.params:
            return True
        values = project.values(expr, maker)
        return bool(values) and all(isinstance(v, Function) and v.is_async and not v.is_generator for v in values)

    return bool(maker.returns) and all(is_one(expr) for expr, _ in maker.returns)


def _makes_stream(project: Project, node: tree.Call, scope: Body) -> bool:
    callees = project.inference.callee(node, scope)
    functions = [value.function if isinstance(value, Bound) else value for value in callees]
    return bool(functions) and all(
        isinstance(f, Function) and f.is_async and f.is_generator and not f.decorators for f in functions
    )


# --- what becomes of it --------------------------------------------------------------------------


def _fate(site: CallSite, node: tree.Call) -> tuple[Fate, str] | None:
    statement = site.site.statement
    if isinstance(statement, tree.ExprStmt) and node in _given(statement.value):
        return "dropped", ""
    if isinstance(statement, tree.Assign) and statement.value is node:
        names = [target.id for target in statement.targets if isinstance(target, tree.Name)]
        unread = len(names) == len(statement.targets) and isinstance(site.scope, Function) and _is_unread(names, site.scope)
        return ("never read", names[0]) if unread else None
    if isinstance(site.scope, Function) and site.scope.is_lambda:
        return None
    return ("taken for a value", "") if _is_taken_for_value(site, node) else None


def _given(expr: tree.Expression) -> Iterator[tree.Expression]:
    """The expressions whose values an expression statement throws away."""
    if isinstance(expr, tree.Operation) and expr.op in ("and", "or", "if"):
        for operand in expr.operands[1:]:
            yield from _given(operand)
    elif isinstance(expr, tree.Comprehension) and expr.kind != "generator":
        yield from _given(expr.element)
    elif isinstance(expr, tree.Sequence):
        for item in expr.items:
            yield from _given(item)
    else:
        yield expr


def _is_unread(names: list[str], function: Function) -> bool:
    if any(name in function.globals | function.nonlocals for name in names):
        return False
    return not any(name in _read(function) for name in names)


def _read(function: Function) -> frozenset[str]:
    """The names that a function and those inside it read."""
    written: set[int] = set()
    read: set[tuple[int, str]] = set()
    for node in walk.inside(function):
        if isinstance(node, tree.Assign):
            written |= {id(target) for target in node.targets if isinstance(target, tree.Name)}
        elif isinstance(node, tree.Name):
            read.add((id(node), node.id))
    own = {name for key, name in read if key not in written}
    return frozenset(own).union(*(_read(inner) for inner in function.inner.values()))


def _is_taken_for_value(site: CallSite, node: tree.Call) -> bool:
    """Whether the coroutine stands where its result is meant: in a test, under an operator, before a dot."""
    around = walk.around(site.scope, node)
    parent = around[0] if around else None
    if isinstance(parent, tree.If | tree.While | tree.Assert):
        return parent.test is node
    if isinstance(parent, tree.Operation):
        if parent.op in ("or", "and"):
            return parent.operands[-1] is not node or any(isinstance(n, tree.If | tree.While) for n in around[1:2])
        return parent.operands[0] is node if parent.op == "if" else parent.op not in ("is", "is not", "slice")
    if isinstance(parent, tree.Attribute):
        return not parent.attr.startswith(_OF_COROUTINES)
    if isinstance(parent, tree.For):
        return parent.iter is node and not parent.is_async
    return isinstance(parent, tree.Subscript) and parent.value is node


def _handed_to_sync_callers(project: Project, site: CallSite) -> Iterator[Lost]:
    """Coroutine functions handed to what calls them as plain ones: `loop.call_later(5, refresh)`."""
    for entry in site.apis:
        if entry.api.effect not in _LATER or not entry.name.startswith(_PLAIN_CALLERS):
            continue
        expr = argument_at(site.node, entry.api.argument) if isinstance(site.node, tree.Call) else None
        if isinstance(expr, tree.Name) and isinstance(site.scope, Function) and expr.id in site.scope.params:
            continue  # What takes any callable may well have asked of which kind it is.
        values = project.values(expr, site.scope) if expr is not None else ()
        if expr is not None and values and all(_gives_coroutine(project, value) for value in values):
            yield Lost(site.scope, expr, "dropped by its caller")


def _gives_coroutine(project: Project, value: Value) -> bool:
    """Whether calling a value gives a coroutine; a lambda does if the call that it consists of does."""
    if isinstance(value, Function) and value.is_lambda:
        calls = [site for site in project.sites(value) if any(site.node is expr for expr, _ in value.returns)]
        return bool(calls) and all(makes_coroutine(project, site) for site in calls)
    return _is_coroutine_function(project, value)
