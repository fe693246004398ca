"""Checks for results of `asyncio.gather` with `return_exceptions=True` that are used as if none of them were an exception.

## Why is this bad?

With `return_exceptions=True` an error is a value in the list. Used unseen it ends as an `AttributeError` far from its cause, or
worse: exceptions are true, so `any(results)` says yes, and they are counted, joined and stored.

## Example

```python
import asyncio


async def size(number: int) -> list[int]:
    await asyncio.sleep(1)
    return [number]


async def total() -> int:
    results = await asyncio.gather(size(1), size(2), return_exceptions=True)
    return sum(len(result) for result in results)
```

Use instead:

```python
import asyncio


async def size(number: int) -> list[int]:
    await asyncio.sleep(1)
    return [number]


async def total() -> int:
    results = await asyncio.gather(size(1), size(2), return_exceptions=True)
    return sum(len(result) for result in results if not isinstance(result, BaseException))
```

## When it is fine

Any check of the type; results that are handed on or dropped; awaitables that catch all of their own errors.

## Known limits

A function that has a check of some type behind the call is believed to check the results. Results that another function takes
apart are not followed, but where they are returned as a list that is declared to hold no errors, to callers that check none.

## Fix safety

There is no automatic fix: what to do with an error is the author's to say.

## References

- [Python documentation, `asyncio.gather`](https://docs.python.org/3/library/asyncio-task.html#asyncio.gather)
"""

from collections.abc import Iterator

from asyncvet.graph.gathers import Gathers
from asyncvet.graph.project import Project
from asyncvet.graph.results import trusting_return, trusting_use
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report results that are trusted."""
    gathers = Gathers(project)
    for gather in gathers:
        function = gather.function
        use = (trusting_use(gather) or trusting_return(project, gather)) if gather.returns_exceptions else None
        if use is None or (gather.members and not any(gathers.can_fail(function, member) for member in gather.members)):
            continue
        line = project.frame(function, use).line
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, use),
            function=function.qualname,
            message=f"line {line} uses a result of `{shown(gather.call)}` that can be an exception: `return_exceptions=True` "
            "makes errors values; test `isinstance(result, BaseException)` first",
            chain=(project.frame(function, gather.call), project.frame(function, use)),
            runs_in=project.contexts.runs_in(function),
        )


RULE = Rule(code="AV503", name="unchecked-gather-results", severity=Severity.HIGH, item=11, check=check)
