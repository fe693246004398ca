"""Checks for clean-up that waits without a bound or a shield, in `finally` or after a caught cancellation.

## Why is this bad?

A task can be cancelled a second time: by a server that loses patience, or by a timeout around one. The second cancellation is
raised at the first await of the clean-up, and what comes after it is never done. If the await has no bound, the clean-up of one
dead connection holds the whole shutdown.

## Example

```python
import asyncio


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        writer.write(await asyncio.wait_for(reader.readline(), 5))
    finally:
        writer.close()
        await writer.wait_closed()
```

Use instead:

```python
import asyncio


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        writer.write(await asyncio.wait_for(reader.readline(), 5))
    finally:
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), 5)
```

## When it is fine

Clean-up under `asyncio.shield`, `asyncio.wait_for`, `asyncio.timeout` or a cancel scope; awaiting a task that was cancelled just
before; clean-up that is done before it waits.

## Known limits

Runs only when selected: much clean-up waits for so short a time that a second cancellation in it is a matter of theory. Of each
`finally` the first such await is reported.

## Fix safety

There is no automatic fix: the bound is a decision.

## References

- [Python documentation, `asyncio.shield`](https://docs.python.org/3/library/asyncio-task.html#asyncio.shield)
- anyio documentation, "Cancellation and timeouts", section "Finalization"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.cancellation import catches
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_BOUNDED = frozenset({"shield", "wait_for", "sleep", "checkpoint", "aclose_forcefully"})
_SCOPES = frozenset({"timeout", "timeout_at", "move_on_after", "fail_after", "CancelScope"})


def check(project: Project) -> Iterator[Finding]:
    """Report clean-up that a second cancellation cuts short."""
    for function in project.functions:
        if not function.is_async:
            continue
        for body in _cleanups(project, function):
            node = next((node for node in walk.awaits(body) if _is_bare(project, function, node)), None)
            if isinstance(node, tree.Await):
                yield Finding(
                    code=RULE.code,
                    name=RULE.name,
                    item=RULE.item,
                    severity=RULE.severity,
                    span=project.span(function, node),
                    function=function.qualname,
                    message=f"a second cancellation ends this clean-up at `await {shown(node.value)}`, which has no bound; "
                    f"`await asyncio.wait_for({shown(node.value)}, seconds)`",
                    runs_in=project.contexts.runs_in(function),
                )


def _cleanups(project: Project, function: Function) -> Iterator[list[tree.Statement]]:
    """Statements that run after a cancellation: `finally` around an await, and handlers that name `CancelledError`."""
    for node in walk.found(function, tree.Try):
        if node.final and any(walk.awaits(node.body)):
            yield node.final
    for catch in catches(project, function):
        if isinstance(catch.node, tree.Handler) and catch.caught == "CancelledError":
            yield catch.node.body


def _is_bare(project: Project, function: Function, node: tree.Node) -> bool:
    if not isinstance(node, tree.Await):
        return False
    if isinstance(node.value, tree.Call) and last_name(node.value.func) in _BOUNDED:
        return False
    if project.tasks.cancelled_in(function, before=node.start) & project.tasks.related(node.value, function):
        return False
    return not any(
        isinstance(holder, tree.With)
        and any(isinstance(item.value, tree.Call) and last_name(item.value.func) in _SCOPES for item in holder.items)
        for holder in walk.around(function, node)
    )


RULE = Rule(code="AV308", name="unshielded-cleanup", severity=Severity.LOW, item=7, check=check, preview=True)
