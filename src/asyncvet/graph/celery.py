"""Celery: which functions are tasks, which code runs in one, which results are known to have come.

Source: Celery's documentation, "Tasks", "Calling Tasks" and "Avoid launching synchronous subtasks".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, Class, Function, Scope, last_name, shown
from asyncvet.graph.values import Bound, Instance, Object, Partial, Symbol, Value, Wrapped

if TYPE_CHECKING:
    from asyncvet.graph.entry_points import EntryPoint
    from asyncvet.graph.inference import Inference
    from asyncvet.graph.project import Project
    from asyncvet.graph.sites import CallSite

REGISTRARS = frozenset({"shared_task", "task", "periodic_task"})
_APPS = frozenset({"celery", "celery_app"})
_STATES = frozenset({"ready", "successful", "failed", "state", "status"})
_LOOPS = frozenset({"asyncio.get_event_loop", "asyncio.new_event_loop"})
_CACHES = frozenset({"cache", "lru_cache", "cached_property"})
_COROUTINE_POOLS = ("celery_aio_pool", "celery_pool_asyncio")


# --- tasks ---------------------------------------------------------------------------------------


def is_task(function: Function | None, inference: Inference) -> bool:
    """Whether a function is registered as a task: by a decorator, or as the `run` of a Task class."""
    if function is None:
        return False
    if function.name == "run" and function.owner is not None and _is_task_class(function.owner, inference):
        return True
    return registration(function, inference) is not None


def registration(function: Function, inference: Inference) -> int | None:
    """Which of its decorators registers a function as a task; None if none does."""
    scope = function.parent or function.module
    for index, decorator in enumerate(function.decorators):
        if _registers(decorator.func if isinstance(decorator, tree.Call) else decorator, scope, inference, depth=0):
            return index
    return None


def body_of(value: Value) -> Function | None:
    """The function at the bottom of what decorators and `partial` put around it."""
    while isinstance(value, Wrapped | Partial | Bound):
        value = value.inner if isinstance(value, Wrapped) else value.function
    return value if isinstance(value, Function) else None


def _registers(func: tree.Expression, scope: Scope, inference: Inference, depth: int) -> bool:
    values = inference.values(func, scope)
    if not values and isinstance(func, tree.Attribute):
        return func.attr in REGISTRARS and last_name(func.value) in _APPS
    return any(_is_registrar(value, inference, depth) for value in values)


def _is_registrar(value: Value, inference: Inference, depth: int) -> bool:
    callee = value.function if isinstance(value, Bound | Partial) else value
    if isinstance(callee, Symbol):
        *packages, name = callee.path.split(".")
        return name in REGISTRARS and (packages[:1] == ["celery"] or not _APPS.isdisjoint(packages[-2:]))
    if isinstance(callee, Function) and depth < 2:
        # A decorator of the project that registers with options of its own.
        return any(
            isinstance(expr, tree.Call) and _registers(expr.func, callee, inference, depth + 1) for expr, _ in callee.returns
        )
    return False


def _is_task_class(cls: Class, inference: Inference) -> bool:
    return any(
        isinstance(base, Symbol) and base.path.startswith("celery") and base.path.endswith("Task")
        for base in inference.members.mro(cls)
    )


def runs_coroutines(function: Function, project: Project) -> bool:
    """Whether what a task is registered with may run a coroutine function: a class of its own, or a pool made for it."""
    bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
    return _has_own_class(function, project) or any(
        _names_pool(node) for scope in bodies for node in walk.found(scope, tree.Import, tree.ImportFrom, tree.Const)
    )


def _names_pool(node: tree.Node) -> bool:
    """Whether a text or an import speaks of a worker pool that runs coroutines."""
    if isinstance(node, tree.Import):
        return any(name.startswith(_COROUTINE_POOLS) for name, _ in node.names)
    if isinstance(node, tree.ImportFrom):
        return node.module.startswith(_COROUTINE_POOLS)
    return isinstance(node, tree.Const) and isinstance(node.value, str) and node.value.startswith(_COROUTINE_POOLS)


def _has_own_class(function: Function, project: Project) -> bool:
    """Whether the app is of a class of the project, or the decorator names a base class or is one of the project."""
    index = registration(function, project.inference)
    decorator = function.decorators[index] if index is not None else None
    scope = function.parent or function.module
    func = decorator.func if isinstance(decorator, tree.Call) else decorator
    if isinstance(decorator, tree.Call) and any(keyword.name in ("base", None) for keyword in decorator.keywords):
        return True
    if any(isinstance(_callee(value), Function) for value in project.values(func, scope)):
        return True
    apps = project.values(func.value, scope) if isinstance(func, tree.Attribute) else ()
    return any(isinstance(app, Instance) or (isinstance(app, Object) and _names_task_class(app)) for app in apps)


def _callee(value: Value) -> Value:
    return value.function if isinstance(value, Bound) else value


def _names_task_class(app: Object) -> bool:
    return app.made_by is not None and any(keyword.name == "task_cls" for keyword in app.made_by.keywords)


def called_tasks(site: CallSite, project: Project) -> Iterator[Function]:
    """The tasks, plain functions, whose bodies a call runs here and now."""
    if isinstance(site.node, tree.Call):
        for value in project.inference.callee(site.node, site.scope):
            function = body_of(value)
            if function is not None and not function.is_async and is_task(function, project.inference):
                yield function


# --- where code runs -----------------------------------------------------------------------------


def entries(function: Function, project: Project) -> tuple[EntryPoint, ...]:
    """The tasks in which a plain function runs."""
    if function.is_async:
        return ()
    return tuple(entry for entry in project.contexts.entries(function) if entry.role == "celery task")


def own_loops(function: Function, project: Project) -> Iterator[CallSite]:
    """The calls by which a plain function gets an event loop and keeps it no longer than its own call."""
    if function.is_async or not function.decorator_names.isdisjoint(_CACHES):
        return
    for site in project.sites(function):
        if not _LOOPS.isdisjoint(site.names) and not _is_stored(site, function):
            yield site


def _is_stored(site: CallSite, function: Function) -> bool:
    """Whether what a call gives is kept in a global, an attribute or an item."""
    statement = site.site.statement
    targets = statement.targets if isinstance(statement, tree.Assign) else []
    return any(not isinstance(target, tree.Name) or target.id in function.globals for target in targets)


# --- results -------------------------------------------------------------------------------------


def is_known_ready(site: CallSite) -> bool:
    """Whether the code has asked for the state of a result, in a test further up, before it takes the result."""
    node = site.node
    if not (isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute)):
        return False
    result = shown(node.func.value)
    tests = walk.found(site.scope, tree.If, tree.While)
    return any(
        isinstance(part, tree.Attribute) and part.attr in _STATES and shown(part.value) == result
        for test in tests
        if test.start < node.start and not _leaves_when_ready(test, node)
        for part in walk.nodes(test.test)
    )


def _leaves_when_ready(test: tree.If | tree.While, node: tree.Node) -> bool:
    """Whether a test further up leaves the function with a result that has come: who gets past it has none yet."""
    is_positive = isinstance(test, tree.If) and isinstance(test.test, tree.Call) and not test.orelse
    return is_positive and test.end <= node.start and isinstance(test.body[-1], tree.Return | tree.Raise)


def is_allowed_to_wait(site: CallSite) -> bool:
    """Whether a wait in a task says that it is meant: `allow_join_result()` around it, or `disable_sync_subtasks=False`."""
    node = site.node
    if isinstance(node, tree.Call) and any(keyword.name == "disable_sync_subtasks" for keyword in node.keywords):
        return True
    return any(
        isinstance(holder, tree.With)
        and any(isinstance(item.value, tree.Call) and last_name(item.value.func) == "allow_join_result" for item in holder.items)
        for holder in walk.around(site.scope, node)
    )
