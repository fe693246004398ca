"""Checks for shared values that are read, then awaited over, and then written from what they were before, and for loops that end old
entries of a table while others await them.

The value is a module's global, a class attribute, an attribute of an object that lives beyond one call, or an entry of a table kept
there. The read may be hidden: `total += await fetch()` reads `total` first.

## Why is this bad?

At the await other coroutines run and change the value. Writing from the old one undoes what they did: counts come out too low, a
balance is spent twice, a limit is passed.

A cleaner that closes or unloads what nobody has asked for lately ends it also for those who asked before and still wait for its
answer: the age of an entry says when its use began, not that it is over.

## Example

```python
import asyncio


class Usage:
    def __init__(self) -> None:
        self.tokens = 0

    async def count(self, text: str) -> int:
        await asyncio.sleep(0.01)
        return len(text)

    async def add(self, text: str) -> None:
        self.tokens += await self.count(text)


usage = Usage()
```

Use instead:

```python
import asyncio


class Usage:
    def __init__(self) -> None:
        self.tokens = 0

    async def count(self, text: str) -> int:
        await asyncio.sleep(0.01)
        return len(text)

    async def add(self, text: str) -> None:
        added = await self.count(text)
        self.tokens += added


usage = Usage()
```

## When it is fine

Local variables; a read and a write with no await in between; a lock held over both; a value that is read again after the await.

A cleaner that asks for more than the age of an entry: how many use it, whether it is busy or locked; one that only forgets entries
and closes nothing; a table whose entries are awaited under a lock only.

## Known limits

A value that goes through a helper between read and write is not followed. An entry of a table is followed through one function
that returns it.

## Fix safety

There is no automatic fix: where several coroutines must agree, a lock is needed, and where it belongs is a decision.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html), asyncio.Lock
- Python language reference, "Augmented assignment statements": the target is evaluated first
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.evictions import Eviction, Evictions
from asyncvet.graph.lost_updates import LostUpdate, lost_updates
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report updates that can be lost."""
    lifetimes = project.lifetimes
    for function in project.functions:
        for update in lost_updates(project, function):
            if lifetimes.outlives_call(update.place, function):
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(function, update.write),
                    function=function.qualname,
                    message=_message(update),
                    chain=tuple(project.frame(function, node) for node in (update.read, update.wait, update.write)),
                    runs_in=project.contexts.runs_in(function),
                )
    for eviction in Evictions(project).find():
        yield _of_eviction(eviction, project)


def _of_eviction(eviction: Eviction, project: Project) -> Finding:
    cleaner, user = eviction.cleaner, eviction.user
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(cleaner, eviction.end),
        function=cleaner.qualname,
        message=f"`{shown(eviction.end)}` ends by its age alone what `{user.name}` may still be awaiting; "
        "count the users of each entry and leave alone what is in use",
        chain=(
            *(project.frame(cleaner, node) for node in (eviction.removal, eviction.end)),
            *(project.frame(user, node) for node in (eviction.taken, eviction.wait)),
        ),
        runs_in=project.contexts.runs_in(user),
    )


def _message(update: LostUpdate) -> str:
    place = update.place.text
    if isinstance(update.write, tree.AugAssign) and update.read is update.write.target:
        return (
            f"`{place} {update.write.op}= await ...` reads `{place}` before the await and undoes what others wrote meanwhile; "
            f"await into a local first, then write `{place} {update.write.op}=` that"
        )
    return (
        f"`{place}` is written from what it was before an await, which undoes what others wrote meanwhile; "
        "hold an `asyncio.Lock` over read and write, or read it again after the await"
    )


RULE = Rule(code="AV203", name="shared-state-race", severity=Severity.HIGH, item=4, check=check)
