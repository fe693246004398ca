"""aiohttp.web: handlers that its router is given, and the signals of an application. All of them run on the event loop.

Source: aiohttp's documentation, "Web Server Quickstart" and "Server Reference" (a plain handler is deprecated, and called on the loop).
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint, Role, View
from asyncvet.graph.entry_points.references import functions, is_of
from asyncvet.graph.scopes import Scope, dotted, last_name

_ADDERS = {f"add_{method}": method for method in ("get", "post", "put", "delete", "patch", "head")}
_MAKERS = frozenset({"get", "post", "put", "delete", "patch", "head"})
_SIGNALS: dict[str, Role] = {
    "on_startup": "startup",
    "on_shutdown": "shutdown",
    "on_cleanup": "shutdown",
    "cleanup_ctx": "lifespan",
}


def find(view: View) -> Iterator[EntryPoint]:
    """Handlers and signal receivers."""
    for scope in view.bodies:
        for site in scope.sites:
            if isinstance(site.node, tree.Call) and site.node.args:
                yield from _given(site.node, scope, view)


def _given(node: tree.Call, scope: Scope, view: View) -> Iterator[EntryPoint]:
    """The functions that a call hands to the router: `app.router.add_get(path, f)`, `web.get(path, f)`, `app.on_startup.append(f)`."""
    name = last_name(node.func)
    if name in _ADDERS or (name in _MAKERS and is_of(node.func, scope, view, ("aiohttp.web",))):
        yield from _route(node, _ADDERS.get(name, name), ("handler", 1), scope, view)
    elif name == "add_route" and dotted(node.func).endswith("router.add_route"):
        method = node.args[0]
        shown = method.value if isinstance(method, tree.Const) and isinstance(method.value, str) else ""
        yield from _route(node, shown, ("handler", 2), scope, view, path=1)
    elif name == "append" and isinstance(node.func, tree.Attribute):
        role = _SIGNALS.get(last_name(node.func.value))
        if role is not None:
            for function in functions(node.args[0], scope, view):
                yield EntryPoint(function, role, "event-loop", f"{role} {function.name}")


def _route(
    node: tree.Call, method: str, handler: tuple[str | int, ...], scope: Scope, view: View, path: int = 0
) -> Iterator[EntryPoint]:
    given = argument_at(node, ("path", path))
    words = given.value if isinstance(given, tree.Const) and isinstance(given.value, str) else ""
    for function in functions(argument_at(node, handler), scope, view):
        label = " ".join(filter(None, ("route", method.upper(), words or function.name)))
        yield EntryPoint(function, "route", "event-loop", label)
