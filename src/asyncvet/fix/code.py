"""What a fix knows: one file of a project with its facts, its text, and the questions that every fix asks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import msgspec

from asyncvet.facts import tree
from asyncvet.fix.text import Change, Text
from asyncvet.graph import walk
from asyncvet.graph.scopes import Binding, Function, Module, Scope, last_name

if TYPE_CHECKING:
    from asyncvet.graph import Project
    from asyncvet.model import Finding, Span

Answer = TypeVar("Answer")
NodeT = TypeVar("NodeT", bound=tree.Node)


class Need(NamedTuple):
    """An import that a fix needs: of a module, or of a name from it."""

    module: str
    name: str | None = None

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.name or self.module.partition(".")[0]


class Draft(msgspec.Struct, frozen=True):
    """A fix of one file, before the imports that it needs or leaves unused are seen to.

    Attributes:
        safety: Whether the program surely means the same, as `Fix` has it.
        title: What it does, in the imperative and the code's own names.
        moved: A stretch that nothing else may change at the same time, as the fix has read what is in it.
    """

    safety: Literal["safe", "unsafe"]
    title: str
    changes: tuple[Change, ...]
    needs: tuple[Need, ...] = ()
    moved: tuple[int, int] | None = None


class Code:
    """One file of a project."""

    def __init__(self, project: Project, module: Module, text: Text, answers: dict[Callable[[Project], object], object]) -> None:
        self.project = project
        self.module = module
        self.facts = module.facts
        self.text = text
        self._answers = answers

    def ask(self, question: Callable[[Project], Answer]) -> Answer:
        """The answer to a question about the whole project, found once for all fixes."""
        if question not in self._answers:
            self._answers[question] = question(self.project)
        return self._answers[question]  # type: ignore[return-value]

    # --- nodes ------------------------------------------------------------------------------------

    def start(self, span: Span) -> int:
        """The offset at which a span of this file starts."""
        return self.facts.offset(span.line, span.column)

    def end(self, span: Span) -> int:
        """The offset at which it ends."""
        return self.facts.offset(span.end_line, span.end_column)

    def at(self, finding: Finding, kind: type[NodeT]) -> NodeT | None:
        """The outermost node of a kind that stands exactly where a finding is."""
        start, end = self.start(finding.span), self.end(finding.span)
        found = (node for node in self._holding(start) if node.start == start and node.end == end)
        return next((node for node in found if isinstance(node, kind)), None)

    def starting(self, offset: int, kind: type[NodeT]) -> NodeT | None:
        """The outermost node of a kind that starts at an offset."""
        return next((node for node in self._holding(offset) if node.start == offset and isinstance(node, kind)), None)

    def source(self, node: tree.Node) -> str:
        """The text of a node, with lines that end in a line feed."""
        return self.text.between(node.start, node.end)

    def scope(self, offset: int) -> Function | Module:
        """The innermost function that holds an offset in its body or head, else the module."""
        holding = [f for f in self.module.functions if f.node.start <= offset < f.node.end]
        return max(holding, key=lambda f: f.node.start, default=self.module)

    def function(self, finding: Finding) -> Function | None:
        """The innermost function, no lambda, that holds the place of a finding."""
        scope = self.scope(self.start(finding.span))
        return scope if isinstance(scope, Function) and not scope.is_lambda else None

    def around(self, node: tree.Node) -> list[tree.Node]:
        """The nodes that hold a node within its function, innermost first."""
        return walk.around(self.scope(node.start), node)

    def statement(self, node: tree.Node) -> tree.Stmt | None:
        """The innermost statement that holds a node, or is it."""
        return next((n for n in (node, *self.around(node)) if isinstance(n, tree.Stmt)), None)

    def siblings(self, statement: tree.Stmt) -> list[tree.Statement]:
        """The statements of the block in which a statement stands, itself among them."""
        scope = self.scope(statement.start)
        holder = next(iter(walk.around(scope, statement)), None)
        blocks = [walk.body(scope)] if holder is None else [v for v in _lists(holder) if v and isinstance(v[0], tree.Stmt)]
        return next((block for block in blocks if statement in block), [])

    def is_alone(self, statement: tree.Stmt) -> bool:
        """A statement has its lines for itself, but for a comment behind it."""
        return self.text.is_first(statement.start) and self.text.is_last(statement.end)

    @cached_property
    def nodes(self) -> list[tree.Node]:
        """All nodes of the file, nested functions included, outer ones first."""
        return list(everything(self.facts.body))

    @cached_property
    def names(self) -> dict[str, list[tree.Name]]:
        """Where each name stands, in the order of the text."""
        found: dict[str, list[tree.Name]] = {}
        for node in self.nodes:
            if isinstance(node, tree.Name):
                found.setdefault(node.id, []).append(node)
        return found

    @cached_property
    def imported(self) -> frozenset[str]:
        """The names that imports bind, at the top of the file or in functions."""
        scopes = (self.module, *self.module.functions)
        bound = (binding for scope in scopes for bindings in scope.bindings.values() for binding in bindings)
        return frozenset(binding.name for binding in bound if binding.kind == "import")

    def _holding(self, offset: int) -> Iterator[tree.Node]:
        """The nodes that hold an offset, decorators being part of what they decorate, outermost first."""
        level: Iterable[tree.Node] = self.facts.body
        while True:
            holder = next((node for node in level if _start(node) <= offset < node.end), None)
            if holder is None:
                return
            yield holder
            level = walk.children(holder)

    # --- names ------------------------------------------------------------------------------------

    def is_free(self, name: str, scope: Scope) -> bool:
        """Nothing in a function, or around it, has a name."""
        is_bound = any(name in around.bindings for around in scope.enclosing())
        return not is_bound and not any(scope.has(node) for node in self.names.get(name, ()))

    def free_name(self, wanted: Iterable[str], scope: Scope) -> str | None:
        """The first of some names that nothing in a function or around it has."""
        return next((name for name in wanted if self.is_free(name, scope)), None)

    def refer(self, module: str, name: str, at: tree.Node, *, prefer_module: bool = True) -> tuple[str, tuple[Need, ...]] | None:
        """How the code at a node says `module.name`, and the import that this needs; None if the names are taken.

        What is imported already is used as it is; else the module is imported, or the name from it.
        """
        scope = self.scope(at.start)
        for bound, binding in self._runtime_imports(scope, at.start):
            if binding.imported == (0, module, None) and self._means(bound, binding, scope):
                return f"{bound}.{name}", ()
            if binding.imported == (0, module, name) and self._means(bound, binding, scope):
                return bound, ()
        need = Need(module) if prefer_module else Need(module, name)
        taken = [binding for each in scope.enclosing() for binding in each.bindings.get(need.bound, [])]
        if any(binding.imported != (0, need.module, need.name) or binding.scope is not self.module for binding in taken):
            return None
        return (f"{module}.{name}" if prefer_module else name), (need,)

    def imports(self, module: str) -> bool:
        """Whether the file imports a module, or something from it, wherever."""
        return any(
            (isinstance(node, tree.Import) and any(name == module for name, _ in node.names))
            or (isinstance(node, tree.ImportFrom) and node.level == 0 and node.module == module)
            for node in self.nodes
        )

    def _runtime_imports(self, scope: Scope, at: int) -> Iterator[tuple[str, Binding]]:
        """The imports that have surely run when the code at an offset does, innermost first."""
        for each in scope.enclosing():
            for name, bindings in each.bindings.items():
                for binding in bindings:
                    if binding.kind == "import" and binding.block.parent is None and (each is not scope or binding.from_ <= at):
                        yield name, binding

    def _means(self, name: str, binding: Binding, scope: Scope) -> bool:
        """Whether a name in a scope is bound by that import and nothing else."""
        holder = next((each for each in scope.enclosing() if name in each.bindings), None)
        bindings = holder.bindings[name] if holder is not None else []
        return binding in bindings and all(other.imported == binding.imported for other in bindings)


def _start(node: tree.Node) -> int:
    decorators = node.decorators if isinstance(node, tree.FunctionDef | tree.ClassDef) else ()
    return decorators[0].start if decorators else node.start


def everything(nodes: Iterable[tree.Node]) -> Iterator[tree.Node]:
    """Nodes and all below them, nested functions included, outer ones first."""
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield node
        stack += walk.children(node)[::-1]


def is_name(node: tree.Node, name: str) -> bool:
    """Whether a node is this very name."""
    return isinstance(node, tree.Name) and last_name(node) == name


def _lists(node: tree.Node) -> Iterator[list[tree.Statement]]:
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, list):
            yield value
        for item in value if isinstance(value, list) else ():
            if isinstance(item, tree.Handler | tree.Case):
                yield item.body
