"""Checks for loops on the event loop whose every step waits: for a database, an HTTP stream, a queue, another thread.

The source may be a cursor, a response, a pool's results, a queue-backed stream of tokens, or a plain generator that blocks.

## Why is this bad?

Each step of the iteration keeps the event loop's thread until the next item is there. An `async def` around it changes nothing:
between two items of a slow source no other request is served, and for a token stream of ten seconds that is ten seconds.

## Example

```python
from collections.abc import AsyncGenerator

from transformers import TextIteratorStreamer


async def tokens(streamer: TextIteratorStreamer) -> AsyncGenerator[str, None]:
    for text in streamer:
        yield text
```

Use instead:

```python
from collections.abc import AsyncGenerator

from starlette.concurrency import iterate_in_threadpool
from transformers import TextIteratorStreamer


async def tokens(streamer: TextIteratorStreamer) -> AsyncGenerator[str, None]:
    async for text in iterate_in_threadpool(streamer):
        yield text
```

## When it is fine

Iterating over what is in memory; the same loop in a thread or in a plain `def` endpoint; the client's asynchronous twin with
`async for`. Calls that block by themselves, `list(cursor)` and `next(stream)` among them, are blocking-call's business.

## Known limits

A source whose type the code does not tell is not seen. Sources that compute rather than wait are reported by cpu-bound-call.

## Fix safety

There is no automatic fix: the source decides whether it has an asynchronous twin or wants a thread.

## References

- [Python documentation, "Developing with asyncio", section "Running Blocking Code"](https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code)
- Starlette documentation, `iterate_in_threadpool`
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.graph.stalls import Stall
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report iteration that blocks the loop."""
    for stall in project.stalls("blocks"):
        if not stall.is_iteration:
            continue
        what = f"`{stall.call}` blocks the event loop at every item"
        if not stall.is_direct:
            what += f": it reaches `{stall.sink.name}`"
        yield project.stall_finding(RULE, stall, f"{what}; {_remedy(stall)}")


def _remedy(stall: Stall) -> str:
    if stall.is_direct and stall.sink.api.replacement:
        return f"use `{stall.sink.api.replacement}`"
    node = stall.site.node
    if isinstance(node, tree.For):
        return f"use `async for ... in iterate_in_threadpool({shown(node.iter)})`, or move the loop into `asyncio.to_thread`"
    return "move it into a function that `asyncio.to_thread` runs"


RULE = Rule(code="AV403", name="blocking-iteration", severity=Severity.MEDIUM, item=10, check=check)
