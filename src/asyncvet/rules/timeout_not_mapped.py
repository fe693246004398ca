"""Checks for a timeout that a route sets, or code that it awaits, and that the client sees as a 500.

## Why is this bad?

A 500 says that the server is broken, wakes whoever watches, and tells clients not to try again. A timeout of something behind
the server is a 504: it says where to look, and clients and proxies know that trying again later may help. The timeout was
foreseen, or it would not be in the code; so is its answer.

## Example

```python
import asyncio

from fastapi import FastAPI

app = FastAPI()


async def answer(question: str) -> str:
    return question


@app.get("/answers/{question}")
async def read(question: str) -> str:
    return await asyncio.wait_for(answer(question), timeout=10)
```

Use instead:

```python
import asyncio

from fastapi import FastAPI, HTTPException

app = FastAPI()


async def answer(question: str) -> str:
    return question


@app.get("/answers/{question}")
async def read(question: str) -> str:
    try:
        return await asyncio.wait_for(answer(question), timeout=10)
    except TimeoutError as error:
        raise HTTPException(504, "no answer in time") from error
```

## When it is fine

A handler of `TimeoutError` on the way up to the route, a broad handler that does not answer 500, a handler that the app
registers for timeouts, a middleware that catches them. Websockets and background tasks, which have no status.

## Known limits

Timeouts that a client library raises as errors of its own (`httpx.TimeoutException`) are not followed.

## Fix safety

Unsafe: the answer's status changes from 500 to 504, and its text is for the author to write. The statement of the route goes under a
`try` with a handler of `TimeoutError`; a handler that makes a 500 of it gets that one before it. There is no edit where the route
stands in another file or awaits the timeout by way of several functions.

## References

- [RFC 9110, "HTTP Semantics", section 15.6.5](https://www.rfc-editor.org/rfc/rfc9110.html#section-15.6.5), "504 Gateway Timeout"
- FastAPI documentation, "Handling Errors"
"""

from collections.abc import Iterator

from asyncvet.graph.expiry import Expiries, Expiry
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Report timeouts that end routes with a 500."""
    for expiry in Expiries(project).unmapped():
        yield _finding(project, expiry)


def _finding(project: Project, expiry: Expiry) -> Finding:
    scope, node = expiry.site.scope, expiry.site.node
    chain = [project.frame(scope, node)]
    if expiry.handling is not None:
        steps = (expiry.handling.head, *list(expiry.handling.new_errors)[:1])
        chain += [project.frame(expiry.handling.function, step) for step in steps]
        how = f"which {expiry.handling.title} answers with a 500"
    else:
        how = "which ends as a 500"
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(scope, node),
        function=scope.qualname,
        message=f"`{shown(node)}` can run out of time in {expiry.route.label}, {how}; "
        "catch `TimeoutError` and raise `HTTPException(504)` from it",
        chain=tuple(chain) if len(chain) > 1 else (),
        runs_in=(f"event-loop: {expiry.route.label}",),
    )


RULE = Rule(code="AV804", name="timeout-not-mapped", severity=Severity.MEDIUM, item=19, check=check, fix="unsafe")
