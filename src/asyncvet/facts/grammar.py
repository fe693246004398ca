"""The parser, and the numbers it gives to the kinds of nodes."""

from __future__ import annotations

import tree_sitter_python
from tree_sitter import Language, Node, Parser

_language = Language(tree_sitter_python.language())
_parser = Parser(_language)

ERROR = 65535
"""The kind of a node that stands for text which does not parse."""


def parse(utf8: bytes) -> Node:
    """The root of the syntax tree; text that does not parse is in it as nodes of kind `ERROR`.

    The tree is right about places in `utf8`; what stands there is for the caller to look up.
    """
    # The grammar takes `type(x).y = z` for the statement `type X = Y`.
    return _parser.parse(utf8.replace(b"type(", b"typ_(")).root_node


def kind(name: str) -> int:
    """The number of a kind of node that the grammar names (``call``)."""
    return _checked(name, is_named=True)


def token(text: str) -> int:
    """The number of a keyword or a punctuation mark (``async``, ``,``)."""
    return _checked(text, is_named=False)


def _checked(name: str, *, is_named: bool) -> int:
    number = _language.id_for_node_kind(name, is_named)
    if number is None:
        raise LookupError(f"the grammar has no node kind {name!r}")
    return number


EXTRAS = frozenset({kind("comment"), kind("line_continuation"), ERROR})
"""Kinds that can stand between any two children of a node."""


def significant(node: Node) -> list[Node]:
    """The children that the grammar asks for, without comments, line continuations and errors."""
    return [child for child in node.children if child.kind_id not in EXTRAS]
