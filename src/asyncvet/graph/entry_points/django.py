"""Django: views that a URL configuration names, by function or by class.

An async view runs on the event loop of an ASGI server; a plain one in a thread of its own, there and under WSGI.
Source: Django's documentation, "Asynchronous support" and "Class-based views".
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.entry_points.references import functions, is_of
from asyncvet.graph.scopes import Class, Function, Scope, last_name

_PATHS = frozenset({"path", "re_path", "url"})
_METHODS = ("get", "post", "put", "patch", "delete", "head")


def find(view: View) -> Iterator[EntryPoint]:
    """Views."""
    if not view.may_use(frozenset({"django"})):
        return
    for scope in view.bodies:
        for site in scope.sites:
            node = site.node
            if isinstance(node, tree.Call) and last_name(node.func) in _PATHS and len(node.args) > 1:
                if is_of(node.func, scope, view, ("django.urls", "django.conf.urls")):
                    yield from _views(node, scope, view)


def _views(node: tree.Call, scope: Scope, view: View) -> Iterator[EntryPoint]:
    route = node.args[0].value if isinstance(node.args[0], tree.Const) else ""
    expr = argument_at(node, ("view", 1))
    if isinstance(expr, tree.Call) and isinstance(expr.func, tree.Attribute) and expr.func.attr == "as_view":
        for cls in view.inference.values(expr.func.value, scope):
            if isinstance(cls, Class):
                found = ((name, view.inference.members.method(cls, name)) for name in _METHODS)
                yield from (_entry(method, f"route {name.upper()} /{route}") for name, method in found if method is not None)
    else:
        for function in functions(expr, scope, view):
            yield _entry(function, f"route /{route}")


def _entry(function: Function, label: str) -> EntryPoint:
    return EntryPoint(function, "route", "event-loop" if function.is_async else "worker-thread", label)
