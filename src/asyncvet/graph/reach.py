"""What functions reach: the shortest way from a function to a call that blocks, computes, or runs a loop of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from asyncvet.catalogue import Api
from asyncvet.graph.calls import ApiCall, Calls, CallSite, Mode, Target
from asyncvet.graph.loop_checks import LoopChecks
from asyncvet.graph.scopes import Function

Kind = Literal["blocks", "metadata", "cpu", "runs-loop", "celery-result", "celery-publish"]
"""What a call does to the thread that runs it; each kind is a rule's business."""


def kind_of(api: Api) -> Kind | None:
    """The kind of a catalogue entry, None if it harms nobody."""
    if api.is_async:
        return None
    if api.category == "celery-result" or api.category == "celery-publish":
        return api.category
    if api.effect == "blocks":
        return "metadata" if api.category == "metadata" or api.stall == "short" else "blocks"
    if api.effect == "cpu-bound":
        return None if api.stall == "short" else "cpu"
    return "runs-loop" if api.effect == "runs-loop" else None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way: at `site`, on to the function of `target`, or to the entry `api` where the way ends."""

    site: CallSite
    target: Target | None
    api: ApiCall | None


class Reach:
    """Shortest ways to calls of each kind, over the functions that run where their caller runs."""

    def __init__(self, functions: Iterable[Function], calls: Calls, checks: LoopChecks) -> None:
        self._functions = list(functions)
        self._calls = calls
        self._checks = checks

    def ways(self, function: Function, kind: Kind) -> Iterator[list[Step]]:
        """For every site of `function` from which a call of `kind` is reached: the shortest way there."""
        for site in self._calls.sites(function):
            way = self.way_from(site, kind)
            if way:
                yield way

    def way_from(self, site: CallSite, kind: Kind) -> list[Step]:
        """The shortest way from a site to a call of `kind`, empty if there is none."""
        api = self._own(site, kind)
        if api is not None:
            return [Step(site, None, api)]
        best: tuple[int, Target] | None = None
        for target in self._inline(site):
            distance = self._distances[kind].get(target.function)
            if distance is not None and (best is None or distance < best[0]):
                best = distance, target
        if best is None:
            return []
        steps = [Step(site, best[1], None)]
        while steps[-1].target is not None:
            steps.append(self._next[kind][steps[-1].target.function])
        return steps

    @cached_property
    def _callers(self) -> dict[Function, list[tuple[Function, CallSite, Target]]]:
        """Plain functions by what they run in their own thread."""
        callers: dict[Function, list[tuple[Function, CallSite, Target]]] = {}
        for function in self._functions:
            if function.is_async:
                continue
            for site in self._calls.sites(function):
                for target in self._inline(site):
                    callers.setdefault(target.function, []).append((function, site, target))
        return callers

    @cached_property
    def _search(self) -> dict[Kind, tuple[dict[Function, int], dict[Function, Step]]]:
        return {kind: self._breadth_first(kind) for kind in get_args(Kind)}

    @cached_property
    def _distances(self) -> dict[Kind, dict[Function, int]]:
        return {kind: found[0] for kind, found in self._search.items()}

    @cached_property
    def _next(self) -> dict[Kind, dict[Function, Step]]:
        return {kind: found[1] for kind, found in self._search.items()}

    def _breadth_first(self, kind: Kind) -> tuple[dict[Function, int], dict[Function, Step]]:
        """Distance to the nearest call of `kind`, and the step towards it, for every plain function that has one."""
        distances: dict[Function, int] = {}
        steps: dict[Function, Step] = {}
        for function in self._functions:
            for site in () if function.is_async else self._calls.sites(function):
                api = self._own(site, kind)
                if api is not None:
                    distances[function], steps[function] = 0, Step(site, None, api)
                    break
        queue = deque(distances)
        while queue:
            reached = queue.popleft()
            for caller, site, target in self._callers.get(reached, ()):
                if caller not in distances:
                    distances[caller] = distances[reached] + 1 + len(target.via)
                    steps[caller] = Step(site, target, None)
                    queue.append(caller)
        return distances, steps

    def _own(self, site: CallSite, kind: Kind) -> ApiCall | None:
        """The entry of `kind` that a site calls itself. An awaited call is of another library than the catalogue thinks."""
        if site.awaited or self._checks.runs_without_loop(site):
            return None
        return next((api for api in site.apis if kind_of(api.api) == kind), None)

    def _inline(self, site: CallSite) -> Iterator[Target]:
        if not self._checks.runs_without_loop(site):
            yield from (target for target in site.targets if target.mode is Mode.INLINE)
