"""Clearances: why a library call that could keep its thread does not do so where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from asyncvet.catalogue import Api, Condition
from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at, passed
from asyncvet.graph.conditions import holds, touches_memory_only
from asyncvet.graph.explanation import Reason
from asyncvet.graph.reach import kind_of
from asyncvet.graph.scopes import Class, Function, shown
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Bound, GeneratorOf, Object, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_IN_A_THREAD = " in a thread.__call__"
"""How inference names what a decorator of a library hands to a thread."""


class Clearances:
    """Tells why library calls are harmless where they stand. One object an explanation."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, site: CallSite) -> Iterator[Reason]:
        """The reasons that hold for a resolved site from which no call that keeps its thread is reached."""
        yield from self._handed_on(site)
        for entry in site.apis:
            yield from self._entry(site, entry.name, entry.api)
        known = {entry.name for entry in site.apis}
        for name in dict.fromkeys(site.names):
            if name.endswith(_IN_A_THREAD):
                yield Reason("handed-off", f"the decorator of `{name.removesuffix(_IN_A_THREAD)}` runs it in a thread")
            elif self._project.catalogue.canonical(name) not in known:
                yield from self._without_entry(site, name)
        yield from self._of_project(site)

    def _entry(self, site: CallSite, name: str, api: Api) -> Iterator[Reason]:
        if site.awaited and kind_of(api) is not None:
            yield Reason("awaited", f"awaited, so it is not the `{name}` that waits in its thread")
        elif api.effect == "offloads":
            if not _hands_over(site, Mode.THREAD):
                yield Reason("handed-off", f"`{name}` hands `{self._argument(site, api)}` to another thread or process")
        elif api.is_async:
            yield Reason("awaited", f"`{name}` is asynchronous: the event loop goes on while it waits")
        elif api.effect in ("schedules", "defers", "spawns"):
            if not _hands_over(site, Mode.LOOP, Mode.LATER):
                yield Reason("later", f"`{name}` only arranges that `{self._argument(site, api)}` runs later")
        else:
            known = [Reason("harmless", f"the catalogue knows `{name}` as harmless for the thread that calls it")]
            yield from list(self._unmet(site, name)) or known

    def _argument(self, site: CallSite, api: Api) -> str:
        expr = argument_at(site.node, api.argument) if isinstance(site.node, tree.Call) else None
        return shown(expr) if expr is not None else "what it is given"

    def _without_entry(self, site: CallSite, name: str) -> Iterator[Reason]:
        unmet = list(self._unmet(site, name))
        if unmet:
            yield from unmet
        elif not name.startswith(("builtins.", "function.")):
            yield Reason("not-in-catalogue", f"`{name}` is not in the catalogue: it counts as harmless")

    # --- entries that speak of other calls than this one ---------------------------------------------

    def _unmet(self, site: CallSite, name: str) -> Iterator[Reason]:
        call = site.node if isinstance(site.node, tree.Call) else None
        receiver = self._receiver(site)
        for api in self._project.catalogue.api(name):
            if kind_of(api) is None:
                continue
            cause = self._cause(api, call, receiver, site)
            if cause:
                yield Reason("condition", f"`{name}` could wait ({api.category or api.effect}), but {cause}")

    def _cause(self, api: Api, call: tree.Call | None, receiver: Value | None, site: CallSite) -> str:
        inference, scope = self._project.inference, site.scope
        for condition in api.unless:
            if not holds(replace(api, unless=(condition,), only_if=()), call, receiver, inference, scope):
                return f"not with {_described(condition)}"
        for condition in api.only_if:
            if not holds(replace(api, unless=(), only_if=(condition,)), call, receiver, inference, scope):
                return f"only with {_described(condition)}"
        if touches_memory_only(api, call, receiver, inference, scope):
            return "its file is in memory"
        return "the same plain function gives the lock back at once" if api.category == "lock" else ""

    def _receiver(self, site: CallSite) -> Value | None:
        if not isinstance(site.node, tree.Call):
            return None
        for value in self._project.inference.callee(site.node, site.scope):
            if isinstance(value, Bound):
                return value.receiver
            if isinstance(value, Object):
                return value
        return None

    # --- functions of the project ---------------------------------------------------------------------

    def _handed_on(self, site: CallSite) -> Iterator[Reason]:
        """What a function of the project does in a thread with what it is passed."""
        if not isinstance(site.node, tree.Call) or _hands_over(site, Mode.THREAD):
            return
        values = self._project.inference.callee(site.node, site.scope)
        skips_self = any(isinstance(value, Bound | Class) for value in values)
        for target in site.targets:
            function = target.function
            for name, param in function.params.items() if not target.via else ():
                expr = passed(function, param, site.node, skips_self) if name != function.self_name else None
                uses = self._project.calls.uses(function, name, function) if expr is not None else ()
                if expr is not None and any(use.mode is Mode.THREAD for use in uses):
                    yield Reason("handed-off", f"`{function.name}` hands `{shown(expr)}` to another thread or process")

    def _of_project(self, site: CallSite) -> Iterator[Reason]:
        if not isinstance(site.node, tree.Call) or site.targets or site.names:
            return
        for value in self._project.inference.callee(site.node, site.scope):
            function = value.function if isinstance(value, Bound) else value
            if isinstance(function, Function) and function.is_generator:
                yield Reason("later", f"`{function.name}` is a generator: its lines run where it is iterated")
            elif isinstance(function, Class):
                yield Reason("harmless", f"makes a `{function.qualname}`, which has no constructor of its own")
            elif isinstance(value, GeneratorOf):
                yield Reason("later", "a generator runs where it is iterated")
        if isinstance(site.node.func, tree.Name) and self._is_passed_in(site):
            yield Reason(
                "from-callers", f"`{shown(site.node.func)}` is passed in: what it runs is told at the calls that pass it"
            )

    def _is_passed_in(self, site: CallSite) -> bool:
        name = shown(site.node.func) if isinstance(site.node, tree.Call) else ""
        return any(isinstance(scope, Function) and name in scope.params for scope in site.scope.enclosing())


def _hands_over(site: CallSite, *modes: Mode) -> bool:
    """Whether a function of the project is known to be handed over here, which is told by itself."""
    return any(target.mode in modes for target in site.targets)


def _described(condition: Condition) -> str:
    """A condition in words."""
    what = condition.argument or f"argument {(condition.position or 0) + 1}"
    of = " of what made the object" if condition.of == "constructor" else ""
    if condition.present is not None:
        return f"`{what}` {'given' if condition.present else 'left out'}{of}"
    if condition.literal is not None:
        return f"`{what}` {'written out' if condition.literal else 'computed'}{of}"
    if condition.is_none is not None:
        return f"`{what}` {'' if condition.is_none else 'not '}None{of}"
    if condition.starts_with is not None:
        return f"`{what}` that starts with `{condition.starts_with}`{of}"
    return f"`{what}={condition.equals!r}`{of}"
