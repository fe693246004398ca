"""The syntax tree of one module, reduced to what a review needs.

It is the only form in which the rest of asyncvet sees source code: independent of the parser, of the
interpreter that runs the tool, compact, and serialisable. `start` and `end` are byte offsets into the
UTF-8 form of the file; `ModuleFacts.span` turns them into lines and columns.

A node that the parser could not make sense of is left out; what parses around it is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import msgspec

from asyncvet.model import Span


class Node(msgspec.Struct, gc=False, array_like=True, tag=True, eq=False):
    """Anything with a place in the file."""

    start: int
    end: int


# --- expressions ---------------------------------------------------------------------------------


class Expr(Node):
    """An expression. A bare `Expr` stands for one whose kind does not matter (ellipsis, error)."""


class Name(Expr):
    id: str


class Const(Expr):
    """A literal. Bytes are given as an empty string with kind ``bytes``; strings keep 200 characters at most.

    kind: ``str``, ``bytes``, ``int``, ``float``, ``complex``, ``bool`` or ``none``. Adjacent strings are joined. The value of a
    complex is its imaginary part; that of an integer beyond 64 bits is None.
    """

    kind: str
    value: str | int | float | bool | None


class Attribute(Expr):
    value: Expression
    attr: str


class Call(Expr):
    """`args` holds positional ones (a `Starred` for ``*x``); a keyword named None is ``**x``."""

    func: Expression
    args: list[Expression]
    keywords: list[Keyword]


class Keyword(Node):
    name: str | None
    value: Expression


class Await(Expr):
    value: Expression


class Yield(Expr):
    """`yield`, or with `is_from` `yield from`."""

    value: Expression | None
    is_from: bool


class Starred(Expr):
    value: Expression


class Subscript(Expr):
    value: Expression
    index: Expression


class Sequence(Expr):
    """A display. kind: ``list``, ``tuple`` or ``set``."""

    kind: str
    items: list[Expression]


class Dict(Expr):
    """`keys[i]` is None for ``**values[i]``."""

    keys: list[Expression | None]
    values: list[Expression]


class Operation(Expr):
    """An operator over operands, in the order of the text.

    op: a binary operator (``+``, ``%``, ``@``...), ``and``, ``or`` (a run of the same one is one node; so is a chain of
    hundreds, with the operators joined by a space), ``not``, a unary one as ``u-``, ``u+``, ``u~``, a comparison (``==``,
    ``is not``, ``not in``..., one node with all operands, `op` the operators joined by a space when
    chained), ``if`` (test, then, else), ``slice``, or ``fstring`` (the text that it begins with, if any, and the interpolated
    expressions; also for t-strings).
    """

    op: str
    operands: list[Expression]


class NamedExpr(Expr):
    target: Name
    value: Expression


class Lambda(Expr):
    params: list[Param]
    body: Expression


class Generator(Node):
    """One `for` clause of a comprehension, with its conditions."""

    target: Expression
    iter: Expression
    ifs: list[Expression]
    is_async: bool


class Comprehension(Expr):
    """kind: ``list``, ``set``, ``dict`` or ``generator``. `element` is the value of a dict, whose key is `key`."""

    kind: str
    element: Expression
    generators: list[Generator]
    key: Expression | None = None


Expression = (
    Expr
    | Name
    | Const
    | Attribute
    | Call
    | Await
    | Yield
    | Starred
    | Subscript
    | Sequence
    | Dict
    | Operation
    | NamedExpr
    | Lambda
    | Comprehension
)


# --- statements ----------------------------------------------------------------------------------


class Param(Node):
    """kind: ``positional`` (before ``/``), ``normal``, ``star`` (``*args``), ``keyword`` (after ``*``), ``double`` (``**kw``)."""

    name: str
    kind: str
    annotation: Expression | None
    default: Expression | None


class Stmt(Node):
    """A statement. A bare `Stmt` is one that does nothing here (pass, type alias, error)."""


class ExprStmt(Stmt):
    value: Expression


class Assign(Stmt):
    """`targets` has several entries for ``a = b = value``; a bare annotation has no value."""

    targets: list[Expression]
    value: Expression | None
    annotation: Expression | None = None


class AugAssign(Stmt):
    """op without the equals sign: ``+`` for ``+=``."""

    target: Expression
    op: str
    value: Expression


class Return(Stmt):
    value: Expression | None


class Raise(Stmt):
    """`cause` is None without ``from``; ``from None`` gives a `Const` of kind none."""

    exc: Expression | None
    cause: Expression | None


class Assert(Stmt):
    test: Expression
    message: Expression | None = None


class Delete(Stmt):
    targets: list[Expression]


class Jump(Stmt):
    """kind: ``break`` or ``continue``."""

    kind: str


class Scope(Stmt):
    """`global` or `nonlocal`."""

    kind: str
    names: list[str]


class Import(Stmt):
    """`import a.b as c`: names holds (``a.b``, ``c`` or None)."""

    names: list[tuple[str, str | None]]


class ImportFrom(Stmt):
    """`from ..m import a as b`: level counts the dots, module is ``m`` or empty, ``*`` is a name like another."""

    level: int
    module: str
    names: list[tuple[str, str | None]]


class If(Stmt):
    """An `elif` is an `If` alone in `orelse`."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]


class While(Stmt):
    test: Expression
    body: list[Statement]
    orelse: list[Statement]


class For(Stmt):
    target: Expression
    iter: Expression
    body: list[Statement]
    orelse: list[Statement]
    is_async: bool


class WithItem(Node):
    value: Expression
    target: Expression | None


class With(Stmt):
    items: list[WithItem]
    body: list[Statement]
    is_async: bool


class Handler(Node):
    """`exc` is None for a bare except; several types are a `Sequence`."""

    exc: Expression | None
    name: str | None
    body: list[Statement]


class Try(Stmt):
    body: list[Statement]
    handlers: list[Handler]
    orelse: list[Statement]
    final: list[Statement]
    is_group: bool


class Case(Node):
    """`names` are the names the pattern binds, in order; `patterns` the values and classes it names."""

    patterns: list[Expression]
    names: list[str]
    guard: Expression | None
    body: list[Statement]


class Match(Stmt):
    subject: Expression
    cases: list[Case]


class FunctionDef(Stmt):
    """`start` is that of ``def`` or ``async`` (after decorators); `name_start` that of the name."""

    name: str
    name_start: int
    params: list[Param]
    returns: Expression | None
    body: list[Statement]
    decorators: list[Expression]
    is_async: bool
    docstring: bool = False


class ClassDef(Stmt):
    name: str
    name_start: int
    bases: list[Expression]
    keywords: list[Keyword]
    body: list[Statement]
    decorators: list[Expression]


Statement = (
    Stmt
    | ExprStmt
    | Assign
    | AugAssign
    | Return
    | Raise
    | Assert
    | Delete
    | Jump
    | Scope
    | Import
    | ImportFrom
    | If
    | While
    | For
    | With
    | Try
    | Match
    | FunctionDef
    | ClassDef
)


class Comment(msgspec.Struct, gc=False, array_like=True):
    """A comment that speaks to a tool (holds ``asyncvet`` or ``noqa``), or a specification's marker."""

    start: int
    text: str
    own_line: bool


class Broken(msgspec.Struct, gc=False, array_like=True):
    """A stretch of the file that does not parse, or the reason why none of it was read (line None)."""

    line: int | None
    message: str


class ModuleFacts(msgspec.Struct, gc=False, array_like=True):
    """What one file says on its own: a pure function of its bytes.

    Attributes:
        body: Top-level statements.
        comments: Comments that tools look at, in order.
        broken: What could not be read, in order.
        line_starts: Byte offset at which each line starts (UTF-8 form), first is 0.
        wide: Offsets of UTF-8 continuation bytes, ascending; empty for ASCII files.
        lines: Number of lines.
        is_generated: The file says it is generated ("DO NOT EDIT", "@generated" in its first lines).
    """

    body: list[Statement]
    comments: list[Comment]
    broken: list[Broken]
    line_starts: list[int]
    wide: list[int]
    lines: int
    is_generated: bool = False

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1 and in characters, of a byte offset."""
        line = bisect_right(self.line_starts, offset)
        start = self.line_starts[line - 1]
        column = offset - start + 1
        if self.wide:
            column -= bisect_left(self.wide, offset) - bisect_left(self.wide, start)
        return line, column

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a line and column, as `position` gives them."""
        start = self.line_starts[line - 1]
        offset = start + column - 1
        if self.wide:
            index = bisect_left(self.wide, start)
            while index < len(self.wide) and self.wide[index] <= offset:
                offset += 1
                index += 1
        return offset

    def span(self, path: str, start: int, end: int) -> Span:
        """The stretch of the file at `path` between two byte offsets."""
        return Span(path, *self.position(start), *self.position(end))
