"""Checks for one lock of the whole process that is held over slow work on one of many things, named by an argument.

## Why is this bad?

The work for one model, user or document waits for that of all others, though they share nothing. While one slow download holds the
lock, every other request of this kind stands still, and they come out one by one.

In [the harm lab](../../harm.md#one-global-lock), while two other models load, an embedding takes up to 1.3 s though its model is
in memory, against 116 ms in the good form.

## Example

```python
import asyncio

_lock = asyncio.Lock()
_models: dict[str, str] = {}


async def fetch(name: str) -> str:
    await asyncio.sleep(1)
    return name


async def model(name: str) -> str:
    async with _lock:
        if name not in _models:
            _models[name] = await fetch(name)
        return _models[name]
```

Use instead:

```python
import asyncio
from weakref import WeakValueDictionary

_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
_models: dict[str, str] = {}


async def fetch(name: str) -> str:
    await asyncio.sleep(1)
    return name


async def model(name: str) -> str:
    lock = _locks.setdefault(name, asyncio.Lock())
    async with lock:
        if name not in _models:
            _models[name] = await fetch(name)
        return _models[name]
```

## When it is fine

A lock for each key; work with no key, such as a file or a connection that all share; a section with no await; a semaphore.

## Known limits

Locks of modules, classes and of objects that are made once, as the service starts, count; how many instances another class has is
not known. An argument counts as a key by which a table is looked up, or whose name says so (`user_id`). A lock around a method of a
shared object is taken to protect that object. Where the things do share something, such as
the memory of a graphics card, one lock is right and the finding is to be suppressed.

## Fix safety

Unsafe: whether the things are independent is for the author to say. The lock becomes a table of locks that forgets those that
nobody holds, and the section takes that of its key. There is an edit only if this one section takes the lock, and the key's
annotation does not say that it is a list or the like.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html), asyncio.Lock
"""

from collections.abc import Iterator

from asyncvet.graph.keyed_work import contentions
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report locks on which unrelated work waits."""
    for found in contentions(project):
        function, lock = found.function, shown(found.taken.expr)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            item=RULE.item,
            severity=RULE.severity,
            span=project.span(function, found.taken.expr),
            function=function.qualname,
            message=f"`{lock}` is held over `{shown(found.call)}`, so the work for one `{found.param}` waits for that of all "
            f"others; take one lock for each `{found.param}`",
            chain=(project.frame(function, found.taken.expr), project.frame(function, found.wait)),
            runs_in=project.contexts.runs_in(function),
        )


RULE = Rule(code="AV204", name="global-lock-contention", severity=Severity.MEDIUM, item=5, check=check, fix="unsafe")
