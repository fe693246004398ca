"""Checks for asynchronous clients, engines, pools and locks that are made at import time and used under `asyncio.run` in a Celery
task.

## Why is this bad?

Such an object belongs to the event loop that first uses it: its open connections and its waiters are registered there.
`asyncio.run` makes a new loop for every task and closes it. The first task of a worker process works; a later one takes a pooled
connection of the loop that is gone and fails with "Event loop is closed" or "attached to a different loop".

## Example

```python
import asyncio

import httpx
from celery import shared_task

client = httpx.AsyncClient(timeout=10)


async def fetch(url: str) -> str:
    return (await client.get(url)).text


@shared_task
def crawl(url: str) -> str:
    return asyncio.run(fetch(url))
```

Use instead:

```python
import asyncio

import httpx
from celery import shared_task


async def fetch(url: str) -> str:
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(url)).text


@shared_task
def crawl(url: str) -> str:
    return asyncio.run(fetch(url))
```

## When it is fine

The object is made inside the coroutine; an engine with `poolclass=NullPool`, which keeps no connection; a coroutine that closes
it before the run ends; one loop for each worker process that all tasks use.

## Known limits

An object that is made on first use and kept from then on is not seen. Locks fail only when two coroutines meet at one; they are
reported all the same.

## Fix safety

There is no automatic fix: what the object is shared with, in the service for instance, needs its own.

## References

- [Python documentation, `asyncio.run`](https://docs.python.org/3/library/asyncio-runner.html#asyncio.run)
- SQLAlchemy documentation, "Using multiple asyncio event loops"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import celery
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.import_time import ImportTime, Resource
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.sites import ApiCall, CallSite
from asyncvet.graph.values import Coroutine, Object
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_RUNS = frozenset({"asyncio.run", "anyio.run", "asgiref.sync.AsyncToSync.__call__"})


def check(project: Project) -> Iterator[Finding]:
    """Report import-time resources that runs in tasks use."""
    runs = list(_runs(project))
    found = ImportTime(project)
    reported: set[Resource] = set()
    for site, task, coroutine in runs if runs and found.resources else ():
        users = list(found.users(coroutine))
        closed = found.closed_in(iter(users))
        for user in users:
            for resource, node in found.uses(user):
                if resource in reported | closed or resource.has_no_pool:
                    continue
                reported.add(resource)
                what = shown(resource.made_by)
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(resource.scope, resource.made_by),
                    function=resource.scope.qualname,
                    message=f"`{what}` is made at import time and used under `{shown(site.node)}` in the Celery task "
                    f"`{task.name}`, whose loop is another one each time; make it inside the coroutine",
                    chain=(project.frame(site.scope, site.node), project.frame(user, node)),
                    root_cause=f"{resource.scope.path}:{resource.made_by.start}",
                )


def _runs(project: Project) -> Iterator[tuple[CallSite, Function, Function]]:
    """The runs of short-lived event loops in tasks, with the task and the coroutine function."""
    for function in project.functions:
        for site in () if function.is_async else project.sites(function):
            run = next((call for call in site.apis if _is_short_lived(call.name, function, project)), None)
            if run is None or not isinstance(site.node, tree.Call):
                continue
            tasks = celery.entries(function, project)
            for value in project.values(_argument(run, site.node), function) if tasks else ():
                coroutine = value.function if isinstance(value, Coroutine) else value
                if isinstance(coroutine, Function) and coroutine.is_async:
                    yield site, tasks[0].function, coroutine


def _argument(run: ApiCall, call: tree.Call) -> tree.Expression | None:
    """What runs on the loop: an argument of the call, or of the call that made the object which is called."""
    made_by = run.receiver.made_by if isinstance(run.receiver, Object) else None
    return argument_at(call if run.api.argument or made_by is None else made_by, run.api.argument or (0,))


def _is_short_lived(name: str, function: Function, project: Project) -> bool:
    """Whether a call runs a loop of its own, or one that the function has made for itself."""
    own = (site for site in celery.own_loops(function, project) if "asyncio.new_event_loop" in site.names)
    return name in _RUNS or (name == "asyncio.AbstractEventLoop.run_until_complete" and any(own))


RULE = Rule(code="AV706", name="loop-bound-resource-in-task", severity=Severity.HIGH, item=16, check=check, needs_loop=False)
