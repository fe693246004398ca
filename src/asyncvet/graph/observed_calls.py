"""Calls that were seen at run time, for places where nothing else tells what is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asyncvet.facts import tree
from asyncvet.graph.scopes import Function, Module, Scope

Edges = Mapping[tuple[str, int], Collection[tuple[str, str]]]
"""File and line of a call, to file and qualified name within its module of each function that it was seen to run."""


class ObservedCalls:
    """What calls were seen to run. One object a project."""

    def __init__(self, modules: Mapping[str, Module], edges: Edges) -> None:
        self._modules = modules
        self._edges = edges

    def __bool__(self) -> bool:
        return bool(self._edges)

    def callees(self, node: tree.Call, scope: Scope) -> list[Function]:
        """The functions that the calls on the first line of this one were seen to run."""
        line, _ = scope.module.facts.position(node.start)
        seen = sorted(self._edges.get((scope.module.filename, line), ()))
        return [function for path, name in seen for function in self._named(path, name)]

    def _named(self, path: str, name: str) -> list[Function]:
        module = self._modules.get(path)
        wanted = f"{module.qualname}.{name}" if module else ""
        return [function for function in module.functions if function.qualname == wanted] if module else []
