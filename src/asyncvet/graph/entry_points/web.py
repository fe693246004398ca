"""Starlette, FastAPI and what is built like them: routes, dependencies, middleware, lifespans, handlers.

A plain `def` route, dependency, background task or exception handler runs in the thread pool; an `async def` one on the loop. Sanic and
aiohttp have decorators of the same form, and call plain handlers on the loop.
Source: FastAPI's documentation, "Concurrency and async / await"; Starlette's, "Thread Pool"; Quart's, "Synchronous code"; Sanic's guide,
"Handlers"; aiohttp's, "Server Reference".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint, Role, View, Where
from asyncvet.graph.entry_points.prefixes import Prefixes
from asyncvet.graph.entry_points.references import functions_of, is_of
from asyncvet.graph.fields import validators
from asyncvet.graph.scopes import Class, Function, Module, Scope, last_name
from asyncvet.graph.values import Instance, Object, Super, Symbol, Value

_METHODS = frozenset({"get", "post", "put", "delete", "patch", "head", "options", "trace"})
_ROUTES = _METHODS | {"route", "api_route", "websocket", "websocket_route", "view"}
_REGISTRARS = {
    "add_api_route": ("endpoint", 1),
    "add_route": ("route", 1),
    "add_websocket_route": ("route", 1),
    "add_api_websocket_route": ("endpoint", 1),
}
_APPS = frozenset(
    {"FastAPI", "APIRouter", "Starlette", "Router", "Litestar", "Sanic", "Blueprint", "RouteTableDef", "Quart", "Flask"}
)
_POOLED: tuple[Role, ...] = ("route", "dependency")
_ON_LOOP = ("sanic", "aiohttp")


def find(view: View) -> Iterator[EntryPoint]:
    """Entry points of web frameworks."""
    prefixes = Prefixes(view)
    for function in view.functions:
        yield from _decorated(function, view, prefixes)
        yield from _dependencies(function, view)
    for scope in view.bodies:
        for site in scope.sites:
            if isinstance(site.node, tree.Call):
                yield from _registered(site.node, scope, view, prefixes)
                yield from _applied(site.node, scope, view, prefixes)


def _decorated(function: Function, view: View, prefixes: Prefixes) -> Iterator[EntryPoint]:
    for decorator in function.decorators:
        call = decorator if isinstance(decorator, tree.Call) else None
        func = call.func if call is not None else decorator
        if not isinstance(func, tree.Attribute):
            continue
        scope = function.parent or function.module
        if func.attr in _ROUTES and call is not None and _is_app(func.value, scope, call, view):
            path = _path(func, call, scope, view, prefixes) or function.name
            entry = _entry(function, "websocket" if "websocket" in func.attr else "route", f"{_kind(func.attr)} {path}")
            yield replace(entry, where="event-loop", may_be_plain=False) if is_of(func, scope, view, _ON_LOOP) else entry
            yield from _validated(function, view)
        elif func.attr == "middleware" and call is not None:
            yield EntryPoint(function, "middleware", "event-loop", f"middleware {function.name}")
        elif func.attr == "exception_handler":
            yield _entry(function, "exception handler", f"exception handler {function.name}")
        elif func.attr == "on_event" and call is not None and call.args:
            role: Role = "shutdown" if _text(call.args[0]) == "shutdown" else "startup"
            yield EntryPoint(function, role, "event-loop", _named(role, function))


def _validated(function: Function, view: View) -> Iterator[EntryPoint]:
    """FastAPI reads the body of a request on the loop, of a plain route too: `fastapi.routing.get_request_handler`."""
    scope = function.parent or function.module
    for param in function.params.values():
        for value in view.inference.annotations.instances(param.annotation, scope):
            bases = view.inference.members.mro(value.cls) if isinstance(value, Instance) else ()
            for method in (method for base in bases if isinstance(base, Class) for method in validators(base)):
                yield EntryPoint(method, "handler", "event-loop", f"validator {method.qualname}")


def _is_app(expr: tree.Expression, scope: Scope, call: tree.Call, view: View) -> bool:
    """Whether a decorator's object routes requests: by its type, or, where that is unknown, by a path as first argument."""
    values = view.inference.values(expr, scope)
    if any(_routes(value, view) for value in values):
        return True
    path = _text(argument_at(call, ("path", 0)))
    return path is not None and (path.startswith("/") or path == "") and not any(isinstance(v, Symbol) for v in values)


def _routes(value: Value, view: View) -> bool:
    """Whether a value is an application or a router of a known framework, or is of a class below theirs."""
    if isinstance(value, Instance | Super):
        bases = view.inference.members.mro(value.cls)
        return any(isinstance(base, Symbol) and base.path.rpartition(".")[2] in _APPS for base in bases)
    return isinstance(value, Object) and value.path.rpartition(".")[2] in _APPS


def _entry(function: Function, role: Role, label: str) -> EntryPoint:
    where: Where = "event-loop" if function.is_async else "worker-thread"
    return EntryPoint(function, role, where, label, may_be_plain=role in _POOLED)


def _kind(attr: str) -> str:
    """What a method of a router registers."""
    if "websocket" in attr:
        return "websocket"
    return f"route {attr.upper()}" if attr in _METHODS else "route"


def _path(func: tree.Attribute, call: tree.Call, scope: Scope, view: View, prefixes: Prefixes) -> str:
    """The path that a call of a router's method registers, with the prefixes before it."""
    return prefixes.of(view.inference.values(func.value, scope)) + (_text(argument_at(call, ("path", 0))) or "")


def _dependencies(function: Function, view: View) -> Iterator[EntryPoint]:
    scope = function.parent or function.module
    for param in function.params.values():
        expr = view.inference.parameters.dependency(param)
        for value in view.inference.values(expr, scope) if expr is not None else ():
            for target in functions_of(value, view):
                yield _entry(target, "dependency", f"dependency {target.name}")


def _registered(node: tree.Call, scope: Function | Module, view: View, prefixes: Prefixes) -> Iterator[EntryPoint]:
    name = last_name(node.func)
    if name in _REGISTRARS and isinstance(node.func, tree.Attribute):
        expr = argument_at(node, _REGISTRARS[name])
        path = _path(node.func, node, scope, view, prefixes)
        yield from _given(expr, scope, view, "route", f"{_kind(name)} {path}".rstrip())
    elif name in ("Route", "APIRoute", "WebSocketRoute") and len(node.args) + len(node.keywords) > 1:
        yield from _given(
            argument_at(node, ("endpoint", 1)),
            scope,
            view,
            "route",
            f"route {_text(argument_at(node, ('path', 0))) or ''}".rstrip(),
        )
    elif name in _APPS:
        yield from _given(argument_at(node, ("lifespan",)), scope, view, "lifespan", "lifespan", "event-loop")
        for keyword, role in (("on_startup", "startup"), ("on_shutdown", "shutdown")):
            listed = argument_at(node, (keyword,))
            for item in listed.items if isinstance(listed, tree.Sequence) else ():
                yield from _given(item, scope, view, role, role, "event-loop")  # type: ignore[arg-type]
        yield from _depends_lists(node, scope, view)
    elif name == "add_event_handler" and len(node.args) > 1:
        yield from _given(node.args[1], scope, view, "startup", f"{_text(node.args[0]) or 'event'} handler", "event-loop")
    elif name == "add_exception_handler" and len(node.args) > 1:
        yield from _given(node.args[1], scope, view, "exception handler", "exception handler")
    elif name == "add_task" and isinstance(node.func, tree.Attribute):
        if any(
            isinstance(v, Object) and v.path.endswith("BackgroundTasks") for v in view.inference.values(node.func.value, scope)
        ):
            yield from _given(argument_at(node, ("func", 0)), scope, view, "background task", "background task")
    elif name == "BackgroundTask":
        yield from _given(argument_at(node, ("func", 0)), scope, view, "background task", "background task")
    elif name in ("Depends", "Security"):
        yield from _given(argument_at(node, ("dependency", 0)), scope, view, "dependency", "dependency")


def _applied(node: tree.Call, scope: Scope, view: View, prefixes: Prefixes) -> Iterator[EntryPoint]:
    """A decorator that is applied by hand: `router.get(path)(endpoint)`."""
    made = node.func
    if not (isinstance(made, tree.Call) and isinstance(made.func, tree.Attribute) and node.args):
        return
    if made.func.attr in _ROUTES and _is_app(made.func.value, scope, made, view):
        label = f"{_kind(made.func.attr)} {_path(made.func, made, scope, view, prefixes)}".rstrip()
        yield from _given(node.args[0], scope, view, "route", label)


def _depends_lists(node: tree.Call, scope: Scope, view: View) -> Iterator[EntryPoint]:
    listed = argument_at(node, ("dependencies",))
    for item in listed.items if isinstance(listed, tree.Sequence) else ():
        if isinstance(item, tree.Call):
            yield from _given(argument_at(item, ("dependency", 0)), scope, view, "dependency", "dependency")


def _given(
    expr: tree.Expression | None, scope: Scope, view: View, role: Role, label: str, where: Where | None = None
) -> Iterator[EntryPoint]:
    """Entry points for the functions that an argument stands for."""
    for value in view.inference.values(expr, scope) if expr is not None else ():
        for function in functions_of(value, view):
            words = label if role == "route" and "/" in label else _named(label, function)
            entry = _entry(function, role, words)
            yield EntryPoint(function, role, where, words) if where is not None else entry


def _named(label: str, function: Function) -> str:
    return label if label == function.name else f"{label} {function.name}"


def _text(expr: tree.Expression | None) -> str | None:
    return expr.value if isinstance(expr, tree.Const) and isinstance(expr.value, str) else None
