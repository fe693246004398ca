"""Handlers: what an `except` takes in, and what its code does with the error: tell of it, raise another one, hand it on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Body, last_name

_BROAD = frozenset({"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"})
_LEVELS = frozenset({"debug", "info", "warning", "warn", "error", "critical", "log", "trace", "success"})
_TRACES = frozenset({"exception", "print_exc", "print_exception", "format_exc", "format_exception", "capture_exception"})
_SHOWING = _LEVELS | _TRACES | {"print", "str", "repr", "type", "format", "write", "echo"}


@dataclass(frozen=True, slots=True)
class Handling:
    """A handler of a `try`, in the body of `function`."""

    function: Body
    statement: tree.Try
    handler: tree.Handler

    @property
    def name(self) -> str | None:
        """The name that it gives the error."""
        return self.handler.name

    @property
    def body(self) -> list[tree.Statement]:
        """What it runs."""
        return self.handler.body

    @property
    def caught(self) -> frozenset[str]:
        """Last words of the types that it names; none for a bare `except`."""
        return type_names(self.handler)

    @property
    def is_broad(self) -> bool:
        """It takes in every error."""
        return not self.caught or not self.caught.isdisjoint(_BROAD)

    @property
    def head(self) -> tree.Node:
        """Its first words, for reports."""
        end = self.handler.exc.end if self.handler.exc is not None else self.handler.start + len("except")
        return tree.Node(self.handler.start, end)

    @property
    def title(self) -> str:
        """Its first words, for messages."""
        return f"`except {' | '.join(sorted(self.caught))}`" if self.caught else "a bare `except`"

    @property
    def earlier(self) -> Iterator[tree.Handler]:
        """The handlers that are asked before it."""
        return (other for other in self.statement.handlers if other.start < self.handler.start)

    @property
    def raises_again(self) -> bool:
        """Some of its code raises the same error on."""
        return any(
            isinstance(node, tree.Raise) and (node.exc is None or (self.name is not None and self._is_caught(node.exc)))
            for node in own_nodes(self.body)
        )

    @property
    def new_errors(self) -> Iterator[tree.Raise]:
        """Where it raises another error."""
        for node in own_nodes(self.body):
            if isinstance(node, tree.Raise) and node.exc is not None and not self._is_caught(node.exc):
                yield node

    @property
    def leaves(self) -> bool:
        """Its last statement ends the function, by a result or an error."""
        return isinstance(self.body[-1], tree.Return | tree.Raise)

    @property
    def tells(self) -> Iterator[tree.Node]:
        """The calls and statements in it that speak of the error by its name."""
        for node in walk.nodes(self.body):
            if isinstance(node, tree.Raise | tree.Call) and self.is_quoted_in(node):
                yield node

    @property
    def hands_on(self) -> bool:
        """It gives the error to more than a message: stores, returns, or passes it, or asks what it is."""
        name = self.name
        return name is not None and any(_is_used(node, name) for node in self.body)

    @property
    def logs_traceback(self) -> bool:
        """It writes down the error with where it came from."""
        return any(
            isinstance(node, tree.Call)
            and (last_name(node.func) in _TRACES or any(keyword.name in ("exc_info", "exception") for keyword in node.keywords))
            for node in walk.nodes(self.body)
        )

    def is_quoted_in(self, expr: tree.Node) -> bool:
        """Whether an expression speaks of the error by its name."""
        return self.name is not None and _speaks_of(expr, self.name)

    def _is_caught(self, expr: tree.Expression) -> bool:
        if isinstance(expr, tree.Call) and last_name(expr.func) == "with_traceback" and isinstance(expr.func, tree.Attribute):
            expr = expr.func.value
        return isinstance(expr, tree.Name) and expr.id == self.name


def handlings(function: Body) -> Iterator[Handling]:
    """The handlers in the body of a function, in the order of the text."""
    for node in walk.found(function, tree.Try):
        yield from (Handling(function, node, handler) for handler in node.handlers)


def type_names(handler: tree.Handler) -> frozenset[str]:
    """Last words of the types that a handler names; none for a bare `except`."""
    if handler.exc is None:
        return frozenset()
    exprs = handler.exc.items if isinstance(handler.exc, tree.Sequence) else [handler.exc]
    return frozenset(filter(None, map(last_name, exprs))) or frozenset({"..."})


def own_nodes(statements: Iterable[tree.Node]) -> Iterator[tree.Node]:
    """What runs in statements with the error at hand: not what stands in a handler within them, which has an error of its own."""
    stack = list(statements)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, tree.FunctionDef | tree.Lambda | tree.ClassDef):
            continue
        below = list(walk.children(node))
        stack.extend([child for child in below if not isinstance(child, tree.Handler)][::-1])


def _speaks_of(node: tree.Node, name: str) -> bool:
    return any(isinstance(part, tree.Name) and part.id == name for part in walk.nodes(node))


def _is_used(node: tree.Node, name: str) -> bool:
    """Whether a node uses the error under a name for more than telling of it."""
    if isinstance(node, tree.Name):
        return node.id == name
    if isinstance(node, tree.Raise):
        return node.exc is not None and _is_used(node.exc, name)
    if isinstance(node, tree.Call) and last_name(node.func) in _SHOWING:
        return False
    if isinstance(node, tree.Operation) and node.op == "fstring":
        return False
    return any(_is_used(child, name) for child in walk.children(node))
