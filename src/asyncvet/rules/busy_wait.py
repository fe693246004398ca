"""Checks for coroutines that poll: a loop that sleeps and asks again whether a flag is set, a task is done, or a queue has an item.

## Why is this bad?

The loop is late by half its interval on average and wakes the process for nothing all the rest of the time. A hundred of them at
ten milliseconds are ten thousand wake-ups a second. What sets the flag is in the same process and could wake the waiter at once.

## Example

```python
import asyncio


class Job:
    def __init__(self) -> None:
        self.finished = False

    def finish(self) -> None:
        self.finished = True

    async def wait(self) -> None:
        while not self.finished:
            await asyncio.sleep(0.1)
```

Use instead:

```python
import asyncio


class Job:
    def __init__(self) -> None:
        self.finished = asyncio.Event()

    def finish(self) -> None:
        self.finished.set()

    async def wait(self) -> None:
        await self.finished.wait()
```

## When it is fine

Polling what gives no signal: files, processes, devices, the status of a remote job; loops that do work in each round; loops that only
wait for a time. Where a thread sets the flag, `loop.call_soon_threadsafe(event.set)` wakes the loop from there.

## Known limits

Only flags, containers, tasks and queues that the project itself sets or fills are followed, and only if the loop does nothing but wait.

## Fix safety

There is no automatic fix: every place that sets the flag has to set the event.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html) and "Queues" of asyncio
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.polling import Poll, Polling
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report loops that poll what could wake them."""
    for poll in Polling(project).find():
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(poll.function, poll.state),
            function=poll.function.qualname,
            message=f"the loop polls `{_name(poll.state)}`, which this process changes itself; {_remedy(poll)}",
            chain=(project.frame(poll.function, poll.state), project.frame(poll.function, poll.sleep)),
            runs_in=project.contexts.runs_in(poll.function),
        )


def _name(state: tree.Node) -> str:
    if isinstance(state, tree.Operation):
        return next((_name(operand) for operand in state.operands if not isinstance(operand, tree.Const)), "...")
    return shown(state)


def _remedy(poll: Poll) -> str:
    if poll.kind == "queue" and isinstance(poll.state, tree.Call) and isinstance(poll.state.func, tree.Attribute):
        return f"write `await {shown(poll.state.func.value)}.get()`"
    if poll.kind == "thread queue":
        return "use an `asyncio.Queue` that the threads fill with `loop.call_soon_threadsafe(queue.put_nowait, item)`"
    if poll.kind == "signal":
        return "await it: `event.wait()`, `queue.get()`, or the task itself, in `asyncio.wait_for` if the wait is bounded"
    return "set an `asyncio.Event` there and write `await event.wait()`"


RULE = Rule(code="AV109", name="busy-wait", severity=Severity.LOW, item=1, check=check)
