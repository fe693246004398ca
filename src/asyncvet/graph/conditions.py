"""Whether a catalogue entry holds for one call: its conditions on arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncvet.catalogue import Api, Condition
from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at, hides_arguments
from asyncvet.graph.scopes import Scope
from asyncvet.graph.values import Object, Symbol, Text, Value

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference


_MEMORY = frozenset({"io.BytesIO", "io.StringIO", "os.devnull"})


def holds(api: Api, call: tree.Call | None, receiver: Value | None, inference: Inference, scope: Scope) -> bool:
    """Whether an entry speaks of this call. A condition on what is not known does not hold."""
    if not api.unless and not api.only_if:
        return True
    made_by = receiver.made_by if isinstance(receiver, Object) else None

    def is_met(condition: Condition) -> bool:
        return _is_met(condition, made_by if condition.of == "constructor" else call, inference, scope)

    return not any(map(is_met, api.unless)) and all(map(is_met, api.only_if))


def touches_memory_only(api: Api, call: tree.Call | None, receiver: Value | None, inference: Inference, scope: Scope) -> bool:
    """Whether a call that would use the file system is given, or its object was made of, a file that is in memory."""
    if api.effect != "blocks" or api.category not in ("file", "archive"):
        return False
    made_by = receiver.made_by if isinstance(receiver, Object) else None
    is_near = made_by is not None and scope.has(made_by)
    return _is_in_memory(call, inference, scope) or (is_near and _is_in_memory(made_by, inference, scope))


def _is_in_memory(call: tree.Call | None, inference: Inference, scope: Scope) -> bool:
    """Whether a call is given a file that is in memory: what it reads or writes is there already."""
    return call is not None and any(
        isinstance(value, Object | Symbol) and value.path in _MEMORY
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for value in inference.values(argument, scope)
    )


def _is_met(condition: Condition, call: tree.Call | None, inference: Inference, scope: Scope) -> bool:
    if call is None:
        return False
    keys = [key for key in (condition.argument, condition.position) if key is not None]
    expr = argument_at(call, keys)
    if condition.present is not None:
        return not hides_arguments(call) and (expr is not None) == condition.present
    if expr is None:
        return False
    if condition.literal is not None:
        return isinstance(expr, tree.Const) == condition.literal
    if condition.is_none is not None:
        return (isinstance(expr, tree.Const) and expr.kind == "none") == condition.is_none
    if condition.starts_with is not None:
        texts = [value.value for value in inference.values(expr, scope) if isinstance(value, Text)]
        return bool(texts) and all(text.startswith(condition.starts_with) for text in texts)
    return _equals(expr, condition.equals, inference, scope)


def _equals(expr: tree.Expression, wanted: object, inference: Inference, scope: Scope) -> bool:
    if isinstance(expr, tree.Const):
        # True and 1 are equal in Python and mean different arguments here.
        return expr.value == wanted and isinstance(expr.value, bool) == isinstance(wanted, bool)
    return isinstance(wanted, str) and [v.value for v in inference.values(expr, scope) if isinstance(v, Text)] == [wanted]
