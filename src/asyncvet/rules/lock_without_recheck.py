"""Checks for state that is tested, then a lock is taken, and in it the state is set without a second test.

## Why is this bad?

While a coroutine waits for the lock, the one that holds it makes the value. The waiting one then makes it again and replaces it: the
lock only puts the two in a row. What was there before, with its connections, leaks.

In [the harm lab](../../harm.md#no-second-look-under-the-lock), eight first requests at once load the model 8 times and the last
is answered after 882 ms; in the good form it is 1 load and 177 ms.

## Example

```python
import asyncio

_lock = asyncio.Lock()
_reader: asyncio.StreamReader | None = None


async def reader() -> asyncio.StreamReader:
    global _reader
    if _reader is None:
        async with _lock, asyncio.timeout(5):
            _reader, _ = await asyncio.open_connection("localhost", 6379)
    return _reader
```

Use instead:

```python
import asyncio

_lock = asyncio.Lock()
_reader: asyncio.StreamReader | None = None


async def reader() -> asyncio.StreamReader:
    global _reader
    if _reader is None:
        async with _lock, asyncio.timeout(5):
            if _reader is None:
                _reader, _ = await asyncio.open_connection("localhost", 6379)
    return _reader
```

## When it is fine

A second test under the lock, there or in what is called there; a lock that is held over both.

## Known limits

A second test that asks something else than the first one did is not recognised.

## Fix safety

Unsafe, as less is done under the lock: the test, or the way out, stands once more in the block, with the line before it that reads
the state where the test asks for a local name. Left alone: locks taken by `acquire`, and blocks on whose names later code relies.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html), asyncio.Lock
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.races import Races
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report tests that are not made again once the lock is held."""
    races, lifetimes = Races(project), project.lifetimes
    for function in project.functions:
        for race in races.of(function):
            if race.taken is None or not lifetimes.outlives_call(race.test.place, function):
                continue
            place, lock = race.test.place.text, shown(race.taken.expr)
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(function, race.test.node),
                function=function.qualname,
                message=f"`{place}` is tested before `{lock}` is taken and set under it with no second test: whoever waited for the "
                f"lock makes it again; test `{place}` again inside `async with {lock}`",
                chain=(
                    project.frame(function, race.test.node),
                    project.frame(function, race.taken.node),
                    project.frame(race.setter, race.store.node),
                ),
                runs_in=project.contexts.runs_in(function),
            )


RULE = Rule(code="AV202", name="lock-without-recheck", severity=Severity.HIGH, item=4, check=check, fix="unsafe")
