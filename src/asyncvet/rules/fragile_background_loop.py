"""Checks for endless background loops whose first error ends them without a word.

The loop runs as a task, awaits something that can fail, and neither the loop nor whoever made the task sees the error.

## Why is this bad?

A task keeps its error until somebody asks for it. One refused connection and the clean-up, the refresh or the consumer no longer
runs, while the service looks healthy; it is noticed days later by what is missing.

In [the harm lab](../../harm.md#fragile-loop), one passing error ends the loop, and 10 of 10 tasks that it was to publish again
are lost; 0 in the good form.

## Example

```python
import asyncio
from contextlib import suppress

import httpx


class Prices:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def start(self) -> None:
        self.task = asyncio.create_task(self.refresh())

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def refresh(self) -> None:
        while True:
            self.latest = await self.client.get("/prices", timeout=5)
            await asyncio.sleep(60)
```

Use instead:

```python
import asyncio
import logging
from contextlib import suppress

import httpx


class Prices:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def start(self) -> None:
        self.task = asyncio.create_task(self.refresh())

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def refresh(self) -> None:
        while True:
            try:
                self.latest = await self.client.get("/prices", timeout=5)
            except Exception:
                logging.exception("prices not refreshed")
            await asyncio.sleep(60)
```

## When it is fine

A handler for `Exception` in the loop, or for any error around it: then the end is told. A task with a done-callback, one that is awaited or
gathered by code that does not merely stop it, one in a `TaskGroup`, one whose error or state a supervisor asks for in a loop,
or that a function such as `_ensure_writer` makes anew when it is done. Loops that end by themselves, such as those that read a
connection until it closes or work off what is left.

## Known limits

Only what is awaited counts as able to fail, and not waiting for asyncio's own events, queues and locks, for a logger, nor coroutines
of the project that contain all their errors.

## Fix safety

Unsafe: which errors the loop survives is a decision. The turn goes under `try`, `except Exception` logs the error by the module's
logger, or by `logging`, and the loop goes on. A sleep at the beginning or the end of the turn stays outside; where there is none, the
handler waits for a second, so that an error that lasts does not fill the log.

## References

- [Python documentation, "Developing with asyncio", section "Detect never-retrieved exceptions"](https://docs.python.org/3/library/asyncio-dev.html#detect-never-retrieved-exceptions)
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.cancellation import is_awaited_log
from asyncvet.graph.endless import background_loops
from asyncvet.graph.project import Project
from asyncvet.graph.raising import guards
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.tasks import Task
from asyncvet.graph.values import Coroutine
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_BROAD = frozenset({"Exception", "BaseException"})
_QUIET = frozenset({"sleep", "wait", "get", "put", "join", "acquire", "sleep_forever", "checkpoint"})
_DEPTH = 4


def check(project: Project) -> Iterator[Finding]:
    """Report loops that die of their first error."""
    for function, tasks in project.tasks.started.items():
        if not function.is_async or any(project.tasks.is_supervised(task) for task in tasks) or function in project.tasks.awaited:
            continue
        for loop in background_loops(project, function):
            if any(map(_is_of_errors, guards(function, loop))):
                continue
            failing = next((node for node in walk.awaits(loop.body) if _is_open(project, function, node, 0)), None)
            if failing is not None:
                yield _finding(project, function, loop, failing, tasks[0])


def _finding(project: Project, function: Function, loop: tree.While, failing: tree.Node, task: Task) -> Finding:
    what = shown(failing.value) if isinstance(failing, tree.Await) else shown(failing)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, loop.test),
        function=function.qualname,
        message=f"the first error of `{what}` ends this loop of `{function.name}` and nobody is told; "
        "catch `Exception` in the loop, log it and go on",
        chain=(project.frame(function, loop), project.frame(function, failing), project.frame(task.scope, task.node)),
        runs_in=project.contexts.runs_in(function),
    )


def _is_open(project: Project, function: Function, node: tree.Node, depth: int) -> bool:
    """Whether an error at an await leaves the function with nothing said about it."""
    if isinstance(node, tree.With) or any(_is_broad(guard) for guard in guards(function, node)):
        return False
    if not isinstance(node, tree.Await):
        return True
    if is_awaited_log(node):
        return False
    site = next((site for site in project.sites(function) if site.node is node.value), None)
    return site is not None and _can_fail(project, site, bool(list(guards(function, node))), depth)


def _can_fail(project: Project, site: CallSite, is_guarded: bool, depth: int) -> bool:
    runs = [target.function for target in site.targets if target.mode is Mode.COROUTINE]
    if "asyncio.shield" in site.names and isinstance(site.node, tree.Call) and site.node.args:
        values = project.values(site.node.args[0], site.scope)
        runs = [value.function for value in values if isinstance(value, Coroutine) and value.function is not None]
    if runs:
        return any(depth < _DEPTH and any(_is_open(project, run, node, depth + 1) for node in run.awaits) for run in runs)
    for name in site.names:
        family, _, word = name.partition(".")
        if family in ("asyncio", "anyio", "trio") and (word.rpartition(".")[2] in _QUIET or (word == "wait_for" and is_guarded)):
            return False
    return isinstance(site.node, tree.Call) and not _is_quiet(site.node.func)


def _is_quiet(func: tree.Expr) -> bool:
    """Whether a method of an object whose type is unknown is that of an event, a lock or a queue, by its name."""
    word = last_name(func)
    if word in ("get", "put"):
        return isinstance(func, tree.Attribute) and "queue" in last_name(func.value).lower()
    return word in _QUIET


def _is_of_errors(guard: tree.Handler | tree.With) -> bool:
    """Whether something around a loop says what happens when it ends by an error."""
    return isinstance(guard, tree.With) or guard.exc is None or last_name(guard.exc) != "CancelledError"


def _is_broad(guard: tree.Handler | tree.With) -> bool:
    if isinstance(guard, tree.With):
        exprs = [arg for item in guard.items if isinstance(item.value, tree.Call) for arg in item.value.args]
    elif guard.exc is None:
        return True
    else:
        exprs = list(guard.exc.items) if isinstance(guard.exc, tree.Sequence) else [guard.exc]
    return any(last_name(expr) in _BROAD for expr in exprs)


RULE = Rule(code="AV305", name="fragile-background-loop", severity=Severity.HIGH, item=7, check=check, fix="unsafe")
