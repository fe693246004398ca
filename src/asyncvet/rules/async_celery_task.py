"""Checks for `async def` functions that are registered as Celery tasks: the worker calls them and never runs their bodies.

## Why is this bad?

A worker process has no event loop. Calling a coroutine function gives a coroutine; the worker takes it for the result, fails to
store it or drops it, and the work is never done. With the result backend off, nothing is logged at all and the task counts as a
success.

## Example

```python
from celery import Celery

app = Celery("mail", broker="redis://broker")


async def deliver(address: str) -> None: ...


@app.task
async def send(address: str) -> None:
    await deliver(address)
```

Use instead:

```python
import asyncio

from celery import Celery

app = Celery("mail", broker="redis://broker")


async def deliver(address: str) -> None: ...


@app.task
def send(address: str) -> None:
    asyncio.run(deliver(address))
```

## When it is fine

Below the task decorator stands one that makes a plain function of the coroutine function; the task, or the app, has a base class
of its own, which may run coroutines; a worker pool made for coroutines (`celery-aio-pool`, `celery-pool-asyncio`). Task queues
that are not Celery and run coroutines themselves (taskiq, arq, procrastinate) are not spoken of.

## Known limits

A base class of the project is trusted without a look at what it does. A pool that only the worker's command line names is not
seen.

## Fix safety

Unsafe: whether one `asyncio.run` around the body will do depends on what else of it outlives the call. A `def` with the task's name,
decorators, parameters and docstring runs the coroutine function, which gets a name of its own. There is no edit for methods,
generators, and coroutine functions that other code awaits.

## References

- [Celery documentation, "Tasks"](https://docs.celeryq.dev/en/stable/userguide/tasks.html)
- Python documentation, `asyncio.run`
"""

from collections.abc import Iterator

from asyncvet.graph import celery
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function
from asyncvet.graph.values import Wrapped
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

# Decorators of libraries that leave a coroutine function one.
_TRANSPARENT = frozenset({"retry", "wraps"})


def check(project: Project) -> Iterator[Finding]:
    """Report coroutine functions that are tasks."""
    for function in project.functions:
        if not function.is_async or not celery.is_task(function, project.inference) or _is_made_plain(function, project):
            continue
        if celery.runs_coroutines(function, project):
            continue
        index = celery.registration(function, project.inference)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, function.head),
            function=function.qualname,
            message=f"`async def {function.name}` is a Celery task: its body never runs; "
            f"make the task a `def` that calls `asyncio.run(...)`",
            advice="The worker gets a coroutine where it expects the result.",
            chain=() if index is None else (project.frame(function.parent or function.module, function.decorators[index]),),
        )


def _is_made_plain(function: Function, project: Project) -> bool:
    """Whether a decorator between the task's and the function may make a plain function of it."""
    index = celery.registration(function, project.inference)
    if index is None or index == len(function.decorators) - 1:
        return False
    made = project.inference.decorated(function)
    if any(isinstance(value, Wrapped) for value in made):
        return any(isinstance(value, Wrapped) and not value.wrapper.is_async for value in made)
    return not function.decorator_names <= _TRANSPARENT | celery.REGISTRARS


RULE = Rule(code="AV701", name="async-celery-task", severity=Severity.CRITICAL, item=16, check=check, fix="unsafe")
