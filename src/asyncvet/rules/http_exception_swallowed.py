"""Checks for a broad `except` around code that raises `HTTPException`, which turns the answer that was meant into another one.

## Why is this bad?

`HTTPException` is an `Exception`. An `except Exception` around the whole of a route, written for what nobody expected, takes
the 404 in as well that the route raises ten lines above: the client gets a 500, which it tries again and which wakes
somebody, or a 200 with an error in it. Often the text of the 500 even reads "404: not found".

## Example

```python
from fastapi import FastAPI, HTTPException

app = FastAPI()


async def find(name: str) -> dict[str, str] | None:
    return None


@app.get("/items/{name}")
async def read(name: str) -> dict[str, str]:
    try:
        item = await find(name)
        if item is None:
            raise HTTPException(404, "no such item")
        return item
    except Exception as error:
        raise HTTPException(500, "cannot read the item") from error
```

Use instead:

```python
from fastapi import FastAPI, HTTPException

app = FastAPI()


async def find(name: str) -> dict[str, str] | None:
    return None


@app.get("/items/{name}")
async def read(name: str) -> dict[str, str]:
    try:
        item = await find(name)
        if item is None:
            raise HTTPException(404, "no such item")
        return item
    except HTTPException:
        raise
    except Exception as error:
        raise HTTPException(500, "cannot read the item") from error
```

## When it is fine

`except HTTPException: raise` before the broad handler; a handler that raises the same error again, asks for its type or
status, or hands it to other code; a handler that answers with the same status. A 500 that becomes another error is left
alone.

## Known limits

Errors that called functions raise are followed over four calls, where the call is resolved. One under a test of an optional
parameter that the call does not pass is left out. A status that is computed is not compared: such errors are not reported.

## Fix safety

There is no automatic fix: `except HTTPException: raise` changes what clients get, as it should.

## References

- [FastAPI documentation, "Handling Errors"](https://fastapi.tiangolo.com/tutorial/handling-errors/)
- Starlette documentation, "Exceptions"
"""

from collections.abc import Iterator

from asyncvet.graph.handlers import Handling, handlings
from asyncvet.graph.http_errors import HttpError, HttpErrors
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function
from asyncvet.graph.serving import serving
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report broad handlers that change the status of an HTTP error."""
    served = serving(project)
    http = HttpErrors(project)
    for function in project.functions:
        for handling in handlings(function) if function in served and not function.is_lambda else ():
            if handling.is_broad and not handling.raises_again and not handling.hands_on:
                found = _changed(project, http, function, handling)
                if found is not None:
                    yield _finding(project, handling, found)


def _changed(project: Project, http: HttpErrors, function: Function, handling: Handling) -> HttpError | None:
    """The first error under a handler whose status it changes, where what it does becomes an answer."""
    if not handling.leaves or any(http.is_named_by(handler, function) for handler in handling.earlier):
        return None
    statuses = set(http.statuses(handling.body, function))
    if not statuses and not any(handling.new_errors) and not _is_route(project, function):
        return None
    for error in http.leaving(handling.statement.body, function, handling.statement):
        if error.status is not None and error.status >= 400 and error.status != 500 and error.status not in statuses:
            return error
    return None


def _is_route(project: Project, function: Function) -> bool:
    return any(entry.role == "route" for entry in project.contexts.entry_points.get(function, ()))


def _finding(project: Project, handling: Handling, error: HttpError) -> Finding:
    function = handling.function
    assert isinstance(function, Function)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, handling.head),
        function=function.qualname,
        message=f"{handling.title} takes in the `HTTPException` of status {error.status} that is raised under it; "
        "put `except HTTPException: raise` before it",
        advice="The client gets another answer than the one that was meant.",
        chain=(project.frame(function, handling.head), project.frame(error.function, error.node)),
    )


RULE = Rule(code="AV806", name="http-exception-swallowed", severity=Severity.HIGH, item=18, check=check, needs_loop=False)
