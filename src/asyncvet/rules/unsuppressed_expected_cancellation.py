"""Checks for `try: await task / except CancelledError: pass` after `task.cancel()`, which `contextlib.suppress` says in words.

## Why is this bad?

It is not wrong. An empty handler for `CancelledError` is the shape of a real fault elsewhere, so a reader has to look twice;
`suppress(asyncio.CancelledError)` says that this cancellation is expected.

## Example

```python
import asyncio


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
```

Use instead:

```python
import asyncio
from contextlib import suppress


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
```

## When it is fine

A handler that does more than pass, other handlers beside it, more than the await and a `cancel()` under `try`.

## Known limits

The task must be cancelled earlier in the same function; a task that another function cancelled is not known to be expected.

## Fix safety

Safe: `suppress` catches what the handler caught and does as little. The import is added; comments in the handler move above the `with`.

## References

- [Python documentation, `contextlib.suppress`](https://docs.python.org/3/library/contextlib.html#contextlib.suppress)
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.cancellation import Catch, catches
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report empty handlers of an expected cancellation."""
    for function in project.functions:
        if not function.is_async:
            continue
        for catch in catches(project, function):
            awaited = _awaited_alone(catch)
            if awaited is None or catch.caught != "CancelledError" or not catch.does_nothing:
                continue
            before = project.tasks.cancelled_in(function, before=awaited.start)
            if before & project.tasks.related(awaited, function):
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(function, tree.Node(catch.statement.start, awaited.end)),
                    function=function.qualname,
                    message=f"the cancellation of `{shown(awaited)}` is expected here; say so: "
                    f"`with suppress(asyncio.CancelledError): await {shown(awaited)}`",
                    chain=(project.frame(function, awaited), project.frame(function, catch.node)),
                    runs_in=project.contexts.runs_in(function),
                )


def _awaited_alone(catch: Catch) -> tree.Expr | None:
    """What is awaited last, if nothing else is under `try` but a cancel, and the handler is the only one, for this error alone."""
    statement = catch.statement
    if not isinstance(statement, tree.Try) or len(statement.handlers) != 1 or statement.orelse or statement.final:
        return None
    handler = statement.handlers[0]
    if isinstance(handler.exc, tree.Sequence) or not all(map(_is_cancel, statement.body[:-1])):
        return None
    last = statement.body[-1]
    return last.value.value if isinstance(last, tree.ExprStmt) and isinstance(last.value, tree.Await) else None


def _is_cancel(statement: tree.Stmt) -> bool:
    call = statement.value if isinstance(statement, tree.ExprStmt) else None
    return isinstance(call, tree.Call) and isinstance(call.func, tree.Attribute) and call.func.attr == "cancel"


RULE = Rule(code="AV307", name="unsuppressed-expected-cancellation", severity=Severity.LOW, item=8, check=check, fix="safe")
