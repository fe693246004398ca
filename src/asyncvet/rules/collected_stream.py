"""Checks for streams that are read to their end into a list, only to be gone through once.

The list is yielded item by item, gone through by one loop, or returned by a function that says it streams.

## Why is this bad?

The point of a stream is that the first item is there before the last one is made. Collected first, the reader waits for all of
it, and all of it is in memory: a chat answer that takes eight seconds shows nothing for eight seconds.

In [the harm lab](../../harm.md#collected-stream), the first of 100 tokens comes after 1.7 s, when the last has been generated,
against 43 ms in the good form.

## Example

```python
from collections.abc import AsyncGenerator, AsyncIterator


async def relay(stream: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    chunks = [chunk async for chunk in stream]
    for chunk in chunks:
        yield chunk
```

Use instead:

```python
from collections.abc import AsyncGenerator, AsyncIterator


async def relay(stream: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    async for chunk in stream:
        yield chunk
```

## When it is fine

A list that is counted, indexed, sorted, joined, handed on or used twice; one whose loop changes what is streamed (deletes the
keys that it scans) or stands outside the `async with`, `try` or loop in which the stream was read.

## Known limits

A list that another function goes through is not followed. A stream read by a helper such as `collect(stream)` is not seen.

## Fix safety

Safe where the list is a plain copy and the loop right behind it yields: the generator then gives the same items, each as soon as it
is there. Unsafe where the loop does something else with the items, as an error of the stream then comes after what was done for those
before it. Lists that are returned or given to a response, and loops that are left half-way, are left alone.

## References

- [PEP 525, "Asynchronous Generators"](https://peps.python.org/pep-0525/)
- Starlette documentation, `StreamingResponse`
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.graph.streams import collected
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_USES = {
    "yielded": "and then yields it item by item",
    "iterated": "and goes through it once",
    "streamed": "and only then starts to send",
    "returned": "and returns it, though the function says it streams",
}

_REMEDIES = {"streamed": "give the response the stream itself", "returned": "yield inside the `async for`"}


def check(project: Project) -> Iterator[Finding]:
    """Report streams that are collected for no reason."""
    for found in collected(project):
        source = shown(found.source)
        remedy = _REMEDIES.get(found.kind, f"use `async for ... in {source}`")
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(found.function, found.node),
            function=found.function.qualname,
            message=f"collects all of `{source}` {_USES[found.kind]}; {remedy}",
            chain=(project.frame(found.function, found.node), project.frame(found.function, found.use)),
            runs_in=project.contexts.runs_in(found.function),
        )


RULE = Rule(code="AV402", name="collected-stream", severity=Severity.MEDIUM, item=10, check=check, fix="safe")
