"""Checks for `except Exception` or a bare `except` in a coroutine that does nothing at all about the error of what was awaited.

## Why is this bad?

The work was not done, and nobody will know: no log line, no result, no metric. A job that fails each time looks like one that
has nothing to do; the search for the reason starts at the other end of the system.

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

## Known limits

Preview: of sixteen findings in forty packages eleven were worth an edit; the others were attempts whose result the code looks at
afterwards. A default that is returned or assigned in silence is not reported.

## Fix safety

There is no automatic fix: what to do about the error is the author's to say.

## References

- Python documentation, "Errors and Exceptions", section "Handling Exceptions"
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.serving import serving
from asyncvet.graph.swallowing import swallowed
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report silent handlers of coroutines that serve."""
    served = serving(project)
    for function in project.functions:
        for handling in swallowed(function) if function.is_async and function in served else ():
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(function, handling.head),
                function=function.qualname,
                message=f"{handling.title} swallows what fails in `{function.name}` and nobody will know; "
                "log it, return it, or name the exception that is expected",
                runs_in=project.contexts.runs_in(function),
            )


RULE = Rule(code="AV802", name="swallowed-exception", severity=Severity.HIGH, item=18, check=check, preview=True)
