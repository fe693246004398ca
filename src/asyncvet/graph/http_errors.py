"""HTTP errors: the exceptions by which code tells a web framework which status to answer, and where they leave a function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import argument_at, passed
from asyncvet.graph.handlers import type_names
from asyncvet.graph.raising import guards
from asyncvet.graph.scopes import Body, Class, Function, last_name
from asyncvet.graph.sites import CallSite, Mode
from asyncvet.graph.values import Instance, Symbol, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_ROOTS = frozenset({"fastapi", "starlette"})
_STATUS = re.compile(r"HTTP_(\d{3})_")
_DEEP = 4


@dataclass(frozen=True, slots=True)
class HttpError:
    """A `raise` of one. `status` is None where the source does not tell it."""

    function: Body
    node: tree.Raise
    status: int | None


class HttpErrors:
    """Answers where HTTP errors are raised. One object a rule's run."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._leaving: dict[Function, tuple[HttpError, ...]] = {}

    def error(self, node: tree.Node, function: Body) -> HttpError | None:
        """The HTTP error that a statement raises."""
        if not isinstance(node, tree.Raise) or node.exc is None:
            return None
        call = node.exc if isinstance(node.exc, tree.Call) else None
        for value in self._project.values(call.func if call is not None else node.exc, function):
            if self._is_type(value):
                return HttpError(function, node, self._status(value, call))
        return None

    def statuses(self, statements: Iterable[tree.Node], function: Body) -> Iterator[int | None]:
        """The statuses that statements answer with themselves, by an error or a response; None for one that is computed."""
        for node in walk.nodes(statements):
            error = self.error(node, function)
            if error is not None:
                yield error.status
            elif isinstance(node, tree.Call) and (given := argument_at(node, ("status_code",))) is not None:
                yield status_in(given)

    def is_caught_by(self, handler: tree.Handler, function: Body) -> bool:
        """Whether a handler takes in HTTP errors: it names their type, or one above it."""
        if not type_names(handler) or {"Exception", "BaseException"} & type_names(handler):
            return True
        return self.is_named_by(handler, function)

    def is_named_by(self, handler: tree.Handler, function: Body) -> bool:
        """Whether a handler names the type of HTTP errors, or one below it."""
        exprs = handler.exc.items if isinstance(handler.exc, tree.Sequence) else [handler.exc] if handler.exc is not None else []
        return "HTTPException" in type_names(handler) or any(
            self._is_type(value) for expr in exprs for value in self._project.values(expr, function)
        )

    def leaving(self, statements: Iterable[tree.Node], function: Body, within: tree.Node, depth: int = 0) -> Iterator[HttpError]:
        """The HTTP errors that leave statements, also those of functions that they call; `within` may catch them next."""
        nodes = list(walk.nodes(statements))
        for node in nodes:
            found = self.error(node, function)
            if found is not None and not self._is_caught(node, function, within):
                yield found
        calls = {id(node) for node in nodes if isinstance(node, tree.Call)}
        for site in self._project.sites(function) if depth < _DEEP else ():
            if id(site.node) in calls and not self._is_caught(site.node, function, within):
                for below in _run(site):
                    yield from (error for error in self._out_of(below, depth + 1) if not _is_ruled_out(error, site, below))

    def _out_of(self, function: Function, depth: int) -> tuple[HttpError, ...]:
        known = self._leaving.get(function)
        if known is None:
            self._leaving[function] = ()
            found = self.leaving(walk.body(function), function, function.node, depth)
            known = self._leaving[function] = tuple(found)
        return known

    def _is_caught(self, node: tree.Node, function: Body, within: tree.Node) -> bool:
        """Whether something between a node and `within` takes HTTP errors in."""
        return any(
            within.start < guard.start < within.end
            and (isinstance(guard, tree.With) or self.is_caught_by(guard, function))
            and not (isinstance(within, tree.Try) and any(guard is handler for handler in within.handlers))
            for guard in guards(function, node)
        )

    def _is_type(self, value: Value) -> bool:
        if isinstance(value, Instance):
            value = value.cls
        bases: tuple[Value, ...] = self._project.inference.members.mro(value) if isinstance(value, Class) else (value,)
        return any(isinstance(base, Symbol) and _is_http_exception(base.path) for base in bases)

    def _status(self, value: Value, call: tree.Call | None) -> int | None:
        if isinstance(value, Class):
            method = self._project.inference.members.method(value, "__init__")
            nodes = walk.found(method, tree.Call) if method is not None else ()
            given = (argument_at(node, ("status_code", 0)) for node in nodes)
            own = [status for status in map(status_in, given) if status is not None]
            return own[0] if own else None
        return status_in(argument_at(call, ("status_code", 0)) if call is not None else None)


def _run(site: CallSite) -> Iterator[Function]:
    for target in site.targets:
        if (target.mode is Mode.COROUTINE and site.awaited) or target.mode is Mode.INLINE:
            yield target.function


def _is_ruled_out(error: HttpError, site: CallSite, function: Function) -> bool:
    """Whether an error of a function stands under a test of something optional that a call does not give it."""
    if error.function is not function or not isinstance(site.node, tree.Call) or _has_stars(site.node):
        return False
    omitted = {
        name
        for name, param in function.params.items()
        if isinstance(param.default, tree.Const)
        and param.default.value is None
        and passed(function, param, site.node, True) is None
    }
    tests = (
        node.test
        for node in walk.around(function, error.node)
        if isinstance(node, tree.If) and error.node in walk.nodes(node.body)
    )
    return any(isinstance(part, tree.Name) and part.id in omitted for test in tests for part in _all_of(test))


def _has_stars(call: tree.Call) -> bool:
    return any(isinstance(argument, tree.Starred) for argument in call.args) or any(k.name is None for k in call.keywords)


def _all_of(test: tree.Expression) -> list[tree.Expression]:
    return test.operands if isinstance(test, tree.Operation) and test.op == "and" else [test]


def _is_http_exception(path: str) -> bool:
    root, _, rest = path.partition(".")
    return root in _ROOTS and rest.rpartition(".")[2] == "HTTPException"


def status_in(expr: tree.Expression | None) -> int | None:
    """The status that an expression names: a number, a constant of a framework, a member of `http.HTTPStatus`."""
    if isinstance(expr, tree.Const) and isinstance(expr.value, int):
        return expr.value
    name = last_name(expr) if isinstance(expr, tree.Attribute | tree.Name) else ""
    match = _STATUS.match(name)
    if match is None and isinstance(expr, tree.Attribute) and last_name(expr.value) == "HTTPStatus":
        return next((status.value for status in HTTPStatus if status.name == name), None)
    return int(match[1]) if match else None
