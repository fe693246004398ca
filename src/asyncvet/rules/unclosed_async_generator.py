"""Checks for loops that leave an asynchronous generator half-way though it holds something that wants to be let go.

They leave by `break` or `return`; the generator has a `finally`, a connection or a lock around its `yield`.

## Why is this bad?

Leaving `async for` does not close the generator. Its `finally` runs some time later, in another task, when the garbage
collector finds it, and at shutdown perhaps never: the connection stays out of the pool, the lock stays taken, context variables
are not those that it started with.

## Example

```python
import asyncio
from collections.abc import AsyncGenerator


async def lines(host: str) -> AsyncGenerator[bytes, None]:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, 7)
    try:
        async for line in reader:
            yield line
    finally:
        writer.close()


async def first(host: str) -> bytes:
    async for line in lines(host):
        return line
    return b""
```

Use instead:

```python
import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing


async def lines(host: str) -> AsyncGenerator[bytes, None]:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, 7)
    try:
        async for line in reader:
            yield line
    finally:
        writer.close()


async def first(host: str) -> bytes:
    async with aclosing(lines(host)) as stream:
        async for line in stream:
            return line
    return b""
```

## When it is fine

A generator that is run to its end, closed by `aclosing` or `aclose()`, or that has nothing around its `yield` to let go.

## Known limits

Only generators of the project are looked into. An error that comes up in the loop's body by itself leaves the generator as well
and is not reported.

## Fix safety

There is no automatic fix: `aclosing` must go around the loop and all that uses the generator.

## References

- [Python documentation, `contextlib.aclosing`](https://docs.python.org/3/library/contextlib.html#contextlib.aclosing)
- PEP 525, "Asynchronous Generators", section "Finalization"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.graph.streams import abandoned
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report generators that are left open."""
    for found in abandoned(project):
        source = shown(found.source)
        what = "`anext`" if isinstance(found.exit, tree.Call) else "leaving this loop"
        held = shown(found.cleanup)
        keeps = f"its `{held}`" if held != "..." else "its `finally`"
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(found.function, found.source),
            function=found.function.qualname,
            message=f"{what} does not close `{source}`: {keeps} ends some time later; "
            f"use `async with aclosing({source}) as stream`",
            chain=(
                project.frame(found.function, found.source),
                project.frame(found.function, found.exit),
                project.frame(found.generator, found.cleanup),
            ),
            runs_in=project.contexts.runs_in(found.function),
        )


RULE = Rule(code="AV404", name="unclosed-async-generator", severity=Severity.LOW, item=10, check=check)
