"""Wait for a task that was cancelled until it has ended."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.blocks import below
from asyncvet.fix.code import Code, Draft
from asyncvet.graph.scopes import dotted, last_name
from asyncvet.model import Finding


def fix(finding: Finding, code: Code) -> Draft | str:
    """Await the task below its `cancel()` and expect the cancellation; those of a loop that does nothing else, all at once behind it."""
    call = code.at(finding, tree.Call)
    statement = code.statement(call) if call is not None else None
    if call is None or not isinstance(call.func, tree.Attribute) or not isinstance(statement, tree.ExprStmt):
        return "the cancellation stands within another expression; await the task below it"
    task = dotted(call.func.value)
    if statement.value is not call or not code.is_alone(statement) or not task:
        return f"`{code.source(call)}` does not stand alone; give the task a name, and await it below"
    loop = _loop(code, statement, task)
    if loop is not None:
        return _of_loop(code, loop)
    suppress = code.refer("contextlib", "suppress", statement, prefer_module=False)
    cancelled = code.refer("asyncio", "CancelledError", statement)
    if suppress is None or cancelled is None:
        return "the names `suppress` or `asyncio` are taken"
    lines = (f"with {suppress[0]}({cancelled[0]}):", f"\tawait {task}")
    return Draft("unsafe", f"await `{task}` below", (below(code, statement, *lines),), (*suppress[1], *cancelled[1]))


def _loop(code: Code, statement: tree.Stmt, task: str) -> tree.For | None:
    """The loop over tasks that does nothing but cancel each, or each that is not done."""
    holders = iter(code.around(statement))
    inner: tree.Node = statement
    holder = next(holders, None)
    if isinstance(holder, tree.If) and _asks_if_done(holder, task) and holder.body == [inner] and not holder.orelse:
        inner, holder = holder, next(holders, None)
    is_loop = isinstance(holder, tree.For) and not holder.is_async and holder.body == [inner] and not holder.orelse
    if not isinstance(holder, tree.For) or not is_loop or last_name(holder.target) != task:
        return None
    return holder if _is_plain(holder.iter) and code.text.is_first(holder.start) else None


def _asks_if_done(test: tree.If, task: str) -> bool:
    condition = test.test
    call = condition.operands[0] if isinstance(condition, tree.Operation) and condition.op == "not" else None
    return isinstance(call, tree.Call) and dotted(call.func) == f"{task}.done"


def _is_plain(expr: tree.Expression) -> bool:
    """Whether an expression gives the same tasks when it stands there twice: a name, or the values of a table."""
    if isinstance(expr, tree.Call):
        return last_name(expr.func) in ("list", "tuple", "values") and all(map(_is_plain, expr.args)) and bool(dotted(expr.func))
    return bool(dotted(expr))


def _of_loop(code: Code, loop: tree.For) -> Draft | str:
    gather = code.refer("asyncio", "gather", loop)
    if gather is None:
        return "the name `asyncio` is taken"
    tasks = code.source(loop.iter)
    line = f"await {gather[0]}(*{tasks}, return_exceptions=True)"
    return Draft("unsafe", f"await all of `{tasks}` below", (below(code, loop, line),), gather[1])
