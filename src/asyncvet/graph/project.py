"""The project as rules see it: its functions, what they call, where they run, what they reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from asyncvet.catalogue import Catalogue
from asyncvet.facts import tree
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph.calls import Calls
from asyncvet.graph.contexts import Contexts
from asyncvet.graph.entry_points import EntryPoint, View, find_all
from asyncvet.graph.inference import Inference
from asyncvet.graph.library import Library
from asyncvet.graph.lifetimes import Lifetimes
from asyncvet.graph.locks import Held, held
from asyncvet.graph.modules import ModuleIndex
from asyncvet.graph.observed_calls import Edges, ObservedCalls
from asyncvet.graph.overlaps import Overlaps
from asyncvet.graph.ownership import Ownership
from asyncvet.graph.reach import Kind, Reach, Step
from asyncvet.graph.scan import scan
from asyncvet.graph.scopes import Function, Module, Scope, last_name, shown
from asyncvet.graph.sites import CallSite
from asyncvet.graph.stalls import Stall, find
from asyncvet.graph.tasks import Tasks
from asyncvet.graph.values import Values
from asyncvet.model import Finding, Frame, RuleHead, Severity, Sink, Span


class Statistics(msgspec.Struct, frozen=True):
    """How much of the code was understood.

    Attributes:
        calls: Calls in functions that the event loop runs.
        unresolved_calls: Those of them of which nothing is known.
    """

    calls: int
    unresolved_calls: int


class Project:
    """Facts, linked. Answers are computed when they are first asked for."""

    def __init__(
        self,
        modules: Mapping[str, ModuleFacts],
        catalogue: Catalogue,
        package: str = "",
        library: Library | None = None,
        observed: Edges | None = None,
    ) -> None:
        index = ModuleIndex(modules, package, library)
        self.modules: dict[str, Module] = {path: scan(index.name(path), path, modules[path]) for path in sorted(modules)}
        self.functions: tuple[Function, ...] = tuple(f for module in self.modules.values() for f in module.functions)
        self.catalogue = catalogue
        self.inference = Inference(self.modules, index, catalogue)
        self.calls = Calls(self.inference, ObservedCalls(self.modules, observed or {}))
        self._held: dict[Function, tuple[Held, ...]] = {}
        self.reach = Reach(self.functions, self.calls, self.inference)

    # --- names and values -------------------------------------------------------------------------

    def values(self, expr: tree.Node | None, scope: Scope) -> Values:
        """What an expression that stands in `scope` can be; empty if unknown."""
        return self.inference.values(expr, scope)

    # --- calls ------------------------------------------------------------------------------------

    def sites(self, scope: Function | Module) -> tuple[CallSite, ...]:
        """The call sites of a body, in the order in which they run."""
        return self.calls.sites(scope)

    # --- where code runs ----------------------------------------------------------------------------

    @cached_property
    def entry_points(self) -> tuple[EntryPoint, ...]:
        """All entry points, in a fixed order."""
        view = View(tuple(self.modules.values()), self.functions, self.inference, self.calls)
        return tuple(find_all(view))

    @cached_property
    def contexts(self) -> Contexts:
        """Where functions run."""
        return Contexts(self.functions, self.modules.values(), self.calls, self.entry_points)

    @cached_property
    def loop_functions(self) -> tuple[Function, ...]:
        """The functions whose bodies the event loop itself runs: every `async def`, and the plain functions that it calls back."""
        return tuple(f for f in self.functions if f.is_async or self.contexts.is_loop_callback(f))

    @cached_property
    def tasks(self) -> Tasks:
        """Where tasks are made, kept, awaited and cancelled."""
        return Tasks(self)

    # --- shared state -------------------------------------------------------------------------------

    @cached_property
    def lifetimes(self) -> Lifetimes:
        """How long instances of the project's classes live."""
        return Lifetimes(self)

    @cached_property
    def overlaps(self) -> Overlaps:
        """Whether calls of coroutine functions overlap."""
        return Overlaps(self)

    @cached_property
    def ownership(self) -> Ownership:
        """Who closes what is opened."""
        return Ownership(self)

    def held(self, function: Function) -> tuple[Held, ...]:
        """The stretches of a function over which it holds a lock, in the order in which they are written."""
        known = self._held.get(function)
        if known is None:
            known = self._held[function] = tuple(held(self, function))
        return known

    # --- places -------------------------------------------------------------------------------------

    def span(self, scope: Scope, node: tree.Node) -> Span:
        """Where a node of `scope` stands."""
        return scope.module.facts.span(scope.module.filename, node.start, node.end)

    def frame(self, scope: Scope, node: tree.Node) -> Frame:
        """A step of a call chain at a node of `scope`."""
        line, column = scope.module.facts.position(node.start)
        return Frame(scope.module.filename, line, column, scope.qualname)

    def frames(self, way: list[Step]) -> tuple[Frame, ...]:
        """The call chain of a way: every site on it, with the steps in functions that hand their parameter on."""
        return tuple(self._frames(way))

    def _frames(self, way: list[Step]) -> Iterator[Frame]:
        for step in way:
            yield self.frame(step.site.scope, step.site.node)
            if step.target is not None:
                for function, node in step.target.via:
                    yield self.frame(function, node)

    # --- faults that need a chain of calls ----------------------------------------------------------

    def stalls(self, kind: Kind) -> Iterator[Stall]:
        """The places in code that the loop runs from which a call of a kind is reached in the loop's own thread."""
        return find(self, kind)

    def stall_finding(self, rule: RuleHead, stall: Stall, message: str) -> Finding:
        """What a rule reports of a stall: place, chain, contexts, sink, root cause; lighter if it waits for the disk or happens once."""
        sink = stall.sink
        length = "cpu" if sink.api.effect == "cpu-bound" else sink.api.stall
        return Finding(
            code=rule.code,
            name=rule.name,
            item=rule.item,
            severity=_lowered(rule.severity, stall),
            span=self.span(stall.function, _head(stall.site.node)),
            function=stall.function.qualname,
            message=message,
            advice=_sentence(sink.api.why),
            sink=Sink(sink.name, sink.api.category or "", length, stall.bound),
            chain=self.frames(list(stall.way)),
            runs_in=self.contexts.runs_in(stall.function),
            runs_once=stall.runs_once,
            root_cause=stall.cause,
        )

    def remedy(self, stall: Stall) -> str:
        """What to write instead, in the code's own names."""
        replacement = self._namesake(stall.sink.api.replacement, stall.sink.name.rpartition(".")[2])
        node = stall.site.node
        if stall.is_direct and replacement and stall.function.is_async:
            return f"use `{replacement.replace('*', shown(node.func) if isinstance(node, tree.Call) else '')}`"
        if isinstance(node, tree.Call) and last_name(node.func) != "enter_context":
            handed = ", ".join([shown(node.func), "..."] if node.args or node.keywords else [shown(node.func)])
            if stall.function.is_async:
                return f"use `await asyncio.to_thread({handed})`"
            return f"hand it to a thread: `loop.run_in_executor(None, {handed})`"
        return "move it into a function that `asyncio.to_thread` runs"

    def _namesake(self, replacement: str, method: str) -> str:
        """The method of the replacement's class that has the same name as the one to replace, where there is one."""
        owner = replacement.rpartition(".")[0]
        if (
            owner
            and self.catalogue.type(owner) is not None
            and any(api.is_async for api in self.catalogue.api(f"{owner}.{method}"))
        ):
            return f"{owner}.{method}"
        return replacement

    # --- statistics ---------------------------------------------------------------------------------

    @cached_property
    def statistics(self) -> Statistics:
        """How much of the code that the loop runs was understood."""
        sites = [site for f in self.loop_functions for site in self.sites(f) if isinstance(site.node, tree.Call)]
        return Statistics(len(sites), sum(not site.is_resolved for site in sites))


def _lowered(severity: Severity, stall: Stall) -> Severity:
    """Two steps lighter where the wait is only as long as the disk takes, and one more where it happens once or behind a cache."""
    if stall.sink.api.stall == "device" and stall.sink.api.effect == "blocks":
        severity = severity.lowered().lowered()
    return severity.lowered() if stall.runs_once or stall.is_memoised else severity


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _head(node: tree.Node) -> tree.Node:
    """The part of a compound statement that a finding underlines."""
    if isinstance(node, tree.With):
        return node.items[0].value
    return node.iter if isinstance(node, tree.For) else node
