"""Checks for Celery tasks that are published on the event loop: `delay`, `apply_async`, and a `chain`, `group` or `chord` that is
started.

It is off unless selected: the checklist accepts these calls in coroutines, and with the broker at hand they take a millisecond or
two.

## Why is this bad?

Publishing writes to the broker over a socket, in the caller's thread, and tries again while the broker is away. With a Redis
broker that refuses connections and Celery's defaults, one `delay` was measured to hold the loop for 19 s before it raised an
error; a broker that does not answer at all holds it longer. The service is down for as long as its broker is.

In [the harm lab](../../harm.md#publish-with-the-broker-away), with `apply_async` on the loop and a broker that says nothing, the
loop stands still for up to 1.1 s and `/health` takes 969 ms at p99, against 4 ms in the good form.

## Example

```python
from celery import shared_task


@shared_task
def embed(text: str) -> None: ...


async def index(text: str) -> None:
    embed.delay(text)
```

Use instead:

```python
import asyncio

from celery import shared_task


@shared_task
def embed(text: str) -> None: ...


async def index(text: str) -> None:
    await asyncio.to_thread(embed.delay, text)
```

## When it is fine

A service whose broker is local, or whose connection settings bound the retries (`broker_transport_options`,
`task_publish_retry_policy`, `retry=False`) to what the loop can bear.

## Known limits

The settings of the app are not read. `Celery.send_task` is reported by blocking-call, with or without this rule.

## Fix safety

There is no automatic fix: a thread hop costs a little on every call and saves much on few.

## References

- [Celery documentation, "Calling Tasks", sections "Message Sending Retry"](https://docs.celeryq.dev/en/stable/userguide/calling.html#message-sending-retry) and "Connection Error Handling"
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report tasks published on the loop."""
    for stall in project.stalls("celery-publish"):
        what = f"`{stall.call}` publishes to the broker on the event loop"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield project.stall_finding(RULE, stall, f"{what}; {project.remedy(stall)}")


RULE = Rule(code="AV707", name="publish-on-loop", severity=Severity.LOW, item=17, check=check, preview=True)
