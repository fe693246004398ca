"""Inputs: whether a collection has a size that callers, clients or a store decide, with nothing that bounds it in sight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.scopes import Binding, Function, Scope, last_name

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_THROUGH = frozenset({"enumerate", "zip", "list", "set", "tuple", "sorted", "reversed", "tqdm", "iter", "frozenset", "dict"})
_VIEWS = frozenset({"items", "values", "keys", "copy"})
_COLLECTIONS = frozenset(
    {"list", "List", "Sequence", "Iterable", "Collection", "set", "Set", "dict", "Dict", "Mapping", "tuple", "Tuple", "frozenset"}
)
_BOUNDED_NAME = re.compile(r"batch|chunk|slice|page$|window|group|top_|limited|sampled?$", re.IGNORECASE)
_CONFIGURED_NAME = re.compile(
    r"(server|service|descriptor|provider|tool|agent|member|client|host|node|plugin|handler|callback|processor|sink|source|model|"
    r"backend|worker|component|template|frame|element|field|column|locator|hook|listener|subscriber|task|coro|coroutine|awaitable|pipeline|stage|step)s$",
    re.IGNORECASE,
)
_STORE = re.compile(
    r"^_?(a?get|list|find|fetch|query|search|select|scan|scrape|crawl|a?load)_|^(all|scalars|fetchall|to_list|rglob|glob)$"
)
_DEEP = 6


def is_unbounded(project: Project, expr: tree.Expression, function: Function, depth: int = 0) -> bool:
    """Whether the number of items in `expr` comes from a parameter, a request or a store and nothing here bounds it."""
    if depth > _DEEP:
        return False
    if isinstance(expr, tree.Await):
        expr = expr.value
    if isinstance(expr, tree.Name):
        is_small = _BOUNDED_NAME.search(expr.id) or _CONFIGURED_NAME.search(expr.id)
        return not is_small and _name(project, expr, function, depth)
    if isinstance(expr, tree.Attribute):
        return not _BOUNDED_NAME.search(expr.attr) and _is_of_request(project, expr, function)
    if isinstance(expr, tree.Comprehension) and len(expr.generators) == 1:
        return is_unbounded(project, expr.generators[0].iter, function, depth + 1)
    if isinstance(expr, tree.Operation) and expr.op == "or":
        return is_unbounded(project, expr.operands[0], function, depth + 1)
    return isinstance(expr, tree.Call) and _call(project, expr, function, depth)


def _call(project: Project, call: tree.Call, function: Function, depth: int) -> bool:
    name = last_name(call.func)
    if isinstance(call.func, tree.Name) and name in _THROUGH:
        # `zip` ends with its shortest part.
        return bool(call.args) and all(is_unbounded(project, argument, function, depth + 1) for argument in call.args[:2])
    if isinstance(call.func, tree.Attribute) and name in _VIEWS:
        return is_unbounded(project, call.func.value, function, depth + 1)
    bounds = {"limit", "top_k", "k", "n", "max_results", "page_size", "per_page", "first", "count"}
    return bool(_STORE.search(name)) and not any(keyword.name in bounds for keyword in call.keywords)


def _name(project: Project, name: tree.Name, function: Function, depth: int) -> bool:
    bindings = project.inference.names.bindings_at(name.id, function, name.start)
    return bool(bindings) and all(_binding(project, binding, function, depth) for binding in bindings)


def _binding(project: Project, binding: Binding, function: Function, depth: int) -> bool:
    if binding.kind == "param" and isinstance(binding.value, tree.Param):
        return _is_collection(binding.value)
    if binding.kind == "assign" and not binding.path and isinstance(binding.value, tree.Expr):
        inside = binding.scope if isinstance(binding.scope, Function) else function
        return is_unbounded(project, binding.value, inside, depth + 1)
    return False


def _is_collection(param: tree.Param) -> bool:
    """Whether a parameter is declared as a collection: what has no annotation is not known to be one."""
    return param.kind not in ("star", "double") and _names_collection(param.annotation)


def _names_collection(annotation: tree.Expression | None) -> bool:
    if isinstance(annotation, tree.Operation):
        return any(_names_collection(operand) for operand in annotation.operands)
    if isinstance(annotation, tree.Subscript):
        name = last_name(annotation.value)
        if name in ("Optional", "Annotated", "Union"):
            index = annotation.index
            return any(_names_collection(item) for item in (index.items if isinstance(index, tree.Sequence) else [index]))
        return name in _COLLECTIONS
    return annotation is not None and last_name(annotation) in _COLLECTIONS


def _is_of_request(project: Project, expr: tree.Attribute, scope: Scope) -> bool:
    """Whether an attribute is a field of what a client sent: `form.urls` in a route with a parameter `form`."""
    base = expr.value
    if (
        not isinstance(base, tree.Name)
        or not isinstance(scope, Function)
        or base.id not in scope.params
        or base.id == scope.self_name
    ):
        return False
    if project.inference.parameters.dependency(scope.params[base.id]) is not None or base.id in ("request", "app"):
        return False
    return any(entry.role == "route" for entry in project.contexts.entry_points.get(scope, ()))
