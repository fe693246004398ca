"""Whereabouts: every way in which a function comes to run, with the calls that lead to it from where the program is entered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import msgspec

from asyncvet.facts import tree
from asyncvet.graph.scopes import Body, Function, Module, shown
from asyncvet.graph.sites import CallSite, Mode, Target
from asyncvet.model import Frame

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

Context = Literal["event-loop", "main-thread", "worker-process", "worker-thread", "import-time"]

CONTEXTS: tuple[Context, ...] = ("event-loop", "main-thread", "worker-process", "worker-thread", "import-time")
"""The contexts, the one where waiting harms most first."""

_HANDED: dict[Mode, Context] = {Mode.THREAD: "worker-thread", Mode.LOOP: "event-loop", Mode.LATER: "main-thread"}
_FOLLOWED = (Mode.INLINE, Mode.COROUTINE)
_SHOWN = 5


class Run(msgspec.Struct, frozen=True):
    """One way in which a function comes to run.

    Attributes:
        where: The context in which it runs then.
        label: What enters the program there: ``route GET /items``, or which call hands it over.
        once: The function provably runs once in the life of the process.
        chain: The calls from there down to the function; empty if it is entered itself.
    """

    where: Context
    label: str
    once: bool = False
    chain: tuple[Frame, ...] = ()


class Runs(msgspec.Struct, frozen=True):
    """Where a function runs: the first few ways, the most harmful context first, and the number of the others."""

    shown: tuple[Run, ...]
    more: int
    contexts: tuple[Context, ...]


Above = dict[Body, tuple[CallSite, Target] | None]
"""What calls a function, however far above: each with its first step on the shortest way down. The function itself has none."""


class Whereabouts:
    """Follows calls from functions upwards. One object a project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def runs(self, scope: Body) -> Runs:
        """Where a function runs, or the top level of a module."""
        if isinstance(scope, Module):
            return Runs((Run("import-time", f"import of {scope.qualname}"),), 0, ("import-time",))
        found = sorted(dict.fromkeys(self._runs(scope)), key=lambda run: CONTEXTS.index(run.where))
        contexts = tuple(dict.fromkeys(run.where for run in found))
        return Runs(tuple(found[:_SHOWN]), max(len(found) - _SHOWN, 0), contexts)

    def loop_ways(self, function: Function) -> list[tuple[Function, tuple[Frame, ...]]]:
        """What the loop runs from which a function is reached in the same thread, with the calls; nearest first."""
        above = self._above(function, (Mode.INLINE,))
        return [
            (caller, self._chain(above, caller, function))
            for caller in above
            if isinstance(caller, Function) and (caller.is_async or self._project.contexts.is_loop_callback(caller))
        ]

    @cached_property
    def _callers(self) -> dict[Function, list[tuple[CallSite, Target]]]:
        """Who runs a function, in whatever way."""
        callers: dict[Function, list[tuple[CallSite, Target]]] = {}
        bodies: tuple[Body, ...] = (*self._project.modules.values(), *self._project.functions)
        for scope in bodies:
            for site in self._project.sites(scope):
                for target in site.targets:
                    callers.setdefault(target.function, []).append((site, target))
        return callers

    @property
    def called(self) -> tuple[Function, ...]:
        """The functions that the project runs, those of installed packages among them."""
        return tuple(self._callers)

    @cached_property
    def _passed_on(self) -> dict[Function, set[int]]:
        """The places that only pass a function on, by the function."""
        return {function: {id(node) for _, t in steps for _, node in t.via} for function, steps in self._callers.items()}

    def is_middleman(self, site: CallSite, target: Target) -> bool:
        """Whether a site runs a function only for others, who hand it over: they tell more."""
        return id(site.node) in self._passed_on.get(target.function, ())

    def callers(self, function: Function) -> list[tuple[CallSite, Target]]:
        """The sites that run a function, in whatever way, hand-offs included; not the places that only pass on what others gave."""
        return [step for step in self._callers.get(function, ()) if not self.is_middleman(*step)]

    def _above(self, function: Function, modes: tuple[Mode, ...]) -> Above:
        above: Above = {function: None}
        queue = deque([function])
        while queue:
            current = queue.popleft()
            if modes == (Mode.INLINE,) and current.is_async:
                continue  # Who runs a coroutine does not wait in its thread.
            for site, target in self.callers(current):
                if target.mode in modes and site.scope not in above:
                    above[site.scope] = (site, target)
                    if isinstance(site.scope, Function):
                        queue.append(site.scope)
        return above

    def _chain(self, above: Above, start: Body, end: Function) -> tuple[Frame, ...]:
        frames: list[Frame] = []
        current = start
        while current is not end and (step := above.get(current)) is not None:
            frames += self.steps(*step)
            current = step[1].function
        return tuple(frames)

    def steps(self, site: CallSite, target: Target | None) -> Iterator[Frame]:
        """The frames of one step: the site, and the places in functions that hand their parameter on."""
        yield self._frame(site.scope, site.node)
        if target is not None:
            yield from self.hand_overs(target)

    def hand_overs(self, target: Target) -> Iterator[Frame]:
        """The places between a site and its target, in functions that hand their parameter on."""
        yield from (self._frame(function, node) for function, node in target.via)

    def _frame(self, scope: Body, node: tree.Node) -> Frame:
        return msgspec.structs.replace(self._project.frame(scope, node), text=shown(node))

    def _runs(self, function: Function) -> Iterator[Run]:
        above = self._above(function, _FOLLOWED)
        once = self._project.contexts.runs_once(function)
        for entry in self._project.contexts.entries(function):
            if entry.role not in ("thread", "loop callback"):  # What hands them over tells more.
                yield Run(entry.where, entry.label, once, self._chain(above, entry.function, function))
        for start in above:
            chain = self._chain(above, start, function)
            if isinstance(start, Module):
                yield Run("import-time", f"import of {start.qualname}", False, chain)
                continue
            for site, target in self.callers(start):
                if (where := _HANDED.get(target.mode)) is not None:
                    label = f"handed over by `{shown(site.node)}` in {site.scope.qualname}"
                    yield Run(where, label, False, (*self.steps(site, target), *chain))
            if start.is_async and not self.callers(start) and start not in self._project.contexts.entry_points:
                yield Run("event-loop", f"async def {start.name}, which nothing that was read calls", False, chain)
