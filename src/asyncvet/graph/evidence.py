"""Evidence: for each item of the checklist the code that it speaks of, and where the pattern that it asks for stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.cancellation import catches, following, hands_on
from asyncvet.graph.celery import called_tasks, is_task
from asyncvet.graph.generators import badly_annotated
from asyncvet.graph.handlers import Handling, handlings
from asyncvet.graph.locks import is_named_like_lock, lock_of
from asyncvet.graph.outside import is_outside
from asyncvet.graph.scopes import Body, Function, last_name
from asyncvet.graph.shared_state import SELF, place_of, target_place
from asyncvet.graph.values import Bound, Partial, Symbol, Value
from asyncvet.model import Evidence

if TYPE_CHECKING:
    from asyncvet.graph.project import Project
    from asyncvet.graph.sites import CallSite

_LIMITS = frozenset({"wait_for", "timeout", "timeout_at", "fail_after", "fail_at", "move_on_after", "move_on_at"})
_GROUPS = frozenset({"asyncio.TaskGroup", "anyio.create_task_group", "trio.open_nursery"})
_NO_RESOURCES = _LIMITS | {"TaskGroup", "create_task_group", "open_nursery"}
_AT_ONCE = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed", "asyncio.TaskGroup.create_task"})
_KEPT = frozenset({"kept", "returned", "awaited", "passed"})


class _Sample(msgspec.Struct, frozen=True):
    """A node that an item speaks of, or where its good pattern stands."""

    scope: Body
    node: tree.Node
    is_good: bool = False


def evidence(project: Project) -> tuple[Evidence, ...]:
    """The evidence of all items, by number."""
    return tuple(_evidence(project, item, list(find(project))) for item, find in sorted(_FINDERS.items()))


def _evidence(project: Project, item: int, samples: list[_Sample]) -> Evidence:
    subjects = {project.span(sample.scope, sample.node) for sample in samples if not sample.is_good}
    good = {project.span(sample.scope, sample.node) for sample in samples if sample.is_good}
    return Evidence(item, tuple(sorted(subjects)), tuple(sorted(good)))


def _coroutines(project: Project) -> Iterator[Function]:
    return (function for function in project.functions if function.is_async)


def _calls(project: Project, scopes: Iterator[Function]) -> Iterator[tuple[CallSite, tree.Call]]:
    for scope in scopes:
        for site in project.sites(scope):
            if isinstance(site.node, tree.Call):
                yield site, site.node


# --- async function basics ------------------------------------------------------------------------


def _awaited_calls(project: Project) -> Iterator[_Sample]:
    for function in project.loop_functions:
        yield _Sample(function, function.head)
    for site, node in _calls(project, _coroutines(project)):
        if site.awaited:
            yield _Sample(site.scope, node, True)


def _offloads(project: Project) -> Iterator[_Sample]:
    for site, node in _calls(project, iter(project.functions)):
        effects = {api.api.effect for api in site.apis}
        if "cpu-bound" in effects:
            yield _Sample(site.scope, node)
        if "offloads" in effects and isinstance(site.scope, Function) and site.scope.is_async:
            yield _Sample(site.scope, node, True)


def _entered_resources(project: Project) -> Iterator[_Sample]:
    for function in _coroutines(project):
        for site in project.sites(function):
            if isinstance(site.node, tree.Call) and any(_is_resource(project, name) for name in site.names):
                yield _Sample(function, site.node)
        for node in walk.found(function, tree.With):
            for item in node.items if node.is_async else ():
                func = item.value.func if isinstance(item.value, tree.Call) else item.value
                is_lock = is_named_like_lock(item.value) or lock_of(project, item.value, function) is not None
                if not is_lock and last_name(func) not in _NO_RESOURCES:
                    yield _Sample(function, item.value, True)


def _is_resource(project: Project, name: str) -> bool:
    """Whether calling what has this name makes something that `async with` closes."""
    kind = project.catalogue.type(name)
    return kind is not None and bool(kind.aenter) and bool(kind.closed_by)


# --- concurrency control --------------------------------------------------------------------------


def _locks(project: Project) -> Iterator[_Sample]:
    for function in _coroutines(project):
        for node in walk.inside(function):
            for target in _targets(node):
                place = target_place(project, target, function)
                if place is not None and place.home != SELF:
                    yield _Sample(function, target)
        for taken in project.held(function):
            is_asyncio = taken.lock is not None and taken.lock.kind == "async"
            yield _Sample(function, taken.node, is_asyncio and taken.is_async and bool(taken.body))


def _targets(node: tree.Node) -> list[tree.Expression]:
    if isinstance(node, tree.Assign):
        return node.targets
    return [node.target] if isinstance(node, tree.AugAssign) else []


def _keyed_locks(project: Project) -> Iterator[_Sample]:
    for function in _coroutines(project):
        for taken in project.held(function):
            if taken.lock is not None and taken.lock.kind == "async" and taken.lock.is_exclusive:
                yield _Sample(function, taken.node)
                if _is_chosen_by_key(project, taken.expr, function):
                    yield _Sample(function, taken.node, True)


def _is_chosen_by_key(project: Project, expr: tree.Node, function: Function) -> bool:
    """Whether a lock is an entry of a table, or what a function gives for an argument."""
    place = place_of(project, expr, function)
    if place is not None and place.is_item:
        return True
    if isinstance(expr, tree.Name):
        values = [binding.value for binding in function.bindings.get(expr.id, ()) if binding.kind == "assign"]
        return any(value is not None and _is_looked_up(value) for value in values)
    return _is_looked_up(expr)


def _is_looked_up(expr: tree.Node) -> bool:
    if isinstance(expr, tree.Await):
        return _is_looked_up(expr.value)
    return isinstance(expr, tree.Subscript) or (isinstance(expr, tree.Call) and bool(expr.args or expr.keywords))


# --- task management ------------------------------------------------------------------------------


def _kept_tasks(project: Project) -> Iterator[_Sample]:
    for task in project.tasks.made:
        yield _Sample(task.scope, task.node)
        if task.use in _KEPT:
            yield _Sample(task.scope, task.node, True)


def _cancellation_handlers(project: Project) -> Iterator[_Sample]:
    for function in project.tasks.started:
        yield _Sample(function, function.head)
    for function in _coroutines(project):
        for catch in catches(project, function):
            if isinstance(catch.node, tree.Handler) and catch.caught == "CancelledError":
                _, goes_on = following(function, catch)
                end = catch.node.exc.end if catch.node.exc is not None else catch.node.end
                yield _Sample(function, tree.Node(catch.node.start, end), hands_on(catch) or not goes_on)


def _suppressed_cancellations(project: Project) -> Iterator[_Sample]:
    for function in project.functions:
        for call in project.tasks.cancels(function):
            held_by = call.func.value if isinstance(call.func, tree.Attribute) else call.func
            if "task" in last_name(held_by).lower() or project.tasks.is_task(held_by, function):
                yield _Sample(function, call)
    for function in _coroutines(project):
        for catch in catches(project, function):
            if not isinstance(catch.node, tree.Handler) and catch.caught == "CancelledError":
                yield _Sample(function, catch.node, True)


# --- async generators -----------------------------------------------------------------------------


def _generators(project: Project) -> Iterator[Function]:
    for function in _coroutines(project):
        if function.is_generator and not function.is_context_manager and "fixture" not in function.decorator_names:
            yield function


def _annotated_generators(project: Project) -> Iterator[_Sample]:
    bad = {function for function, _ in badly_annotated(project)}
    for function in _generators(project):
        yield _Sample(function, function.head)
        if function not in bad and isinstance(function.node, tree.FunctionDef) and function.node.returns is not None:
            yield _Sample(function, function.head, True)


def _async_loops(project: Project) -> Iterator[_Sample]:
    for function in _generators(project):
        yield _Sample(function, function.head)
    for function in _coroutines(project):
        for node in walk.found(function, tree.For, tree.Generator):
            if isinstance(node, tree.For) and node.is_async:
                yield _Sample(function, tree.Node(node.start, node.iter.end), True)
            elif isinstance(node, tree.Generator) and node.is_async:
                yield _Sample(function, node)


# --- concurrent execution -------------------------------------------------------------------------


def _gathers(project: Project) -> Iterator[_Sample]:
    for site, node in _calls(project, iter(project.functions)):
        if not _AT_ONCE.isdisjoint(site.names):
            yield _Sample(site.scope, node)
        if "asyncio.gather" in site.names:
            yield _Sample(site.scope, node, True)


def _task_groups(project: Project) -> Iterator[_Sample]:
    for site, node in _calls(project, iter(project.functions)):
        if not _GROUPS.isdisjoint(site.names):
            yield _Sample(site.scope, node, True)
        elif not _AT_ONCE.isdisjoint(site.names):
            yield _Sample(site.scope, node)


# --- FastAPI --------------------------------------------------------------------------------------


def _routes(project: Project) -> Iterator[_Sample]:
    for entry in project.entry_points:
        if entry.role in ("route", "websocket"):
            yield _Sample(entry.function, entry.function.head)
            if entry.function.is_async and entry.function.awaits:
                yield _Sample(entry.function, entry.function.head, True)


def _lifespans(project: Project) -> Iterator[_Sample]:
    for entry in project.entry_points:
        if entry.role in ("lifespan", "startup", "shutdown"):
            yield _Sample(entry.function, entry.function.head)
            if entry.role == "lifespan":
                yield _Sample(entry.function, entry.function.head, True)


def _dependencies(project: Project) -> Iterator[_Sample]:
    for entry in project.entry_points:
        if entry.role == "dependency":
            yield _Sample(entry.function, entry.function.head)
            if entry.function.is_async:
                yield _Sample(entry.function, entry.function.head, True)


# --- Celery ---------------------------------------------------------------------------------------


def _celery_tasks(project: Project) -> Iterator[_Sample]:
    for function in project.functions:
        if is_task(function, project.inference):
            yield _Sample(function, function.head)
            if not function.is_async:
                yield _Sample(function, function.head, True)


def _publications(project: Project) -> Iterator[_Sample]:
    for site, node in _calls(project, iter(project.loop_functions)):
        categories = {api.api.category for api in site.apis}
        is_publication = "celery-publish" in categories or any(name.endswith(".send_task") for name in site.names)
        if is_publication or "celery-result" in categories or any(called_tasks(site, project)):
            yield _Sample(site.scope, node)
        if is_publication or _hands_publication_on(project, site, node):
            yield _Sample(site.scope, node)
            yield _Sample(site.scope, node, True)


def _hands_publication_on(project: Project, site: CallSite, node: tree.Call) -> bool:
    """Whether a call has another thread publish a task: `to_thread(work.apply_async, ...)`, a lambda, or such a function of the project."""
    if last_name(node.func) == "partial":
        return False
    values = (value for argument in node.args for value in project.values(argument, site.scope))
    return any(_publishes(project, value) for value in values if isinstance(value, Partial | Bound | Function))


def _publishes(project: Project, value: Value) -> bool:
    while isinstance(value, Partial | Bound):
        value = value.function
    if isinstance(value, Function):
        apis = (entry.api for site in project.sites(value) for entry in site.apis)
        return value.is_lambda and any(api.category == "celery-publish" for api in apis)
    return isinstance(value, Symbol) and any(api.category == "celery-publish" for api in project.catalogue.api(value.path))


# --- error handling -------------------------------------------------------------------------------


def _error_handlers(project: Project) -> Iterator[_Sample]:
    for function in _coroutines(project):
        for handling in handlings(function):
            yield _Sample(function, handling.head)
            if _is_told(handling):
                yield _Sample(function, handling.head, True)


def _is_told(handling: Handling) -> bool:
    """Whether the error goes on, is the cause of another one, or is written down."""
    return (
        handling.raises_again
        or handling.logs_traceback
        or any(error.cause is not None for error in handling.new_errors)
        or any(handling.tells)
    )


def _timeouts(project: Project) -> Iterator[_Sample]:
    for site, node in _calls(project, iter(project.functions)):
        is_known = any(api.api.category in ("network", "database") for api in site.apis)
        if is_known or (site.awaited and bool(site.names) and is_outside(site)):
            yield _Sample(site.scope, node)
        if _is_limit(site) or _is_bounded(project, site, node):
            yield _Sample(site.scope, node, True)


def _is_limit(site: CallSite) -> bool:
    return any(name.startswith(("asyncio.", "anyio.")) and name.rpartition(".")[2] in _LIMITS for name in site.names)


def _is_bounded(project: Project, site: CallSite, node: tree.Call) -> bool:
    """Whether a call to another system, or of a client's class, is given a timeout."""
    kinds = [kind for name in site.names if (kind := project.catalogue.type(name)) is not None]
    bounds = [api.api.bound for api in site.apis if api.api.category in ("network", "database")]
    keys = [key for bound in (*bounds, *(kind.bound for kind in kinds if kind.timeout is not None)) for key in bound]
    given = (argument_at(node, (key,)) for key in keys)
    return any(expr is not None and not (isinstance(expr, tree.Const) and expr.kind == "none") for expr in given)


_FINDERS: dict[int, Callable[[Project], Iterator[_Sample]]] = {
    1: _awaited_calls,
    2: _offloads,
    3: _entered_resources,
    4: _locks,
    5: _keyed_locks,
    6: _kept_tasks,
    7: _cancellation_handlers,
    8: _suppressed_cancellations,
    9: _annotated_generators,
    10: _async_loops,
    11: _gathers,
    12: _task_groups,
    13: _routes,
    14: _lifespans,
    15: _dependencies,
    16: _celery_tasks,
    17: _publications,
    18: _error_handlers,
    19: _timeouts,
}
