"""Whether a catalogue entry holds for one call: its conditions on arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.catalogue import Api, Condition
from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at, hides_arguments
from asyncvet.graph.scopes import Function, Scope, dotted, last_name
from asyncvet.graph.values import Object, Symbol, Text, Value

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference


_RESULTS = frozenset({"concurrent.futures.Future.result", "concurrent.futures.Future.exception"})
_SEEN_DONE = ("done", "add_done_callback")
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


def is_over(name: str, call: tree.Call | None, scope: Scope) -> bool:
    """Whether there is nothing left to wait for: a lock that the same plain function gives back, a future that was seen to be done.

    A thread's lock or semaphore around a short stretch, as of `with lock:`, is the first.
    """
    if call is None or not isinstance(scope, Function):
        return False
    holder = dotted(call.func).rpartition(".")[0]
    if name.endswith(("Lock.acquire", "Semaphore.acquire")):
        return not scope.is_async and any(True for _ in _calls_of(f"{holder}.release", scope))
    if name not in _RESULTS:
        return False
    seen = (site for attr in _SEEN_DONE for site in _calls_of(f"{holder}.{attr}", scope))
    return any(other.start < call.start for other in (*seen, *_wrapped(holder, scope)))


def _calls_of(name: str, scope: Function) -> Iterator[tree.Call]:
    return (s.node for s in scope.sites if isinstance(s.node, tree.Call) and dotted(s.node.func) == name)


def _wrapped(holder: str, scope: Function) -> Iterator[tree.Call]:
    """Where a future is made into one that is awaited."""
    for site in scope.sites:
        if isinstance(site.node, tree.Call) and last_name(site.node.func) == "wrap_future":
            if any(dotted(argument) == holder for argument in site.node.args):
                yield site.node


def _is_in_memory(call: tree.Call | None, inference: Inference, scope: Scope) -> bool:
    """Whether a call is given a file that is in memory: what it reads or writes is there already."""
    return call is not None and any(
        is_memory(value)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        # What is passed from elsewhere may be in memory there and a file elsewhere: that is asked on each way.
        for value in (() if _is_parameter(argument, scope) else inference.values(argument, scope))
    )


def is_memory(value: Value) -> bool:
    """Whether a value is a file that is in memory, or none at all."""
    return isinstance(value, Object | Symbol) and value.path in _MEMORY


def _is_parameter(expr: tree.Node, scope: Scope) -> bool:
    if not isinstance(expr, tree.Name):
        return False
    owner = next((around for around in scope.enclosing() if expr.id in around.bindings), None)
    return isinstance(owner, Function) and expr.id in owner.params and len(owner.bindings[expr.id]) == 1


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
