"""Checks for calls that run an event loop (`asyncio.run`, `run_until_complete`, `anyio.run`, `async_to_sync`) where a loop already runs.

The call may stand in a coroutine itself, or behind any number of plain functions that the coroutine runs in its own thread.

## Why is this bad?

A thread runs one event loop at a time. `asyncio.run` and `run_until_complete` raise `RuntimeError` in a thread whose loop is
running, and leave behind a coroutine that was never awaited. Where an `except Exception` stands around the call, the work is
silently not done. A helper that works from a script fails like this once a coroutine calls it.

## Example

```python
import asyncio


async def load_settings() -> dict[str, str]:
    return {"region": "eu"}


def settings() -> dict[str, str]:
    return asyncio.run(load_settings())


async def region() -> str:
    return settings()["region"]
```

Use instead:

```python
import asyncio


async def load_settings() -> dict[str, str]:
    return {"region": "eu"}


def settings() -> dict[str, str]:
    return asyncio.run(load_settings())


async def region() -> str:
    return (await load_settings())["region"]
```

## When it is fine

In a script, in a worker process, and in a thread: `await asyncio.to_thread(settings)` gives the helper a thread with no loop.
Code that asks first is left alone: what follows `except RuntimeError` after `get_running_loop()`, or runs only if
`is_running()` says no. So is code that applies `nest_asyncio`, which lets loops nest: on the way to the call, or for all of the
project when it is imported.

## Known limits

Where a call may run one of many methods, and one of them runs a loop, nothing is reported. A loop started by a library inside
one of its own functions is known only if the catalogue says so. Waiting on the loop for a future that the same loop must fulfil,
as in `run_coroutine_threadsafe(...).result()`, is reported by blocking-call.

## Fix safety

There is no automatic fix: which functions between the coroutine and the call have to become asynchronous is a decision.

## References

- [Python documentation, `asyncio.run`](https://docs.python.org/3/library/asyncio-runner.html#asyncio.run): "This function cannot be called when another asyncio event loop is running in the same thread"
- anyio documentation, `anyio.run`
- asgiref documentation, `async_to_sync`
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Body, last_name, shown
from asyncvet.graph.stalls import Stall
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report loops that are run on the loop."""
    if any(_lets_loops_nest(project, module) for module in project.modules.values()):
        return
    for stall in project.stalls("runs-loop"):
        if stall.is_doubtful or _is_fallback(stall) or any(_lets_loops_nest(project, step.site.scope) for step in stall.way):
            continue
        what = f"`{stall.call}` runs an event loop where one already runs"
        if not stall.is_direct:
            what = f"`{stall.call}` reaches `{stall.sink.name}`, which runs an event loop where one already runs"
        yield project.stall_finding(RULE, stall, f"{what}; {_remedy(project, stall)}")


def _lets_loops_nest(project: Project, scope: Body) -> bool:
    return any("nest_asyncio.apply" in site.names for site in project.sites(scope))


def _is_fallback(stall: Stall) -> bool:
    """Whether the call is for objects that lack its asynchronous twin, which the arm before awaits: they run no loop."""
    name = last_name(stall.site.node.func) if isinstance(stall.site.node, tree.Call) else ""
    for block in stall.site.site.block.ancestors():
        statement = block.statement
        if block.arm in ("except", "else") and isinstance(statement, tree.Try | tree.If):
            awaits = [node.value for node in walk.nodes(statement.body) if isinstance(node, tree.Await)]
            awaited = {last_name(value.func) for value in awaits if isinstance(value, tree.Call)}
            if awaited & {f"a{name}", f"async_{name}", f"{name}_async"}:
                return True
    return False


def _remedy(project: Project, stall: Stall) -> str:
    """Await what the loop is run for; a plain function in between has to become asynchronous or go to a thread."""
    node = stall.end.node
    expr = argument_at(node, stall.sink.api.argument) if isinstance(node, tree.Call) else None
    if not isinstance(expr, tree.Call):
        return project.remedy(stall)
    if stall.is_direct and stall.function.is_async:
        return f"write `await {shown(expr)}`"
    return f"await `{shown(expr)}` all the way up, or {project.remedy(stall)}"


RULE = Rule(code="AV107", name="nested-event-loop", severity=Severity.CRITICAL, item=1, check=check)
