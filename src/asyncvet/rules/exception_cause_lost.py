"""Checks for a new exception that is raised in an `except` block with no `from`, where what was caught says what went wrong.

## Why is this bad?

The new error says that something failed; the one that was caught says what and where. Without `from` the traceback speaks of
an error "during handling of the above exception", as if the handler were at fault, `__cause__` is empty for whoever asks for
it (error trackers, retries that look at the cause, `except*`), and an `HTTPException`, which the framework turns into an
answer, leaves no trace of its reason at all.

## Example

```python
import httpx


class PriceError(Exception):
    pass


async def price(client: httpx.AsyncClient, item: str) -> str:
    try:
        return (await client.get(f"/prices/{item}")).text
    except httpx.HTTPError as error:
        raise PriceError(f"no price for {item}")
```

Use instead:

```python
import httpx


class PriceError(Exception):
    pass


async def price(client: httpx.AsyncClient, item: str) -> str:
    try:
        return (await client.get(f"/prices/{item}")).text
    except httpx.HTTPError as error:
        raise PriceError(f"no price for {item}") from error
```

## When it is fine

`from None`, the same exception raised again, a handler that has logged the traceback, exceptions that steer (`StopIteration`,
`SystemExit`, `CancelledError`). A look-up, an import or a timeout that was expected to fail (`KeyError`, `IndexError`,
`ImportError`, `TimeoutError`): its error has nothing to add to the new one. So has a narrow error to which the handler gives
no name, and one that becomes a refusal: an error with a status from 400 to 499, as in `except ValueError: raise
HTTPException(400)`, or whose name says as much (`InvalidFile`, `NotFoundError`). An `except Exception` does not know that it was
the client.

## Known limits

Only code that coroutines, routes and tasks reach is looked at. An exception that a function makes from the one that was
caught (`raise to_http(error)`) is left alone, as it may set the cause itself. Of 53 findings read in eight released packages 47 were worth an edit (89 %); most of
the others were private signals and refusals of what was asked for.

## Fix safety

Safe: `from` sets an attribute of the exception and changes the words of the traceback, nothing else. What was caught gets a name if it
has none. A bare `except` is left alone.

## References

- [Python documentation, "Errors and Exceptions", section "Exception Chaining"](https://docs.python.org/3/tutorial/errors.html#exception-chaining)
- Python documentation, "The raise statement"
"""

import re
from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.handlers import Handling, handlings
from asyncvet.graph.http_errors import HttpErrors, status_in
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Class, Function, last_name, shown
from asyncvet.graph.serving import serving
from asyncvet.graph.values import Instance, Object, Symbol
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_EXPECTED = frozenset(
    {
        "KeyError",
        "IndexError",
        "LookupError",
        "AttributeError",
        "TimeoutError",
        "QueueEmpty",
        "QueueFull",
        "Empty",
        "Full",
        "StopIteration",
        "StopAsyncIteration",
        "CancelledError",
        "ImportError",
        "ModuleNotFoundError",
    }
)
_STEERING = frozenset(
    {"StopIteration", "StopAsyncIteration", "SystemExit", "KeyboardInterrupt", "CancelledError", "GeneratorExit", "Exit", "Abort"}
)
_REFUSES = re.compile(r"^(Invalid|Unsupported)|(NotFound|Forbidden|Unauthorized|Validation)(Error|Exception)?$")


def check(project: Project) -> Iterator[Finding]:
    """Report new errors that do not say where they come from, in code that serves."""
    served = serving(project)
    http = HttpErrors(project)
    for function in project.functions:
        for handling in handlings(function) if function in served and not function.is_lambda else ():
            if _says_something(handling) and not handling.logs_traceback:
                for node in handling.new_errors:
                    if _is_new(project, handling, node) and not (not handling.is_broad and _refuses(http, function, node)):
                        yield _finding(project, function, handling, node)


def _says_something(handling: Handling) -> bool:
    """Whether what is caught tells more than its type, which the handler knows."""
    return handling.is_broad or (handling.name is not None and not handling.caught <= _EXPECTED)


def _is_new(project: Project, handling: Handling, node: tree.Raise) -> bool:
    """Whether a statement raises an exception that its handler makes, not one that was made elsewhere, and gives no cause."""
    exc = _made_here(handling, node.exc) or node.exc
    func = exc.func if isinstance(exc, tree.Call) else exc
    if func is None or node.cause is not None or last_name(func) in _STEERING:
        return False
    values = project.values(func, handling.function)
    if not values:
        return exc is node.exc and last_name(func)[:1].isupper()
    return any(
        isinstance(value, Class)
        or (isinstance(value, Symbol) and _is_class(value.path))
        or (isinstance(value, Function) and isinstance(exc, tree.Call) and _makes_errors(project, value, handling, exc))
        for value in values
    )


def _made_here(handling: Handling, expr: tree.Expression | None) -> tree.Call | None:
    """The call in a handler that gave the exception its local name, if nothing sets its cause."""
    if not isinstance(expr, tree.Name):
        return None
    bindings = handling.function.bindings.get(expr.id, [])
    made = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
    inside = isinstance(made, tree.Call) and handling.handler.start <= made.start < handling.handler.end
    return made if isinstance(made, tree.Call) and inside and not any(map(_sets_cause, walk.nodes(handling.body))) else None


def _makes_errors(project: Project, maker: Function, handling: Handling, call: tree.Call) -> bool:
    """Whether a function of the project makes an exception and is not told of the one that was caught."""
    if handling.is_quoted_in(call) or any(map(_sets_cause, walk.inside(maker))):
        return False
    made = project.inference.returned(maker)
    return bool(made) and all(isinstance(value, Instance | Object) for value in made)


def _sets_cause(node: tree.Node) -> bool:
    return isinstance(node, tree.Attribute) and node.attr in ("__cause__", "with_traceback", "add_note")


def _is_class(path: str) -> bool:
    return path.rpartition(".")[2][:1].isupper()


def _refuses(http: HttpErrors, function: Function, node: tree.Raise) -> bool:
    """Whether the new error is a refusal of what was asked for: by its status, or by its name."""
    error = http.error(node, function)
    if error is not None and error.status is not None:
        return 400 <= error.status < 500
    call = node.exc if isinstance(node.exc, tree.Call) else None
    status = status_in(argument_at(call, ("status_code", "code", 0))) if call is not None else None
    if status is not None:
        return 400 <= status < 500
    return node.exc is not None and _REFUSES.search(last_name(call.func if call is not None else node.exc)) is not None


def _finding(project: Project, function: Function, handling: Handling, node: tree.Raise) -> Finding:
    assert node.exc is not None
    name = handling.name or "error"
    named = "" if handling.name else f" and `as {name}` in the `except`"
    raised = f"raise {shown(node.exc)}"
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(function, node),
        function=function.qualname,
        message=f"`{raised}` in {handling.title} loses what went wrong; write `{raised} from {name}`{named}",
        advice="`from None` says that the cause is of no interest.",
    )


RULE = Rule(code="AV801", name="exception-cause-lost", severity=Severity.HIGH, item=18, check=check, fix="safe", needs_loop=False)
