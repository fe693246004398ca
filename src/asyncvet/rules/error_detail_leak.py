"""Checks for the text of an unknown exception in what is sent to the client: `detail=str(error)` under `except Exception`.

## Why is this bad?

Under `except Exception` nobody knows whose text that is. It can name hosts, paths, tables, queries with their values, and
keys in addresses; it tells an attacker what the service is built of, and a user nothing that helps.

## Example

```python
from fastapi import FastAPI, HTTPException

app = FastAPI()


async def load(name: str) -> str:
    return name


@app.get("/items/{name}")
async def read(name: str) -> str:
    try:
        return await load(name)
    except Exception as error:
        raise HTTPException(500, detail=str(error)) from error
```

Use instead:

```python
import logging

from fastapi import FastAPI, HTTPException

app = FastAPI()
logger = logging.getLogger(__name__)


async def load(name: str) -> str:
    return name


@app.get("/items/{name}")
async def read(name: str) -> str:
    try:
        return await load(name)
    except Exception as error:
        logger.exception("cannot load %s", name)
        raise HTTPException(500, detail="cannot load the item") from error
```

## When it is fine

The text of an exception that the handler names: the code knows what it says. Services that only other services of the same
owner call; this is why the rule runs only when it is selected.

## Known limits

Text that goes through a function or a variable first is not followed. Results that a route returns as a `dict` are not looked
at.

## Fix safety

There is no automatic fix: what the client should read is for the author to write.

## References

- [OWASP, "Error Handling Cheat Sheet"](https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html)
- CWE-209, "Generation of Error Message Containing Sensitive Information"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.handlers import Handling, handlings
from asyncvet.graph.http_errors import HttpErrors
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Function, last_name, shown
from asyncvet.graph.serving import serving
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_CONTENT = {"JSONResponse": ("content", 0), "ORJSONResponse": ("content", 0), "PlainTextResponse": ("content", 0)}


def check(project: Project) -> Iterator[Finding]:
    """Report answers that quote an error which nobody named."""
    served = serving(project)
    http = HttpErrors(project)
    for function in project.functions:
        for handling in handlings(function) if function in served and not function.is_lambda else ():
            if handling.is_broad:
                for node in _answers(http, function, handling):
                    yield _finding(project, function, handling, node)


def _answers(http: HttpErrors, function: Function, handling: Handling) -> Iterator[tree.Node]:
    """The errors and responses whose text speaks of what was caught."""
    for node in handling.tells:
        if isinstance(node, tree.Raise) and isinstance(node.exc, tree.Call) and http.error(node, function) is not None:
            given = argument_at(node.exc, ("detail", 1))
        elif isinstance(node, tree.Call) and last_name(node.func) in _CONTENT:
            given = argument_at(node, _CONTENT[last_name(node.func)])
        else:
            continue
        if given is not None and handling.is_quoted_in(given):
            yield node


def _finding(project: Project, function: Function, handling: Handling, node: tree.Node) -> Finding:
    call = node.exc if isinstance(node, tree.Raise) and node.exc is not None else node
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, call),
        function=function.qualname,
        message=f"`{shown(call)}` sends the text of {handling.title} to the client; log `{handling.name}` and send a fixed text",
    )


RULE = Rule(code="AV805", name="error-detail-leak", severity=Severity.LOW, item=18, check=check, preview=True, needs_loop=False)
