"""Answer 504 when a route runs out of time."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.blocks import wrapped
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.graph import Project
from asyncvet.graph.expiry import Expiries, Expiry
from asyncvet.graph.scopes import Function
from asyncvet.graph.sites import Mode
from asyncvet.model import Finding

_NAMES = ("error", "exc", "late")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Catch the timeout in the route, around the statement that runs into it, or before the handler that makes a 500 of it."""
    expiry = code.ask(_expiries).get((finding.span.path, code.start(finding.span)))
    if expiry is None:
        return "the route that runs out of time is not known"
    function = expiry.handling.function if expiry.handling is not None else expiry.route.function
    if not isinstance(function, Function) or not isinstance(function.node, tree.FunctionDef):
        return f"catch `TimeoutError` in {expiry.route.label} and raise `HTTPException(504)` from it"
    if function.module is not code.module:
        return f"`{function.name}` stands in `{function.path}`; catch `TimeoutError` there and raise `HTTPException(504)` from it"
    error = code.free_name(_NAMES, function)
    http_error = code.refer(_framework(code), "HTTPException", function.node, prefer_module=False)
    if error is None or http_error is None:
        return "the name `HTTPException` is taken"
    handler = (f"except TimeoutError as {error}:", f'\traise {http_error[0]}(504, "no answer in time") from {error}')
    changes = _before_handler(code, expiry, handler) if expiry.handling is not None else _around(code, expiry, function, handler)
    if changes is None:
        return f"`{function.name}` does not await it in a statement of its own; catch `TimeoutError` there"
    return Draft("unsafe", f"answer 504 in `{function.name}`", changes, http_error[1])


def _expiries(project: Project) -> dict[tuple[str, int], Expiry]:
    return {(expiry.site.scope.path, expiry.site.node.start): expiry for expiry in Expiries(project).unmapped()}


def _framework(code: Code) -> str:
    return "fastapi" if code.imports("fastapi") or not code.imports("starlette.exceptions") else "starlette.exceptions"


def _before_handler(code: Code, expiry: Expiry, handler: tuple[str, ...]) -> tuple[Change, ...] | None:
    """A handler of its own in front of the one that makes a 500 of it."""
    head = expiry.handling.handler if expiry.handling is not None else None
    if head is None or not code.text.is_first(head.start):
        return None
    attempt = next((node for node in code.nodes if isinstance(node, tree.Try) and head in node.handlers), None)
    if attempt is None or attempt.is_group:
        return None
    start = code.text.line_start(attempt.handlers[0].start)
    indentation = code.text.indentation(attempt.start)
    text = "".join(indentation + line.replace("\t", code.text.unit) + "\n" for line in handler)
    return (Change(start, start, text),)


def _around(code: Code, expiry: Expiry, route: Function, handler: tuple[str, ...]) -> tuple[Change, ...] | None:
    """The statement of the route that sets the timeout, or awaits the function that does, under a `try`."""
    scope = expiry.site.scope
    node = expiry.site.node if scope is route else _awaited(code, route, scope)
    statement = _whole(code, node) if node is not None else None
    return wrapped(code, [statement], "try:", *handler) if statement is not None else None


def _awaited(code: Code, route: Function, scope: object) -> tree.Node | None:
    """The one call in a route that awaits a function."""
    sites = code.project.sites(route)
    calls = [s.node for s in sites if any(t.function is scope and t.mode is Mode.COROUTINE for t in s.targets)]
    return calls[0] if len(calls) == 1 else None


def _whole(code: Code, node: tree.Node) -> tree.Stmt | None:
    """The statement in which a node may run out of time: all of an `async with` that sets the time."""
    statement = code.statement(node)
    is_whole = isinstance(statement, tree.Assign | tree.ExprStmt | tree.Return | tree.With | tree.AugAssign)
    return statement if is_whole else None
