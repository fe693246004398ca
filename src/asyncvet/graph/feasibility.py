"""Feasibility: whether a chain of calls can be followed, given what its calls tell of flags and of `self`.

`upload(file, process=False)` does not run what stands under `if process:`, nor what follows `if not process: return`; a method that
calls its hook `self.build()` runs the hook of the object's own class, not that of a sibling class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.arguments import passed
from asyncvet.graph.scopes import Block, Body, Class, Function
from asyncvet.graph.values import Bound, Instance, Super

if TYPE_CHECKING:
    from asyncvet.graph.calls import CallSite, Target
    from asyncvet.graph.inference import Inference


@dataclass(frozen=True, slots=True)
class Known:
    """What is known inside a function from the way on which it was reached.

    Attributes:
        constants: Parameters that hold a literal, with its value.
        cls: The class of `self`; with `is_exact`, no subclass of it.
    """

    constants: tuple[tuple[str, object], ...] = ()
    cls: Class | None = None
    is_exact: bool = False

    def constant(self, name: str) -> tuple[object] | None:
        """The value of a parameter, in a tuple, if it is known."""
        return next(((value,) for known, value in self.constants if known == name), None)


NOTHING_KNOWN = Known()


class Feasibility:
    """Follows what is known along calls. One object a project."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def enter(self, site: CallSite, target: Target, known: Known) -> Known | None:
        """What is known in the function that a site runs; None if the site cannot run it."""
        if target.via:
            return NOTHING_KNOWN
        cls, is_exact, is_own = self._receiver(site, known)
        function = target.function
        if is_own and cls is not None and not self._is_of(function, cls, is_exact):
            return None
        if function.owner is None or (cls is not None and function.owner not in self._inference.members.mro(cls)):
            cls = None
        node = site.node
        if not isinstance(node, tree.Call) or _hides_arguments(node):
            return Known((), cls, is_exact)
        skips_self = any(isinstance(value, Bound | Class) for value in self._inference.callee(node, site.scope))
        return Known(tuple(_constants(node, function, skips_self, known)), cls, is_exact)

    def _receiver(self, site: CallSite, known: Known) -> tuple[Class | None, bool, bool]:
        """The class of the object whose method a site runs, whether it is exactly that, and whether it is the caller's own `self`."""
        node = site.node.func if isinstance(site.node, tree.Call) else site.node
        scope = site.scope
        if isinstance(scope, Function) and isinstance(node, tree.Attribute) and scope.owner is not None:
            if isinstance(node.value, tree.Name) and node.value.id == scope.self_name:
                return known.cls, known.is_exact, True
            if any(isinstance(value, Super) for value in self._inference.values(node.value, scope)):
                return known.cls, known.is_exact, False
        found = {(value.cls, value.is_exact) for value in self._objects(site.node, scope)}
        return (*found.pop(), False) if len(found) == 1 else (None, False, False)

    def _objects(self, node: tree.Node, scope: Body) -> Iterator[Instance]:
        if isinstance(node, tree.Call):
            for value in self._inference.callee(node, scope):
                if isinstance(value, Class):
                    yield Instance(value, is_exact=True)
                elif isinstance(value, Bound) and isinstance(value.receiver, Instance):
                    yield value.receiver
        elif isinstance(node, tree.Attribute):
            yield from (value for value in self._inference.values(node.value, scope) if isinstance(value, Instance))

    def _is_of(self, function: Function, cls: Class, is_exact: bool) -> bool:
        """Whether a method found by name is the one that an object of this class has."""
        members = self._inference.members
        if function.owner is None:
            return True
        classes = [cls] if is_exact else [cls, *members.subclasses(cls)]
        return any(members.method(possible, function.name) in (function, None) for possible in classes)


def can_run(site: CallSite, known: Known) -> bool:
    """Whether a site is in no arm, and behind no early exit, that is ruled out by what is known of its function's parameters."""
    if not known.constants:
        return True
    block = site.site.block
    if any(_is_ruled_out(around, known) for around in block.ancestors()):
        return False
    return not any(
        exit_.leaves
        and exit_.end <= site.node.start
        and exit_.parent is not None
        and exit_.parent.holds(block)
        and _is_sure(exit_, known)
        for exit_ in site.scope.blocks
    )


def _is_ruled_out(block: Block, known: Known) -> bool:
    truth = _arm_truth(block, known)
    return truth is False


def _is_sure(block: Block, known: Known) -> bool:
    return _arm_truth(block, known) is True


def _arm_truth(block: Block, known: Known) -> bool | None:
    """Whether the arm of an `if` runs, None if that is unknown."""
    if not isinstance(block.statement, tree.If) or block.arm not in ("then", "else"):
        return None
    truth = _truth(block.statement.test, known)
    return truth if truth is None or block.arm == "then" else not truth


def _constants(node: tree.Call, function: Function, skips_self: bool, known: Known) -> Iterator[tuple[str, object]]:
    for name, param in function.params.items():
        if name == function.self_name or param.kind in ("star", "double") or len(function.bindings.get(name, ())) > 1:
            continue
        expr = passed(function, param, node, skips_self)
        value = _value(param.default, NOTHING_KNOWN) if expr is None else _value(expr, known)
        if value is not None:
            yield name, value[0]


def _value(expr: tree.Node | None, known: Known) -> tuple[object] | None:
    """The value of an expression, in a tuple, if it is known."""
    if isinstance(expr, tree.Const) and expr.kind in ("bool", "none", "int", "str"):
        return (expr.value,)
    return known.constant(expr.id) if isinstance(expr, tree.Name) else None


def _truth(expr: tree.Node, known: Known) -> bool | None:
    value = _value(expr, known)
    if value is not None:
        return bool(value[0])
    if not isinstance(expr, tree.Operation):
        return None
    if expr.op in ("is", "is not", "==", "!=") and len(expr.operands) == 2:
        left, right = (_value(operand, known) for operand in expr.operands)
        return None if left is None or right is None else (left == right) == (expr.op in ("is", "=="))
    truths = [_truth(operand, known) for operand in expr.operands]
    if expr.op == "not":
        return None if truths[0] is None else not truths[0]
    if expr.op in ("and", "or"):
        decisive = expr.op == "or"
        return decisive if decisive in truths else None if None in truths else not decisive
    return None


def _hides_arguments(node: tree.Call) -> bool:
    return any(keyword.name is None for keyword in node.keywords) or any(isinstance(arg, tree.Starred) for arg in node.args)
