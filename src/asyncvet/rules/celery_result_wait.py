"""Checks for waits for Celery workers on the event loop: `get()`, `wait()`, `join()`, `collect()` of results, `inspect()` and
`ping()` of the workers.

## Why is this bad?

The call blocks the loop's thread until a worker has taken the task from the queue and finished it: by default for ever. All
requests of the process wait with it, the cancellation that a timeout would bring among them.

## Example

```python
from celery import shared_task


@shared_task
def embed(text: str) -> list[float]:
    return [float(len(text))]


async def search(text: str) -> list[float]:
    return embed.delay(text).get(timeout=30)
```

Use instead:

```python
import asyncio

from celery import shared_task


@shared_task
def embed(text: str) -> list[float]:
    return [float(len(text))]


def embed_and_wait(text: str) -> list[float]:
    return embed.delay(text).get(timeout=30)


async def search(text: str) -> list[float]:
    return await asyncio.to_thread(embed_and_wait, text)
```

## When it is fine

The wait runs in a thread; the code gives out the task's id and the client asks again; `ready()` is polled with `asyncio.sleep`,
and the result taken once it is there. Asking for the state (`ready()`, `status`) is one short question to the result backend and
is left alone. A place that this rule reports is not reported by blocking-call as well.

## Known limits

A result whose type the source does not tell is not seen. A test of the state further up in the function counts whatever it leads
to.

## Fix safety

Unsafe: to wait in a thread, to poll, or not to wait at all is a decision about the interface. The wait, or the function that the
chain begins with, goes to `asyncio.to_thread`; a wait that says nothing of how long gets `timeout=30`, as a thread that waits for
ever is lost.

## References

- [Celery documentation, "Calling Tasks"](https://docs.celeryq.dev/en/stable/userguide/calling.html), and `celery.result`
- Python documentation, `asyncio.to_thread`
"""

from collections.abc import Iterator

from asyncvet.graph import celery
from asyncvet.graph.project import Project
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report waits for workers that hold the loop."""
    for stall in project.stalls("celery-result"):
        if celery.is_known_ready(stall.end) or stall.is_doubtful:
            continue
        bound = f" for up to {stall.bound:g} s" if stall.bound else ""
        what = f"`{stall.call}` waits for a Celery worker on the event loop{bound}"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield project.stall_finding(RULE, stall, f"{what}; give out the task's id, or {project.remedy(stall)}")


RULE = Rule(code="AV703", name="celery-result-wait", severity=Severity.CRITICAL, item=17, check=check, fix="unsafe")
