"""Dependence: awaits that stand one after another though neither needs the other.

Only what provably reads is taken as independent: the calls fetch something from another system, by functions that change nothing
that others see and use no session, connection or transaction that two calls at once would share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.outside import Outside, is_outside
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.sites import CallSite, Mode

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_READS = re.compile(r"^_?a?(get|fetch|list|load|search|query|find|retrieve|download|describe|lookup|resolve|embed)(_|$|[A-Z])")
_SHARED = re.compile(
    r"session|conn(ection)?s?$|cursor|transaction|\btx\b|^_?tx$|^_?db$|database|uow|lock|page$|browser|socket|^ws|reader|writer|stream|"
    r"channel|queue|iterator|pipe|repo|offset|token|login|auth|limiter|sem(aphore)?$|element|locator|frame|handle|objects$|queryset",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"^_?a?(set|save|delete|update|insert|put|patch|create|write|send|publish|commit|add|remove|clear|pop|register|connect|login|"
    r"start|open|close|execute|run|begin|flush|refresh|acquire|sleep|init|ensure|reset|notify|emit|mark|lock|cache|store)(_|$|[A-Z])"
)
_GATHERS = frozenset({"append", "extend", "add"})
_DEEP = 5


@dataclass(frozen=True, slots=True)
class Sequential:
    """Awaits in a row: two or more in adjacent statements, or one in every turn of a loop."""

    function: Function
    awaits: tuple[tree.Await, ...]
    loop: tree.For | tree.Generator | None


class Dependence:
    """Finds awaits that need not wait for one another. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._outside = Outside(project)
        self._reads: dict[Function, bool] = {}

    def sequential(self) -> Iterator[Sequential]:
        """All awaits in a row that provably only read, in order."""
        for function in self._project.functions:
            if not function.is_async or len(function.awaits) == 0:
                continue
            yield from self._runs(function)
            yield from self._loops(function)

    def _runs(self, function: Function) -> Iterator[Sequential]:
        for block in _blocks(function):
            run: list[tree.Await] = []
            bound: set[str] = set()
            for statement in [*block, None]:
                value = statement.value if isinstance(statement, tree.Assign) else None
                fits = isinstance(value, tree.Await) and self._is_read(function, value)
                if fits and isinstance(value, tree.Await) and bound.isdisjoint(_names(value)):
                    run.append(value)
                    assert isinstance(statement, tree.Assign)
                    bound |= {name for target in statement.targets for name in _names(target)}
                    continue
                if len(run) > 1:
                    yield Sequential(function, tuple(run), None)
                run, bound = [], set()

    def _loops(self, function: Function) -> Iterator[Sequential]:
        for node in walk.found(function, tree.For, tree.Comprehension):
            if isinstance(node, tree.For) and not node.is_async and not node.orelse:
                found = _collects(node.body)
                if found is not None and self._is_read_of_each(function, found, node.target):
                    yield Sequential(function, (found,), node)
            elif isinstance(node, tree.Comprehension) and len(node.generators) == 1 and not node.generators[0].is_async:
                part = node.generators[0]
                if isinstance(node.element, tree.Await) and self._is_read_of_each(function, node.element, part.target):
                    yield Sequential(function, (node.element,), part)

    def _is_read_of_each(self, function: Function, node: tree.Await, target: tree.Expression) -> bool:
        return self._is_read(function, node) and not _names(node).isdisjoint(_names(target))

    def _is_read(self, function: Function, node: tree.Await) -> bool:
        """Whether an await reads from another system and nothing else."""
        call = node.value
        if not isinstance(call, tree.Call) or not _READS.search(last_name(call.func)):
            return False
        if any(_SHARED.search(name) for name in _names(call)) or any(isinstance(n, tree.Await) for n in walk.nodes(call)):
            return False
        site = next((s for s in self._project.sites(function) if s.node is call), None)
        return site is not None and self._site_reads(site, 0)

    def _site_reads(self, site: CallSite, depth: int) -> bool:
        run = [target.function for target in site.targets if target.mode is Mode.COROUTINE]
        if run:
            return all(self._outside.is_reached_from(f) and self._only_reads(f, depth + 1) for f in run)
        return bool(site.names) and is_outside(site)

    def _only_reads(self, function: Function, depth: int) -> bool:
        known = self._reads.get(function)
        if known is None:
            self._reads[function] = False
            known = self._reads[function] = depth <= _DEEP and not function.is_generator and self._body_reads(function, depth)
        return known

    def _body_reads(self, function: Function, depth: int) -> bool:
        if function.globals or function.nonlocals:
            return False
        for node in walk.inside(function):
            if isinstance(node, tree.Attribute | tree.Name) and _SHARED.search(last_name(node)):
                return False
            if isinstance(node, tree.Assign | tree.AugAssign | tree.Delete) and _assigns_outside(node):
                return False
            if isinstance(node, tree.Call) and _CHANGES.search(last_name(node.func)) and not _is_local(function, node.func):
                return False
        return all(self._below_reads(site, depth) for site in self._project.sites(function))

    def _below_reads(self, site: CallSite, depth: int) -> bool:
        below = [target.function for target in site.targets if target.mode in (Mode.COROUTINE, Mode.INLINE)]
        return all(self._only_reads(function, depth + 1) for function in below)


def _blocks(function: Function) -> Iterator[list[tree.Statement]]:
    yield walk.body(function)
    for node in walk.inside(function):
        for name in ("body", "orelse", "final"):
            part = getattr(node, name, None)
            if isinstance(part, list) and not isinstance(node, tree.FunctionDef | tree.ClassDef):
                yield part


def _collects(body: list[tree.Statement]) -> tree.Await | None:
    """The await of a loop's body that does nothing but put its result into a collection."""
    if len(body) == 1:
        argument = _added(body[0])
        return argument if isinstance(argument, tree.Await) else None
    first = body[0]
    if len(body) == 2 and isinstance(first, tree.Assign) and isinstance(first.value, tree.Await) and len(first.targets) == 1:
        argument = _added(body[1])
        same = isinstance(argument, tree.Name) and last_name(first.targets[0]) == argument.id
        return first.value if same else None
    return None


def _added(statement: tree.Stmt) -> tree.Expression | None:
    if isinstance(statement, tree.ExprStmt) and isinstance(statement.value, tree.Call):
        call = statement.value
        is_adding = (
            isinstance(call.func, tree.Attribute) and call.func.attr in _GATHERS and isinstance(call.func.value, tree.Name)
        )
        return call.args[0] if is_adding and len(call.args) == 1 else None
    if isinstance(statement, tree.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], tree.Subscript):
        return statement.value if isinstance(statement.targets[0].value, tree.Name) else None
    return None


def _names(nodes: tree.Node | Iterable[tree.Node]) -> set[str]:
    return {node.id for node in walk.nodes(nodes) if isinstance(node, tree.Name)} | {
        node.attr for node in walk.nodes(nodes) if isinstance(node, tree.Attribute)
    }


def _assigns_outside(node: tree.Assign | tree.AugAssign | tree.Delete) -> bool:
    targets = [node.target] if isinstance(node, tree.AugAssign) else node.targets
    return any(isinstance(target, tree.Attribute) for target in targets)


def _is_local(function: Function, func: tree.Expression) -> bool:
    """Whether a method is one of an object that the function made."""
    base = func.value if isinstance(func, tree.Attribute) else None
    return isinstance(base, tree.Name) and base.id in function.bindings and base.id not in function.params
