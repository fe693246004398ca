"""Where functions run: the execution contexts that follow from entry points along calls, cut at hand-offs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property

from asyncvet.facts import tree
from asyncvet.graph.calls import Calls
from asyncvet.graph.entry_points import EntryPoint
from asyncvet.graph.scopes import Body, Function, Module
from asyncvet.graph.sites import CallSite, Mode

_FOLLOWED = (Mode.INLINE, Mode.COROUTINE)
_ONCE = frozenset({"lifespan", "startup", "shutdown", "main", "command"})
_RANK = {"route": 0, "websocket": 0, "handler": 1, "dependency": 1, "middleware": 1, "background task": 2, "loop callback": 3}


class Contexts:
    """Answers where a function runs.

    Args:
        functions: All functions of the project.
        entry_points: All entry points, in a fixed order.
    """

    def __init__(
        self, functions: Iterable[Function], modules: Iterable[Module], calls: Calls, entry_points: Iterable[EntryPoint]
    ) -> None:
        self._functions = tuple(functions)
        self._modules = tuple(modules)
        self._calls = calls
        self.entry_points: dict[Function, list[EntryPoint]] = {}
        for entry in entry_points:
            known = self.entry_points.setdefault(entry.function, [])
            if entry not in known:
                known.append(entry)
        self._entries: dict[Function, tuple[EntryPoint, ...]] = {}
        self._once: dict[Function, bool] = {}
        self._commands: dict[Function, bool] = {}

    def is_loop_callback(self, function: Function) -> bool:
        """Whether a plain function is called by the loop itself."""
        return not function.is_async and any(entry.where == "event-loop" for entry in self.entry_points.get(function, ()))

    def entries(self, function: Function) -> tuple[EntryPoint, ...]:
        """The entry points from which a function is reached with no hand-off on the way, most telling first."""
        known = self._entries.get(function)
        if known is None:
            members = self._reached_from.get(function, 0)
            known = self._entries[function] = tuple(self._ranked[index] for index in _bits(members))
        return known

    @cached_property
    def _ranked(self) -> list[EntryPoint]:
        """All entry points, most telling first."""
        found = [entry for entries in self.entry_points.values() for entry in entries]
        return sorted(found, key=lambda entry: (_RANK.get(entry.role, 4), entry.label))

    @cached_property
    def _reached_from(self) -> dict[Function, int]:
        """The entry points from which each function is reached, as a set of bits: the places of `_ranked`."""
        reached: dict[Function, int] = {}
        for index, entry in enumerate(self._ranked):
            reached[entry.function] = reached.get(entry.function, 0) | 1 << index
        called: dict[Function, list[Function]] = {}
        for function, callers in self.callers.items():
            for caller in dict.fromkeys(caller for caller, _ in callers if isinstance(caller, Function)):
                called.setdefault(caller, []).append(function)
        queue = deque(reached)
        while queue:
            current = queue.popleft()
            for below in called.get(current, ()):
                known = reached.get(below, 0)
                if known | reached[current] != known:
                    reached[below] = known | reached[current]
                    queue.append(below)
        return reached

    @cached_property
    def callers(self) -> dict[Function, list[tuple[Body, CallSite]]]:
        """Who runs a function in its own context, with the site."""
        callers: dict[Function, list[tuple[Body, CallSite]]] = {}
        bodies: tuple[Body, ...] = (*self._modules, *self._functions)
        for scope in bodies:
            for site in self._calls.sites(scope):
                for target in site.targets:
                    if target.mode in _FOLLOWED:
                        callers.setdefault(target.function, []).append((scope, site))
        return callers

    def runs_in(self, function: Function) -> tuple[str, ...]:
        """Descriptions of the contexts of a function that the loop runs, most telling first."""
        labels = [f"event-loop: {entry.label}" for entry in self.entries(function) if entry.where == "event-loop"]
        if labels:
            return tuple(dict.fromkeys(labels))
        return (f"event-loop: {'async def' if function.is_async else 'loop callback'} {function.name}",)

    def runs_once(self, function: Function) -> bool:
        """Whether a function provably runs once in the life of its process: start-up, shutdown, a script's main coroutine."""
        known = self._once.get(function)
        if known is None:
            self._once[function] = False  # Recursion runs more than once.
            known = self._once[function] = self._is_once(function)
        return known

    def is_script(self, function: Function) -> bool:
        """Whether a function runs only in a command-line program or a script's main coroutine, once: no one else waits for the loop."""
        entries = self.entries(function)
        return bool(entries) and all(entry.role in ("command", "main") for entry in entries) and self.runs_once(function)

    def is_command(self, function: Function) -> bool:
        """Whether a function is a command of a command-line program, or belongs to the module of one and to nothing else.

        What a command calls in other modules may be a library that others call too, in ways that the source does not tell; what is
        private there belongs to its callers.
        """
        known = self._commands.get(function)
        if known is None:
            self._commands[function] = False  # Recursion tells of no caller.
            known = self._commands[function] = self._is_command(function)
        return known

    def _is_command(self, function: Function) -> bool:
        entries = self.entries(function)
        if not entries or any(entry.role != "command" for entry in entries):
            return False
        if any(entry.function.module is function.module for entry in entries):
            return True
        callers = self.callers.get(function, ())
        return _is_private(function) and all(
            isinstance(c, Function) and (c is function or self.is_command(c)) for c, _ in callers
        )

    def happens_once(self, site: CallSite) -> bool:
        """Whether a site of a function that runs once stands in no loop of it."""
        return isinstance(site.scope, Function) and not in_loop(site) and self.runs_once(site.scope)

    def _is_once(self, function: Function) -> bool:
        entries = self.entry_points.get(function, ())
        if any(entry.role not in _ONCE for entry in entries):
            return False
        callers = self.callers.get(function, ())
        if not entries and len(callers) != 1:
            return False
        return all(self.happens_once(site) for _, site in callers)


def _is_private(function: Function) -> bool:
    return any(word.startswith("_") and not word.startswith("__") for word in function.qualname.split("."))


def in_loop(site: CallSite) -> bool:
    """Whether a site stands in a loop or comprehension of its function."""
    return any(block.arm in ("loop", "comprehension") for block in site.site.block.ancestors()) or isinstance(
        site.node, tree.Comprehension
    )


def _bits(members: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    while members:
        lowest = members & -members
        yield lowest.bit_length() - 1
        members ^= lowest
