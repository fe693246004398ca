"""Checks for work without an end that a start-up handler awaits, or a lifespan before it yields: the service never starts.

## Why is this bad?

The server accepts requests once start-up has returned or the lifespan has yielded. A loop that never ends, awaited there, keeps
it from ever doing so; the process looks alive and every health check fails.

## Example

```python
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


async def watch_queue() -> None:
    while True:
        await asyncio.sleep(5)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await watch_queue()
    yield  # never reached


app = FastAPI(lifespan=lifespan)
```

Use instead:

```python
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI


async def watch_queue() -> None:
    while True:
        await asyncio.sleep(5)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    watcher = asyncio.create_task(watch_queue())
    yield  # the service runs
    watcher.cancel()
    with suppress(asyncio.CancelledError):
        await watcher


app = FastAPI(lifespan=lifespan)
```

## When it is fine

The same work as a task; loops that end, as those that wait for a database to come up do.

## Known limits

Only what runs on every path counts: work behind an `if` is not reported.

## Fix safety

There is no automatic fix: a task needs an owner that stops it.

## References

- [FastAPI documentation, "Lifespan Events"](https://fastapi.tiangolo.com/advanced/events/)
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.endless import never_ends
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.sites import Mode
from asyncvet.model import Finding, Frame, Severity
from asyncvet.rules import Rule

_STARTING = frozenset({"lifespan", "startup"})


def check(project: Project) -> Iterator[Finding]:
    """Report start-ups that never get to their end."""
    for function in project.functions:
        if not function.is_async or not _is_start(project, function):
            continue
        endless = never_ends(project, function)
        if endless is None:
            continue
        what = f"`{shown(endless)}` never returns" if isinstance(endless, tree.Call) else "this loop never ends"
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, endless.test if isinstance(endless, tree.While) else endless),
            function=function.qualname,
            message=f"{what}, so `{function.name}` never lets the service start; make it a task with `asyncio.create_task`",
            chain=tuple(_way(project, function, endless)),
            runs_in=project.contexts.runs_in(function),
            runs_once=True,
        )


def _way(project: Project, function: Function, endless: tree.Node) -> Iterator[Frame]:
    """The calls that lead to the loop, and the loop, if it stands in another function."""
    if not isinstance(endless, tree.Call):
        return
    seen: set[Function] = set()
    node: tree.Node | None = endless
    while node is not None and function not in seen:
        seen.add(function)
        yield project.frame(function, node)
        site = next((site for site in project.sites(function) if site.node is node), None)
        targets = [target.function for target in site.targets if target.mode is Mode.COROUTINE] if site is not None else []
        if len(targets) != 1:
            return
        function, node = targets[0], never_ends(project, targets[0])


def _is_start(project: Project, function: Function) -> bool:
    if any(entry.role in _STARTING for entry in project.contexts.entry_points.get(function, ())):
        return True
    return function.is_context_manager and function.name.endswith("lifespan")


RULE = Rule(code="AV303", name="endless-work-in-startup", severity=Severity.MEDIUM, item=6, check=check)
