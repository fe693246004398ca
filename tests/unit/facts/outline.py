"""A tree of facts as one line of text, without its places, which tests/property compares with the interpreter's parser."""

from __future__ import annotations

import msgspec

from asyncvet.facts import extract
from asyncvet.facts.tree import Const, Name, Param

_PLACES = {"start", "end", "name_start"}


def outline(value: object) -> str:
    """A node as a call of its class with its fields in order; a name as itself, a constant as kind and value."""
    if isinstance(value, Name):
        return value.id
    if isinstance(value, Const):
        return f"{value.kind}:{value.value!r}"
    if isinstance(value, Param):
        annotation = f": {outline(value.annotation)}" if value.annotation else ""
        default = f" = {outline(value.default)}" if value.default else ""
        return f"{value.kind} {value.name}{annotation}{default}"
    if isinstance(value, msgspec.Struct):
        fields = (outline(getattr(value, name)) for name in value.__struct_fields__ if name not in _PLACES)
        return f"{type(value).__name__}({', '.join(fields)})"
    if isinstance(value, list):
        return f"[{', '.join(map(outline, value))}]"
    return repr(value)


def statements(text: str) -> list[str]:
    """The outlines of the statements of a module that parses."""
    facts = extract(text.encode())
    assert facts.broken == []
    return [outline(statement) for statement in facts.body]


def statement(text: str) -> str:
    """The outline of the one statement of a module that parses."""
    (only,) = statements(text)
    return only


def expression(text: str) -> str:
    """The outline of an expression."""
    outlined = statement(text)
    assert outlined.startswith("ExprStmt(")
    return outlined[len("ExprStmt(") : -1]
