"""Call hierarchy: who runs a function, and what it runs, hand-overs to threads and to the loop included."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from asyncvet.facts import tree
from asyncvet.graph.scopes import Body, Function, Module
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.lsp.view import View
from asyncvet.report.explanations.why_text import WHERE

_HOW = {Mode.THREAD: "in a thread", Mode.LOOP: "by the event loop", Mode.LATER: "when no loop runs"}


def prepare(view: View, module: Module, position: types.Position) -> list[types.CallHierarchyItem]:
    """The functions that a position names."""
    return [_item(view, function) for function in view.functions_at(module, view.place(module.path, position))]


def incoming(view: View, item: types.CallHierarchyItem) -> list[types.CallHierarchyIncomingCall]:
    """Who runs a function."""
    found: dict[Body, list[CallSite]] = {}
    for function in _functions(view, item.data):
        for site, _ in view.whereabouts.callers(function):
            found.setdefault(site.scope, []).append(site)
    return [types.CallHierarchyIncomingCall(_item(view, scope), _ranges(view, sites)) for scope, sites in found.items()]


def outgoing(view: View, item: types.CallHierarchyItem) -> list[types.CallHierarchyOutgoingCall]:
    """What a function runs."""
    found: dict[tuple[Function, Mode], list[CallSite]] = {}
    for function in _functions(view, item.data):
        for site in view.project.sites(function):
            for target in site.targets:
                found.setdefault((target.function, target.mode), []).append(site)
    return [
        types.CallHierarchyOutgoingCall(_item(view, function, _HOW.get(mode, "")), _ranges(view, sites))
        for (function, mode), sites in found.items()
    ]


def _item(view: View, scope: Body, how: str = "") -> types.CallHierarchyItem:
    if isinstance(scope, Module):
        top = types.Range(types.Position(0, 0), types.Position(0, 0))
        return types.CallHierarchyItem(
            scope.qualname,
            types.SymbolKind.Module,
            view.uri(scope.path),
            top,
            top,
            detail=WHERE["import-time"],
            data=_data(scope),
        )
    contexts = ", ".join(WHERE[context] for context in view.whereabouts.runs(scope).contexts)
    return types.CallHierarchyItem(
        name=scope.name,
        kind=types.SymbolKind.Method if scope.owner is not None else types.SymbolKind.Function,
        uri=view.uri(scope.path),
        range=view.node_range(scope, scope.node),
        selection_range=view.node_range(scope, _name(scope)),
        detail=" · ".join(filter(None, [scope.qualname, contexts and f"runs {contexts}", how and f"called {how}"])),
        data=_data(scope),
    )


def _name(function: Function) -> tree.Node:
    node = function.node
    return node if isinstance(node, tree.Lambda) else tree.Node(node.name_start, function.head.end)


def _data(scope: Body) -> dict[str, str | int]:
    return {"path": scope.path, "function": scope.qualname}


def _functions(view: View, data: object) -> list[Function]:
    """The functions that an item stands for, found again by name, as the text may have changed since; none of a module."""
    name = (data.get("path"), data.get("function")) if isinstance(data, dict) else None
    known = dict.fromkeys([*view.project.functions, *view.whereabouts.called])
    return [function for function in known if (function.path, function.qualname) == name]


def _ranges(view: View, sites: Iterable[CallSite]) -> list[types.Range]:
    nodes = [(site.scope, site.node.func if isinstance(site.node, tree.Call) else _head(site.node)) for site in sites]
    ranges = {(scope, node.start): view.node_range(scope, node) for scope, node in nodes}
    return [ranges[key] for key in sorted(ranges, key=lambda key: key[1])]


def _head(node: tree.Node) -> tree.Node:
    """The first letter of a statement that runs code of others: enough to find it."""
    return tree.Node(node.start, node.start + 1)
