"""Checks for `asyncio.gather` over calls of other systems whose first error leaves the siblings running unattended.

There is no `return_exceptions=True`, no handler and no task group.

## Why is this bad?

`gather` hands the first error on at once and leaves the other awaitables running. Some of ten inserts have been done, some are
still being done while the caller already reports a failure or starts over, and the errors of the others are lost.

## Example

```python
import asyncio

import httpx


async def notify(client: httpx.AsyncClient, first: str, second: str) -> None:
    await asyncio.gather(client.post(first, timeout=5), client.post(second, timeout=5))
```

Use instead:

```python
import asyncio

import httpx


async def notify(client: httpx.AsyncClient, first: str, second: str) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(client.post(first, timeout=5))
        group.create_task(client.post(second, timeout=5))
```

## When it is fine

A call inside a handler; awaitables that catch their own errors, or only check something; results that are all needed, where a
caller handles the error or nothing was changed; what runs once, or in a command, and ends the process with its error; waiting
for what stays in the process (queues, events, sleeps).

## Known limits

Where the results are used, only a call is reported that leaves something half-done (by its name, a change was made before it,
or by its members), or that sends one request for each item of a collection, and whose error provably meets no handler up to an
endpoint or task; of such requests also one whose callers are not seen. Awaitables that come from elsewhere,
such as tasks of another object, are not followed.

## Fix safety

There is no automatic fix: whether to cancel the siblings (`TaskGroup`) or to hear them out (`return_exceptions=True`) is a
decision.

## References

- [Python documentation, `asyncio.gather`](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather) and `asyncio.TaskGroup`
"""

from collections.abc import Iterator

from asyncvet.graph.gathers import Gathers
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report gathers whose siblings are left alone."""
    gathers = Gathers(project)
    for gather in gathers:
        if not gathers.fails_fast(gather):
            continue
        function = gather.function
        member = next(m for m in gather.members if gathers.is_external(function, m) and gathers.can_fail(function, m))
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, gather.call),
            function=function.qualname,
            message=f"`{shown(gather.call)}`: the first error of `{shown(member.expr)}` leaves the others running unattended; "
            "use `asyncio.TaskGroup`, or `return_exceptions=True` and look at each result",
            runs_in=project.contexts.runs_in(function),
        )


RULE = Rule(code="AV502", name="gather-fails-fast", severity=Severity.MEDIUM, item=11, check=check)
