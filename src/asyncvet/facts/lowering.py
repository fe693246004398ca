"""What the functions that lower syntax share: the file they read, the depth they may go to, the tables they are found in.

To lower a node of the parser's tree is to make the node of `facts.tree` that it stands for. One function does it for each kind
of node. It is found in a table by the number of the kind. There is one table a level of nesting, so that no function has to look
whether it may still go deeper: in the last tables `too_deep` stands for everything that has parts.
"""

from __future__ import annotations

import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Callable

import msgspec
from tree_sitter import Node

from asyncvet.facts import grammar
from asyncvet.facts.tree import Broken, Expr, Expression, Statement, Stmt

DEEPEST = 200
"""Levels of nesting that are read; the interpreter itself stops at 100 blocks and 200 brackets."""

STEEP = 2
"""Levels that a construct counts for which takes more stack than a call does: blocks, comprehensions, lambdas, format strings."""


class Lowering(msgspec.Struct):
    """One file on its way from the parser's tree to facts.

    Attributes:
        text: Its UTF-8 bytes, each as the character of that number: offsets into it are byte offsets.
        line_starts: See `ModuleFacts`.
        has_errors: Some of it does not parse.
        names: Identifiers seen, by their stretch of `text`.
        broken: What could not be read.
    """

    text: str
    line_starts: list[int]
    has_errors: bool
    names: dict[str, str] = {}
    broken: list[Broken] = []

    def new_name(self, raw: str) -> str:
        """The identifier written as `raw`, a stretch of `text`, normalised as the interpreter does it; kept in `names`."""
        name = raw
        if not raw.isascii():
            name = unicodedata.normalize("NFKC", raw.encode("latin-1").decode("utf-8", "replace"))
        self.names[raw] = name = sys.intern(name)
        return name

    def identifier(self, node: Node) -> str:
        """The identifier that `node` is; empty if it is missing."""
        raw = self.text[node.start_byte : node.end_byte]
        return self.names.get(raw) or self.new_name(raw)

    def report(self, offset: int, message: str) -> None:
        """Note that the text at `offset` could not be read."""
        self.broken.append(Broken(bisect_right(self.line_starts, offset), message))


LowerExpression = Callable[[Lowering, Node, int], Expression]
LowerStatement = Callable[[Lowering, Node, int], Statement]

EXPRESSIONS: list[dict[int, LowerExpression]] = [{} for _ in range(DEEPEST + STEEP)]
"""By depth, then by kind: how to lower an expression. What is no expression is not in it."""

STATEMENTS: list[dict[int, LowerStatement]] = [{} for _ in range(DEEPEST + STEEP)]
"""By depth, then by kind: how to lower a statement. What is no statement is not in it."""


def lowers_expression(*kinds: str, is_leaf: bool = False) -> Callable[[LowerExpression], LowerExpression]:
    """Enter a function into `EXPRESSIONS` under these kinds; a leaf has no parts and is read at any depth."""
    numbers = [grammar.kind(name) for name in kinds]

    def enter(function: LowerExpression) -> LowerExpression:
        for depth, table in enumerate(EXPRESSIONS):
            table.update(dict.fromkeys(numbers, function if is_leaf or depth < DEEPEST else too_deep))
        return function

    return enter


def lowers_statement(*kinds: str) -> Callable[[LowerStatement], LowerStatement]:
    """Enter a function into `STATEMENTS` under these kinds."""
    numbers = [grammar.kind(name) for name in kinds]

    def enter(function: LowerStatement) -> LowerStatement:
        for depth, table in enumerate(STATEMENTS):
            table.update(dict.fromkeys(numbers, function if depth < DEEPEST else _too_deep_statement))
        return function

    return enter


def opaque(_: Lowering, node: Node, __: int) -> Expression:
    """An expression whose kind does not matter, or that does not parse."""
    return Expr(node.start_byte, node.end_byte)


def too_deep(lowering: Lowering, node: Node, _: int) -> Expression:
    """What stands for an expression nested more than `DEEPEST` levels deep."""
    lowering.report(node.start_byte, f"nested more than {DEEPEST} levels deep: not read further")
    return Expr(node.start_byte, node.end_byte)


def _too_deep_statement(lowering: Lowering, node: Node, depth: int) -> Statement:
    too_deep(lowering, node, depth)
    return Stmt(node.start_byte, node.end_byte)
