"""Checks for thread locks that a coroutine holds over an await: `threading.Lock`, `RLock`, `Condition`, `Semaphore` and their like.

## Why is this bad?

The loop has one thread. While the coroutine that holds the lock waits, another one asks for it and blocks that thread; the first can
never go on to release it, and the process stands still for good. An `RLock` does not even do that: all coroutines are the same thread
to it, so it lets everybody in and excludes nobody.

## Example

```python
import asyncio
import threading


class Tokens:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token = ""

    async def renew(self) -> None:
        with self._lock:
            await asyncio.sleep(0.1)
            self._token = "new"
```

Use instead:

```python
import asyncio


class Tokens:
    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._token = ""

    async def renew(self) -> None:
        async with self._lock:
            await asyncio.sleep(0.1)
            self._token = "new"
```

## When it is fine

A thread lock around code with no await, which is what it is for where threads share the state; `acquire(blocking=False)`, which
never waits (but not on an `RLock`); a lock made with a `timeout`, which gives up; a function that only acquires, for somebody else to
release; a command, which its process runs once.

## Known limits

A lock whose type the source does not tell is not reported.

## Fix safety

There is no automatic fix: threads that use the same lock would lose it.

## References

- [Python documentation, "Developing with asyncio", section "Concurrency and Multithreading"](https://docs.python.org/3/library/asyncio-dev.html#concurrency-and-multithreading)
- Python documentation, "Synchronization Primitives"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.locks import Held, is_bounded, waits
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report thread locks held while others run."""
    for function in project.functions:
        if not function.is_async:
            continue
        for taken in project.held(function):
            inside = waits(taken, function)
            if inside and _holds_thread_lock(project, function, taken):
                yield _finding(project, function, taken, inside[0])


def _holds_thread_lock(project: Project, function: Function, taken: Held) -> bool:
    if taken.is_async or taken.lock is None or taken.lock.kind != "thread" or not taken.is_given_back:
        return False
    if is_bounded(project, taken.expr, function) or _is_command(project, function):
        return False
    if taken.body or taken.lock.is_reentrant:
        return True
    # `acquire(blocking=False)` has no entry that blocks.
    return any(
        site.node is taken.node and any(api.api.effect == "blocks" for api in site.apis) for site in project.sites(function)
    )


def _is_command(project: Project, function: Function) -> bool:
    """Whether only a command or a script's main coroutine runs it: its process runs one."""
    entries = project.contexts.entries(function)
    return bool(entries) and all(entry.role in ("command", "main") for entry in entries)


def _finding(project: Project, function: Function, taken: Held, wait: tree.Node) -> Finding:
    assert taken.lock is not None
    name = shown(taken.expr)
    effect = (
        "all coroutines are one thread to it, so it excludes nobody"
        if taken.lock.is_reentrant
        else "the next coroutine that asks for it blocks the loop for good"
    )
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, taken.node),
        function=function.qualname,
        message=f"`{name}` (`{taken.lock.path}`) is held over an await: {effect}; make it an `asyncio.Lock` and write "
        f"`async with {name}`",
        chain=(project.frame(function, taken.node), project.frame(function, wait)),
        runs_in=project.contexts.runs_in(function),
    )


RULE = Rule(code="AV205", name="thread-lock-across-await", severity=Severity.CRITICAL, item=4, check=check)
