"""Shared state: names, attributes and items that outlive a call, so that coroutines meet there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Class, Function, Module, Scope, dotted, shown

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

SELF = "self"
"""Home of the attributes of the instance that a method works on."""
APP_STATE = "app.state"
"""Home of what an application keeps for all requests."""
_STATE = re.compile(r"(^|\.)(app|application|fastapi_app|server)\.state\.\w+$")
_ALIASES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is kept.

    Attributes:
        home: The module or class that has the name; ``self`` for an attribute of the method's instance, ``app.state``.
        key: Of an item: the index, as the nodes that it is made of; empty for the name itself.
        text: As it is written.
    """

    home: Module | Class | str
    name: str
    key: str = ""
    text: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and (self.home, self.name, self.key) == (other.home, other.name, other.key)

    def __hash__(self) -> int:
        return hash((id(self.home) if not isinstance(self.home, str) else self.home, self.name, self.key))

    @property
    def is_item(self) -> bool:
        """It is one entry of a table."""
        return bool(self.key)


def place_of(project: Project, expr: tree.Node, function: Function, depth: int = 0) -> Place | None:
    """The shared place that an expression names: a global, an attribute of the instance or class, an entry of such a table.

    A local name that was bound to such a place stands for it.
    """
    if isinstance(expr, tree.Name):
        return _of_name(project, expr, function, depth)
    if isinstance(expr, tree.Attribute):
        return _of_attribute(project, expr, function)
    if isinstance(expr, tree.Subscript):
        return _item(project, expr.value, expr.index, function, depth)
    if isinstance(expr, tree.NamedExpr):
        return place_of(project, expr.value, function, depth)
    return _of_call(project, expr, function, depth) if isinstance(expr, tree.Call) else None


def target_place(project: Project, target: tree.Node, function: Function) -> Place | None:
    """The shared place that an assignment to `target` sets; a local name is none."""
    if isinstance(target, tree.Name):
        return _global(target, function) if target.id in function.globals else None
    return place_of(project, target, function)


def method_around(scope: Scope) -> Function | None:
    """The method in whose body a scope lies, itself included."""
    return next((s for s in scope.enclosing() if isinstance(s, Function) and s.owner is not None), None)


# --- places ---------------------------------------------------------------------------------------


def _of_name(project: Project, expr: tree.Name, function: Function, depth: int) -> Place | None:
    for scope in function.enclosing():
        if isinstance(scope, Class) or expr.id not in scope.bindings:
            continue
        if isinstance(scope, Module):
            return _global(expr, function)
        bindings = project.inference.names.bindings_at(expr.id, function, expr.start)
        values = [binding.value for binding in bindings if binding.kind == "assign" and not binding.path]
        if len(values) != len(bindings) or depth == _ALIASES or not isinstance(scope, Function):
            return None
        places = {place for value in values if value is not None and (place := place_of(project, value, scope, depth + 1))}
        return replace(places.pop(), text=expr.id) if len(places) == 1 else None
    return None


def _global(expr: tree.Name, function: Function) -> Place | None:
    """A name of the module that something sets while the program runs; imports, classes and functions are no state."""
    bindings = function.module.bindings.get(expr.id, ())
    if not bindings or any(binding.kind in ("import", "class", "function") for binding in bindings):
        return None
    return Place(function.module, expr.id, text=expr.id)


def _of_attribute(project: Project, expr: tree.Attribute, function: Function) -> Place | None:
    method = method_around(function)
    text = shown(expr)
    if method is not None and isinstance(expr.value, tree.Name) and expr.value.id == method.self_name:
        home: Class | str = method.owner if method.is_class_method and method.owner is not None else SELF
        return Place(home, expr.attr, text=text)
    if _STATE.search(dotted(expr)):
        return Place(APP_STATE, expr.attr, text=text)
    for value in project.values(expr.value, function):
        if isinstance(value, Class):
            return Place(value, expr.attr, text=text)
        if isinstance(value, Module) and not value.is_external and expr.attr in value.bindings:
            return Place(value, expr.attr, text=text)
    return None


def _item(project: Project, table: tree.Node, index: tree.Node, function: Function, depth: int) -> Place | None:
    base = place_of(project, table, function, depth)
    if base is None or base.is_item:
        return None
    return Place(base.home, base.name, key=signature(index), text=f"{base.text}[{shown(index)}]")


def _of_call(project: Project, expr: tree.Call, function: Function, depth: int) -> Place | None:
    """`getattr(self, "x", None)` and `table.get(key)` read a place."""
    if isinstance(expr.func, tree.Name) and expr.func.id in ("getattr", "hasattr") and len(expr.args) > 1:
        name = expr.args[1]
        if isinstance(name, tree.Const) and isinstance(name.value, str):
            return _of_attribute(project, tree.Attribute(expr.start, expr.end, expr.args[0], name.value), function)
    if isinstance(expr.func, tree.Attribute) and expr.func.attr == "get" and 0 < len(expr.args) < 3:
        return _item(project, expr.func.value, expr.args[0], function, depth)
    return None


def signature(node: tree.Node) -> str:
    """An expression as the nodes that it is made of: the same for the same expression written twice."""
    own = getattr(node, "id", "") or getattr(node, "attr", "") or getattr(node, "op", "") or getattr(node, "value", "")
    below = ",".join(signature(child) for child in walk.children(node))
    return f"{type(node).__name__}:{own if not isinstance(own, tree.Node) else ''}({below})"
