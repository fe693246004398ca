"""Let a loop tell its errors and go on."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.fix.blocks import wrapped
from asyncvet.fix.code import Code, Draft, Need
from asyncvet.graph import walk
from asyncvet.graph.scopes import last_name
from asyncvet.model import Finding

PAUSE = 1
"""Seconds for which a loop waits after an error that nothing else slows down."""

_LOGGERS = ("logger", "log", "_logger", "_log", "LOGGER", "LOG", "_LOGGER", "_LOG")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Put the turn under `try`, log what goes wrong; what paces the loop stays outside, else the handler waits."""
    loop = _loop(finding, code)
    function = code.function(finding)
    if loop is None or function is None:
        return "the loop is no `while` of a function"
    body, is_paced = _turn(loop)
    logging = _logger(code, loop)
    sleep = code.refer("asyncio", "sleep", loop)
    if logging is None or sleep is None or not body:
        return f"a name in `{function.name}` hides `logging` or `asyncio`"
    lines = ["except Exception:", f'\t{logging[0]}.exception("error in the loop of {function.name}")']
    needs = logging[1]
    if not is_paced:
        lines.append(f"\tawait {sleep[0]}({PAUSE})")
        needs = (*needs, *sleep[1])
    changes = wrapped(code, body, "try:", *lines)
    if changes is None:
        return "the loop stands on one line; give its body lines of its own"
    return Draft("unsafe", f"log the errors of `{function.name}` and go on", changes, needs)


def _loop(finding: Finding, code: Code) -> tree.While | None:
    start = code.start(finding.span)
    return next((node for node in code.nodes if isinstance(node, tree.While) and node.test.start == start), None)


def _turn(loop: tree.While) -> tuple[list[tree.Statement], bool]:
    """The statements of a turn that can fail, and whether the one that is left outside slows the loop down."""
    body = loop.body
    bound = {node.id for target in _targets(body) for node in walk.nodes(target) if isinstance(node, tree.Name)}
    if _sleeps(body[-1], bound):
        return body[:-1], not any(isinstance(node, tree.Jump) and node.kind == "continue" for node in walk.nodes(body))
    if _sleeps(body[0], bound):
        return body[1:], True
    return body, False


def _targets(body: list[tree.Statement]) -> Iterator[tree.Node]:
    """What statements assign to."""
    for node in walk.nodes(body):
        if isinstance(node, tree.Assign):
            yield from node.targets
        elif isinstance(node, tree.For | tree.NamedExpr | tree.AugAssign | tree.WithItem):
            target = node.target
            if target is not None:
                yield target


def _sleeps(statement: tree.Statement, bound: set[str]) -> bool:
    """Whether a statement only sleeps, for a time that the turn does not work out."""
    call = statement.value.value if isinstance(statement, tree.ExprStmt) and isinstance(statement.value, tree.Await) else None
    if not isinstance(call, tree.Call) or last_name(call.func) != "sleep":
        return False
    return bound.isdisjoint(node.id for node in walk.nodes(call.args) if isinstance(node, tree.Name))


def _logger(code: Code, loop: tree.While) -> tuple[str, tuple[Need, ...]] | None:
    """The logger that the module has, or `logging` itself."""
    scope = code.scope(loop.start)
    for name in _LOGGERS:
        holder = next((each for each in scope.enclosing() if name in each.bindings), None)
        if holder is code.module:
            return name, ()
    exception = code.refer("logging", "exception", loop)
    return (exception[0].rpartition(".")[0], exception[1]) if exception is not None and "." in exception[0] else None
