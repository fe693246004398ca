"""Checks for endless tasks that an object, a module or a lifespan keeps and that nothing in the project ever cancels or awaits, and
for tasks that feed a stream and that nothing ends when the stream is closed half-way.

## Why is this bad?

A service that stops closes its connections while such a task still uses them. The task dies in the middle of whatever it was
doing when the loop is torn down, or keeps the process, a test or a reload from ending.

When a client goes away, the generator behind its streaming response is closed at the `yield` or the `await` where it stands. Code
behind its loop is not run; a `finally` is. Without one, the task that fills its queue downloads or generates on for nobody.

## Example

```python
import asyncio


async def refresh(prices: dict[str, float]) -> None:
    while True:
        await asyncio.sleep(60)
        prices.clear()


class PriceService:
    def __init__(self) -> None:
        self.prices: dict[str, float] = {}

    async def start(self) -> None:
        self.refresher = asyncio.create_task(refresh(self.prices))
```

Use instead:

```python
import asyncio
from contextlib import suppress


async def refresh(prices: dict[str, float]) -> None:
    while True:
        await asyncio.sleep(60)
        prices.clear()


class PriceService:
    def __init__(self) -> None:
        self.prices: dict[str, float] = {}

    async def start(self) -> None:
        self.refresher = asyncio.create_task(refresh(self.prices))

    async def stop(self) -> None:
        self.refresher.cancel()
        with suppress(asyncio.CancelledError):
            await self.refresher
```

## When it is fine

Tasks that end by themselves, and loops that a flag or an event ends. A task that is cancelled, awaited, returned or passed to a
call anywhere in the project, through whatever container or variable it got there. Tasks of a script's main coroutine, which
`asyncio.run` cancels at its end. Of a stream's task: one that the function cancels anywhere, speaks of in a `finally` or a handler,
keeps beyond itself or gives away; one of a `TaskGroup`.

## Known limits

Whether the code that cancels is called at shutdown is not checked. A task that nothing keeps is reported by dropped-task. The task
of a stream is seen where the generator, or the function around it, makes it and both use the same local: the queue, say.

## Fix safety

Unsafe: what is cancelled stops earlier than it did. In a lifespan the task is cancelled and awaited behind the `yield`, first in the
`finally` if there is one; in an object at the beginning of the one coroutine method that stops it, by its name; in a stream what
follows the task goes under `try`, and `finally` cancels it. There is no edit where nothing stops the object, or nothing is known to.

## References

- [Python documentation, "Coroutines and Tasks", section "Task Cancellation"](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
- FastAPI documentation, "Lifespan Events"
"""

from collections.abc import Iterator

from asyncvet.graph.endless import never_ends
from asyncvet.graph.left_tasks import LeftTask, left_tasks
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.tasks import Task
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report endless tasks that nobody stops."""
    for task in project.tasks.made:
        endless = next((function for function in task.runs if never_ends(project, function) is not None), None)
        if endless is None or not _outlives(project, task) or project.tasks.is_cancelled(task):
            continue
        place = task.places[0].word
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(task.scope, task.node),
            function=task.scope.qualname,
            message=f"`{shown(task.node)}` runs `{endless.name}`, which never ends, and nothing cancels what `{place}` keeps; "
            "cancel and await it where the service stops",
            chain=(project.frame(task.scope, task.node), project.frame(endless, endless.node))
            if not endless.is_lambda
            else (project.frame(task.scope, task.node),),
            runs_in=project.contexts.runs_in(task.scope) if isinstance(task.scope, Function) else (),
        )
    for left in left_tasks(project):
        yield _of_stream(left, project)


def _of_stream(left: LeftTask, project: Project) -> Finding:
    task, generator = left.task, left.generator
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(task.scope, task.node),
        function=task.scope.qualname,
        message=f"`{shown(task.node)}` feeds the stream of `{generator.name}` and runs on when its reader goes away; "
        "cancel it in a `finally` around the loop that yields",
        chain=(project.frame(task.scope, task.node), project.frame(generator, left.source)),
        runs_in=project.contexts.runs_in(generator),
    )


def _outlives(project: Project, task: Task) -> bool:
    """Whether a task is kept beyond the function that makes it, or by a function that lives as long as the service."""
    if task.use != "kept":
        return False
    entries = project.contexts.entry_points.get(task.scope, []) if isinstance(task.scope, Function) else []
    roles = {entry.role for entry in entries}
    if task.is_local:
        return "startup" in roles or project.tasks.is_lifespan(task.scope)
    return roles != {"main"}


RULE = Rule(code="AV302", name="task-never-cancelled", severity=Severity.MEDIUM, item=6, check=check, fix="unsafe")
