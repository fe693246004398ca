"""Checks for `asyncio.wait` calls whose pending tasks are forgotten, or whose done ones are never looked at.

With a timeout, `FIRST_COMPLETED` or `FIRST_EXCEPTION` the call comes back with tasks left: they must be cancelled or awaited.

## Why is this bad?

`asyncio.wait` raises nothing and cancels nothing. Tasks that are still pending go on with nobody waiting for them; an error in
one that is done is lost unless somebody asks for its result.

## Example

```python
import asyncio


async def ask(host: str) -> str:
    await asyncio.sleep(1)
    return host


async def fastest() -> str:
    tasks = [asyncio.create_task(ask(host)) for host in ("a", "b")]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return done.pop().result()
```

Use instead:

```python
import asyncio


async def ask(host: str) -> str:
    await asyncio.sleep(1)
    return host


async def fastest() -> str:
    tasks = [asyncio.create_task(ask(host)) for host in ("a", "b")]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return done.pop().result()
```

## When it is fine

Both sets are handled, through their names, through those of the tasks, or in the next round of a loop. Tasks that come from
elsewhere (an attribute, a parameter), or that a collection with other readers keeps, are their owner's business.

## Known limits

Any later mention of the tasks counts as handling them.

## Fix safety

There is no automatic fix: whether to cancel or to go on waiting is a decision.

## References

- [Python documentation, `asyncio.wait`](https://docs.python.org/3/library/asyncio-task.html#asyncio.wait)
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.graph.waits import waits
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report tasks that nobody comes back for."""
    for wait in waits(project):
        call = shown(wait.site.node)
        if wait.pending_is_forgotten:
            problem = "may leave tasks pending that nobody cancels or awaits; call `cancel()` on each of the second set"
        elif wait.done_is_unread:
            problem = "gives tasks that are done and nobody looks at their results or errors; await each of the first set"
        else:
            continue
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(wait.function, wait.site.node),
            function=wait.function.qualname,
            message=f"`{call}` {problem}",
            runs_in=project.contexts.runs_in(wait.function),
        )


RULE = Rule(code="AV506", name="forgotten-pending", severity=Severity.MEDIUM, item=11, check=check)
