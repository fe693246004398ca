"""Where a program is entered: by a framework, a worker, or an event loop.

Each module knows one framework and has `find(project_view)`. None of them imports the framework it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from asyncvet.graph.calls import Calls
    from asyncvet.graph.inference import Inference
    from asyncvet.graph.scopes import Body, Function, Module

Where = Literal["event-loop", "main-thread", "worker-thread", "worker-process"]
Role = Literal[
    "route",
    "websocket",
    "dependency",
    "middleware",
    "lifespan",
    "startup",
    "shutdown",
    "background task",
    "exception handler",
    "celery task",
    "celery signal",
    "loop callback",
    "main",
    "command",
    "handler",
    "thread",
]


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A function that something outside the project's own calls runs.

    Attributes:
        where: The execution context in which it starts.
        label: What a reader knows it by: ``route GET /items``.
        may_be_plain: The framework would run it in a thread pool if it were a plain `def`.
    """

    function: Function
    role: Role
    where: Where
    label: str
    may_be_plain: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What an entry point finder may look at."""

    modules: tuple[Module, ...]
    functions: tuple[Function, ...]
    inference: Inference
    calls: Calls

    def may_use(self, packages: frozenset[str]) -> bool:
        """Whether the code imports one of some libraries, or may have one of their objects from an installed package."""
        if any(self.inference.index.installed(package) is not None for package in packages):
            return True
        imports = (binding.imported for body in self.bodies for given in body.bindings.values() for binding in given)
        return any(found is not None and not found[0] and found[1].partition(".")[0] in packages for found in imports)

    @property
    def bodies(self) -> tuple[Body, ...]:
        """All that runs: modules, then functions."""
        return (*self.modules, *self.functions)


def find_all(view: View) -> Iterator[EntryPoint]:
    """The entry points of all frameworks."""
    from asyncvet.graph.entry_points import aiohttp, arq, celery, commands, django, handlers, litestar, loops, registrations, web  # noqa: PLC0415  # they need the types above

    for framework in (web, litestar, aiohttp, django, celery, arq, registrations, commands, handlers, loops):
        yield from framework.find(view)
