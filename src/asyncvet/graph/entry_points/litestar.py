"""Litestar, and Starlite before it: a plain `def` handler or dependency runs on the event loop unless it says `sync_to_thread=True`.

Source: Litestar's documentation, "Sync vs. Async", and its `HTTPRouteHandler`, `Provide` and `Litestar._call_lifespan_hook`. Listeners of
websockets, guards and hooks before and after a request run in a thread if they are plain.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint, Role, View, Where
from asyncvet.graph.entry_points.references import functions, origins
from asyncvet.graph.scopes import Function, Scope

_PACKAGES = frozenset({"litestar", "starlite"})
_METHODS = frozenset({"get", "post", "put", "delete", "patch", "head"})
_HANDLERS = _METHODS | {"route", "asgi", "websocket", "websocket_listener", "websocket_stream", "HTTPRouteHandler"}
_HOOKS: tuple[tuple[str, Role], ...] = (("on_startup", "startup"), ("on_shutdown", "shutdown"), ("lifespan", "lifespan"))
_IN_THREAD = (("guards", "dependency"), ("before_request", "middleware"), ("after_request", "middleware"))


def find(view: View) -> Iterator[EntryPoint]:
    """Route handlers, dependencies and hooks."""
    if not view.may_use(_PACKAGES):
        return
    for function in view.functions:
        for decorator in function.decorators:
            if isinstance(decorator, tree.Call):
                name = _thing(decorator, function.parent or function.module, view)
                if name in _HANDLERS:
                    yield _route(function, name, decorator)
    for scope in view.bodies:
        for site in scope.sites:
            if isinstance(site.node, tree.Call):
                yield from _made(site.node, scope, view)


def _thing(call: tree.Call, scope: Scope, view: View) -> str:
    """The name of what a call of Litestar's makes, empty for others."""
    for path in origins(call.func, scope, view):
        if path.partition(".")[0] in _PACKAGES:
            return path.rpartition(".")[2]
    return ""


def _route(function: Function, name: str, call: tree.Call) -> EntryPoint:
    path = argument_at(call, ("path", 0))
    words = path.value if isinstance(path, tree.Const) and isinstance(path.value, str) else function.name
    if "websocket" in name:
        return EntryPoint(function, "websocket", "event-loop" if function.is_async else "worker-thread", f"websocket {words}")
    kind = f"route {name.upper()}" if name in _METHODS else "route"
    return EntryPoint(function, "route", _where(function, call), f"{kind} {words}")


def _where(function: Function, call: tree.Call) -> Where:
    """Where a handler runs by the option `sync_to_thread` of its registration; a value that is no constant is taken as yes."""
    option = argument_at(call, ("sync_to_thread",))
    is_false = option is None or (isinstance(option, tree.Const) and option.value in (False, None))
    return "event-loop" if function.is_async or is_false else "worker-thread"


def _made(node: tree.Call, scope: Scope, view: View) -> Iterator[EntryPoint]:
    if not (node.args or node.keywords):
        return
    name = _thing(node, scope, view)
    if name == "Provide":
        for function in functions(argument_at(node, ("dependency", 0)), scope, view):
            yield EntryPoint(function, "handler", _where(function, node), f"dependency {function.name}")
    elif name in ("Litestar", "Starlite"):
        for keyword, role in _HOOKS:
            for function in _listed(argument_at(node, (keyword,)), scope, view):
                yield EntryPoint(function, role, "event-loop", f"{role} {function.name}")
    if name:
        for keyword, what in _IN_THREAD:
            for function in _listed(argument_at(node, (keyword,)), scope, view):
                where: Where = "event-loop" if function.is_async else "worker-thread"
                yield EntryPoint(function, "handler", where, f"{what} {function.name}")


def _listed(expr: tree.Expression | None, scope: Scope, view: View) -> Iterator[Function]:
    for item in expr.items if isinstance(expr, tree.Sequence) else (expr,):
        yield from functions(item, scope, view)
