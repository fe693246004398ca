"""What the expressions in a registration refer to: things of libraries, and functions of the project."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.entry_points import View
from asyncvet.graph.scopes import Class, Function, Scope
from asyncvet.graph.values import Bound, Instance, Object, Super, Symbol, Value, Wrapped


def origins(expr: tree.Expression, scope: Scope, view: View) -> Iterator[str]:
    """Dotted paths of the library's function that an expression names, or of the class whose method it is."""
    for value in view.inference.values(expr, scope):
        yield from _paths(value, view)
    if isinstance(expr, tree.Attribute):
        for value in view.inference.values(expr.value, scope):
            yield from _paths(value, view)


def is_of(expr: tree.Expression, scope: Scope, view: View, homes: tuple[str, ...]) -> bool:
    """Whether an expression comes from one of `homes`: packages, modules, classes or functions of libraries."""
    return any(is_under(path, homes) for path in origins(expr, scope, view))


def is_under(path: str, homes: tuple[str, ...]) -> bool:
    """Whether a dotted path is one of `homes` or lies in one of them."""
    return any(path == home or path.startswith(home + ".") for home in homes)


def functions(expr: tree.Expression | None, scope: Scope, view: View) -> Iterator[Function]:
    """The functions of the project that an argument hands over; of a class, what makes its instances."""
    for value in view.inference.values(expr, scope) if expr is not None else ():
        yield from functions_of(value, view)


def functions_of(value: Value, view: View) -> Iterator[Function]:
    """The functions of the project that calling a value runs first."""
    if isinstance(value, Bound):
        value = value.function
    if isinstance(value, Wrapped):
        value = value.wrapper
    if isinstance(value, Function):
        yield value
    elif isinstance(value, Class):
        method = view.inference.members.method(value, "__init__")
        if method is not None:
            yield method


def _paths(value: Value, view: View) -> Iterator[str]:
    if isinstance(value, Bound):
        yield from _paths(value.function, view)
        yield from _paths(value.receiver, view)
    elif isinstance(value, Symbol | Object):
        yield value.path
    elif isinstance(value, Instance | Super):
        yield from (base.path for base in view.inference.members.mro(value.cls) if isinstance(base, Symbol))
