"""Quickness: which plain functions provably neither wait nor compute for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.reach import kind_of
from asyncvet.graph.scopes import Body, Function, last_name
from asyncvet.graph.sites import CallSite, Mode

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_LOOPS = (tree.For, tree.While, tree.Comprehension, tree.With)
_QUICK = frozenset(
    f"builtins.{name}"
    for name in (
        "str",
        "int",
        "bool",
        "float",
        "len",
        "isinstance",
        "dict",
        "list",
        "set",
        "tuple",
        "getattr",
        "hasattr",
        "min",
        "max",
    )
)
_QUICK_METHODS = frozenset(
    [
        "get",
        "lower",
        "upper",
        "casefold",
        "strip",
        "lstrip",
        "rstrip",
        "startswith",
        "endswith",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "replace",
        "isdigit",
        "isalnum",
    ]
)
_QUICK_ERRORS = ("fastapi.HTTPException", "fastapi.exceptions.", "starlette.exceptions.")


class Quickness:
    """Answers for plain functions. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[Function, bool] = {}

    def is_quick(self, function: Function) -> bool:
        """Whether all that a function runs is known, and none of it waits, computes for long or goes through a collection."""
        known = self._known.get(function)
        if known is None:
            self._known[function] = False  # Recursion may be long.
            known = self._known[function] = self._is_quick(function)
        return known

    def _is_quick(self, function: Function) -> bool:
        if function.is_async or function.is_generator:
            return False
        if walk.found(function, *_LOOPS):
            return False
        return all(self._is_quick_site(site) for site in self._project.sites(function))

    def _is_quick_site(self, site: CallSite) -> bool:
        if any(kind_of(call.api) is not None or call.api.effect not in ("pure", "calls") for call in site.apis):
            return False
        if any(target.mode is not Mode.INLINE or not self.is_quick(target.function) for target in site.targets):
            return False
        if not isinstance(site.node, tree.Call):
            return True
        return bool(site.targets or site.apis) or self._is_harmless(site.node, site)

    def _is_harmless(self, call: tree.Call, site: CallSite) -> bool:
        if any(name in _QUICK or name.startswith(_QUICK_ERRORS) for name in site.names):
            return True
        func = call.func
        return isinstance(func, tree.Attribute) and func.attr in _QUICK_METHODS and _is_plain(func.value, site.scope)


def _is_plain(receiver: tree.Expression, scope: Body) -> bool:
    """Whether a method called `get` or `split` is one of a string or of a request's mappings, not of some client."""
    if isinstance(receiver, tree.Call) and isinstance(receiver.func, tree.Attribute):
        return receiver.func.attr in _QUICK_METHODS and _is_plain(receiver.func.value, scope)
    if isinstance(receiver, tree.Name) and isinstance(scope, Function) and receiver.id in scope.params:
        return _is_text(scope.params[receiver.id].annotation)
    return isinstance(receiver, tree.Const) or last_name(receiver) in ("headers", "query_params", "cookies", "path_params")


def _is_text(annotation: tree.Expression | None) -> bool:
    """Whether a parameter is declared to be a string, or one or nothing."""
    words = {node.id for node in walk.nodes(annotation) if isinstance(node, tree.Name)} if annotation is not None else set()
    return "str" in words and words <= {"str", "Optional"}
