"""Checks for one task for every item of an input of unknown size, with nothing that limits how many run at once.

The tasks, or members of a `gather`, call another system each.

## Why is this bad?

With ten items it is fast; with ten thousand it opens ten thousand connections, runs into the limits of the other side, the pool
or the system, and times out as a whole. The caller, or the contents of a table, decides which.

## Example

```python
import asyncio

import httpx


async def fetch_all(client: httpx.AsyncClient, urls: list[str]) -> None:
    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(client.get(url, timeout=5))
```

Use instead:

```python
import asyncio

import httpx


async def fetch_all(client: httpx.AsyncClient, urls: list[str]) -> None:
    limit = asyncio.Semaphore(10)

    async def fetch(url: str) -> None:
        async with limit:
            await client.get(url, timeout=5)

    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(fetch(url))
```

## When it is fine

A semaphore, lock or rate limiter anywhere below; batches and slices; inputs written in the code or in the configuration; work
that stays in the process or goes to a thread pool, which has a size.

## Known limits

Preview: of sixteen findings in eight released packages four were worth an edit. In the others the input has a handful of items,
which the source does not say: the guardrails of a proxy, the files of one conversation, the groups of one user.

An input counts as one of unknown size if it is a parameter declared as a collection, a field of a request, or what a query, a
search or a listing gave. Lists that the function builds itself, and attributes of objects, are taken as bounded. A limit inside
a client library, such as the size of its connection pool, is not known.

## Fix safety

There is no automatic fix: the limit is a number that only the author knows.

## References

- [Python documentation, `asyncio.Semaphore`](https://docs.python.org/3/library/asyncio-sync.html#asyncio.Semaphore)
"""

from collections.abc import Iterator

from asyncvet.graph.gathers import Gathers
from asyncvet.graph.inputs import is_unbounded
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report fan-out with no limit."""
    gathers = Gathers(project)
    for function, call, member in gathers.fan_outs():
        assert member.loop is not None
        source = member.loop.iter
        if not is_unbounded(project, source, function) or not gathers.is_external(function, member):
            continue
        if gathers.is_limited(function, member):
            continue
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, call),
            function=function.qualname,
            message=f"`{shown(call)}` runs `{shown(member.expr)}` for every item of `{shown(source)}` at once; "
            "hold each back with an `asyncio.Semaphore`",
            chain=(project.frame(function, call), project.frame(function, member.expr)),
            runs_in=project.contexts.runs_in(function),
            root_cause=next((f"{below.path}:{below.qualname}" for below in gathers.functions(function, member)), ""),
        )


RULE = Rule(code="AV505", name="unbounded-fan-out", severity=Severity.MEDIUM, item=11, check=check, preview=True)
