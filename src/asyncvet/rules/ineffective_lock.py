"""Checks for locks and semaphores that nobody else can hold: made by the call that takes them, and known to no other.

## Why is this bad?

A lock keeps others out only if they take the same one. One that each call makes for itself is always free: what it stands around
runs at the same time in every call, as if it were not there.

## Example

```python
import asyncio


class Account:
    def __init__(self) -> None:
        self.balance = 0


account = Account()


async def deposit(amount: int) -> None:
    lock = asyncio.Lock()
    async with lock:
        await asyncio.sleep(0.1)
        account.balance += amount
```

Use instead:

```python
import asyncio


class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.lock = asyncio.Lock()


account = Account()


async def deposit(amount: int) -> None:
    async with account.lock:
        await asyncio.sleep(0.1)
        account.balance += amount
```

## When it is fine

A lock or semaphore that a function shares with the coroutines that it starts, through a closure or an argument; one that it keeps in
a table or on an object.

## Known limits

A lock on an object that is itself made for each call is not recognised.

## Fix safety

There is no automatic fix: who must share the lock is a decision.

## References

- [Python documentation, "Synchronization Primitives"](https://docs.python.org/3/library/asyncio-sync.html)
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.locks import own_lock
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report locks that only their taker knows."""
    for function in project.functions:
        if not function.is_async:
            continue
        for taken in project.held(function):
            lock = own_lock(project, taken.expr, function)
            if lock is not None:
                made = next(iter(function.bindings.get(taken.expr.id, ())), None) if isinstance(taken.expr, tree.Name) else None
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(function, taken.expr),
                    function=function.qualname,
                    message=f"`{shown(taken.expr)}` is a new `{lock.path}` in every call, so it keeps nobody out; "
                    "make it once, where all callers find the same one: on the object that it guards, or in its module",
                    chain=(project.frame(function, made.value), project.frame(function, taken.expr))
                    if made is not None and made.value is not None
                    else (),
                    runs_in=project.contexts.runs_in(function),
                )


RULE = Rule(code="AV206", name="ineffective-lock", severity=Severity.HIGH, item=4, check=check)
