"""Checks for calls that block the event loop: sleeps, network, database, processes, file content, locks, queues and console input.

The call may stand in a coroutine itself, or behind any number of plain functions, methods, constructors, properties, context
managers and iterators that the coroutine, or a plain callback of the loop, runs.

## Why is this bad?

One event loop serves every request of a process. While a call blocks its thread, no other request is answered, no timeout fires, no
cancellation is delivered and no health check succeeds.

In [the harm lab](../../harm.md#blocking-open), with files written on the loop, the loop stands still for up to 120 ms and
`/health` takes 98 ms at p99, against 9 ms in the good form. [Sleep in a handler](../../harm.md#sleep-in-a-handler): with a
`time.sleep` of 0.2 s in a stream that two clients watch, the loop stands still for up to 407 ms and `/health` takes 5.3 s at p99,
against 10 ms in the good form. [requests in a handler](../../harm.md#requests-in-a-handler): with `requests.get` in a handler
that four clients call, and 0.2 s for its answer, the loop stands still for up to 402 ms and `/health` takes 380 ms at p99,
against 6 ms in the good form. [Model load on the loop](../../harm.md#model-load-on-the-loop): with an encoder of 90 MB loaded on
the loop, the loop stands still for up to 256 ms and `/health` takes 73 ms at p99, against 29 ms in the good form.

## Example

```python
import asyncio
import time


def fetch_status() -> str:
    time.sleep(1)
    return "ready"


async def status() -> str:
    return fetch_status()
```

Use instead:

```python
import asyncio
import time


def fetch_status() -> str:
    time.sleep(1)
    return "ready"


async def status() -> str:
    return await asyncio.to_thread(fetch_status)
```

## When it is fine

The same call handed to a thread, a process or an executor, in any spelling; a plain `def` route, dependency or background task, which
the framework runs in its thread pool; calls that do not wait (`acquire(blocking=False)`, `get_nowait()`, `timeout=0`, files in
memory); code that no asynchronous code reaches.

A wait for others (network, database, process, lock, queue, sleep) has the rule's severity. What only waits for the disk is two
steps lighter: on a local disk it is milliseconds, and seconds on a network share or for a large file. What provably runs once, before
the service answers or in a script's only coroutine, and what a cache lets happen once, is one step lighter again. Of findings drawn
from ten packages and read sternly, in two draws by different readers, 52 of 95 waits for others and 2 of 56 waits for the disk were found
worth an edit as they stood; most of the others were true and small.

## Known limits

A call on an object whose type the source does not tell is not reported; the summary counts such calls. Calls of libraries that
are neither in the catalogue nor installed in the project's environment are taken as harmless. Short metadata calls are reported by
blocking-metadata-call, loops over a source that blocks by blocking-iteration.

## Fix safety

Safe for `time.sleep` in a coroutine, which becomes `await asyncio.sleep`. Unsafe for the rest, as other coroutines run where none
could before: the call in the coroutine that the chain starts in becomes `await asyncio.to_thread(call, ...)`, and a `with` block around
it that awaits nothing becomes a function that a thread runs. Where the project uses aiofiles or httpx already, a file that is only
read and written, or a request whose answer both libraries give alike, is asked for by these. Left alone: calls in generator
expressions and in callbacks, locks, what uses the event loop or an object of one thread (`sqlite3`, `scoped_session`,
`threading.local`), and generators, whose steps are what blocks.

## References

- [Python documentation, "Developing with asyncio", section "Running Blocking Code"](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code)
- FastAPI documentation, "Concurrency and async / await"
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report what blocks the loop."""
    for stall in project.stalls("blocks"):
        if stall.is_iteration:
            continue
        bound = f" for up to {stall.bound:g} s" if stall.bound else ""
        what = f"`{stall.call}` blocks the event loop{bound}"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield project.stall_finding(RULE, stall, f"{what}; {project.remedy(stall)}")


RULE = Rule(code="AV101", name="blocking-call", severity=Severity.CRITICAL, item=1, check=check, fix="safe")
