"""The notation in which the catalogue says what a call, an attribute or a protocol gives."""

from __future__ import annotations

import functools
import re
from typing import Literal, cast

import msgspec

Kind = Literal[
    "class", "self", "argument", "union", "list", "dict", "iterator", "tuple", "async-iterator", "context", "async-context"
]

_CONTAINERS = ("list", "dict", "iterator", "tuple", "async-iterator", "context", "async-context")
_TOKEN = re.compile(r"\s*([A-Za-z_][\w.-]*|[\[\],|]|$)")


class TypeRef(msgspec.Struct, frozen=True):
    """A type as the catalogue writes it.

    Attributes:
        kind: ``class`` for an instance of `name`; ``self`` for the receiver; ``argument`` for the first argument or an instance
            of it; ``union`` for any of `items`; a container of `items[0]` otherwise (``dict``: of its values; ``context``: what
            `with` opens). A ``tuple`` of several items has them in their order.
        name: The dotted name of a class.
        items: The types inside.
    """

    kind: Kind
    name: str = ""
    items: tuple[TypeRef, ...] = ()


@functools.cache
def parse_type(notation: str) -> TypeRef:
    """Read a type such as ``list[pathlib.Path]``, ``self`` or ``a.B | a.C``.

    Raises:
        ValueError: The notation is not one of `Api.returns`; the message says what is wrong.
    """
    tokens = _tokens(notation)
    parsed = _union(tokens, notation)
    if tokens[-1] != "":
        raise ValueError(f'type "{notation}" goes on after its end, at "{tokens[-1]}"')
    return parsed


def _tokens(notation: str) -> list[str]:
    """The tokens, last one first, with an empty one for the end."""
    tokens: list[str] = []
    position = 0
    while not tokens or tokens[-1] != "":
        match = _TOKEN.match(notation, position)
        if match is None:
            raise ValueError(f'type "{notation}" has a character that no type has, at "{notation[position:].strip()}"')
        tokens.append(match[1])
        position = match.end()
    return tokens[::-1]


def _union(tokens: list[str], notation: str) -> TypeRef:
    items = [_single(tokens, notation)]
    while tokens[-1] == "|":
        tokens.pop()
        items.append(_single(tokens, notation))
    return items[0] if len(items) == 1 else TypeRef("union", items=tuple(items))


def _single(tokens: list[str], notation: str) -> TypeRef:
    name = tokens.pop()
    if name == "" or name in "[],|":
        raise ValueError(f'type "{notation}" lacks a name' + (f' before "{name}"' if name else " at its end"))
    if tokens[-1] == "[":
        return TypeRef(_container(name, notation), items=_items(tokens, notation))
    if name in ("self", "argument", *_CONTAINERS):
        return TypeRef(cast(Kind, name))
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f'type "{notation}" has "{name}", which is not a dotted name')
    return TypeRef("class", name)


def _container(name: str, notation: str) -> Kind:
    if name not in _CONTAINERS:
        raise ValueError(f'type "{notation}" has "{name}[...]", where only these hold others: {", ".join(_CONTAINERS)}')
    return cast(Kind, name)


def _items(tokens: list[str], notation: str) -> tuple[TypeRef, ...]:
    items: list[TypeRef] = []
    while tokens[-1] in ("[", ","):
        tokens.pop()
        items.append(_union(tokens, notation))
    if tokens[-1] != "]":
        raise ValueError(f'type "{notation}" has a bracket that is not closed')
    tokens.pop()
    return tuple(items)
