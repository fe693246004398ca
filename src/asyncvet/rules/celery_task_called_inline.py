"""Checks for Celery tasks that asynchronous code calls as plain functions, or by `apply()`: the task's body then runs on the
event loop.

## Why is this bad?

`embed(text)` is not `embed.delay(text)`: no worker is asked. The body, written for a worker process where it may block and
compute as long as it likes, runs in the process that serves requests, on its loop, with none of the task's retries, limits and
routes.

## Example

```python
from celery import shared_task


@shared_task
def embed(text: str) -> list[float]:
    return [float(len(text))]


async def index(text: str) -> None:
    embed(text)
```

Use instead:

```python
from celery import shared_task


@shared_task
def embed(text: str) -> list[float]:
    return [float(len(text))]


async def index(text: str) -> None:
    embed.delay(text)
```

## When it is fine

`delay`, `apply_async`, `send_task`; a signature (`embed.s(text)`); a call handed to a thread; a task that calls another one's
body in the worker; a plain `def` route, which runs in a thread.

## Known limits

A task reached through a table of names, or through `app.tasks[...]`, is not seen. Where the task's body blocks, blocking-call
reports the same call with the way to what blocks; both carry the same root cause.

## Fix safety

There is no automatic fix: the caller may need the value that the call gives here and `delay` gives only later.

## References

- [Celery documentation, "Calling Tasks"](https://docs.celeryq.dev/en/stable/userguide/calling.html)
"""

from collections.abc import Iterator

from asyncvet.graph import celery
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.sites import CallSite
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_APPLY = frozenset({"celery.Task.apply", "celery.canvas.Signature.apply"})


def check(project: Project) -> Iterator[Finding]:
    """Report tasks whose bodies the loop runs."""
    causes: dict[CallSite, str] | None = None
    for function in project.functions:
        for site in project.sites(function):
            what = _inline(site, project)
            if not what or not _is_on_loop(function, project):
                continue
            if causes is None:
                causes = {stall.site: stall.cause for stall in project.stalls("blocks")}
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(function, site.node),
                function=function.qualname,
                message=f"`{shown(site.node)}` runs the Celery task here, on the event loop; use {what}",
                runs_in=project.contexts.runs_in(function),
                root_cause=causes.get(site, ""),
            )


def _inline(site: CallSite, project: Project) -> str:
    """What to write in place of a call that runs a task's body here; empty if the site is no such call."""
    if not _APPLY.isdisjoint(site.names):
        return "`apply_async(...)`"
    task = next(celery.called_tasks(site, project), None)
    return f"`{task.name}.delay(...)`" if task is not None else ""


def _is_on_loop(function: Function, project: Project) -> bool:
    if function.is_async or project.contexts.is_loop_callback(function):
        return True
    if any(entry.where == "event-loop" for entry in project.contexts.entries(function)):
        return True
    return any(isinstance(caller, Function) and caller.is_async for caller, _ in project.contexts.callers.get(function, ()))


RULE = Rule(code="AV704", name="celery-task-called-inline", severity=Severity.MEDIUM, item=17, check=check)
