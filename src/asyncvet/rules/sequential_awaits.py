"""Checks for reads from other systems that are awaited one after another though none needs what another gave.

They stand in adjacent statements, or one stands in every turn of a loop that only collects the results.

## Why is this bad?

Three requests of 200 ms take 600 ms in a row and 200 ms at once. A loop over fifty documents takes fifty times as long as it
must.

In [the harm lab](../../harm.md#sequential-awaits), with five searches of 0.1 s and a model of 0.2 s, an answer takes 713 ms
(median), against 309 ms in the good form.

## Example

```python
import httpx


async def overview(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
    users = await client.get("https://example.org/users", timeout=5)
    orders = await client.get("https://example.org/orders", timeout=5)
    return users, orders
```

Use instead:

```python
import asyncio

import httpx


async def overview(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
    async with asyncio.TaskGroup() as group:
        users = group.create_task(client.get("https://example.org/users", timeout=5))
        orders = group.create_task(client.get("https://example.org/orders", timeout=5))
    return users.result(), orders.result()
```

## When it is fine

An await whose arguments come from an earlier one; anything that writes, or changes what others see; calls that share a session,
connection, cursor or transaction; protocols with an order; rate limits; code between the awaits.

## Known limits

Preview: what may run at once is the other side's to say, and over forty released packages the rule reported one place, rightly,
which is too few to know how often it is right. Only calls with the name of a read, of which all code below is known, are
reported; most independent awaits are missed.

## Fix safety

Unsafe: the number of calls at once may need a limit. Awaits in a row become one `asyncio.gather`, which raises the first error as
before; those of a loop or a list become tasks of a `TaskGroup`, which ends the others when one fails and raises an exception group.
There is no edit where comments or other code stand between them.

## References

- [Python documentation, `asyncio.TaskGroup`](https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup) and `asyncio.gather`
"""

from collections.abc import Iterator

from asyncvet.graph.dependence import Dependence
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report awaits in a row that could run at once."""
    for found in Dependence(project).sequential():
        first = shown(found.awaits[0].value)
        if found.loop is None:
            message = f"`{first}` and {len(found.awaits) - 1} more after it wait in turn though none needs another"
        else:
            message = f"`{first}` waits for each item of `{shown(found.loop.iter)}` in turn though none needs another"
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(found.function, found.awaits[0]),
            function=found.function.qualname,
            message=f"{message}; start them together in an `asyncio.TaskGroup`",
            chain=tuple(project.frame(found.function, node) for node in found.awaits),
            runs_in=project.contexts.runs_in(found.function),
        )


RULE = Rule(code="AV501", name="sequential-awaits", severity=Severity.MEDIUM, item=11, check=check, fix="unsafe", preview=True)
