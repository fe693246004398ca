"""Checks for a cancellation that is caught and not raised again: `except CancelledError`, `except BaseException`, a bare `except` or
`suppress(CancelledError)` around an await.

## Why is this bad?

`CancelledError` is how `task.cancel()`, `asyncio.timeout`, `asyncio.wait_for` and `TaskGroup` stop a coroutine, and how a server
stops the work of a client that has gone. A coroutine that catches it and goes on cannot be stopped. One that catches it and returns
tells everybody above it that it ran to its end: the caller goes on with a missing result, a timeout does not raise, `task.cancelled()`
says no.

## Example

```python
import asyncio


async def poll(queue: asyncio.Queue[str]) -> None:
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:
            print("cancelled")
```

Use instead:

```python
import asyncio


async def poll(queue: asyncio.Queue[str]) -> None:
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:
            print("cancelled")
            raise
```

## When it is fine

Cleaning up and raising again. The side that stops a task: awaiting what the same function has cancelled, or a task or future that
was made elsewhere, whose cancellation is not one's own. An exception that is passed on, as a result or to a future. The main
coroutine of a script that ends at once.

An endless background loop whose handler logs and leaves it is fine where whoever made the task is also the one that cancels it, in
the same function, as a lifespan does: nobody else sees how it ended. It is also left alone where the project does not show who runs
it. Elsewhere (a loop that one method starts and another one stops, say) the end is reported, one step lower as the task does stop:
such handlers were taken out by the projects that met them, since the task's state lies, and a cancellation during the work in the
other handlers still propagates. So `raise` after the message is right in both cases, and costs nothing.

## Known limits

A cancellation that a `return`, `break` or `continue` in a `finally` swallows is not reported. A handler that raises on some paths
only is taken as meaning it.

## Fix safety

There is no automatic fix: callers may rely on the value that is returned today.

## References

- Python documentation, "Coroutines and Tasks", section "Task Cancellation"
- Python documentation, `asyncio.CancelledError`
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.cancellation import Catch, catches, following, hands_on, is_log, waits
from asyncvet.graph.endless import is_true
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report catches that let nobody know of the cancellation."""
    for function in project.functions:
        if function.is_async and not function.is_lambda:
            for catch in catches(project, function):
                found = waits(project, catch)
                if found and not hands_on(catch) and not _is_expected(project, catch, found):
                    yield from _report(project, catch)


def _report(project: Project, catch: Catch) -> Iterator[Finding]:
    function = catch.function
    behind, loops_on = following(function, catch)
    goes_on = loops_on or any(walk.awaits(behind))
    severity = RULE.severity
    if not goes_on:
        if _is_main(project, function) or _is_own_end(project, catch, behind):
            return
        if not project.tasks.awaited.get(function) and project.tasks.started.get(function) and _is_in_loop(catch):
            severity = severity.lowered()
    effect = "the loop runs on" if loops_on else "the code after it runs on" if goes_on else "the coroutine ends as if it were done"
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=severity,
        span=project.span(function, _head(catch)),
        function=function.qualname,
        message=f"{_caught(catch)} swallows the cancellation of `{function.name}`: {effect}; {_remedy(catch)}",
        advice="Whoever cancels a coroutine, a timeout too, must see it end cancelled.",
        runs_in=project.contexts.runs_in(function),
    )


def _is_expected(project: Project, catch: Catch, found: list[tree.Node]) -> bool:
    """Whether all that is awaited was cancelled here before, or is a task or future of somebody else."""
    function = catch.function
    if not all(isinstance(node, tree.Await) for node in found):
        return False
    cancelled = frozenset[str]().union(
        *(
            project.tasks.related(call.func.value, function)
            for call in project.tasks.cancels(function)
            if isinstance(call.func, tree.Attribute) and call.start < found[-1].start
        )
    )
    return all(
        bool(cancelled & project.tasks.related(node.value, function)) or project.tasks.is_of_others(node.value, function)
        for node in found
        if isinstance(node, tree.Await)
    )


def _is_main(project: Project, function: Function) -> bool:
    return any(entry.role == "main" for entry in project.contexts.entry_points.get(function, ()))


def _is_own_end(project: Project, catch: Catch, behind: list[tree.Stmt]) -> bool:
    """Whether an endless background loop just leaves, and nobody but the function that made its task cancels it."""
    leaves = (*catch.body[:-1], *behind) if catch.body and _leaves(catch.body[-1]) else (*catch.body, *behind)
    if not _is_in_loop(catch) or catch.function.is_generator or not all(map(is_log, leaves)):
        return False
    if project.tasks.awaited.get(catch.function) or project.contexts.entry_points.get(catch.function):
        return False
    started = project.tasks.started.get(catch.function, ())
    return all(isinstance(task.scope, Function) and project.tasks.is_ended_by_maker(task) for task in started)


def _leaves(statement: tree.Stmt) -> bool:
    return isinstance(statement, tree.Jump) or (isinstance(statement, tree.Return) and statement.value is None)


def _is_in_loop(catch: Catch) -> bool:
    """Whether the catch stands in, or right around, a loop that has no end of its own."""
    holders = walk.around(catch.function, catch.statement)
    return any(isinstance(node, tree.While) and is_true(node.test) for node in (*holders, *catch.guarded))


def _head(catch: Catch) -> tree.Node:
    if isinstance(catch.node, tree.Handler):
        end = catch.node.exc.end if catch.node.exc is not None else catch.node.start + len("except")
        return tree.Node(catch.node.start, end)
    return catch.node


def _caught(catch: Catch) -> str:
    if not isinstance(catch.node, tree.Handler):
        return f"`suppress({catch.caught})`"
    return "a bare `except`" if catch.caught == "everything" else f"`except {catch.caught}`"


def _remedy(catch: Catch) -> str:
    if not isinstance(catch.node, tree.Handler):
        return "let it pass"
    if catch.caught == "CancelledError":
        return "end the handler with `raise`" if not catch.does_nothing else "take the handler away or `raise`"
    return "catch `Exception`, or `raise` what is a `CancelledError`"


RULE = Rule(code="AV304", name="swallowed-cancellation", severity=Severity.HIGH, item=7, check=check)
