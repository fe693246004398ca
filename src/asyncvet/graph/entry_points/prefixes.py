"""The prefixes that routers put before the paths of their routes: their own, and those of the calls that include them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import View
from asyncvet.graph.scopes import Scope, last_name
from asyncvet.graph.values import Object, Text, Value


class Prefixes:
    """Answers what stands before the paths of a router. A router is known by the call that made it.

    A prefix that is no constant string is taken as empty.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._own: dict[int, str] = {}
        self._includes: defaultdict[int, list[tuple[tree.Call | None, str]]] = defaultdict(list)
        self._known: dict[int, str] = {}
        for scope in view.bodies:
            for site in scope.sites:
                if isinstance(site.node, tree.Call):
                    self._note(site.node, scope)

    def of(self, routers: Iterable[Value]) -> str:
        """The prefix of a router; of several possible ones, or of one that is included several times, the first, sorted."""
        return min((self._whole(made_by) for made_by in _makers(routers)), default="")

    def _note(self, node: tree.Call, scope: Scope) -> None:
        if last_name(node.func) == "include_router" and isinstance(node.func, tree.Attribute):
            router = argument_at(node, ("router", 0))
            parents: Sequence[tree.Call | None] = [*_makers(self._view.inference.values(node.func.value, scope))] or [None]
            for made_by in _makers(self._view.inference.values(router, scope)):
                self._includes[id(made_by)] += [(parent, self._text(node, scope)) for parent in parents]
        elif any(keyword.name == "prefix" for keyword in node.keywords):
            self._own[id(node)] = self._text(node, scope)

    def _text(self, node: tree.Call, scope: Scope) -> str:
        values = self._view.inference.values(argument_at(node, ("prefix",)), scope)
        return values[0].value if len(values) == 1 and isinstance(values[0], Text) else ""

    def _whole(self, made_by: tree.Call | None) -> str:
        if made_by is None:
            return ""
        key = id(made_by)
        if key not in self._known:
            own = self._known[key] = self._own.get(key, "")  # a router that includes itself has no more than that
            self._known[key] = min((self._whole(parent) + prefix for parent, prefix in self._includes[key]), default="") + own
        return self._known[key]


def _makers(routers: Iterable[Value]) -> Iterator[tree.Call]:
    return (router.made_by for router in routers if isinstance(router, Object) and router.made_by is not None)
