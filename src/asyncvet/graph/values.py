"""What an expression can be at run time, as far as the source tells: the values that inference computes with.

A `Module`, `Class` or `Function` stands for itself. The other values are here. All are hashable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from asyncvet.facts import tree
from asyncvet.graph.scopes import Class, Function, Module


class _Hashed:
    """Remembers its hash: values nest deeply and are looked up often."""

    __slots__ = ("_hash",)
    _hash: int

    def __post_init__(self) -> None:
        kind = type(self)
        object.__setattr__(self, "_hash", hash((kind.__name__, attrgetter(*kind.__slots__)(self))))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Namespace(_Hashed):
    """A package with no ``__init__.py``."""

    folder: str
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Instance(_Hashed):
    """An instance of a class of the project; `is_exact` if it was seen being made, so that it is of no subclass."""

    cls: Class
    is_exact: bool = False
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Bound(_Hashed):
    """A method with the object it was read from."""

    function: Value
    receiver: Value
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Wrapped(_Hashed):
    """What a decorator of the project makes of a function: calling it runs `wrapper`, which may call `inner`.

    `param` is the parameter of `decorator` that holds `inner`.
    """

    wrapper: Function
    decorator: Function
    param: str
    inner: Value
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Symbol(_Hashed):
    """A name of a library: a module, class, function or method, by its canonical dotted path."""

    path: str
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Object:
    """An instance of a class of a library; `made_by` is the call that made it, where that is known."""

    path: str
    made_by: tree.Call | None = None

    def __hash__(self) -> int:
        return hash((self.path, id(self.made_by)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and self.path == other.path and self.made_by is other.made_by


@dataclass(frozen=True, slots=True)
class Partial(_Hashed):
    """`functools.partial` of something."""

    function: Value
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Coroutine(_Hashed):
    """The result of calling an `async def`, or anything else whose `await` gives `result`."""

    function: Function | None
    result: Values = ()
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class GeneratorOf(_Hashed):
    """The result of calling a generator function: its body runs when it is iterated, or entered if a context manager."""

    function: Function
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Container(_Hashed):
    """kind: ``list``, ``set``, ``tuple``, ``dict`` (elements are the values) or ``iterator``."""

    kind: str
    elements: Values
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Tuple(_Hashed):
    """A tuple whose items are known one by one."""

    items: tuple[Values, ...]
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Text(_Hashed):
    """A string literal."""

    value: str
    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Super(_Hashed):
    """`super()` in a method of `cls`."""

    cls: Class
    receiver: Value
    __hash__ = _Hashed.__hash__


Value = (
    Module
    | Class
    | Function
    | Namespace
    | Instance
    | Bound
    | Wrapped
    | Symbol
    | Object
    | Partial
    | Coroutine
    | GeneratorOf
    | Container
    | Tuple
    | Text
    | Super
)
Values = tuple[Value, ...]
"""Distinct values in the order in which they were found, so that results never depend on hashes."""

NOTHING: Values = ()
LIMIT = 24
"""More possibilities than this tell nothing worth a finding."""


def is_empty(value: Value) -> bool:
    """Whether a value is a container of which it is not known what it holds: `{}` that is filled elsewhere."""
    return isinstance(value, Container) and all(map(is_empty, value.elements))


def union(parts: Iterable[Values]) -> Values:
    """All values of the parts, each once."""
    merged: dict[Value, None] = {}
    for part in parts:
        for value in part:
            merged[value] = None
    return tuple(merged) if len(merged) <= LIMIT else tuple(merged)[:LIMIT]
