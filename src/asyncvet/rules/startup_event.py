"""Checks for start-up and shutdown event handlers where a lifespan is meant: `on_event`, `add_event_handler`, `on_startup=`,
`on_shutdown=`.

## Why is this bad?

Start-up and shutdown are two functions that know of each other only by globals: nothing closes what the first half of a failed
start-up has opened, and what one opens the other is easily not told of. FastAPI has deprecated the handlers; Starlette 1.0 has
removed them, and an application that is given a lifespan ignores them without a word.

## Example

```python
from fastapi import FastAPI

app = FastAPI()
models: dict[str, str] = {}


@app.on_event("startup")
async def load() -> None:
    models["default"] = "loaded"


@app.on_event("shutdown")
async def unload() -> None:
    models.clear()
```

Use instead:

```python
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

models: dict[str, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    models["default"] = "loaded"
    yield
    models.clear()


app = FastAPI(lifespan=lifespan)
```

## When it is fine

Frameworks that have events and no lifespan (aiohttp, Sanic, Litestar); a method of another API that happens to be called
`on_event`.

## Known limits

An object of the project counts as never stopped if it has a method for it (`start` and `stop`, `connect` and `disconnect`) that
nothing calls. Resources of libraries are spoken of by resource-outside-lifespan, tasks by task-never-cancelled. An application
whose type the source does not tell is taken for one of FastAPI if the event's name is written out.

## Fix safety

Safe where all handlers of the project are functions without parameters at the top of the module that makes the one application, under
`@app.on_event` alone: a lifespan calls them as they are, in their order, those for shutdown in a `finally`, as the application did.
Unsafe where the application is given to a function that might register handlers of its own. Everything else is left alone.

## References

- [FastAPI documentation, "Lifespan Events"](https://fastapi.tiangolo.com/advanced/events/)
- Starlette documentation, "Lifespan"
"""

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.left_open import NeverStopped, never_stopped
from asyncvet.graph.project import Project
from asyncvet.graph.scopes import Body, Function, Scope, last_name, shown
from asyncvet.graph.values import Instance, Object, Super, Symbol, Value
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule

_EVENTS = ("startup", "shutdown")
_KEYWORDS = ("on_startup", "on_shutdown")
_FRAMEWORKS = ("fastapi.", "starlette.")


def check(project: Project) -> Iterator[Finding]:
    """Report event handlers of applications."""
    bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
    for scope in bodies:
        for site in scope.sites:
            if isinstance(site.node, tree.Call):
                yield from _of_call(site.node, scope, project)
    for started in never_stopped(project):
        yield _never_stopped(started, project)


def _never_stopped(started: NeverStopped, project: Project) -> Finding:
    call = started.node
    owner = shown(call.func.value) if isinstance(call.func, tree.Attribute) else ""
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(started.function, call),
        function=started.function.qualname,
        message=f"`{shown(call)}` starts what nothing stops; call `{owner}.{started.end}()` after the `yield` of the lifespan",
        runs_in=project.contexts.runs_in(started.function),
        runs_once=True,
    )


def _of_call(call: tree.Call, scope: Body, project: Project) -> Iterator[Finding]:
    name = last_name(call.func)
    if name in ("on_event", "add_event_handler") and isinstance(call.func, tree.Attribute):
        event = argument_at(call, ("event_type", 0))
        if isinstance(event, tree.Const) and event.value in _EVENTS and _may_be_app(call.func.value, scope, project):
            where = event.value
            yield _finding(call, f'`{shown(call.func)}("{where}")`', call.func.value, scope, project, _handler(call, scope))
    elif any(keyword.name in _KEYWORDS for keyword in call.keywords):
        if any(_is_application(value, project) for value in project.values(call, scope)):
            for keyword in call.keywords:
                if keyword.name in _KEYWORDS and not _is_empty(keyword.value):
                    yield _finding(keyword, f"`{shown(call.func)}({keyword.name}=...)`", call.func, scope, project)


def _handler(call: tree.Call, scope: Body) -> Function | None:
    """The function that a call decorates."""
    return next((function for function in scope.module.functions if call in function.decorators), None)


def _finding(
    node: tree.Node, what: str, app: tree.Node, scope: Body, project: Project, handler: Function | None = None
) -> Finding:
    return Finding(
        code=RULE.code,
        name=RULE.name,
        item=RULE.item,
        severity=RULE.severity,
        span=project.span(scope, node),
        function=scope.qualname,
        message=f"{what} registers an event handler, which is deprecated; put it into the lifespan: `FastAPI(lifespan=...)`",
        advice="A lifespan holds what it opens in local variables and closes it after its `yield`.",
        chain=(project.frame(scope, node), project.frame(handler, handler.head)) if handler is not None else (),
        root_cause=f"{scope.path}:{shown(app)}.lifespan",
    )


def _may_be_app(expr: tree.Expression, scope: Scope, project: Project) -> bool:
    values = project.values(expr, scope)
    return not values or any(_is_application(value, project) for value in values)


def _is_application(value: Value, project: Project) -> bool:
    """Whether a value is an application or router of FastAPI or Starlette, or is of a class below theirs."""
    if isinstance(value, Instance | Super):
        bases = project.inference.members.mro(value.cls)
        return any(isinstance(base, Symbol) and base.path.startswith(_FRAMEWORKS) for base in bases)
    if isinstance(value, Object):
        return value.path.startswith(_FRAMEWORKS)
    return False


def _is_empty(expr: tree.Expression) -> bool:
    return (isinstance(expr, tree.Const) and expr.value is None) or (isinstance(expr, tree.Sequence) and not expr.items)


RULE = Rule(code="AV602", name="startup-event", severity=Severity.MEDIUM, item=14, check=check, fix="safe", needs_loop=False)
