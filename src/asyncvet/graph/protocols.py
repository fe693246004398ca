"""Protocols: what `with` and `for` can do with a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncvet.graph.scopes import Class
from asyncvet.graph.values import Container, GeneratorOf, Instance, Object, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_NO_PROTOCOL = (
    "abc.",
    "typing.",
    "typing_extensions.",
    "builtins.object",
    "contextlib.AbstractAsyncContextManager",
    "collections.abc.Async",
)
"""Bases from which no class inherits `__enter__` or `__iter__`."""


def is_only_async_manager(project: Project, value: Value) -> bool:
    """Whether `async with` can enter a value, and `with` certainly cannot."""
    if isinstance(value, GeneratorOf):
        return value.function.is_async and value.function.is_context_manager
    if isinstance(value, Instance):
        return _has_only(project, value.cls, ("__aenter__",), ("__enter__", "__getattr__"))
    if isinstance(value, Object):
        kind = project.catalogue.type(value.path)
        return kind is not None and bool(kind.aenter) and not kind.enter and not project.catalogue.api(f"{value.path}.__enter__")
    return isinstance(value, Container) and value.kind == "async-context"


def is_only_async_iterable(project: Project, value: Value) -> bool:
    """Whether `async for` can iterate over a value, and `for` certainly cannot."""
    if isinstance(value, GeneratorOf):
        return value.function.is_async and not value.function.is_context_manager and not value.function.decorators
    if isinstance(value, Instance):
        return _has_only(project, value.cls, ("__aiter__",), ("__iter__", "__getitem__", "__getattr__"))
    if isinstance(value, Object):
        kind = project.catalogue.type(value.path)
        known = kind is not None and bool(kind.aiterates) and not kind.iterates and not kind.getitem
        return known and not project.catalogue.api(f"{value.path}.__iter__")
    return isinstance(value, Container) and value.kind == "async-iterator"


def _has_only(project: Project, cls: Class, wanted: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether a class and its subclasses have one of the methods wanted, none of the others, and no base that is not known."""
    members = project.inference.members
    if not any(members.method(cls, name) for name in wanted):
        return False
    family = [cls, *members.subclasses(cls)]
    if any(members.method(member, name) for member in family for name in others):
        return False
    order = members.mro(cls)
    known = all(isinstance(base, Class) or base.path.startswith(_NO_PROTOCOL) for base in order)
    return known and all(
        bool(project.values(base, part.parent or part.module))
        for part in order
        if isinstance(part, Class)
        for base in part.node.bases
    )
