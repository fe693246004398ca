"""Checks for event loops handled by hand in Celery tasks: `get_event_loop()`, `new_event_loop()` and `run_until_complete()`, one
`asyncio.run` for each item of a loop, and a coroutine that the task returns in place of its result.

## Why is this bad?

`asyncio.get_event_loop()` finds a loop in a main thread of old and none in any other thread, and since Python 3.14 in no thread
at all: whether the task works depends on the worker's pool. A loop made by hand leaks its selector and its async generators
unless every path closes it. One `asyncio.run` an item opens and closes loop, connections and threads each time and does one item
at a time.

## Example

```python
import asyncio

from celery import shared_task


async def sync_account(account: int) -> None: ...


@shared_task
def sync_accounts(account: int) -> None:
    loop = asyncio.get_event_loop()
    loop.run_until_complete(sync_account(account))
```

Use instead:

```python
import asyncio

from celery import shared_task


async def sync_account(account: int) -> None: ...


@shared_task
def sync_accounts(account: int) -> None:
    asyncio.run(sync_account(account))
```

## When it is fine

One `asyncio.run` a task; a loop that is ended as `asyncio.run` does it, with `shutdown_asyncgens()`; one loop for each worker
process, kept on purpose in a global, an attribute or a cached function and used again by every task.

## Known limits

Each function is reported once, at the loop that it gets, or where it runs what it gets. A coroutine that is neither returned nor
run is reported by unawaited-coroutine.

## Fix safety

There is no automatic fix: objects that outlive the task may be bound to the loop in use.

## References

- [Celery documentation, "Tasks"](https://docs.celeryq.dev/en/stable/userguide/tasks.html)
- Python documentation, `asyncio.run` and `asyncio.get_event_loop`
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import celery
from asyncvet.graph.contexts import in_loop
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.graph.values import Coroutine
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_ONE_RUN = "use one `asyncio.run(...)` a task"


def check(project: Project) -> Iterator[Finding]:
    """Report loops handled by hand where a task runs."""
    for function in project.functions:
        found = _loop_by_hand(function, project) or _run_for_each(function, project) or _returned(function, project)
        tasks = celery.entries(function, project) if found is not None else ()
        if found is not None and tasks:
            node, message = found
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(function, node),
                function=function.qualname,
                message=message,
                chain=tuple(project.frame(function, step) for step in (node, *_runs(function, node))),
                runs_in=tuple(f"{entry.where}: {entry.label}" for entry in tasks),
            )


def _loop_by_hand(function: Function, project: Project) -> tuple[tree.Node, str] | None:
    found = next(celery.own_loops(function, project), None)
    if found is None or _is_complete(function):
        return None
    return found.node, f"`{shown(found.node)}` in a Celery task handles an event loop by hand; {_ONE_RUN}"


def _runs(function: Function, node: tree.Node) -> list[tree.Call]:
    """Where the function runs a coroutine on the loop that it got at a node."""
    calls = (site.node for site in function.sites if isinstance(site.node, tree.Call) and site.node.start > node.start)
    return [call for call in calls if last_name(call.func) == "run_until_complete"][:1]


def _is_complete(function: Function) -> bool:
    """Whether the function ends its loop as `asyncio.run` does: it knows what it is doing."""
    return any(isinstance(site.node, tree.Call) and last_name(site.node.func) == "shutdown_asyncgens" for site in function.sites)


def _run_for_each(function: Function, project: Project) -> tuple[tree.Node, str] | None:
    for site in () if function.is_async else project.sites(function):
        if "asyncio.run" in site.names and in_loop(site):
            return (
                site.node,
                f"`{shown(site.node)}` in a loop starts an event loop for each item; {_ONE_RUN} around the whole loop",
            )
    return None


def _returned(function: Function, project: Project) -> tuple[tree.Node, str] | None:
    if function.is_async or not celery.is_task(function, project.inference):
        return None
    for expr, _ in function.returns:
        values = project.values(expr, function)
        if values and all(isinstance(value, Coroutine) and value.function is not None for value in values):
            return (
                expr,
                f"`{shown(expr)}` is a coroutine that nothing runs, given as the task's result; run it: `asyncio.run(...)`",
            )
    return None


RULE = Rule(code="AV702", name="event-loop-in-task", severity=Severity.MEDIUM, item=16, check=check, needs_loop=False)
