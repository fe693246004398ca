"""Checks for tasks that are cancelled where an object or a service stops, and then not awaited.

## Why is this bad?

`cancel()` only asks: the task runs on until its next await raises, and then runs its own clean-up. If nobody waits for it, what
it uses is closed under its feet, its last error is lost, and the loop may end with "Task was destroyed but it is pending".

## Example

```python
import asyncio


class Poller:
    async def start(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(3600))

    async def stop(self) -> None:
        self.task.cancel()
```

Use instead:

```python
import asyncio
from contextlib import suppress


class Poller:
    async def start(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(3600))

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
```

## When it is fine

A task that the project awaits, gathers or hands on anywhere; cancelling in a plain function, in `__del__` or in a done-callback,
which cannot await; cancelling to start anew, as a debouncing timer does; timer handles, futures and cancel scopes.

## Known limits

Only coroutines that stop something are looked at: by their name (`stop`, `close`, `shutdown`, `disconnect`, `__aexit__` and the
like), or as what a lifespan does after its `yield`. Only what is known to be a task counts.

## Fix safety

Unsafe: the task is awaited below its `cancel()` under `suppress(asyncio.CancelledError)`; tasks that a loop does nothing but cancel
are gathered behind it. Stopping then takes as long as the tasks take to end, and an error of the one task is raised there. There is
no edit where the cancellation stands within another expression.

## References

- [Python documentation, `asyncio.Task.cancel`](https://docs.python.org/3/library/asyncio-task.html#asyncio.Task.cancel)
"""

import re
from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_STOPPING = re.compile(
    r"_*(a?stop|a?close|shut_?down|disconnect|terminate|teardown|tear_down|dispose|aexit|cleanup|clean_up)(_|$)"
)


def check(project: Project) -> Iterator[Finding]:
    """Report tasks that are told to stop and not waited for."""
    for function in project.functions:
        if not function.is_async:
            continue
        start = _stops_from(project, function)
        for call in project.tasks.cancels(function) if start is not None else ():
            if start is None or call.start < start or not isinstance(call.func, tree.Attribute):
                continue
            receiver = call.func.value
            if project.tasks.is_task(receiver, function) and not project.tasks.is_waited_for(receiver, function):
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(function, call),
                    function=function.qualname,
                    message=f"`{shown(call)}` only asks the task to end and nothing waits until it has; "
                    f"`with suppress(asyncio.CancelledError): await {shown(receiver)}`",
                    runs_in=project.contexts.runs_in(function),
                )


def _stops_from(project: Project, function: Function) -> int | None:
    """The offset from which a coroutine function stops what it is about, None if it does not."""
    roles = {entry.role for entry in project.contexts.entry_points.get(function, ())}
    if function.yields and ("lifespan" in roles or (function.is_context_manager and function.name.endswith("lifespan"))):
        return function.yields[0].end
    return 0 if "shutdown" in roles or _STOPPING.match(function.name) else None


RULE = Rule(code="AV306", name="cancel-not-awaited", severity=Severity.MEDIUM, item=8, check=check, fix="unsafe")
