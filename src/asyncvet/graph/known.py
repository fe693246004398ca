"""What is known inside a function from the way on which it was reached, and what conditions come to with that knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asyncvet.facts import tree
from asyncvet.graph.scopes import Class, dotted, last_name
from asyncvet.graph.values import Values

TYPES = frozenset({"bytes", "dict", "frozenset", "int", "list", "none", "set", "str", "tuple", "type", "Path"})
"""Types that have nothing in common: what is of one is of no other. (A `bool` is an `int`, and an `int` may stand for a `float`.)"""


OTHER = "other"
"""The type of a file in memory that was seen being made, and so is of none of `TYPES`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known inside a function from the way on which it was reached.

    Attributes:
        constants: Parameters that hold a literal, with its value, and the offset from which on they may hold something else.
        types: Parameters that hold an object of one of `TYPES`, with its name and such an offset.
        truths: Attributes of `self`, as the function writes them, and whether they are true.
        keywords: The name of the function's ``**`` parameter, and all names that it can hold; None if that is unknown.
        values: Parameters through which the function calls something, with what they can be, and such an offset.
        cls: The class of `self`; with `is_exact`, no subclass of it.
    """

    constants: tuple[tuple[str, object, int], ...] = ()
    types: tuple[tuple[str, str, int], ...] = ()
    truths: tuple[tuple[str, bool], ...] = ()
    keywords: tuple[str, frozenset[str]] | None = None
    values: tuple[tuple[str, Values, int], ...] = ()
    cls: Class | None = None
    is_exact: bool = False

    @property
    def decides(self) -> bool:
        """A condition may come to something with it."""
        return bool(self.constants or self.types or self.truths or self.keywords)


NOTHING_KNOWN = Known()


def value(expr: tree.Node | None, known: Known) -> tuple[object] | None:
    """The value of an expression, in a tuple, if it is known."""
    if isinstance(expr, tree.Const) and expr.kind in ("bool", "none", "int", "str"):
        return (expr.value,)
    if isinstance(expr, tree.Name):
        return next(((value,) for name, value, until in known.constants if name == expr.id and expr.start < until), None)
    if isinstance(expr, tree.NamedExpr):
        return value(expr.value, known)
    return _missing(expr, known) if isinstance(expr, tree.Call) else None


def type_of(name: tree.Name, known: Known) -> str:
    """Which of `TYPES` a name stands for, empty if that is unknown."""
    return next((kind for param, kind, until in known.types if param == name.id and name.start < until), "")


def values_of(name: tree.Name, known: Known) -> Values:
    """What a name stands for, empty if that is unknown."""
    return next((values for param, values, until in known.values if param == name.id and name.start < until), ())


def truth(expr: tree.Node, known: Known) -> bool | None:
    """Whether a condition holds, None if that is unknown."""
    found = value(expr, known)
    if found is not None:
        return bool(found[0])
    if isinstance(expr, tree.Attribute):
        return next((truth for name, truth in known.truths if name == dotted(expr)), None)
    if isinstance(expr, tree.Call):
        ask = _ASKED.get(last_name(expr.func), _has_affix)
        return ask(expr, known)
    if not isinstance(expr, tree.Operation):
        return None
    if len(expr.operands) == 2 and expr.op in ("is", "is not", "==", "!=", "in", "not in"):
        return _comparison(expr, known)
    truths = [truth(operand, known) for operand in expr.operands]
    if expr.op == "not":
        return None if truths[0] is None else not truths[0]
    if expr.op in ("and", "or"):
        decisive = expr.op == "or"
        return decisive if decisive in truths else None if None in truths else not decisive
    return None


def _comparison(expr: tree.Operation, known: Known) -> bool | None:
    first, second = expr.operands
    left, right = value(first, known), value(second, known)
    if right == (None,) and isinstance(first, tree.Name) and type_of(first, known) == OTHER:
        return expr.op in ("is not", "!=")
    if expr.op in ("in", "not in"):
        is_absent = left is not None and _is_rest(second, known) and left[0] not in _passed(known)
        return expr.op == "not in" if is_absent else None
    return None if left is None or right is None else (left == right) == (expr.op in ("is", "=="))


def _missing(call: tree.Call, known: Known) -> tuple[object] | None:
    """What `options.pop("name", None)` gives where the call passed no such keyword."""
    func = call.func
    if not (isinstance(func, tree.Attribute) and func.attr in ("get", "pop") and call.args and _is_rest(func.value, known)):
        return None
    key = value(call.args[0], known)
    if key is None or key[0] in _passed(known):
        return None
    if len(call.args) > 1:
        return value(call.args[1], known)
    return (None,) if func.attr == "get" else None


def _is_rest(expr: tree.Node, known: Known) -> bool:
    return known.keywords is not None and isinstance(expr, tree.Name) and expr.id == known.keywords[0]


def _passed(known: Known) -> frozenset[str]:
    return known.keywords[1] if known.keywords is not None else frozenset()


def _is_of_type(call: tree.Call, known: Known) -> bool | None:
    """Whether `isinstance(name, kinds)` is ruled out. That it holds is not concluded: what is annotated so may be None."""
    if len(call.args) != 2 or not isinstance(call.args[0], tree.Name):
        return None
    kind, kinds = type_of(call.args[0], known), call.args[1]
    names = {last_name(item) for item in (kinds.items if isinstance(kinds, tree.Sequence) else [kinds])}
    return False if kind and names <= TYPES and kind not in names else None


def _has_affix(call: tree.Call, known: Known) -> bool | None:
    """Whether a known text has the beginning or the end that `name.startswith("...")` asks for."""
    func = call.func
    if not (isinstance(func, tree.Attribute) and func.attr in ("startswith", "endswith") and len(call.args) == 1):
        return None
    text, affix = value(func.value, known), value(call.args[0], known)
    if text is None or affix is None or not isinstance(text[0], str) or not isinstance(affix[0], str):
        return None
    return text[0].startswith(affix[0]) if func.attr == "startswith" else text[0].endswith(affix[0])


def _has_method(call: tree.Call, known: Known) -> bool | None:
    """Whether `hasattr(name, "write")` holds: a file in memory has what files have."""
    if len(call.args) != 2 or not isinstance(call.args[0], tree.Name) or type_of(call.args[0], known) != OTHER:
        return None
    attr = value(call.args[1], known)
    return True if attr is not None and attr[0] in _OF_FILES else None


_OF_FILES = frozenset({"read", "write", "seek", "close", "readline", "getvalue"})
_ASKED: Mapping[str, Callable[[tree.Call, Known], bool | None]] = {"isinstance": _is_of_type, "hasattr": _has_method}
