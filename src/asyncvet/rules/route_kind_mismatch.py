"""Checks for handlers of the wrong kind: an `async def` route or dependency that awaits nothing and blocks, a plain `def` one
that starts an event loop or waits on one, and a wrapper that registers an `async def` in place of a plain `def` handler and calls
it on the loop.

## Why is this bad?

FastAPI and Starlette look at the function they are given: a `def` runs in a thread of the pool, an `async def` on the event loop.
An `async def` route that awaits nothing gains nothing by it, and where it blocks, all other requests wait; as a `def` it would have
had a thread to itself. A `def` route that runs coroutines by `asyncio.run` pays for a thread and a new loop with every request, and what the coroutines
use, clients and locks, belongs to another loop each time. An `async def` wrapper around a `def` handler takes the thread away
from under it: what was written for the pool now blocks the loop.

## Example

```python
import asyncio

from fastapi import FastAPI

app = FastAPI()


async def load(item: int) -> dict[str, int]:
    return {"item": item}


@app.get("/items/{item}")
def read(item: int) -> dict[str, int]:
    return asyncio.run(load(item))
```

Use instead:

```python
from fastapi import FastAPI

app = FastAPI()


async def load(item: int) -> dict[str, int]:
    return {"item": item}


@app.get("/items/{item}")
async def read(item: int) -> dict[str, int]:
    return await load(item)
```

## When it is fine

A `def` handler that only blocks; an `async def` one that awaits; `anyio.from_thread.run`, which uses the loop that serves; a
wrapper that hands a plain function to the thread pool, or that is itself plain for plain functions.

## Known limits

What an `async def` handler waits for is reported too, at each blocking call: `def` in place of `async def` ends them all, unless
a coroutine of the project calls the handler. What only waits for the disk, or happens
once, is left to blocking-call.
A wrapper counts if it is registered as a route, or stands between a route's decorator and a plain function.

## Fix safety

There is no automatic fix: a route that becomes `async def` must not block any more.

## References

- [FastAPI documentation, "Concurrency and async / await"](https://fastapi.tiangolo.com/async/)
- Starlette documentation, "Thread Pool"
"""

from collections.abc import Iterator

from msgspec.structs import replace

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.project import Project
from asyncvet.graph.reach import Kind, Step, is_doubtful
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.graph.sites import Mode, Use
from asyncvet.graph.values import Object, Wrapped
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_HANDLERS = frozenset({"route", "websocket", "dependency"})
_STALLING: tuple[Kind, ...] = ("blocks", "cpu", "celery-result")
_ASYNC_TYPES = frozenset({"Awaitable", "Coroutine"})


def check(project: Project) -> Iterator[Finding]:
    """Report plain handlers that run loops, and async wrappers of plain handlers."""
    wrappers: dict[Function, None] = {}
    yield from _awaits_nothing(project)
    for function, entries in project.contexts.entry_points.items():
        if not any(entry.role in _HANDLERS for entry in entries):
            continue
        if function.is_async:
            wrappers[function] = None
        else:
            yield from _loop_in_thread(function, project)
            made = project.inference.decorated(function)
            wrappers.update(dict.fromkeys(value.wrapper for value in made if isinstance(value, Wrapped)))
    for wrapper in wrappers:
        yield from _calls_plain(wrapper, project)


def _awaits_nothing(project: Project) -> Iterator[Finding]:
    """An async handler that blocks and never gives the loop to others."""
    seen: set[Function] = set()
    for stall in (stall for kind in _STALLING for stall in project.stalls(kind)):
        function, entries = stall.function, project.contexts.entry_points.get(stall.function, ())
        if function in seen or not function.is_async or function.awaits or function.is_generator:
            continue
        if stall.sink.api.stall == "device" or stall.runs_once or stall.is_memoised:
            continue
        if not any(entry.may_be_plain for entry in entries) or any(project.contexts.callers.get(function, ())):
            continue
        seen.add(function)
        what = f"`async def {function.name}` awaits nothing, and `{stall.call}` blocks the event loop"
        found = project.stall_finding(RULE, stall, f"{what}; write `def {function.name}`: the framework then runs it in a thread")
        yield replace(found, span=project.span(function, function.head))


def _loop_in_thread(function: Function, project: Project) -> Iterator[Finding]:
    """A plain handler that runs a loop of its own or waits for the one that serves."""
    way = next((way for way in project.reach.ways(function, "runs-loop") if not is_doubtful(way)), None)
    if way is not None:
        site, end = way[0].site, way[-1]
        reached = f": it reaches `{end.api.name}`" if len(way) > 1 and end.api is not None else ""
        what = f"`{shown(site.node)}` in the plain `def {function.name}` runs an event loop of its own for each request{reached}"
        cause = f"{end.site.scope.path}:{end.site.scope.qualname}" if len(way) > 1 else ""
        advice = "make it `async def` and `await` the coroutine, or give it to the serving loop by `anyio.from_thread.run`"
        yield _finding(function, site.node, f"{what}; {advice}", project, cause=cause, way=way)
        return
    for found in project.sites(function):
        if _waits_for_loop(found.node, function, project):
            what = f"`{shown(found.node)}` keeps a thread of the pool waiting for the event loop"
            yield _finding(function, found.node, f"{what}; make `{function.name}` an `async def` and `await` it", project)
            return


def _waits_for_loop(node: tree.Node, function: Function, project: Project) -> bool:
    """Whether a call is `asyncio.run_coroutine_threadsafe(...).result()`."""
    if not (isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr == "result"):
        return False
    makers = [value.made_by for value in project.values(node.func.value, function) if isinstance(value, Object)]
    return any(maker is not None and last_name(maker.func) == "run_coroutine_threadsafe" for maker in makers)


def _calls_plain(wrapper: Function, project: Project) -> Iterator[Finding]:
    """An async wrapper that calls what it wraps here, though it may be plain."""
    home = wrapper.parent
    if not (wrapper.is_async and isinstance(home, Function)):
        return
    for name, param in home.params.items():
        uses = project.calls.uses(home, name, wrapper)
        inline = next((use for use in uses if use.mode is Mode.INLINE and use.function is wrapper), None)
        if inline is None or not _hands_on(inline, name) or _is_coroutine(inline, param):
            continue
        if any(use.mode is Mode.THREAD for use in uses):
            continue
        call = shown(inline.node)
        yield _finding(
            wrapper,
            inline.node,
            f"`{call}` runs the wrapped handler on the event loop, also if it is a plain `def`; "
            f"for those, use `await run_in_threadpool({name}, ...)`",
            project,
        )


def _hands_on(use: Use, name: str) -> bool:
    """Whether a wrapper stands for what it calls: it has its name by `wraps`, or hands on all its arguments."""
    for decorator in use.function.decorators:
        if isinstance(decorator, tree.Call) and last_name(decorator.func) == "wraps":
            return bool(decorator.args) and last_name(decorator.args[0]) == name
    return isinstance(use.node, tree.Call) and (
        any(isinstance(argument, tree.Starred) for argument in use.node.args) or any(k.name is None for k in use.node.keywords)
    )


def _is_coroutine(use: Use, param: tree.Param) -> bool:
    """Whether what is called gives an awaitable for certain: its annotation says so, or its result is awaited on every path."""
    if param.annotation is not None and any(last_name(node) in _ASYNC_TYPES for node in walk.nodes(param.annotation)):
        return True
    for node in walk.waits(use.function):
        held = isinstance(node, tree.Await) and isinstance(node.value, tree.Name) and node.value.id
        if held and any(_holds(use, held, statement) for statement in walk.inside(use.function)):
            return not any(isinstance(holder, tree.If | tree.Operation) for holder in walk.around(use.function, node))
    return False


def _holds(use: Use, name: str, statement: tree.Node) -> bool:
    """Whether a statement assigns the result of the use to a name."""
    return (
        isinstance(statement, tree.Assign)
        and statement.value is use.node
        and any(isinstance(target, tree.Name) and target.id == name for target in statement.targets)
    )


def _finding(
    function: Function, node: tree.Node, message: str, project: Project, cause: str = "", way: list[Step] | None = None
) -> Finding:
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, node),
        function=function.qualname,
        message=message,
        chain=project.frames(way or []),
        root_cause=cause,
    )


RULE = Rule(code="AV601", name="route-kind-mismatch", severity=Severity.MEDIUM, item=13, check=check, needs_loop=False)
