"""Call sites, as answers: what a place in a function runs, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from asyncvet.catalogue import Api
from asyncvet.facts import tree
from asyncvet.graph.scopes import Function, Module, Site
from asyncvet.graph.values import Value


class Mode(Enum):
    """How a site runs a function."""

    INLINE = "inline"  # here and now, in the same thread
    THREAD = "thread"  # in another thread or process
    LOOP = "loop"  # later, by the event loop, as a plain function
    COROUTINE = "coroutine"  # an async def: whoever awaits it, the loop runs it
    LATER = "later"  # when no event loop runs: at exit, by a signal


@dataclass(frozen=True, slots=True)
class Target:
    """A function of the project that a site runs. `via` are the steps in functions between the site and it."""

    function: Function
    mode: Mode
    via: tuple[tuple[Function, tree.Node], ...] = ()


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A catalogue entry that a site calls, under the name by which it was found, on an object if it is a method."""

    name: str
    api: Api
    receiver: Value | None = None


@dataclass(frozen=True, slots=True)
class CallSite:
    """A site with what it runs.

    Attributes:
        is_resolved: Something is known of what is called.
        names: Dotted names of library callables that it calls, in the catalogue or not.
    """

    scope: Function | Module
    site: Site
    targets: tuple[Target, ...]
    apis: tuple[ApiCall, ...]
    names: tuple[str, ...]
    is_resolved: bool

    @property
    def node(self) -> tree.Node:
        """The node of the site."""
        return self.site.node

    @property
    def awaited(self) -> bool:
        """What the site gives is awaited at once."""
        return self.site.awaited


@dataclass(frozen=True, slots=True)
class Use:
    """A way in which a function runs one of its parameters, at `node` of `function`."""

    mode: Mode
    function: Function
    node: tree.Node
