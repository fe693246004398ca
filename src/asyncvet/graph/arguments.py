"""Which expression of a call goes to which parameter."""

from __future__ import annotations

from collections.abc import Sequence

from asyncvet.facts import tree
from asyncvet.graph.scopes import Function


def argument_at(call: tree.Call, argument: Sequence[str | int]) -> tree.Expression | None:
    """The argument of a call that goes to a parameter, given by name, position or both."""
    for key in argument:
        if isinstance(key, str):
            for keyword in call.keywords:
                if keyword.name == key:
                    return keyword.value
        elif 0 <= key < len(call.args) and not any(isinstance(arg, tree.Starred) for arg in call.args[: key + 1]):
            return call.args[key]
    return None


def passed(function: Function, param: tree.Param, call: tree.Call, skips_self: bool) -> tree.Expression | None:
    """The expression that a call passes for a parameter, None if it passes none or hides it behind a star."""
    for keyword in call.keywords:
        if keyword.name == param.name:
            return keyword.value
    if param.kind == "keyword":
        return None
    index = list(function.params).index(param.name) - (1 if skips_self and function.self_name else 0)
    if 0 <= index < len(call.args) and not any(isinstance(arg, tree.Starred) for arg in call.args[: index + 1]):
        return call.args[index]
    return None


def surplus(function: Function, param: tree.Param, call: tree.Call, skips_self: bool) -> list[tree.Expression]:
    """The expressions that a call passes for a parameter like ``*steps``."""
    index = list(function.params).index(param.name) - (1 if skips_self and function.self_name else 0)
    return call.args[max(index, 0) :]


def hides_arguments(call: tree.Call) -> bool:
    """Whether a call has `*args` or `**options`, behind which any argument can stand."""
    return any(keyword.name is None for keyword in call.keywords) or any(isinstance(arg, tree.Starred) for arg in call.args)
