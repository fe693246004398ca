"""Scopes: modules, classes and functions, what each binds, and where in its control flow.

Built from the facts of one module at a time; nothing here looks into another module.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from asyncvet.facts import tree
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph import walk


class Block:
    """A stretch of statements that run together: the body of a scope or one arm of a compound statement.

    Attributes:
        parent: The block that holds the compound statement, None for the body of a scope.
        owner: Identity of the compound statement (its start offset).
        arm: Which arm: ``body``, ``then``, ``else``, ``loop``, ``after``, ``try``, ``except``, the number of a case, or
            ``comprehension``.
        start, end: Offsets of its text.
        leaves: The block ends in return, raise, break or continue: what it binds does not reach beyond it.
    """

    __slots__ = ("arm", "depth", "end", "leaves", "owner", "parent", "start", "statement")

    def __init__(self, parent: Block | None, statement: tree.Node | None, arm: str, start: int = 0, end: int = 1 << 62) -> None:
        self.parent = parent
        self.statement = statement
        self.owner = statement.start if statement is not None else -1
        self.arm = arm
        self.leaves = False
        self.start = start
        self.end = end
        self.depth: int = parent.depth + 1 if parent else 0

    def ancestors(self) -> Iterator[Block]:
        """This block and those around it, innermost first."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent

    def holds(self, other: Block) -> bool:
        """Whether `other` is this block or lies in it."""
        while other.depth > self.depth:
            if other.parent is None:
                return False
            other = other.parent
        return other is self

    def excludes(self, other: Block) -> bool:
        """Whether the two never run in one pass: different arms of the same if or match."""
        arms = {block.owner: block.arm for block in self.ancestors() if block.arm in _EXCLUSIVE or block.arm.isdigit()}
        return any(
            arms.get(block.owner, block.arm) != block.arm
            for block in other.ancestors()
            if block.arm in _EXCLUSIVE or block.arm.isdigit()
        )

    def loops(self) -> Iterator[Block]:
        """The loop bodies around this block."""
        return (block for block in self.ancestors() if block.arm == "loop")


_EXCLUSIVE = frozenset({"then", "else"})


@dataclass(slots=True, eq=False)
class Binding:
    """One way in which a name of a scope gets a value.

    Attributes:
        kind: ``assign`` (value is the expression), ``unpack`` (value and the index path within it), ``for``, ``with``, ``import``,
            ``function``, ``class``, ``param``, ``except``, ``pattern``, ``augmented``, ``annotation`` (no value).
        from_: Offset from which it holds.
        owner: The class, if it is an attribute of `self` that is assigned.
    """

    name: str
    kind: str
    from_: int
    block: Block
    scope: Scope
    value: tree.Node | None = None
    annotation: tree.Expr | None = None
    path: tuple[int | str, ...] = ()
    imported: tuple[int, str, str | None] | None = None
    is_async: bool = False
    target: Function | Class | None = None
    owner: Class | None = None


@dataclass(slots=True, eq=False)
class Site:
    """An expression or statement of a scope that may run code of others, with where it stands.

    Attributes:
        node: A `Call`, `Attribute`, `Subscript`, `Operation`, `With`, `For`, `Comprehension`, `Starred` or `Yield` node, an `Assign`
            that unpacks, or an `AugAssign`.
        awaited: It is the direct operand of `await` (or the item of `async with`, the iterable of `async for`).
        use: What is done with an attribute or item: ``get``, ``set`` or ``delete``.
    """

    node: tree.Node
    block: Block
    awaited: bool = False
    statement: tree.Stmt | None = None
    use: Literal["get", "set", "delete"] = "get"


@dataclass(slots=True, eq=False)
class Check:
    """The arm of an `if` in which a name is of a type."""

    start: int
    end: int
    type: tree.Expression


def _tested(test: tree.Expression) -> Iterator[tuple[str, tree.Expression]]:
    """The names and types of `isinstance(name, type)`, also joined by `and`."""
    if isinstance(test, tree.Operation) and test.op == "and":
        for operand in test.operands:
            yield from _tested(operand)
    elif isinstance(test, tree.Call) and len(test.args) == 2 and last_name(test.func) == "isinstance":
        if isinstance(test.args[0], tree.Name):
            yield test.args[0].id, test.args[1]


def _refused(test: tree.Expression) -> Iterator[tuple[str, tree.Expression]]:
    """The same for what holds where the test does not: `if not isinstance(name, type): return`."""
    if isinstance(test, tree.Operation) and test.op == "not":
        yield from _tested(test.operands[0])


@dataclass(eq=False)
class Scope:
    """What module, class and function scopes share."""

    name: str
    qualname: str
    module: Module
    parent: Scope | None
    node: tree.ModuleFacts | tree.FunctionDef | tree.ClassDef | tree.Lambda
    bindings: dict[str, list[Binding]] = field(default_factory=dict, repr=False)
    blocks: list[Block] = field(default_factory=list, repr=False)
    """Its blocks in the order of the text, outer ones first."""
    assertions: list[tuple[tree.Assert, Block]] = field(default_factory=list, repr=False)
    _latest_first: dict[str, list[Binding]] = field(default_factory=dict, init=False, repr=False)

    def latest_first(self, name: str) -> list[Binding]:
        """The bindings of a name, the one that holds from furthest down first."""
        if name not in self._latest_first:
            self._latest_first[name] = sorted(self.bindings[name], key=lambda binding: -binding.from_)
        return self._latest_first[name]

    def has(self, node: tree.Node) -> bool:
        """Whether a node of this scope's module stands in its text."""
        own = self.node
        return not isinstance(own, tree.Node) or own.start <= node.start < own.end

    def block_at(self, offset: int) -> Block:
        """The innermost block that holds an offset."""
        index = bisect_right(self.blocks, offset, key=lambda block: block.start) - 1
        block = self.blocks[max(index, 0)]
        while block.end <= offset and block.parent is not None:
            block = block.parent
        return block

    @cached_property
    def checks(self) -> dict[str, list[Check]]:
        """The stretches in which a name is of a type that an `isinstance` test has found, innermost first."""
        found: dict[str, list[Check]] = {}
        for block in reversed(self.blocks):
            if isinstance(block.statement, tree.If) and block.arm == "then":
                for name, kind in _tested(block.statement.test):
                    found.setdefault(name, []).append(Check(block.start, block.end, kind))
                outer = block.parent if block.leaves else None
                for name, kind in _refused(block.statement.test) if outer is not None else ():
                    found.setdefault(name, []).append(Check(block.end, outer.end if outer is not None else 0, kind))
        for assertion, block in self.assertions:
            for name, kind in _tested(assertion.test):
                found.setdefault(name, []).append(Check(assertion.end, block.end, kind))
        return found

    @property
    def path(self) -> str:
        """Path of the file, relative to the root of the review."""
        return self.module.path

    def enclosing(self) -> Iterator[Scope]:
        """This scope and the ones around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


@dataclass(eq=False)
class Module(Scope):
    """A file of the project, or of an installed distribution (`is_external`)."""

    facts: ModuleFacts = field(default=None, repr=False)  # type: ignore[assignment]
    filename: str = ""
    is_external: bool = False
    functions: list[Function] = field(default_factory=list, repr=False)
    classes: list[Class] = field(default_factory=list, repr=False)
    sites: list[Site] = field(default_factory=list, repr=False)
    inner: dict[int, Function] = field(default_factory=dict, repr=False)
    """Functions and lambdas that its own body defines, by the start offset of their node."""
    imports: list[tuple[int, str]] = field(default_factory=list, repr=False)
    """Dotted modules imported with no alias: `import a.b` makes ``b`` an attribute of ``a``."""
    stars: list[Binding] = field(default_factory=list, repr=False)
    attribute_assignments: list[tuple[Function | Module, tree.Attribute, Binding]] = field(default_factory=list, repr=False)
    """Assignments to attributes of anything but `self`, with the scope whose code does it."""
    item_assignments: list[tuple[Function | Module, tree.Subscript, tree.Node | None]] = field(default_factory=list, repr=False)

    @cached_property
    def nodes(self) -> walk.Nodes:
        """The nodes of its own code."""
        return walk.Nodes(walk.body(self))

    @property
    def path(self) -> str:
        """Path of the file, relative to the root of the review."""
        return self.filename


@dataclass(eq=False)
class Class(Scope):
    """A class statement."""

    node: tree.ClassDef
    methods: dict[str, list[Function]] = field(default_factory=dict, repr=False)
    setters: dict[str, Function] = field(default_factory=dict, repr=False)
    """What assigning to a property calls."""
    attribute_bindings: dict[str, list[tuple[Function, Binding]]] = field(default_factory=dict, repr=False)
    """Assignments to ``self.name`` in its methods."""


@dataclass(eq=False)
class Function(Scope):
    """A function, method or lambda.

    Attributes:
        sites: What it may run itself, in the order of the text; nested functions have their own.
        returns, yields: The expressions it gives out, with their blocks.
        owner: The class whose method it is.
    """

    node: tree.FunctionDef | tree.Lambda
    owner: Class | None = None
    sites: list[Site] = field(default_factory=list, repr=False)
    returns: list[tuple[tree.Expr, Block]] = field(default_factory=list, repr=False)
    yields: list[tree.Yield] = field(default_factory=list, repr=False)
    awaits: list[tree.Node] = field(default_factory=list, repr=False)
    inner: dict[int, Function] = field(default_factory=dict, repr=False)
    """Functions and lambdas that its own body defines, by the start offset of their node."""
    globals: set[str] = field(default_factory=set, repr=False)
    nonlocals: set[str] = field(default_factory=set, repr=False)

    @cached_property
    def nodes(self) -> walk.Nodes:
        """The nodes of its own code."""
        return walk.Nodes(walk.body(self))

    @cached_property
    def is_lambda(self) -> bool:
        """It is a lambda."""
        return isinstance(self.node, tree.Lambda)

    @cached_property
    def is_async(self) -> bool:
        """It is an `async def` (also an asynchronous generator)."""
        return isinstance(self.node, tree.FunctionDef) and self.node.is_async

    @property
    def is_generator(self) -> bool:
        """It holds a yield of its own."""
        return bool(self.yields)

    @property
    def head(self) -> tree.Node:
        """Its `def` with its name: the place of what concerns it as a whole. All of a lambda."""
        if isinstance(self.node, tree.Lambda):
            return self.node
        return tree.Node(self.node.start, self.node.name_start + len(self.node.name.encode()))

    @cached_property
    def decorators(self) -> Sequence[tree.Expr]:
        """Decorator expressions from top to bottom; none for a lambda."""
        return self.node.decorators if isinstance(self.node, tree.FunctionDef) else ()

    @cached_property
    def params(self) -> dict[str, tree.Param]:
        """Parameters by name, in order."""
        return {param.name: param for param in self.node.params}

    @cached_property
    def decorator_names(self) -> frozenset[str]:
        """Last words of the decorators: ``property``, ``contextmanager``..."""
        return frozenset(filter(None, (last_name(d.func if isinstance(d, tree.Call) else d) for d in self.decorators)))

    @property
    def is_static(self) -> bool:
        """It is a static method."""
        return "staticmethod" in self.decorator_names

    @property
    def is_class_method(self) -> bool:
        """It is a class method."""
        return "classmethod" in self.decorator_names or self.name in ("__new__", "__init_subclass__", "__class_getitem__")

    @cached_property
    def is_abstract(self) -> bool:
        """It has nothing to say itself: an abstract method, or a body that only raises `NotImplementedError`, passes or documents."""
        if self.owner is None or isinstance(self.node, tree.Lambda):
            return False
        return "abstractmethod" in self.decorator_names or all(map(is_placeholder, self.node.body))

    @cached_property
    def is_hook(self) -> bool:
        """A method that does nothing itself, so that classes below may: it passes, or gives back a literal or what it was given."""
        if self.is_abstract:
            return True
        if isinstance(self.node, tree.Lambda) or self.owner is None:
            return False
        *before, last = self.node.body
        if not isinstance(last, tree.Return) or not all(map(is_placeholder, before)):
            return False
        value = last.value
        if isinstance(value, tree.Name):
            return value.id in self.params and value.id != self.self_name
        return (
            value is None
            or isinstance(value, tree.Const)
            or (isinstance(value, tree.Sequence) and not value.items)
            or (isinstance(value, tree.Dict) and not value.values)
        )

    @property
    def is_property(self) -> bool:
        """Reading its attribute calls it."""
        return not self.decorator_names.isdisjoint(PROPERTIES)

    @property
    def is_context_manager(self) -> bool:
        """Its body runs when its result is entered by `with`."""
        return "contextmanager" in self.decorator_names or "asynccontextmanager" in self.decorator_names

    @cached_property
    def self_name(self) -> str | None:
        """Name of the parameter that holds the instance or class, if it is a method with one."""
        if self.owner is None or self.is_static or not self.params:
            return None
        first = next(iter(self.params.values()))
        return first.name if first.kind in ("normal", "positional") else None


Body = Function | Module
"""The scopes whose code runs: a class body runs with the scope around it."""

OPERATORS = {
    "+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "//": "__floordiv__", "%": "__mod__", "@": "__matmul__",
    "|": "__or__", "&": "__and__", "^": "__xor__", "<<": "__lshift__", ">>": "__rshift__", "**": "__pow__", "==": "__eq__",
    "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "in": "__contains__", "not in": "__contains__",
}  # fmt: skip
"""The special methods that operators call, on their left operand but for `in`."""

PROPERTIES = frozenset({"property", "cached_property", "async_property", "hybrid_property", "abstractproperty"})


def last_name(expr: tree.Node) -> str:
    """The last word of a dotted expression, empty for anything else."""
    if isinstance(expr, tree.Attribute):
        return expr.attr
    return expr.id if isinstance(expr, tree.Name) else ""


def dotted(expr: tree.Node) -> str:
    """A dotted expression as text, empty if it is anything else."""
    words: list[str] = []
    while isinstance(expr, tree.Attribute):
        words.append(expr.attr)
        expr = expr.value
    if not isinstance(expr, tree.Name):
        return ""
    words.append(expr.id)
    return ".".join(reversed(words))


def shown(node: tree.Node) -> str:
    """An expression as a short text for messages: calls with their arguments left out."""
    show = _SHOWN.get(type(node))
    return show(node) if show is not None else "..."


def _shown_call(node: tree.Call) -> str:
    return f"{shown(node.func)}({'...' if node.args or node.keywords else ''})"


def _shown_constant(node: tree.Const) -> str:
    return f'"{node.value}"' if node.kind == "str" and len(str(node.value)) < 20 else "..."


def _shown_comprehension(node: tree.Comprehension) -> str:
    return f"... for ... in {shown(node.generators[0].iter)}" if node.generators else "..."


def _shown_operation(node: tree.Operation) -> str:
    if node.op == "fstring":
        return 'f"..."'
    return f"({f' {node.op} '.join(map(shown, node.operands))})" if len(node.operands) == 2 and node.op in OPERATORS else "(...)"


_SHOWN: dict[type, Callable[..., str]] = {
    tree.Name: lambda node: node.id,
    tree.Attribute: lambda node: f"{shown(node.value)}.{node.attr}",
    tree.Call: _shown_call,
    tree.Subscript: lambda node: f"{shown(node.value)}[...]",
    tree.Await: lambda node: f"(await {shown(node.value)})",
    tree.Const: _shown_constant,
    tree.With: lambda node: f"with {shown(node.items[0].value)}",
    tree.For: lambda node: f"for ... in {shown(node.iter)}",
    tree.Operation: _shown_operation,
    tree.Comprehension: _shown_comprehension,
}


def is_placeholder(statement: tree.Stmt) -> bool:
    """Whether a statement does nothing: `pass`, a docstring, `...`, `raise NotImplementedError`."""
    if isinstance(statement, tree.Raise):
        exc = statement.exc.func if isinstance(statement.exc, tree.Call) else statement.exc
        return exc is not None and last_name(exc) == "NotImplementedError"
    if isinstance(statement, tree.ExprStmt):
        return isinstance(statement.value, tree.Const) or type(statement.value) is tree.Expr
    return type(statement) is tree.Stmt
