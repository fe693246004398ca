"""Checks for `except Exception` or a bare `except` in a coroutine that does nothing at all about the error of what was awaited, and
in a Celery task that makes a success of every failure.

## Why is this bad?

The work was not done, and nobody will know: no log line, no result, no metric. A job that fails each time looks like one that
has nothing to do; the search for the reason starts at the other end of the system.

A Celery task that catches everything and returns has succeeded: its state is SUCCESS, `autoretry_for` and `max_retries` do nothing,
a chain goes on with a result that is none, and the monitoring shows no failure, whatever the log says.

## Example

```python
import httpx


async def sync(client: httpx.AsyncClient, names: list[str]) -> None:
    for name in names:
        try:
            answer = await client.get(f"/items/{name}")
            answer.raise_for_status()
        except Exception:
            continue
```

Use instead:

```python
import logging

import httpx

logger = logging.getLogger(__name__)


async def sync(client: httpx.AsyncClient, names: list[str]) -> None:
    for name in names:
        try:
            answer = await client.get(f"/items/{name}")
            answer.raise_for_status()
        except Exception:
            logger.exception("cannot synchronise %s", name)
```

## When it is fine

A named, narrow exception. Clean-up (close, cancel, stop, delete) and courtesies (notifications, caches, metrics) that may
fail. A first attempt with another way behind it. A handler that logs, counts, stores, returns a value, or raises. A function
whose name asks (`is_ready`, `try_connect`). A handler with a comment: somebody has thought about it.

A task whose handler raises, retries, rejects, or does anything but undo, log and return, since that may record the failure; that
catches a specific error; that collects the errors of items in a loop; that gives up on input it cannot read; that is registered
with `ignore_result`.

## Known limits

Preview: of sixteen findings in forty packages eleven were worth an edit, of twenty in eight others eleven; the rest were
attempts whose result the code looks at afterwards, and extras. A default that is returned or assigned in silence is not
reported. No package at hand had a task that turns failures into results: that part is untried on foreign code.

## Fix safety

There is no automatic fix: what to do about the error is the author's to say.

## References

- [Python documentation, "Errors and Exceptions", section "Handling Exceptions"](https://docs.python.org/3/tutorial/errors.html#handling-exceptions)
"""

from collections.abc import Iterator

from asyncvet.graph.handlers import Handling
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function
from asyncvet.graph.serving import serving
from asyncvet.graph.swallowing import swallowed
from asyncvet.graph.task_failures import succeeding_failures
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report silent handlers of coroutines that serve, and handlers of tasks that turn failures into results."""
    served = serving(project)
    for function in project.functions:
        for handling in swallowed(function) if function.is_async and function in served else ():
            what = f"{handling.title} swallows what fails in `{function.name}` and nobody will know"
            yield _finding(handling, function, f"{what}; log it, return it, or name the exception that is expected", project)
    for function in project.functions:
        for handling in succeeding_failures(project, function):
            what = f"{handling.title} makes a success of every failure of the task `{function.name}`"
            yield _finding(handling, function, f"{what}; log it and `raise`, or `raise self.retry(...)`", project)


def _finding(handling: Handling, function: Function, message: str, project: Project) -> Finding:
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, handling.head),
        function=function.qualname,
        message=message,
        runs_in=project.contexts.runs_in(function) if function.is_async else (),
    )


RULE = Rule(code="AV802", name="swallowed-exception", severity=Severity.HIGH, item=18, check=check, preview=True)
