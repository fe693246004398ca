"""What functions reach: the shortest way from a function to a call that blocks, computes, or runs a loop of its own."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from asyncvet.catalogue import Api
from asyncvet.facts import tree
from asyncvet.graph.calls import Calls
from asyncvet.graph.feasibility import Feasibility, can_run
from asyncvet.graph.known import NOTHING_KNOWN, Known
from asyncvet.graph.loop_checks import LoopChecks
from asyncvet.graph.scopes import Function
from asyncvet.graph.sites import ApiCall, CallSite, Mode, Target

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

Kind = Literal["blocks", "metadata", "cpu", "runs-loop", "celery-result", "celery-publish"]
"""What a call does to the thread that runs it; each kind is a rule's business."""

_ALTERNATIVES = 3


_DEEP = 3
"""Calls after which a chain is in what many callers share."""
_STATES = 400
"""A search from one site looks at so many functions at the most, each as often as different things are known in it."""


def kind_of(api: Api) -> Kind | None:
    """The kind of a catalogue entry, None if it harms nobody."""
    if api.is_async:
        return None
    if api.category in ("celery-result", "celery-publish"):
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


def is_doubtful(way: Iterable[Step]) -> bool:
    """Whether a step of a way is one of many methods that its site may call."""
    return any(len({target.function for target in step.site.targets}) > _ALTERNATIVES for step in way)


class Reach:
    """Shortest ways to calls of each kind, over the functions that run where their caller runs."""

    def __init__(self, functions: Iterable[Function], calls: Calls, inference: Inference) -> None:
        self._own_functions = list(functions)
        self._calls = calls
        self._checks = LoopChecks(inference)
        self._feasibility = Feasibility(inference)
        self._ways: dict[tuple[Function, Kind], list[list[Step]]] = {}
        self._leads: dict[tuple[Function, Kind], list[tuple[CallSite, ApiCall | None]]] = {}

    def ways(self, function: Function, kind: Kind) -> Sequence[list[Step]]:
        """For every site of `function` from which a call of `kind` is reached: the shortest way there."""
        key = (function, kind)
        known = self._ways.get(key)
        if known is None:
            known = self._ways[key] = [way for site in self._calls.sites(function) if (way := self.way_from(site, kind))]
        return known

    def way_from(self, site: CallSite, kind: Kind) -> list[Step]:
        """The shortest feasible way from a site to a call of `kind`, empty if there is none."""
        api = self._own(site, kind)
        if api is not None:
            return [Step(site, None, api)]
        distances = self._distances[kind]
        if not any(target.function in distances for target in self._inline(site)):
            return []
        queue: list[tuple[int, int, Target, Known, tuple[Step, ...]]] = []
        seen: set[tuple[Function, Known]] = set()

        def go_on(at: CallSite, known: Known, way: tuple[Step, ...]) -> None:
            for target in self._inline(at) if self._is_likely(at, kind, len(way)) else ():
                inside = self._feasibility.enter(at, target, known) if target.function in distances else None
                if inside is not None and (target.function, inside) not in seen and len(seen) < _STATES:
                    seen.add((target.function, inside))
                    length = len(way) + 1 + len(target.via) + distances[target.function]
                    heapq.heappush(queue, (length, len(seen), target, inside, (*way, Step(at, target, None))))

        go_on(site, NOTHING_KNOWN, ())
        while queue:
            *_, target, known, way = heapq.heappop(queue)
            for below, own in self._leading(target.function, kind):
                if can_run(below, known):
                    if own is not None and self._is_real(below, own, known):
                        return [*way, Step(below, None, own)]
                    go_on(below, known, way)
        return []

    def _is_real(self, site: CallSite, own: ApiCall, known: Known) -> bool:
        return self._feasibility.is_of_known(site, own.name, known) and not self._feasibility.is_in_memory(site, own.api, known)

    def _leading(self, function: Function, kind: Kind) -> list[tuple[CallSite, ApiCall | None]]:
        """The sites of a function that lead on to a call of `kind`, those that are one themselves first."""
        key = (function, kind)
        known = self._leads.get(key)
        if known is None:
            distances = self._distances[kind]
            sites = [(site, self._own(site, kind)) for site in self._calls.sites(function)]
            # The least nested first: what runs under the fewest conditions.
            own = sorted(((site, api) for site, api in sites if api is not None), key=lambda lead: lead[0].site.block.depth)
            onward = [(s, None) for s, api in sites if api is None and any(t.function in distances for t in self._inline(s))]
            known = self._leads[key] = [*own, *onward]
        return known

    @cached_property
    def _functions(self) -> list[Function]:
        """The project's functions, and those of installed packages that they reach."""
        found = dict.fromkeys(self._own_functions)
        pending = deque(found)
        while pending:
            for site in self._calls.sites(pending.popleft()):
                for target in site.targets:
                    if target.function not in found:
                        found[target.function] = None
                        pending.append(target.function)
        return list(found)

    @cached_property
    def _callers(self) -> dict[Function, list[tuple[Function, Target]]]:
        """Plain functions by what they run in their own thread."""
        callers: dict[Function, list[tuple[Function, Target]]] = {}
        for function in self._functions:
            if function.is_async:
                continue
            for site in self._calls.sites(function):
                for target in self._inline(site):
                    callers.setdefault(target.function, []).append((function, target))
        return callers

    @cached_property
    def _distances(self) -> dict[Kind, dict[Function, int]]:
        return {kind: self._breadth_first(kind) for kind in get_args(Kind)}

    def _breadth_first(self, kind: Kind) -> dict[Function, int]:
        """Steps to the nearest call of `kind` for every plain function that has one, if all its branches could run."""
        distances = {
            function: 0
            for function in self._functions
            if not function.is_async and any(self._own(site, kind) is not None for site in self._calls.sites(function))
        }
        queue = deque(distances)
        while queue:
            reached = queue.popleft()
            for caller, target in self._callers.get(reached, ()):
                if caller not in distances:
                    distances[caller] = distances[reached] + 1 + len(target.via)
                    queue.append(caller)
        return distances

    def _own(self, site: CallSite, kind: Kind) -> ApiCall | None:
        """The entry of `kind` that a site calls itself. An awaited call is of another library than the catalogue thinks."""
        if not site.apis or site.awaited or self._checks.runs_without_loop(site):
            return None
        if site.scope.module.is_external and kind != "blocks":
            return None
        return next((api for api in site.apis if kind_of(api.api) == kind and not _is_detail(site, api)), None)

    def _inline(self, site: CallSite) -> Iterator[Target]:
        if site.targets and not self._checks.runs_without_loop(site):
            yield from (target for target in site.targets if target.mode is Mode.INLINE)

    def _is_likely(self, site: CallSite, kind: Kind, depth: int) -> bool:
        """Whether a site that may run one of many functions is likely to run one that leads on: at least half of them do.

        Of what a table holds that many share, deep down, all must: which of them runs depends on the caller, who is far away.
        """
        if len(site.targets) < 2:
            return True
        functions = {target.function for target in site.targets if not target.function.is_abstract}
        is_far = depth >= _DEEP and _is_looked_up(site.node)
        if len(functions) <= (1 if is_far else _ALTERNATIVES):
            return True
        leading = sum(function in self._distances[kind] for function in functions)
        return leading == len(functions) if is_far else 2 * leading >= len(functions)


def _is_looked_up(node: tree.Node) -> bool:
    """Whether a call is of what a table holds: `factories[name].create()`, `handlers[name]()`."""
    func = node.func if isinstance(node, tree.Call) else node
    return isinstance(func.value if isinstance(func, tree.Attribute) else func, tree.Subscript)


def _is_detail(site: CallSite, api: ApiCall) -> bool:
    """Whether it is an installed package's own business: what it does with files and locks is small, cached, or once at import."""
    return site.scope.module.is_external and api.api.category not in (
        "sleep",
        "network",
        "database",
        "process",
        "console",
        "broker",
    )
