"""Checks for plain `def` dependencies that neither block nor compute: each use costs a thread of the pool for nothing.

## Why is this bad?

FastAPI runs a `def` dependency in its thread pool, as it cannot know that it does not block. For a function that reads a header
or builds an object the hop costs many times the work, and it takes one of the pool's 40 threads, for which the routes that do
block are waiting.

## Example

```python
from fastapi import Depends, FastAPI, Request

app = FastAPI()


def client_name(request: Request) -> str:
    return request.headers.get("x-client", "unknown")


@app.get("/greeting")
async def greeting(name: str = Depends(client_name)) -> str:
    return f"Hello, {name}"
```

Use instead:

```python
from fastapi import Depends, FastAPI, Request

app = FastAPI()


async def client_name(request: Request) -> str:
    return request.headers.get("x-client", "unknown")


@app.get("/greeting")
async def greeting(name: str = Depends(client_name)) -> str:
    return f"Hello, {name}"
```

## When it is fine

A dependency that blocks, or that may: one call that is not known is enough; one with `yield`; one that other code calls as a
plain function; a class.

## Known limits

Only what is known to be harmless counts as such, so most dependencies that could be `async def` are not reported.

## Fix safety

Safe where the project names the function in `Depends(...)` only. Whoever calls it from outside the project would get a coroutine.

## References

- [FastAPI documentation, "Concurrency and async / await"](https://fastapi.tiangolo.com/async/), section "Dependencies"
"""

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.graph.quickness import Quickness
from asyncvet.graph.scopes import Function
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report plain dependencies that need no thread."""
    quickness = Quickness(project)
    for function, entries in project.contexts.entry_points.items():
        if any(entry.role != "dependency" for entry in entries) or not _is_plain(function, project):
            continue
        if quickness.is_quick(function):
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                item=RULE.item,
                severity=RULE.severity,
                span=project.span(function, function.head),
                function=function.qualname,
                message=f"the dependency `def {function.name}` does not block and still takes a thread of the pool at each use; "
                "make it `async def`",
            )


def _is_plain(function: Function, project: Project) -> bool:
    """Whether a dependency is a plain function or method that nothing else calls."""
    if function.is_async or function.is_lambda or function.name.startswith("__") or function.decorators:
        return False
    return not project.contexts.callers.get(function)


RULE = Rule(code="AV604", name="sync-dependency", severity=Severity.LOW, item=15, check=check, fix="safe", needs_loop=False)
