"""What catches a cancellation, and what becomes of it: raised again, handed on, or swallowed while the code goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, Scope, dotted, last_name
from asyncvet.graph.values import Symbol

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError", "trio.Cancelled"})
_ALL = frozenset({"builtins.BaseException"})
_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "trace", "success"})
_ASYNC_LOGGING = frozenset({"adebug", "ainfo", "awarning", "aerror", "aexception", "acritical", "afatal", "alog"})
"""Methods of structlog's loggers, which coroutines await."""
_SHOWING = (
    _LOGGING
    | _ASYNC_LOGGING
    | {"print", "print_exc", "print_exception", "format_exc", "format_exception", "str", "repr", "type", "rprint"}
)
_GIVING_UP = frozenset({"exit", "_exit", "abort"})
_COUNTING = frozenset({"uncancel", "cancelling"})
"""Methods of a task: who calls them keeps account of cancellations."""


@dataclass(frozen=True, slots=True)
class Catch:
    """A place that catches a cancellation.

    Attributes:
        node: The handler, or the `suppress(...)` of a `with`.
        statement: The `try` or `with` that it belongs to.
        guarded: The statements in which a cancellation is caught.
        body: What runs then; empty for `suppress`.
        caught: What it names: ``CancelledError``, ``BaseException``, or ``everything`` for a bare `except`.
    """

    function: Function
    node: tree.Handler | tree.Expr
    statement: tree.Try | tree.With
    guarded: tuple[tree.Stmt, ...]
    body: tuple[tree.Stmt, ...]
    caught: str

    @property
    def does_nothing(self) -> bool:
        """Nothing runs when it catches."""
        return all(type(s) is tree.Stmt or (isinstance(s, tree.ExprStmt) and type(s.value) is tree.Expr) for s in self.body)


def catches(project: Project, function: Function) -> Iterator[Catch]:
    """The places in the body of a function that catch a cancellation, in the order of the text."""
    for node in walk.found(function, tree.Try, tree.With):
        if isinstance(node, tree.Try):
            handler = next((h for h in node.handlers if caught_by(project, function, h)), None)
            if handler is not None:
                caught = caught_by(project, function, handler)
                yield Catch(function, handler, node, tuple(node.body), tuple(handler.body), caught)
        elif isinstance(node, tree.With) and not node.is_async:
            for item in node.items:
                call = item.value
                if isinstance(call, tree.Call) and last_name(call.func) == "suppress":
                    caught = next(filter(None, (_caught(project, function, expr) for expr in call.args)), "")
                    if caught:
                        yield Catch(function, call, node, tuple(node.body), (), caught)


def caught_by(project: Project, function: Function, handler: tree.Handler) -> str:
    """What a handler names that takes cancellations in, empty if it lets them pass."""
    return "everything" if handler.exc is None else _caught(project, function, handler.exc)


def waits(project: Project, catch: Catch) -> list[tree.Node]:
    """The places under a catch at which a cancellation can arrive there: those that no inner catch takes it from."""
    inner = [
        statement
        for other in catches(project, catch.function)
        if other.statement is not catch.statement and not hands_on(other)
        for statement in other.guarded
    ]
    found = list(walk.awaits(catch.guarded))
    if catch.function.is_context_manager:
        found += [node for node in walk.nodes(catch.guarded) if isinstance(node, tree.Yield)]
    return [
        node for node in found if not any(s.start <= node.start and node.end <= s.end for s in inner if _in(catch.guarded, s))
    ]


def hands_on(catch: Catch) -> bool:
    """Whether the cancellation does not end here: something is raised, the exception is passed on, or the process ends.

    A result that is made by `cancelled_result(...)` passes it on too.
    """
    for node in walk.nodes(catch.body):
        if isinstance(node, tree.Raise) or (isinstance(node, tree.Call) and last_name(node.func) in _GIVING_UP):
            return True
        if isinstance(node, tree.Return) and isinstance(node.value, tree.Call) and "cancel" in last_name(node.value.func).lower():
            return True
    if any(isinstance(site.node, tree.Call) and last_name(site.node.func) in _COUNTING for site in catch.function.sites):
        return True
    name = catch.node.name if isinstance(catch.node, tree.Handler) else None
    return _is_raised_later(catch) or (name is not None and any(_is_passed_on(node, name) for node in catch.body))


def _lets_out(project: Project, helper: Function) -> bool:
    return any(
        catch.caught == "CancelledError"
        and any(isinstance(node, tree.Raise) for node in walk.nodes(catch.body))
        and any(
            project.tasks.cancelled_in(helper, before=node.start) & project.tasks.related(node.value, helper)
            for node in walk.awaits(catch.guarded)
            if isinstance(node, tree.Await)
        )
        for catch in catches(project, helper)
    )


def _is_raised_later(catch: Catch) -> bool:
    """Whether a handler notes the cancellation in a name that is returned, or tested further down before something is raised."""
    assigned = [target for node in walk.nodes(catch.body) if isinstance(node, tree.Assign) for target in node.targets]
    noted = {target.id for target in assigned if isinstance(target, tree.Name)}
    return bool(noted) and any(
        (isinstance(node, tree.Return) and isinstance(node.value, tree.Name) and node.value.id in noted)
        or (
            isinstance(node, tree.If)
            and node.start > catch.node.end
            and any(isinstance(part, tree.Name) and part.id in noted for part in walk.nodes(node.test))
            and any(isinstance(part, tree.Raise) for part in walk.nodes(node.body))
        )
        for node in walk.inside(catch.function)
    )


def gives_that_of_a_task(project: Project, function: Function, awaited: tree.Node, depth: int = 2) -> bool:
    """Whether a coroutine of the project cancels a task, awaits it and lets its `CancelledError` out."""
    if isinstance(awaited, tree.Call) and last_name(awaited.func) in ("wait_for", "shield") and awaited.args:
        awaited = awaited.args[0]
    site = next((site for site in project.sites(function) if site.node is awaited), None)
    helpers = [target.function for target in site.targets] if site is not None else []
    return any(
        _lets_out(project, helper)
        or (
            depth > 0
            and any(
                gives_that_of_a_task(project, helper, node.value, depth - 1)
                for node in helper.awaits
                if isinstance(node, tree.Await)
            )
        )
        for helper in helpers
    )


def is_log(statement: tree.Stmt) -> bool:
    """Whether a statement only tells: a log message, a print, a pass, a constant."""
    if type(statement) is tree.Stmt:
        return True
    if not isinstance(statement, tree.ExprStmt):
        return False
    value = statement.value.value if isinstance(statement.value, tree.Await) else statement.value
    if isinstance(value, tree.Call):
        return last_name(value.func) in _SHOWING
    return type(value) in (tree.Expr, tree.Const)


def is_awaited_log(node: tree.Node) -> bool:
    """Whether an await only waits for a logger: `await logger.ainfo(...)`."""
    return isinstance(node, tree.Await) and isinstance(node.value, tree.Call) and last_name(node.value.func) in _ASYNC_LOGGING


def following(function: Function, catch: Catch) -> tuple[list[tree.Stmt], bool]:
    """What runs after a catch that swallowed: statements behind it, clean-up in `finally` aside, and whether a loop runs on."""
    last = catch.body[-1] if catch.body else None
    if isinstance(last, tree.Return):
        return [], False
    leaving = last.kind if isinstance(last, tree.Jump) else ""
    behind: list[tree.Stmt] = []
    node: tree.Node = catch.statement
    for holder in walk.around(function, catch.statement):
        if isinstance(holder, tree.While | tree.For) and _in(holder.body, node):
            if leaving == "continue" or (not leaving and not _ends_loop(holder, catch.body)):
                return behind, True
            leaving = ""
        elif not leaving:
            behind += _rest(holder, node)
        node = holder
    return behind + ([] if leaving else _after(walk.body(function), node)), False


def _ends_loop(loop: tree.While | tree.For, body: Iterable[tree.Stmt]) -> bool:
    """Whether what a handler sets is what the loop tests: `self.running = False`, `stop.set()`."""
    if not isinstance(loop, tree.While):
        return False
    tested = {dotted(node) for node in walk.nodes(loop.test) if isinstance(node, tree.Name | tree.Attribute)} - {""}
    for node in walk.nodes(body):
        if isinstance(node, tree.Assign) and any(dotted(target) in tested for target in node.targets):
            return True
        if isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and dotted(node.func.value) in tested:
            return node.func.attr in ("set", "clear")
    return False


def _rest(holder: tree.Node, node: tree.Node) -> list[tree.Stmt]:
    """The statements behind `node` in the list of `holder` that holds it, and what a `try` runs after its body."""
    lists: list[list[tree.Statement]] = [
        part for name in ("body", "orelse", "final") if isinstance(part := getattr(holder, name, None), list)
    ]
    rest = [statement for part in lists if _in(part, node) for statement in _after(part, node)]
    return rest + (holder.orelse if isinstance(holder, tree.Try) and _in(holder.body, node) else [])


def _after(statements: list[tree.Statement], node: tree.Node) -> list[tree.Stmt]:
    return [statement for statement in statements if statement.start >= node.end]


def _in(statements: Iterable[tree.Stmt], node: tree.Node) -> bool:
    return any(statement.start <= node.start and node.end <= statement.end for statement in statements)


def _caught(project: Project, function: Scope, expr: tree.Expr) -> str:
    if isinstance(expr, tree.Sequence):
        return next(filter(None, (_caught(project, function, item) for item in expr.items)), "")
    if isinstance(expr, tree.Call):
        return "CancelledError" if last_name(expr.func) == "get_cancelled_exc_class" else ""
    values = project.values(expr, function)
    paths = {value.path for value in values if isinstance(value, Symbol)}
    if paths & _CANCELLED or (not values and last_name(expr) == "CancelledError"):
        return "CancelledError"
    if paths & _ALL:
        return "BaseException"
    if not isinstance(expr, tree.Name | tree.Attribute):
        return ""
    # What a name of several types is declared to hold says less than what it was given.
    named = project.inference.aliased(expr, function)
    return next(filter(None, (_caught(project, scope, node) for node, scope in named if isinstance(node, tree.Sequence))), "")


def _is_passed_on(node: tree.Node, name: str) -> bool:
    """Whether a node uses a name for more than telling of it."""
    if isinstance(node, tree.Name):
        return node.id == name
    if isinstance(node, tree.Call) and last_name(node.func) in _SHOWING:
        return False
    if isinstance(node, tree.Operation) and node.op == "fstring":
        return False
    return any(_is_passed_on(child, name) for child in walk.children(node))
