"""Finds where an object is bound early, by `from time import sleep` and its like, and binds another one there."""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Iterable
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

# The import system's own; and what stands in must keep what it stands for.
_LEFT_ALONE = (
    "_thread",
    "_imp",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
)
_OWN = "asyncvet.monitor."


class Pair(NamedTuple):
    """An object, and the one to be bound in its place."""

    original: Any
    replacement: Any

    def reversed(self) -> Pair:
        """The same the other way round."""
        return Pair(self.replacement, self.original)


def rebind(pairs: Iterable[Pair], unbound: Pair) -> None:
    """Bind the replacement of each pair wherever its original is bound.

    In the globals of all modules first. What else refers to an original is told by its count of references, and found by the
    garbage collector: attributes of classes and objects, containers, closures, defaults of parameters, partial functions.
    Local variables of functions that run, tuples, and methods that are bound already stay as they are. Classes are rebound in
    globals only: their subclasses and objects refer to them, too.

    Args:
        pairs: What to bind in the place of what.
        unbound: A pair made in the same way whose original is bound nowhere.
    """
    pairs = list(pairs)
    replacements = {id(pair.original): pair.replacement for pair in pairs}
    if not replacements:
        return
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and not _is_left_alone(name):
            _rebind_dict(vars(module), replacements)
    usual = sys.getrefcount(unbound.original)
    bound = [pair for pair in pairs if not isinstance(pair.original, type) and sys.getrefcount(pair.original) > usual]
    if not bound:
        return
    is_frozen = gc.get_freeze_count() > 0
    if is_frozen:
        gc.unfreeze()  # the collector does not look at what is frozen
    _rebind_holders(bound, replacements)
    if is_frozen:
        gc.freeze()


def _is_left_alone(name: str) -> bool:
    return name in _LEFT_ALONE or name.startswith(_OWN)


def _rebind_holders(pairs: list[Pair], replacements: dict[int, Any]) -> None:
    originals = [pair.original for pair in pairs]
    own = {id(originals), id(replacements), *map(id, pairs)}
    for pair in pairs:
        for function in pair:
            if isinstance(function, FunctionType):
                own |= {id(vars(function)), *map(id, function.__closure__ or ())}
    own |= {id(vars(module)) for name, module in list(sys.modules.items()) if _is_left_alone(name)}
    for holder in gc.get_referrers(*originals):
        if id(holder) not in own and not isinstance(holder, FrameType | ModuleType | Pair):
            _rebind_in(holder, replacements)


def _rebind_in(holder: Any, replacements: dict[int, Any]) -> None:  # noqa: ANN401
    if isinstance(holder, dict):
        owner = _class_of(holder)
        if owner is None:
            _rebind_dict(holder, replacements)
        else:
            _rebind_class(owner, replacements)
    elif isinstance(holder, list):
        _rebind_list(holder, replacements)
    elif isinstance(holder, CellType):
        holder.cell_contents = replacements[id(holder.cell_contents)]
    elif isinstance(holder, tuple):
        _rebind_defaults(holder, replacements)
    elif isinstance(holder, functools.partial):
        state = holder.__reduce__()[2]
        holder.__setstate__((_new(state[0], replacements), *state[1:]))  # type: ignore[attr-defined]
    elif isinstance(holder, staticmethod):
        for owner in filter(None, map(_class_of, gc.get_referrers(holder))):
            _rebind_class(owner, replacements)
    else:
        _rebind_object(holder, replacements)


def _new(value: Any, replacements: dict[int, Any]) -> Any:  # noqa: ANN401
    return replacements.get(id(value), value)


def _rebind_dict(namespace: dict[Any, Any], replacements: dict[int, Any]) -> None:
    for key, value in list(namespace.items()):
        if id(value) in replacements:
            namespace[key] = replacements[id(value)]


def _rebind_list(values: list[Any], replacements: dict[int, Any]) -> None:
    for place, value in enumerate(values):
        if id(value) in replacements:
            values[place] = replacements[id(value)]


def _class_of(namespace: object) -> type | None:
    """The class whose attributes a dictionary is, if it is that: they must be set by way of the class."""
    if not isinstance(namespace, dict) or "__module__" not in namespace or "__builtins__" in namespace:
        return None
    return next((holder for holder in gc.get_referrers(namespace) if isinstance(holder, type)), None)


def _rebind_class(owner: type, replacements: dict[int, Any]) -> None:
    """Bind in a class. What is written in C binds no `self`, and what stands in for it must not, either."""
    for key, value in list(vars(owner).items()):
        inner = value.__func__ if isinstance(value, staticmethod) else value
        replacement = replacements.get(id(inner))
        if replacement is not None:
            is_bare = isinstance(inner, FunctionType) and not isinstance(replacement, FunctionType)
            setattr(owner, key, replacement if is_bare else staticmethod(replacement))


def _rebind_defaults(values: tuple[Any, ...], replacements: dict[int, Any]) -> None:
    changed = tuple(_new(value, replacements) for value in values)
    for function in gc.get_referrers(values):
        if isinstance(function, FunctionType) and function.__defaults__ is values:
            function.__defaults__ = changed
        elif isinstance(function, functools.partial) and function.args is values:
            state = function.__reduce__()[2]
            function.__setstate__((state[0], changed, *state[2:]))  # type: ignore[attr-defined]


def _rebind_object(holder: Any, replacements: dict[int, Any]) -> None:  # noqa: ANN401
    """Bind in the attributes of an object: in its dictionary, or in its slots."""
    slots = [slot for base in type(holder).__mro__ for slot in vars(base).get("__slots__", ()) if isinstance(slot, str)]
    for name in (*getattr(holder, "__dict__", {}), *slots):
        try:
            value = object.__getattribute__(holder, name)
            if id(value) in replacements:
                object.__setattr__(holder, name, replacements[id(value)])
        except (AttributeError, TypeError):
            continue
