"""Evictions: loops that take old entries out of a shared table and end them, while requests may still be using them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Class, Function, Module, last_name
from asyncvet.graph.shared_state import SELF, method_around, place_of

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

Table = tuple[Module | Class | str, str]
"""Who has a table, and its name."""

_ENDING = frozenset(
    {"close", "aclose", "unload", "stop", "shutdown", "terminate", "kill", "disconnect", "dispose", "cleanup", "destroy", "quit"}
)
_AGE = re.compile(r"last|used|access|seen|age|idle|expir|ttl|timeout|stale|time|monotonic|now|cutoff|deadline|activity")
_IN_USE = re.compile(
    r"in_?use|busy|^(is_)?(active|idle)$|ref(s|_|count|erence)|users|pin(s|ned)?$|lease|lock|running|pending|in_?flight|count|num_"
    r"|workers|clients|connections|subscribers|listeners|status|state|done|alive|jobs|requests|current"
)
_COMPARISONS = frozenset({"<", ">", "<=", ">="})
_PERIOD = frozenset({"sleep", "wait", "wait_for"})
_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Eviction:
    """An entry that a loop may end while a coroutine uses it.

    Attributes:
        cleaner: The function that takes entries out, at `removal`, and ends them, at `end`.
        user: A coroutine function that has taken an entry at `taken` and awaits it at `wait`.
    """

    cleaner: Function
    removal: tree.Node
    end: tree.Call
    user: Function
    taken: tree.Node
    wait: tree.Node


class Evictions:
    """Finds evictions. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self) -> Iterator[Eviction]:
        """The evictions of entries that are awaited elsewhere under no lock, one a table of each cleaner."""
        for cleaner in self._project.functions:
            for table, removal, end in self._removals(cleaner):
                use = next((use for use in self._uses.get(table, ()) if use[0] is not cleaner), None)
                if use is not None and not _asks_for_users(cleaner, table) and self._is_periodic(cleaner, _DEPTH):
                    yield Eviction(cleaner, removal, end, *use)

    # --- cleaners -----------------------------------------------------------------------------------

    def _removals(self, function: Function) -> Iterator[tuple[Table, tree.Node, tree.Call]]:
        """The tables from which a function takes entries by their age and ends them, with both places."""
        body = walk.inside(function)
        if not any(map(_compares_age, walk.found(function, tree.Operation))):
            return
        found: set[Table] = set()
        for node in body:
            taken = _removed_from(node)
            table = self._table(taken, function) if taken is not None else None
            if table is None or table in found:
                continue
            end = next((call for call in body if self._ends(call, table, function)), None)
            if isinstance(end, tree.Call):
                found.add(table)
                yield table, node, end

    def _ends(self, node: tree.Node, table: Table, function: Function) -> bool:
        """Whether a node closes, stops or unloads an entry of a table."""
        if not isinstance(node, tree.Call) or _ENDING.isdisjoint(last_name(node.func).split("_")):
            return False
        of = node.func.value if isinstance(node.func, tree.Attribute) else None
        subjects = [*([of] if of is not None else []), *node.args]
        return any(self._is_entry(subject, table, function) for subject in subjects)

    def _is_entry(self, expr: tree.Node, table: Table, function: Function) -> bool:
        """Whether an expression is an entry of a table, or a part of one."""
        while isinstance(expr, tree.Attribute):
            expr = expr.value
        bindings = function.bindings.get(expr.id, ()) if isinstance(expr, tree.Name) else ()
        sources = [binding.value for binding in bindings if binding.value is not None] or [expr]
        holders = [holder for source in sources for holder in _holders(source)]
        return any(self._table(holder, function) == table for holder in holders)

    def _is_periodic(self, function: Function, depth: int) -> bool:
        """Whether a function runs again and again beside the requests: it waits in a loop, or such a loop calls it."""
        if any(map(_waits, walk.found(function, tree.While))):
            return True
        return depth > 0 and any(
            isinstance(caller, Function)
            and any(
                _waits(loop) and any(inner is site.node for inner in walk.nodes(loop)) for loop in walk.found(caller, tree.While)
            )
            for caller, site in self._project.contexts.callers.get(function, ())
        )

    # --- users --------------------------------------------------------------------------------------

    @cached_property
    def _uses(self) -> dict[Table, list[tuple[Function, tree.Node, tree.Node]]]:
        """Coroutine functions that await an entry of a table under no lock, with where they take it and where they wait."""
        found: dict[Table, list[tuple[Function, tree.Node, tree.Node]]] = {}
        for function in self._project.functions:
            if function.is_async and not self._project.contexts.runs_once(function):
                for table, taken, wait in self._uses_in(function):
                    found.setdefault(table, []).append((function, taken, wait))
        return found

    def _uses_in(self, function: Function) -> Iterator[tuple[Table, tree.Node, tree.Node]]:
        locks = self._project.held(function)
        for wait in walk.waits(function):
            call = wait.value if isinstance(wait, tree.Await) else wait.iter if isinstance(wait, tree.For) else None
            if not isinstance(call, tree.Call) or not isinstance(call.func, tree.Attribute):
                continue
            if not _ENDING.isdisjoint(call.func.attr.split("_")) or any(lock.covers(wait.start) for lock in locks):
                continue
            entry: tree.Node = call.func.value
            while isinstance(entry, tree.Attribute):
                entry = entry.value
            taken = self._taken(entry, function)
            for table in self._tables_of(taken, function) if taken is not None else ():
                yield table, taken or entry, wait

    def _taken(self, entry: tree.Node, function: Function) -> tree.Node | None:
        """The expression that gave what is awaited."""
        if isinstance(entry, tree.Name):
            bindings = self._project.inference.names.bindings_at(entry.id, function, entry.start)
            values = [binding.value for binding in bindings if binding.kind == "assign" and not binding.path]
            entry = values[0] if len(bindings) == 1 and values and values[0] is not None else entry
        if isinstance(entry, tree.Await):
            entry = entry.value
        return entry if isinstance(entry, tree.Subscript | tree.Call) else None

    def _tables_of(self, taken: tree.Node, function: Function) -> Iterator[Table]:
        """The tables of which an expression is an entry: by itself, or as what a function of the project returns."""
        table = self._item(taken, function)
        if table is not None:
            yield table
            return
        for site in self._project.sites(function):
            if site.node is taken and len(site.targets) == 1:
                below = site.targets[0].function
                tables = {found for expr, _ in below.returns if (found := self._item(expr, below)) is not None}
                yield from sorted(tables, key=lambda table: table[1])

    def _item(self, expr: tree.Node, function: Function) -> Table | None:
        place = place_of(self._project, expr, function)
        return self._key(place.home, place.name, function) if place is not None and place.is_item else None

    def _table(self, expr: tree.Node, function: Function) -> Table | None:
        place = place_of(self._project, expr, function)
        return self._key(place.home, place.name, function) if place is not None and not place.is_item else None

    def _key(self, home: Module | Class | str, name: str, function: Function) -> Table | None:
        if home != SELF:
            return home, name
        method = method_around(function)
        return (method.owner, name) if method is not None and method.owner is not None else None


def _holders(source: tree.Node) -> Iterator[tree.Node]:
    """What an expression, or what a loop goes through, takes an item or calls a method of."""
    for node in walk.nodes(source.iter if isinstance(source, tree.For) else source):
        if isinstance(node, tree.Subscript):
            yield node.value
        elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute):
            yield node.func.value


def _removed_from(node: tree.Node) -> tree.Node | None:
    """The table from which a node takes an entry."""
    if isinstance(node, tree.Delete) and isinstance(node.targets[0], tree.Subscript):
        return node.targets[0].value
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr == "pop" and node.args:
        return node.func.value
    return None


def _words(node: tree.Node) -> Iterator[str]:
    for part in walk.nodes(node):
        if isinstance(part, tree.Name | tree.Attribute):
            yield (part.id if isinstance(part, tree.Name) else part.attr).lower()


def _compares_age(node: tree.Operation) -> bool:
    return node.op in _COMPARISONS and any(map(_AGE.search, _words(node)))


def _asks_for_users(function: Function, table: Table) -> bool:
    """Whether a test of the function asks for more than the age of an entry: a count, a mark, a lock."""
    for node in walk.found(function, tree.If, tree.Generator):
        tests = [node.test] if isinstance(node, tree.If) else node.ifs
        if any(_IN_USE.search(word) for test in tests for word in _words(test) if word != table[1].lower()):
            return True
    return False


def _waits(loop: tree.While) -> bool:
    return any(isinstance(node, tree.Call) and last_name(node.func) in _PERIOD for node in walk.nodes(loop))
