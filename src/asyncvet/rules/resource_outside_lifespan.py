"""Checks for connection pools, sessions and engines of a web service that are made at import time and closed by nothing, or anew
for each request, and for threads that a module of the service starts as it is imported.

## Why is this bad?

An asynchronous client made while a module is imported belongs to no event loop yet, and some refuse to be made there. Nothing
closes it: at shutdown its connections break off in the middle, the server on the other side keeps them until they time out, and
Python warns of unclosed transports. A pool made in a route is worse: every request opens connections of its own and leaves them
behind. A thread that runs from the import on is started by every test and tool that imports the module, again in the parent
process of a reloader, and not at all in workers that a server forks after loading the app; nothing stops it at shutdown.

## Example

```python
import httpx
from fastapi import FastAPI

app = FastAPI()
client = httpx.AsyncClient(base_url="https://quotes.example", timeout=5)


@app.get("/price/{symbol}")
async def price(symbol: str) -> str:
    return (await client.get(symbol)).text
```

Use instead:

```python
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url="https://quotes.example", timeout=5) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/price/{symbol}")
async def price(request: Request, symbol: str) -> str:
    return (await request.app.state.client.get(symbol)).text
```

## When it is fine

A lifespan, a shutdown handler or any other code of the project that closes the object; a dependency with `yield` that does; an
engine kept by a cached function; locks and queues, which hold nothing open; a project with no web application. A thread that is
started below `if __name__ == "__main__"`, in a function that no import calls, or in a script none of whose functions the service
runs; one that the module joins at once; work for a pool whose `with` waits for it. That a thread is a daemon does not help: it is
only killed faster.

## Known limits

Only libraries whose objects are known to keep connections are spoken of. SDK clients are left alone at import time. Blocking
engines are reported only where a route makes them. That closing code is really run at shutdown is not checked. Threads that a
library starts by itself, a scheduler's for instance, are not seen.

## Fix safety

There is no automatic fix: everything that uses the object must get it from somewhere else.

## References

- [FastAPI documentation, "Lifespan Events"](https://fastapi.tiangolo.com/advanced/events/)
- HTTPX documentation, "Async Support"; SQLAlchemy documentation, "Engine Disposal"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.import_time import ImportTime, Resource
from asyncvet.graph.left_open import kept_open
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Body, Function, shown
from asyncvet.graph.sites import CallSite
from asyncvet.model import Finding, Frame, Severity
from asyncvet.rules import Rule

_WEB = frozenset({"route", "websocket", "dependency"})
_MAKERS = frozenset({"sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlmodel.create_engine"})
_KEPT = frozenset({"cache", "lru_cache", "cached_property", "alru_cache"})
# Clients of SDKs: their users rarely close them, and little is lost.
_SDKS = ("openai.", "anthropic.", "qdrant_client.")


def check(project: Project) -> Iterator[Finding]:
    """Report pools that outlive the service, and pools that outlive a request."""
    for kept in kept_open(project):
        if not kept.kind.startswith(_SDKS):
            what = f"`{shown(kept.node)}` is kept in `{kept.holder}` and nothing closes it"
            advice = f"; call `{kept.holder}.{kept.closer}()` where the service stops"
            yield _finding(kept.function, kept.node, what + advice, project)
    if not any(entry.role in _WEB for entry in project.entry_points):
        return
    found = ImportTime(project)
    for resource in _never_closed(found, project):
        what = f"`{shown(resource.made_by)}` is made at import time and nothing closes it"
        advice = "; make it in the lifespan and close it after the `yield`"
        yield _finding(resource.scope, resource.made_by, what + advice, project)
    for way in found.started_threads():
        yield _of_thread(way, project)
    for function in project.functions:
        for site in project.sites(function):
            if _makes_engine(site) and not _is_kept_or_closed(site.node, function) and _is_for_request(function, project):
                what = f"`{shown(site.node)}` makes a connection pool for each request"
                yield _finding(function, site.node, what + "; make one engine in the lifespan and share it", project)


def _of_thread(way: tuple[CallSite, ...], project: Project) -> Finding:
    first, last = way[0], way[-1]
    what = f"`{shown(first.node)}` starts a thread as the module is imported"
    if first is not last:
        what += f", by `{shown(last.node)}`"
    chain = tuple(project.frame(site.scope, site.node) for site in way) if first is not last else ()
    return _finding(first.scope, first.node, what + "; start it in the lifespan and stop it after the `yield`", project, chain)


def _never_closed(found: ImportTime, project: Project) -> list[Resource]:
    candidates = [r for r in found.resources.values() if not r.is_primitive and not r.kind.startswith(_SDKS)]
    if not candidates:
        return []
    bodies: Iterator[Body] = iter((*project.modules.values(), *project.functions))
    closed = found.closed_in(bodies)
    used = {resource for function in project.functions if _serves(function, project) for resource, _ in found.uses(function)}
    return [resource for resource in candidates if resource not in closed and resource in used]


def _serves(function: Function, project: Project) -> bool:
    """Whether a request runs a function."""
    return any(entry.role in _WEB for entry in project.contexts.entries(function))


def _makes_engine(site: CallSite) -> bool:
    return isinstance(site.node, tree.Call) and not _MAKERS.isdisjoint(site.names)


def _is_for_request(function: Function, project: Project) -> bool:
    """Whether a request runs a function each time, and neither a cache nor a global keeps what it makes."""
    if function.name == "__init__" or not function.decorator_names.isdisjoint(_KEPT) or function.globals:
        return False
    return _serves(function, project)


def _is_kept_or_closed(made: tree.Node, function: Function) -> bool:
    """Whether the function gives the engine out, keeps it by an attribute or an item, or disposes of it."""
    body = walk.inside(function)
    names = {
        target.id
        for node in body
        if isinstance(node, tree.Assign) and node.value is made
        for target in node.targets
        if isinstance(target, tree.Name)
    }

    def means(node: tree.Node | None) -> bool:
        return node is made or (isinstance(node, tree.Name) and node.id in names)

    return any(
        (isinstance(node, tree.Return | tree.Yield) and means(node.value))
        or (isinstance(node, tree.Assign) and means(node.value) and not isinstance(node.targets[0], tree.Name))
        or (isinstance(node, tree.Attribute) and node.attr == "dispose" and means(node.value))
        for node in body
    )


def _finding(scope: Body, node: tree.Node, message: str, project: Project, chain: tuple[Frame, ...] = ()) -> Finding:
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(scope, node),
        function=scope.qualname,
        message=message,
        chain=chain,
    )


RULE = Rule(code="AV603", name="resource-outside-lifespan", severity=Severity.MEDIUM, item=14, check=check, needs_loop=False)
