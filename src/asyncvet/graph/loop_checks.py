"""Loop checks: where code has asked whether an event loop runs in its thread, and knows that none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Binding, Body, Function, Scope, last_name
from asyncvet.graph.values import Bound

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference
    from asyncvet.graph.sites import CallSite

Meaning = Literal["runs", "none"]
"""What it says of the loop that a test holds."""

_RAISING = frozenset({"get_running_loop", "get_event_loop", "current_task", "current_async_library"})
"""They raise where no loop runs."""
_TELLING = frozenset({"is_running", "_get_running_loop"})
_OPPOSITE: dict[Meaning | None, Meaning | None] = {"runs": "none", "none": "runs", None: None}


class LoopChecks:
    """Finds the stretches of functions that run only where no event loop does. One object a project."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._regions: dict[Body, tuple[tuple[int, int], ...]] = {}
        self._asking: dict[Body, bool] = {}
        self._open: set[tuple[Scope, str]] = set()

    def runs_without_loop(self, site: CallSite) -> bool:
        """Whether the code at a site has just found out that no event loop runs here. In a coroutine one always does."""
        scope = site.scope
        if isinstance(scope, Function) and scope.is_async:
            return False
        known = self._regions.get(scope)
        if known is None:
            known = self._regions[scope] = tuple(self._find(walk.body(scope), scope)) if self._may_ask(scope) else ()
        return any(start <= site.node.start < end for start, end in known)

    def _may_ask(self, scope: Body) -> bool:
        """Whether a function asks, itself or through a function that it calls."""
        return any(self._call_asks(site.node, scope) for site in scope.sites if isinstance(site.node, tree.Call))

    def _call_asks(self, call: tree.Call, scope: Scope) -> bool:
        """By what is called, where that is the project's own (`self.is_running()` need not speak of a loop); else by its name."""
        own = [value.function if isinstance(value, Bound) else value for value in self._inference.callee(call, scope)]
        functions = [value for value in own if isinstance(value, Function)]
        return any(map(self._asks, functions)) if functions else self._asks(call)

    def _asks(self, value: object) -> bool:
        if isinstance(value, tree.Call):
            return last_name(value.func) in _RAISING | _TELLING
        return isinstance(value, Function) and self._is_question(value)

    def _is_question(self, function: Function) -> bool:
        """Whether a plain function only tells whether a loop runs."""
        known = self._asking.get(function)
        if known is None:
            calls = [site.node for site in function.sites if isinstance(site.node, tree.Call)]
            asks = any(map(self._asks, calls)) if len(calls) <= 3 else False
            answers = all(isinstance(expr, tree.Const | tree.Call | tree.Operation) for expr, _ in function.returns)
            known = self._asking[function] = asks and answers and not function.is_async and len(function.returns) > 0
        return known

    # --- stretches --------------------------------------------------------------------------------

    def _find(self, statements: Sequence[tree.Node], scope: Scope) -> Iterator[tuple[int, int]]:
        """The stretches of statements that follow one another, and of those inside them."""
        for index, statement in enumerate(statements):
            if self._settles(statement, scope) and index + 1 < len(statements):
                yield statement.end, statements[-1].end
            yield from self._inside(statement, scope)
            for block in _blocks(statement):
                yield from self._find(block, scope)

    def _inside(self, statement: tree.Node, scope: Scope) -> Iterator[tuple[int, int]]:
        if isinstance(statement, tree.If):
            meaning = self._meaning(statement.test, scope)
            arm = {"runs": statement.orelse, "none": statement.body, None: []}[meaning]
            if arm:
                yield arm[0].start, arm[-1].end
        elif isinstance(statement, tree.Try) and _starts_by_asking(statement):
            for handler in statement.handlers:
                yield handler.start, handler.end

    def _settles(self, statement: tree.Node, scope: Scope) -> bool:
        """Whether whoever comes past a statement knows that no loop runs: it left where one does."""
        if isinstance(statement, tree.If):
            meaning = self._meaning(statement.test, scope)
            return (meaning == "runs" and _leaves(statement.body)) or (meaning == "none" and _leaves(statement.orelse))
        if isinstance(statement, tree.Try) and _starts_by_asking(statement):
            return _leaves(statement.body) or _leaves(statement.orelse)
        return False

    # --- tests ------------------------------------------------------------------------------------

    def _meaning(self, test: tree.Node, scope: Scope) -> Meaning | None:
        if isinstance(test, tree.Call):
            return "runs" if self._call_asks(test, scope) else None
        if isinstance(test, tree.Name):
            return self._of_name(test, scope)
        if isinstance(test, tree.Operation):
            meanings = [self._meaning(operand, scope) for operand in test.operands]
            found = next((meaning for meaning in meanings if meaning is not None), None)
            if test.op == "not":
                return _OPPOSITE[found]
            if test.op in ("is", "==", "is not", "!="):
                negates = any(isinstance(o, tree.Const) and o.value in (None, False) for o in test.operands)
                return _OPPOSITE[found] if negates == (test.op in ("is", "==")) else found
            return found if test.op in ("and", "or") else None
        return None

    def _of_name(self, name: tree.Name, scope: Scope) -> Meaning | None:
        """What a true value of a name says that was set by asking."""
        if (scope, name.id) in self._open:
            return None  # `loop = loop if loop else other`
        self._open.add((scope, name.id))
        try:
            return self._of_bindings(scope.bindings.get(name.id, ()), scope)
        finally:
            self._open.discard((scope, name.id))

    def _of_bindings(self, bindings: Sequence[Binding], scope: Scope) -> Meaning | None:
        for binding in bindings:
            value, statement = binding.value, binding.block.statement
            if isinstance(value, tree.Call) and self._meaning(value, scope) == "runs":
                return "runs"
            if isinstance(value, tree.Operation) and value.op == "if":
                # `None if is_running() else own_loop`: a true value says which arm was taken.
                test, then, other = value.operands
                meaning = self._meaning(test, scope)
                if _is_nothing(then) or _is_nothing(other):
                    return _OPPOSITE[meaning] if _is_nothing(then) else meaning
            is_flag = isinstance(value, tree.Const) and binding.block.arm in ("try", "after")
            if is_flag and isinstance(statement, tree.Try) and _starts_by_asking(statement):
                return "runs" if value.value else "none"  # type: ignore[union-attr]
        return None


def _starts_by_asking(statement: tree.Try) -> bool:
    first = statement.body[0] if statement.body else None
    value = first.value if isinstance(first, tree.Assign | tree.ExprStmt | tree.Return) else None
    return value is not None and any(isinstance(n, tree.Call) and last_name(n.func) in _RAISING for n in walk.nodes(value))


def _is_nothing(expr: tree.Expression) -> bool:
    return isinstance(expr, tree.Const) and not expr.value


def _leaves(statements: Sequence[tree.Statement]) -> bool:
    return bool(statements) and isinstance(statements[-1], tree.Return | tree.Raise | tree.Jump)


def _blocks(statement: tree.Node) -> Iterator[Sequence[tree.Node]]:
    """The bodies of a compound statement."""
    if isinstance(statement, tree.FunctionDef | tree.ClassDef):
        return
    for name in ("body", "orelse", "final"):
        if isinstance(block := getattr(statement, name, None), list):
            yield block
    for name in ("handlers", "cases"):
        for part in getattr(statement, name, ()):
            yield part.body
