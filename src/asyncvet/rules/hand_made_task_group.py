"""Checks for tasks made one by one and waited for with `asyncio.gather`, where `asyncio.TaskGroup` says it in a block.

## Why is this bad?

The hand-made form has no end that belongs to its beginning: an error between `create_task` and `gather`, or in one of the
tasks, leaves the others running. A task group waits for all of its tasks on every way out, cancels the siblings of one that
fails, and reports all errors.

## Example

```python
import asyncio


async def work(number: int) -> None:
    await asyncio.sleep(number)


async def all_of_them() -> None:
    tasks = []
    for number in range(3):
        tasks.append(asyncio.create_task(work(number)))
    await asyncio.gather(*tasks)
```

Use instead:

```python
import asyncio


async def work(number: int) -> None:
    await asyncio.sleep(number)


async def all_of_them() -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(work(number))
```

## When it is fine

`return_exceptions=True`, where errors are wanted as values; a list of tasks that has other readers, such as a handler that
cancels them; coroutines given to `gather` as they are; code that must run on Python 3.10 or older, where the rule is best
switched off.

## Known limits

The Python version that the project supports is not read: 3.11 is assumed. Where gather-fails-fast reports the same call, this
rule is silent.

## Fix safety

Unsafe, as a task group raises an `ExceptionGroup` where a gather raises the first error, and cancels the other tasks; safe only where
no error can leave the tasks, as everything in them stands under a broad handler that only logs. The lines that make the tasks move
into the group; results are asked of the tasks. Python 3.11 is assumed.

## References

- [Python documentation, `asyncio.TaskGroup`](https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup)
"""

from collections.abc import Iterator

from asyncvet.graph.gathers import Gathers
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report task groups made by hand."""
    gathers = Gathers(project)
    for gather in gathers:
        if not gathers.is_task_group(gather) or gathers.fails_fast(gather):
            continue
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(gather.function, gather.call),
            function=gather.function.qualname,
            message=f"tasks made by hand for `{shown(gather.call)}`; "
            f"use `async with asyncio.TaskGroup() as group` and `group.create_task({shown(gather.members[0].expr)})`",
            chain=(project.frame(gather.function, gather.members[0].expr), project.frame(gather.function, gather.call)),
            runs_in=project.contexts.runs_in(gather.function),
        )


RULE = Rule(code="AV504", name="hand-made-task-group", severity=Severity.LOW, item=12, check=check, fix="safe")
