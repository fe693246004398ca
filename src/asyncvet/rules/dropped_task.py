"""Checks for tasks that are made and kept nowhere: the result of `create_task` or `ensure_future` is thrown away.

Also where a lambda that the loop calls makes the task, and where a function of the project only makes it and returns it.

## Why is this bad?

The event loop holds weak references to tasks. A task that nothing else refers to can be collected before it is done: the work
stops in the middle, without a word. If it fails, nobody asks for its error, which is shown at the earliest when it is collected.
And no shutdown can wait for it.

In [the harm lab](../../harm.md#dropped-task), of 500 tasks accepted just before the service stops, 280 are lost; 0 in the good
form.

## Example

```python
import asyncio


async def send_receipt(order: int) -> None:
    await asyncio.sleep(1)
    print("sent", order)


async def place_order(order: int) -> str:
    asyncio.create_task(send_receipt(order))
    return "placed"
```

Use instead:

```python
import asyncio

background: set[asyncio.Task[None]] = set()


async def send_receipt(order: int) -> None:
    await asyncio.sleep(1)
    print("sent", order)


async def place_order(order: int) -> str:
    task = asyncio.create_task(send_receipt(order))
    background.add(task)
    task.add_done_callback(background.discard)
    return "placed"
```

## When it is fine

A task in an attribute, a container or a variable that is used, awaited, returned, passed on, or made by a `TaskGroup`. A task
that has a callback for its end is left alone too: its error is not lost, and callbacks often keep what they belong to.

## Known limits

A task that a local variable holds only until the function returns is reported if the variable is never read. `create_task` of an
object whose type is unknown counts as asyncio's if the object is called a loop.

## Fix safety

Unsafe: the task gets a name and is kept in a set of the module, which its done-callback takes it out of; the set is made if the
module has none. The program then does work that was lost before. Where a task belongs to an object or a group, that is the better
place. There is no edit where no statement makes the task, as in a lambda, and where the function that makes it may give none.

## References

- [Python documentation, `asyncio.create_task`](https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task): "Save a reference to the result of this function"
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.graph.tasks import Task
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report tasks that are dropped where they are made."""
    for task in project.tasks.made:
        if task.use != "dropped":
            continue
        call = shown(task.node)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(task.scope, task.node),
            function=task.scope.qualname,
            message=f"the task of `{call}`{_of(task)} is kept nowhere: it can be collected before it is done, and its error "
            "is lost; keep it in a set, discard it in its done-callback",
            advice="Or make it in a TaskGroup, which waits for it.",
            runs_in=project.contexts.runs_in(task.scope) if isinstance(task.scope, Function) else (),
        )


def _of(task: Task) -> str:
    return f", which runs `{task.runs[0].name}`," if len(task.runs) == 1 else ""


RULE = Rule(code="AV301", name="dropped-task", severity=Severity.MEDIUM, item=6, check=check, fix="unsafe", needs_loop=False)
