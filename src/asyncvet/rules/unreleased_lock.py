"""Checks for `acquire` on an asynchronous lock that is not followed by `release` on every way out of the function.

## Why is this bad?

An error, a cancellation or an early return between the two leaves the lock taken for good. Every later caller waits for it forever,
with no message anywhere.

## Example

```python
import asyncio

lock = asyncio.Lock()


async def save(text: str) -> None:
    await lock.acquire()
    await asyncio.to_thread(print, text)
    lock.release()
```

Use instead:

```python
import asyncio

lock = asyncio.Lock()


async def save(text: str) -> None:
    async with lock:
        await asyncio.to_thread(print, text)
```

## When it is fine

`async with`; `release` in a `finally`; a release in another function that has taken over the lock: the other half of a context
manager, a callback, a method that gives a permit back.

## Known limits

Where other code of the project releases a lock of the same name, it is taken to have taken over.

## Fix safety

There is no automatic fix: the lines that belong inside the `async with` have to be moved.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html): `async with` is the preferred way to use a lock
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.project import Project
from asyncvet.graph.releases import Leak, leaks
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report locks that can stay taken."""
    for leak in leaks(project):
        lock = shown(leak.lock)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(leak.function, leak.call),
            function=leak.function.qualname,
            message=f"`{lock}` stays taken for good {_when(leak)}; write `async with {lock}`",
            chain=(project.frame(leak.function, leak.call), project.frame(leak.function, leak.exit))
            if leak.exit is not None
            else (),
            runs_in=project.contexts.runs_in(leak.function),
        )


def _when(leak: Leak) -> str:
    if leak.exit is None:
        return "as nothing releases it"
    if isinstance(leak.exit, tree.Return | tree.Raise):
        return f"where this function {'returns' if isinstance(leak.exit, tree.Return) else 'raises'} before it releases it"
    return "if what is awaited before its release fails or is cancelled"


RULE = Rule(code="AV208", name="unreleased-lock", severity=Severity.HIGH, item=4, check=check)
