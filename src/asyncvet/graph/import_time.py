"""Import time: what exists before any event loop runs, clients, pools, locks and threads, and what the project does with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Function, Module, shown
from asyncvet.graph.serving import serving
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Instance, Object, Symbol, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_CLOSING = frozenset(
    {"close", "aclose", "disconnect", "dispose", "wait_closed", "terminate", "stop", "shutdown", "drain", "expire"}
)
_KEEPING = (Mode.INLINE, Mode.COROUTINE)
_THREADS = frozenset({"threading.Thread", "threading.Timer"})
_SUBMITTING = ("ThreadPoolExecutor.submit", "ProcessPoolExecutor.submit", "Executor.submit")
_BESIDE = frozenset({"thread", "command", "main", "celery task", "celery signal"})
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Resource:
    """An object that belongs to the event loop in which it is first used, made when its module is imported.

    Attributes:
        scope: Whose code makes it: a module, or a function that a module calls as it is imported.
        kind: Its class, as the catalogue calls it.
    """

    made_by: tree.Call
    scope: Body
    kind: str

    def __hash__(self) -> int:
        return id(self.made_by)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and other.made_by is self.made_by

    @property
    def is_primitive(self) -> bool:
        """It is a lock, an event or a queue: `async with` takes it and closes nothing."""
        return self.kind.startswith("asyncio.")

    @property
    def has_no_pool(self) -> bool:
        """It is made with a pool class of its own: `NullPool` keeps no connection for a later loop."""
        return any(keyword.name == "poolclass" for keyword in self.made_by.keywords)


class ImportTime:
    """Finds the resources that are made at import time. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def resources(self) -> dict[int, Resource]:
        """Resources by the identity of the call that makes them, in the order of the project."""
        found: dict[int, Resource] = {}
        for scope in self._bodies():
            for site in self._project.sites(scope):
                if isinstance(site.node, tree.Call) and not site.awaited:
                    for value in self._project.values(site.node, scope):
                        if isinstance(value, Object) and value.made_by is site.node and self._binds_loop(value):
                            found[id(site.node)] = Resource(site.node, scope, value.path)
        return found

    def _bodies(self) -> Iterator[Body]:
        """Modules, and the plain functions that they call as they are imported, constructors among them."""
        pending: list[Body] = list(self._project.modules.values())
        seen: set[Body] = set(pending)
        while pending:
            scope = pending.pop(0)
            yield scope
            for site in self._project.sites(scope):
                if isinstance(scope, Module) and _is_script(site):
                    continue
                for target in site.targets:
                    if target.mode is Mode.INLINE and target.function not in seen:
                        seen.add(target.function)
                        pending.append(target.function)

    def _binds_loop(self, value: Object) -> bool:
        kind = self._project.catalogue.type(value.path)
        return kind is not None and kind.binds_loop

    def started_threads(self) -> Iterator[tuple[CallSite, ...]]:
        """The ways from a call in the body of a module to one that starts a thread, or hands work to a pool, as it is imported.

        Only modules with functions that the service runs count; a thread that the same body joins is not running any more.
        """
        served = {function.module for function in serving(self._project) if function.is_async or self._is_entered(function)}
        for module in self._project.modules.values():
            for site in self._project.sites(module) if module in served else ():
                if not _is_script(site):
                    yield from self._starting(site, _DEPTH)

    def _is_entered(self, function: Function) -> bool:
        """Whether a request, or the service's start or end, runs a plain function: not just a thread or a task."""
        return any(entry.role not in _BESIDE for entry in self._project.contexts.entries(function))

    def _starting(self, site: CallSite, depth: int) -> Iterator[tuple[CallSite, ...]]:
        """The first way from a site to one that starts a thread, if there is any."""
        if self._starts_thread(site):
            yield (site,)
            return
        targets = [target.function for target in site.targets if target.mode is Mode.INLINE and not target.via]
        if len(targets) == 1 and depth and not targets[0].is_generator:
            for below in self._project.sites(targets[0]):
                for way in self._starting(below, depth - 1):
                    yield (site, *way)
                    return

    def _starts_thread(self, site: CallSite) -> bool:
        node = site.node
        if not isinstance(node, tree.Call) or not isinstance(node.func, tree.Attribute):
            return False
        thread = node.func.value
        if any(api.name.endswith(_SUBMITTING) for api in site.apis):
            return not _is_entered_by_with(thread, site)
        if node.func.attr != "start" or not any(map(self._is_thread, self._project.values(thread, site.scope))):
            return False
        return not any(_joins(other.node, thread) for other in site.scope.sites)

    def _is_thread(self, value: Value) -> bool:
        if isinstance(value, Instance):
            bases = self._project.inference.members.mro(value.cls)
            return any(isinstance(base, Symbol) and base.path in _THREADS for base in bases)
        return isinstance(value, Object) and value.path in _THREADS

    def meant_by(self, expr: tree.Node, scope: Body) -> Iterator[Resource]:
        """The resources that an expression can be, or that a library's object was made around: a session factory's engine."""
        for value in self._project.values(expr, scope):
            made_by = value.made_by if isinstance(value, Object) else None
            if made_by is None:
                continue
            if id(made_by) in self.resources:
                yield self.resources[id(made_by)]
            for argument in (*made_by.args, *(keyword.value for keyword in made_by.keywords)):
                for inner in self._known_values(argument):
                    if id(inner.made_by) in self.resources:
                        yield self.resources[id(inner.made_by)]

    def _known_values(self, expr: tree.Node) -> Iterator[Object]:
        """What an argument of a call somewhere is: its module is found by the name alone."""
        home = self._homes.get(id(expr))
        for value in self._project.values(expr, home) if home is not None else ():
            if isinstance(value, Object):
                yield value

    @cached_property
    def _homes(self) -> dict[int, Module]:
        """Modules by the arguments of the calls in their bodies."""
        homes: dict[int, Module] = {}
        for module in self._project.modules.values():
            for site in module.sites:
                if isinstance(site.node, tree.Call):
                    for expr in (*site.node.args, *(keyword.value for keyword in site.node.keywords)):
                        homes[id(expr)] = module
        return homes

    def closed_in(self, scopes: Iterator[Body]) -> set[Resource]:
        """The resources that some code closes, enters by `with`, or hands to an exit stack."""
        closed: set[Resource] = set()
        for scope in scopes:
            for site in scope.sites:
                for expr in _ended(site.node):
                    closed.update(resource for resource in self.meant_by(expr, scope) if not resource.is_primitive)
        return closed

    def users(self, start: Function) -> Iterator[Function]:
        """The functions that run when a coroutine function is awaited, itself first."""
        pending, seen = [start], {start}
        while pending:
            function = pending.pop(0)
            yield function
            for site in self._project.sites(function):
                for target in site.targets:
                    if target.mode in _KEEPING and target.function not in seen:
                        seen.add(target.function)
                        pending.append(target.function)

    def uses(self, function: Function) -> Iterator[tuple[Resource, tree.Node]]:
        """The resources that a function's body speaks of, with the place."""
        for node in walk.found(function, tree.Name, tree.Attribute):
            for resource in self.meant_by(node, function):
                yield resource, node


def _is_script(site: CallSite) -> bool:
    """Whether a site of a module runs only when it is the program: below `if __name__ == "__main__"`."""
    return any(
        isinstance(block.statement, tree.If)
        and any(isinstance(node, tree.Name) and node.id == "__name__" for node in walk.nodes(block.statement.test))
        for block in site.site.block.ancestors()
    )


def _is_entered_by_with(pool: tree.Node, site: CallSite) -> bool:
    """Whether a pool is that of a `with` around a site, which waits for the work."""
    return any(
        isinstance(item.target, tree.Name) and shown(item.target) == shown(pool)
        for holder in walk.around(site.scope, site.node)
        if isinstance(holder, tree.With)
        for item in holder.items
    )


def _joins(node: tree.Node, thread: tree.Node) -> bool:
    """Whether a node waits for the end of a thread that has a name."""
    if not isinstance(node, tree.Call) or not isinstance(node.func, tree.Attribute):
        return False
    return node.func.attr == "join" and shown(node.func.value) == shown(thread)


def _ended(node: tree.Node) -> Iterator[tree.Node]:
    """The expressions whose objects a site may close."""
    if isinstance(node, tree.With):
        yield from (item.value for item in node.items)
    elif isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute):
        if node.func.attr in _CLOSING:
            yield node.func.value
        elif node.func.attr in ("enter_async_context", "push_async_exit", "enter_context", "push_async_callback", "callback"):
            yield from (arg.value if isinstance(arg, tree.Attribute) and arg.attr in _CLOSING else arg for arg in node.args)
