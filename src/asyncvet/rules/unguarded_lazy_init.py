"""Checks for state that is made on first use with an await between the test and the assignment, and no lock around both.

The state is a module's global, a class attribute, an attribute of an object that lives beyond one call, `app.state`, or an entry of
a table kept there.

## Why is this bad?

At the await the loop runs other coroutines, and those that come here find nothing yet as well. Each makes its own client, pool or
model; the last one stays and the others leak with their sockets and memory. It happens when many first requests arrive at once:
after a deployment, under load.

In [the harm lab](../../harm.md#no-lock-on-load), eight first requests at once load the model 8 times and the last is answered
after 1.2 s; in the good form it is 1 load and 190 ms.

## Example

```python
import asyncio


class Store:
    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None

    async def reader(self) -> asyncio.StreamReader:
        if self._reader is None:
            async with asyncio.timeout(5):
                self._reader, _ = await asyncio.open_connection("localhost", 6379)
        return self._reader


store = Store()
```

Use instead:

```python
import asyncio


class Store:
    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None
        self._lock = asyncio.Lock()

    async def reader(self) -> asyncio.StreamReader:
        if self._reader is None:
            async with self._lock:
                if self._reader is None:
                    async with asyncio.timeout(5):
                        self._reader, _ = await asyncio.open_connection("localhost", 6379)
        return self._reader


store = Store()
```

## When it is fine

A lock held over test and assignment; an assignment before the first await; a task or future that is stored at once and awaited by
all; a flag that is tested and set before the first await; code that runs once, before the service answers; objects that serve one
request, one reader or one session; what every caller calls under a lock, or one task alone, by however many steps.

## Known limits

Whether an object is shared is told from where the project makes it and from its class; of a class that the project never makes it is
assumed. Start and stop methods are taken to be called once, unless other methods call them on first use.

## Fix safety

Unsafe, as callers now wait for one another: an `asyncio.Lock` is declared beside the state, and what follows the test stands under
that lock and a second test. An entry of a table gets a lock for each key, in a table that forgets locks that nobody holds. Left alone:
state whose declaration is not in the same file, and tests in expressions.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html), asyncio.Lock
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.races import Races
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report first uses that can happen twice."""
    races, lifetimes = Races(project), project.lifetimes
    for function in project.functions:
        for race in races.of(function):
            if race.taken is not None or not lifetimes.outlives_call(race.test.place, function):
                continue
            place = race.test.place.text
            is_opened_late = race.setter is function and race.store.node.end <= race.wait.start
            problem = (
                "set, and only then opened with an await: a second caller gets it before it is ready"
                if is_opened_late
                else "set after an await: two callers both find it missing and both make it"
            )
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(function, race.test.node),
                function=function.qualname,
                message=f"`{place}` is tested here and {problem}; hold an `asyncio.Lock` over the test and the assignment",
                chain=(
                    project.frame(function, race.test.node),
                    project.frame(function, race.wait),
                    project.frame(race.setter, race.store.node),
                ),
                runs_in=project.contexts.runs_in(function),
                root_cause=f"{RULE.code} {function.qualname}",
            )


RULE = Rule(code="AV201", name="unguarded-lazy-init", severity=Severity.HIGH, item=4, check=check, fix="unsafe")
