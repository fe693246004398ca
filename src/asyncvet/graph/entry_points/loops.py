"""Plain functions that an event loop calls back, functions that threads start with, and the coroutines that loops are run for."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.scopes import Function
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Coroutine


def find(view: View) -> Iterator[EntryPoint]:
    """Loop callbacks, thread functions and main coroutines."""
    for scope in view.bodies:
        for site in view.calls.sites(scope):
            for target in site.targets:
                if target.mode is Mode.LOOP:
                    yield EntryPoint(target.function, "loop callback", "event-loop", f"loop callback {_shown(target.function)}")
                elif target.mode is Mode.THREAD:
                    yield EntryPoint(target.function, "thread", "worker-thread", f"thread {_shown(target.function)}")
            yield from _mains(site, view)


def _mains(site: CallSite, view: View) -> Iterator[EntryPoint]:
    """The coroutine in `asyncio.run(main())`."""
    for entry in site.apis:
        if entry.api.effect != "runs-loop" or not isinstance(site.node, tree.Call):
            continue
        expr = argument_at(site.node, entry.api.argument or (0,))
        for value in view.inference.values(expr, site.scope) if expr is not None else ():
            if isinstance(value, Coroutine) and value.function is not None:
                yield EntryPoint(value.function, "main", "event-loop", f"main coroutine {_shown(value.function)}")


def _shown(function: Function) -> str:
    return f"{function.owner.name}.{function.name}" if function.owner is not None else function.name
