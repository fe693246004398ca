"""Put start-up and shutdown handlers into a lifespan, which calls them where the application did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from asyncvet.facts import tree
from asyncvet.fix.arguments import with_keyword
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import Project
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.values import Object
from asyncvet.model import Finding

_REGISTERING = frozenset({"on_event", "add_event_handler", "lifespan_context"})
_GIVEN = frozenset({"on_startup", "on_shutdown"})
_APPS = frozenset({"fastapi.FastAPI", "fastapi.applications.FastAPI", "starlette.applications.Starlette"})
_HARMLESS = frozenset({"run", "TestClient", "AsyncClient", "ASGITransport", "Config", "Mangum", "instrument_app"})


class _Handler(NamedTuple):
    function: Function
    decorator: tree.Call
    event: str


def fix(finding: Finding, code: Code) -> Draft | str:
    """Take the decorators away and call the functions, in the order in which they were registered, around the `yield` of a lifespan."""
    found = _application(finding, code)
    if isinstance(found, str):
        return found
    name, statement, call = found
    handlers = list(_handlers(code, name))
    if len(handlers) != code.ask(_registrations):
        return "other handlers are registered in the project, which an application with a lifespan would not call"
    if any(set(handler.function.params) or not _is_plain(code, handler) for handler in handlers):
        return "a handler takes arguments, has other decorators, or shares its lines"
    manager = code.refer("contextlib", "asynccontextmanager", statement, prefer_module=False)
    iterator = code.refer("collections.abc", "AsyncIterator", statement, prefer_module=False)
    iterator = iterator if iterator is not None else code.refer("typing", "AsyncIterator", statement, prefer_module=False)
    if manager is None or iterator is None or not code.is_free("lifespan", code.module) or name == "lifespan":
        return "the names `lifespan`, `asynccontextmanager` or `AsyncIterator` are taken"
    place = code.text.line_start(statement.start)
    head = f"@{manager[0]}\nasync def lifespan({name}: {code.source(call.func)}) -> {iterator[0]}[None]:\n"
    text = "\n" * _missing_lines(code, place) + head + "".join(_body(code.text.unit, handlers)) + "\n\n"
    changes = [Change(place, place, text), with_keyword(code, call, "lifespan=lifespan")]
    changes += [_without(code, handler.decorator) for handler in handlers]
    safety: Literal["safe", "unsafe"] = "unsafe" if _is_handed_on(code, name) else "safe"
    return Draft(safety, f"put the handlers of `{name}` into a lifespan", tuple(changes), (*manager[1], *iterator[1]))


def _application(finding: Finding, code: Code) -> tuple[str, tree.Assign, tree.Call] | str:
    """The name, statement and call that make the application of a handler that a decorator registers."""
    call = code.at(finding, tree.Call)
    app = call.func.value if call is not None and isinstance(call.func, tree.Attribute) else None
    if call is None or not isinstance(app, tree.Name) or call.func.end <= app.start or last_name(call.func) != "on_event":
        return "only decorators `@app.on_event` are put into a lifespan; call the handlers around its `yield`"
    bindings = code.module.bindings.get(app.id, [])
    statements = [s for s in code.facts.body if isinstance(s, tree.Assign) and bindings and s.value is bindings[0].value]
    made = statements[0].value if len(bindings) == 1 and statements else None
    values = code.project.values(made, code.module) if isinstance(made, tree.Call) else ()
    if not isinstance(made, tree.Call) or not values or any(not isinstance(v, Object) or v.path not in _APPS for v in values):
        return f"`{app.id}` is not made once, by a call of `FastAPI`, at the top of this module"
    if any(keyword.name in (None, "lifespan") for keyword in made.keywords) or not code.is_alone(statements[0]):
        return f"`{app.id}` may have a lifespan already; move the handler's code into it"
    return app.id, statements[0], made


def _handlers(code: Code, app: str) -> Iterator[_Handler]:
    """The functions at the top of the module that decorators register, in the order of the text."""
    for function in code.module.functions:
        for decorator in function.decorators:
            func = decorator.func if isinstance(decorator, tree.Call) else None
            if isinstance(func, tree.Attribute) and func.attr == "on_event" and last_name(func.value) == app:
                event = decorator.args[0] if isinstance(decorator, tree.Call) and len(decorator.args) == 1 else None
                if isinstance(event, tree.Const) and event.value in ("startup", "shutdown") and function.parent is code.module:
                    assert isinstance(decorator, tree.Call)
                    yield _Handler(function, decorator, str(event.value))


def _registrations(project: Project) -> int:
    """How many handlers, or lifespans of applications and routers, the project registers in any way."""
    found = 0
    for module in project.modules.values():
        for node in everything(module.facts.body):
            if isinstance(node, tree.Attribute) and node.attr in _REGISTERING:
                found += 1
            elif isinstance(node, tree.Call):
                found += sum(keyword.name in _GIVEN for keyword in node.keywords)
    return found


def _is_plain(code: Code, handler: _Handler) -> bool:
    """Whether a function has this decorator alone, in a line of its own, and its name means it alone."""
    decorator, function = handler.decorator, handler.function
    at_sign = code.text.between(code.text.line_start(decorator.start), decorator.start).strip()
    return (
        len(function.decorators) == 1
        and at_sign == "@"
        and code.text.between(decorator.end, code.text.next_line(decorator.end)).strip() == ""
        and len(code.module.bindings.get(function.name, ())) == 1
        and not function.is_generator
    )


def _body(unit: str, handlers: list[_Handler]) -> Iterator[str]:
    calls = {
        event: [f"{'await ' if h.function.is_async else ''}{h.function.name}()\n" for h in handlers if h.event == event]
        for event in ("startup", "shutdown")
    }
    yield from (f"{unit}{call}" for call in calls["startup"])
    if not calls["shutdown"]:
        yield f"{unit}yield\n"
        return
    yield f"{unit}try:\n{unit}{unit}yield\n{unit}finally:\n"
    yield from (f"{unit}{unit}{call}" for call in calls["shutdown"])


def _missing_lines(code: Code, place: int) -> int:
    """How many of the two blank lines above a function are not there yet."""
    blank = 0
    line = place
    while line > 0 and blank < 2 and code.text.is_blank(line - 1):
        line = code.text.line_start(line - 1)
        blank += 1
    return 2 - blank if line > 0 else 0


def _without(code: Code, decorator: tree.Call) -> Change:
    return Change(code.text.line_start(decorator.start), code.text.next_line(decorator.end), "")


def _is_handed_on(code: Code, app: str) -> bool:
    """Whether the application is given to a function that might register handlers of its own."""
    return any(
        isinstance(node, tree.Call)
        and last_name(node.func) not in _HARMLESS
        and any(isinstance(arg, tree.Name) and arg.id == app for arg in (*node.args, *(k.value for k in node.keywords)))
        for module in code.project.modules.values()
        for node in everything(module.facts.body)
    )
