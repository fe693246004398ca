"""Checks for cancellations that are caught around an await and not raised again, so that the task cannot be stopped.

Caught by `except CancelledError`, `except BaseException`, a bare `except`, or `suppress(CancelledError)`.

## Why is this bad?

`CancelledError` is how `task.cancel()`, `asyncio.timeout`, `asyncio.wait_for` and `TaskGroup` stop a coroutine, and how a server
stops the work of a client that has gone. A coroutine that catches it and goes on cannot be stopped. One that catches it and
returns tells everybody above it that it ran to its end: the caller goes on with a missing result, a timeout does not raise,
`task.cancelled()` says no.

In [the harm lab](../../harm.md#swallowed-cancellation), the service still runs 10.0 s after SIGTERM and has to be killed, where
the good form stops after 165 ms.

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
was made elsewhere, whose cancellation is not one's own; awaiting a coroutine that stops a task and raises what that raised. An exception that is passed on, as a result or to a future; a cancellation
that is noted, and the note returned. A catch under `CancelScope(shield=True)`, or in a handler that raises the cancellation in the
end. The main coroutine of a script, or a command, that ends at once.

A coroutine that only tasks run, and whose handler ends it at once, if need be after a clean-up that cancels nothing, does stop and is
left alone. If the handler logs that, it is left alone where nobody sees how it ended: a background loop that the function which made its task also cancels, as a lifespan does, or a delay whose task nobody
waits for. A loop is left alone too where the project does not show who runs it. Elsewhere (a loop that one method starts and
another one stops, say) such an end is reported one step lower: the state of the task lies, the loop can be awaited under a
timeout tomorrow, and projects that met the consequences made all of these handlers raise. `raise` after the message is right in
every case.

## Known limits

Of 18 findings drawn from released packages and read, 13 (72 %) were worth an edit, which is less than is asked of a rule of this
severity. It runs by default all the same: of 22 places of other packages that their own maintainers, or careful readers, had judged,
it finds all twelve faults and reports none of the ten that are meant. The others of the 18 are true, and meant: clean-up that goes on whatever comes, a last step that ends anyway.

A cancellation that a `return`, `break` or `continue` in a `finally` swallows is not reported. A handler that raises, or
leaves its loop, on some paths only is taken as meaning it.

## Fix safety

There is no automatic fix: callers may rely on the value that is returned today.

## References

- [Python documentation, "Coroutines and Tasks", section "Task Cancellation"](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
- Python documentation, `asyncio.CancelledError`
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.cancellation import Catch, catches, caught_by, following, gives_that_of_a_task, hands_on, is_log, waits
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, last_name
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
    if any(isinstance(statement, tree.Raise) for statement in behind) or (loops_on and _may_leave(catch)):
        return
    if _is_shielded(catch) or _is_raised_around(project, catch):
        return
    if not goes_on and (_is_main(project, function) or _is_nobodys_loss(project, catch, behind)):
        return
    effect = (
        "the loop runs on" if loops_on else "the code after it runs on" if goes_on else "the coroutine ends as if it were done"
    )
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity.lowered() if not goes_on and _is_run_by_tasks(project, function) else RULE.severity,
        span=project.span(function, _head(catch)),
        function=function.qualname,
        message=f"{_caught(catch)} swallows the cancellation of `{function.name}`: {effect}; {_remedy(catch)}",
        advice="Whoever cancels a coroutine, a timeout too, must see it end cancelled.",
        runs_in=project.contexts.runs_in(function),
    )


def _is_expected(project: Project, catch: Catch, found: list[tree.Node]) -> bool:
    """Whether all that is awaited was cancelled here before, is a task or future of somebody else, or stops one and says so."""
    function = catch.function
    if not all(isinstance(node, tree.Await) for node in found):
        return False
    cancelled = project.tasks.cancelled_in(function, before=found[-1].start)
    return all(
        bool(cancelled & project.tasks.related(node.value, function))
        or project.tasks.is_of_others(node.value, function)
        or gives_that_of_a_task(project, function, node.value)
        for node in found
        if isinstance(node, tree.Await)
    )


def _is_shielded(catch: Catch) -> bool:
    """Whether a cancellation cannot come in: the catch stands under `CancelScope(shield=True)`."""
    calls = [
        item.value
        for around in (catch.statement, *walk.around(catch.function, catch.statement))
        if isinstance(around, tree.With)
        for item in around.items
        if isinstance(item.value, tree.Call) and last_name(item.value.func) == "CancelScope"
    ]
    shields = [keyword.value for call in calls for keyword in call.keywords if keyword.name == "shield"]
    return any(isinstance(value, tree.Const) and value.value is True for value in shields)


def _is_raised_around(project: Project, catch: Catch) -> bool:
    """Whether the catch stands in a handler that ends by raising the cancellation which brought the coroutine there."""
    return any(
        isinstance(around, tree.Handler)
        and bool(caught_by(project, catch.function, around))
        and isinstance(around.body[-1], tree.Raise)
        for around in walk.around(catch.function, catch.statement)
    )


def _is_main(project: Project, function: Function) -> bool:
    return any(entry.role in ("main", "command") for entry in project.contexts.entry_points.get(function, ()))


def _is_run_by_tasks(project: Project, function: Function) -> bool:
    """Whether all who run a coroutine make a task of it; so too if nobody in the project runs it."""
    is_asked_for = project.tasks.awaited.get(function) or project.contexts.entry_points.get(function) or function.is_generator
    return not is_asked_for and bool(project.tasks.started.get(function))


def _is_nobodys_loss(project: Project, catch: Catch, behind: list[tree.Stmt]) -> bool:
    """Whether a coroutine just ends, and nobody sees how it ended.

    An endless loop: nobody but the function that made its task cancels it. Work that ends by itself: nobody waits for its task.
    """
    function = catch.function
    if _is_run_by_tasks(project, function) and not behind and not any(map(_tells_or_cancels, catch.body)):
        return True
    leaves = (*catch.body[:-1], *behind) if catch.body and _leaves(catch.body[-1]) else (*catch.body, *behind)
    if not all(map(is_log, leaves)):
        return False
    started = project.tasks.started.get(function, ())
    loops = _loops(catch)
    if not started:
        is_unseen = not project.tasks.awaited.get(function) and not project.contexts.entry_points.get(function)
        return is_unseen and not function.is_generator and any(isinstance(loop, tree.While) for loop in loops)
    if not _is_run_by_tasks(project, function):
        return False
    if loops:
        return all(project.tasks.is_ended_by_maker(task) for task in started)
    return not any(project.tasks.is_awaited(task) for task in started)


def _tells_or_cancels(statement: tree.Stmt) -> bool:
    """Whether a statement of a handler logs, or cancels other tasks, which then run on unattended."""
    if isinstance(statement, tree.ExprStmt) and isinstance(statement.value, tree.Call | tree.Await) and is_log(statement):
        return True
    return any(isinstance(node, tree.Call) and last_name(node.func) == "cancel" for node in walk.nodes([statement]))


def _may_leave(catch: Catch) -> bool:
    """Whether the handler leaves the loop in some cases, so that going on in others is meant."""
    return any(
        isinstance(node, tree.Return) or (isinstance(node, tree.Jump) and node.kind == "break") for node in walk.nodes(catch.body)
    )


def _leaves(statement: tree.Stmt) -> bool:
    return isinstance(statement, tree.Jump) or (isinstance(statement, tree.Return) and statement.value is None)


def _loops(catch: Catch) -> list[tree.Node]:
    """The loops around the catch, and right under it, that are not over things at hand."""
    around = (*walk.around(catch.function, catch.statement), *catch.guarded)
    return [node for node in around if isinstance(node, tree.While) or (isinstance(node, tree.For) and node.is_async)]


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
