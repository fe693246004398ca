"""Checks for tables that get a lock for each key they are asked for, and never lose one.

## Why is this bad?

Every user, session or document that was ever seen leaves a lock behind. The table grows as long as the process lives, and whoever
chooses the keys can make it grow at will.

## Example

```python
import asyncio

_locks: dict[str, asyncio.Lock] = {}


async def rename(user: str) -> None:
    async with _locks.setdefault(user, asyncio.Lock()):
        await asyncio.sleep(0.1)
```

Use instead:

```python
import asyncio
from weakref import WeakValueDictionary

_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


async def rename(user: str) -> None:
    lock = _locks.setdefault(user, asyncio.Lock())
    async with lock:
        await asyncio.sleep(0.1)
```

## When it is fine

A `WeakValueDictionary`, which forgets a lock once nobody holds it; a table from which something takes entries away; keys that the
program itself knows all of.

## Known limits

Whether the keys are few is not written in the source: it is told from their names. Keys called after paths, providers, servers, apps
and the like, or that callers make of such, are taken to be few, keys with any other name that come as an argument to be many.

## Fix safety

There is no automatic fix: a weak table keeps a lock only as long as a local name holds it.

## References

- [Python documentation, "weakref"](https://docs.python.org/3/library/weakref.html#weakref.WeakValueDictionary): WeakValueDictionary
"""

from collections.abc import Iterator

from asyncvet.graph.lock_tables import growing
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report tables of locks that only grow."""
    for growth in growing(project):
        function, table = growth.function, growth.table.text
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, growth.node),
            function=function.qualname,
            message=f"`{table}` gets a lock for every `{shown(growth.key)}` and never loses one, so it grows as long as the process "
            "lives; make it a `weakref.WeakValueDictionary`, or take the entry out when its work is done",
        )


RULE = Rule(code="AV207", name="unbounded-lock-table", severity=Severity.LOW, item=5, needs_loop=False, check=check)
