"""Facts of one module -> its scopes: one walk that finds what binds names and what may run code of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from asyncvet.facts import tree
from asyncvet.facts.tree import ModuleFacts
from asyncvet.graph.scopes import OPERATORS, Binding, Block, Class, Function, Module, Scope, Site, last_name


def scan(name: str, filename: str, facts: ModuleFacts, is_external: bool = False) -> Module:
    """Build the scopes of a module. `name` is its dotted name, `filename` its path relative to the review's root."""
    module = Module(name=name.rpartition(".")[2], qualname=name, module=None, parent=None, node=facts)  # type: ignore[arg-type]
    module.module, module.facts, module.filename, module.is_external = module, facts, filename, is_external
    _Scanner(module).statements(facts.body)
    return module


class _Scanner:
    """Walks the statements of one scope; nested functions and classes get scanners of their own."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.module = scope.module
        self.block = Block(None, None, "body")
        scope.blocks.append(self.block)
        self.function = scope if isinstance(scope, Function) else None
        # Code in a class body runs with the function or module around it.
        self.runner: Function | Module = _runner(scope)
        self.statement: tree.Stmt | None = None
        self.is_dead = False  # After a return, in the same block, or only for type checkers: nothing runs there.

    # --- statements -------------------------------------------------------------------------------

    def statements(self, body: Sequence[tree.Stmt]) -> None:
        outer = self.is_dead
        for statement in body:
            self.statement = statement
            handle = _STATEMENTS.get(type(statement))
            if handle is not None:
                handle(self, statement)
            self.is_dead = self.is_dead or isinstance(statement, tree.Return | tree.Raise | tree.Jump)
        self.is_dead = outer

    def arm(self, statement: tree.Stmt, arm: str, body: Sequence[tree.Stmt]) -> None:
        if not body:
            return
        with self.within(statement, arm, body[0].start, body[-1].end) as block:
            self.statements(body)
            block.leaves = isinstance(body[-1], tree.Return | tree.Raise | tree.Jump)

    @contextmanager
    def within(self, node: tree.Node, arm: str, start: int, end: int) -> Iterator[Block]:
        outer, self.block = self.block, Block(self.block, node, arm, start, end)
        self.scope.blocks.append(self.block)
        yield self.block
        self.block = outer

    def bind(self, name: str, kind: str, from_: int, **more: object) -> Binding:
        scope: Scope = self.scope
        if self.function is not None and name in self.function.globals:
            scope = self.module
        elif self.function is not None and name in self.function.nonlocals:
            scope = next((s for s in list(scope.enclosing())[1:] if isinstance(s, Function) and name in s.bindings), scope)
        binding = Binding(name, kind, from_, self.block, self.scope, **more)  # type: ignore[arg-type]
        scope.bindings.setdefault(name, []).append(binding)
        return binding

    def bind_target(
        self, target: tree.Node, kind: str, from_: int, value: tree.Node | None, path: tuple[int | str, ...] = (), **more: object
    ) -> None:
        """Bind the names of an assignment target, and the attributes of `self`."""
        if isinstance(target, tree.Name):
            self.bind(target.id, kind, from_, value=value, path=path, **more)
        elif isinstance(target, tree.Sequence):
            for index, item in enumerate(target.items):
                self.bind_target(item, kind, from_, value, (*path, index), **more)
        elif isinstance(target, tree.Starred):
            self.bind_target(target.value, kind, from_, value, (*path[:-1], "*"), **more)
        elif isinstance(target, tree.Attribute):
            self.bind_attribute(target, kind, from_, value, path, **more)
            self.expression(target.value)
            self.site(target, use="set")
        elif isinstance(target, tree.Subscript):
            self.module.item_assignments.append((self.runner, target, value))
            self.expression(target.value)
            self.expression(target.index)
            self.site(target, use="set")

    def bind_attribute(
        self, target: tree.Attribute, kind: str, from_: int, value: tree.Node | None, path: tuple[int | str, ...], **more: object
    ) -> None:
        method = _method_around(self.scope)
        binding = Binding(target.attr, kind, from_, self.block, self.scope, value=value, path=path, **more)  # type: ignore[arg-type]
        if method is not None and method.owner and isinstance(target.value, tree.Name) and target.value.id == method.self_name:
            binding.owner = method.owner
            method.owner.attribute_bindings.setdefault(target.attr, []).append((method, binding))
        else:
            self.module.attribute_assignments.append((self.runner, target, binding))

    def assign(self, node: tree.Assign) -> None:
        if node.annotation is not None:
            self.expression(node.annotation, is_annotation=True)
        if node.value is not None:
            self.expression(node.value)
            if isinstance(node.targets[0], tree.Sequence) and not isinstance(node.value, tree.Sequence):
                self.site(node)
        for target in node.targets:
            kind = "assign" if node.value is not None else "annotation"
            self.bind_target(target, kind, node.end, node.value, annotation=node.annotation)

    def augmented(self, node: tree.AugAssign) -> None:
        self.expression(node.value)
        self.expression(node.target)
        self.site(node)
        self.bind_target(node.target, "augmented", node.end, node.value)

    def expr_statement(self, node: tree.ExprStmt) -> None:
        self.expression(node.value)

    def return_(self, node: tree.Return) -> None:
        if node.value is not None:
            if self.function is not None:
                self.function.returns.append((node.value, self.block))
            self.expression(node.value)

    def raise_(self, node: tree.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.expression(part)

    def assert_(self, node: tree.Assert) -> None:
        self.expression(node.test)
        self.scope.assertions.append((node, self.block))

    def delete(self, node: tree.Delete) -> None:
        for target in node.targets:
            if isinstance(target, tree.Attribute | tree.Subscript):
                self.expression(target.value)
                self.site(target, use="delete")

    def scope_words(self, node: tree.Scope) -> None:
        if self.function is not None:
            (self.function.globals if node.kind == "global" else self.function.nonlocals).update(node.names)

    def import_(self, node: tree.Import) -> None:
        for name, alias in node.names:
            bound = alias or name.partition(".")[0]
            self.bind(bound, "import", node.end, imported=(0, name if alias else bound, None))
            if not alias and "." in name:
                self.module.imports.append((0, name))

    def import_from(self, node: tree.ImportFrom) -> None:
        for name, alias in node.names:
            if name == "*":
                self.module.stars.append(
                    Binding("*", "import", node.end, self.block, self.scope, imported=(node.level, node.module, None))
                )
            else:
                self.bind(alias or name, "import", node.end, imported=(node.level, node.module, name))

    def if_(self, node: tree.If) -> None:
        self.expression(node.test)
        if not _is_never(node.test):
            outer, self.is_dead = self.is_dead, self.is_dead or last_name(node.test) == "TYPE_CHECKING"
            self.arm(node, "then", node.body)
            self.is_dead = outer
        self.arm(node, "else", node.orelse)

    def while_(self, node: tree.While) -> None:
        if _is_never(node.test):
            return
        with self.within(node, "loop", node.test.start, node.body[-1].end if node.body else node.end):
            self.expression(node.test)
            self.statements(node.body)
        self.arm(node, "after", node.orelse)

    def for_(self, node: tree.For) -> None:
        self.expression(node.iter, awaited=node.is_async)
        self.site(node)
        if node.is_async and self.function is not None:
            self.function.awaits.append(node)
        with self.within(node, "loop", node.iter.end, node.body[-1].end if node.body else node.end):
            self.bind_target(node.target, "for", node.iter.end, node.iter, is_async=node.is_async)
            self.statements(node.body)
        self.arm(node, "after", node.orelse)

    def with_(self, node: tree.With) -> None:
        for item in node.items:
            self.expression(item.value, awaited=node.is_async)
            if item.target is not None:
                self.bind_target(item.target, "with", item.end, item.value, is_async=node.is_async)
        self.statement = node
        self.site(node)
        if node.is_async and self.function is not None:
            self.function.awaits.append(node)
        self.statements(node.body)

    def try_(self, node: tree.Try) -> None:
        self.arm(node, "try", node.body)
        for handler in node.handlers:
            if handler.exc is not None:
                self.expression(handler.exc)
            with self.within(node, "except", handler.start, handler.end) as block:
                if handler.name:
                    self.bind(handler.name, "except", handler.start, value=handler.exc)
                self.statements(handler.body)
                block.leaves = bool(handler.body) and isinstance(handler.body[-1], tree.Return | tree.Raise | tree.Jump)
        self.arm(node, "after", node.orelse)
        self.statements(node.final)

    def match(self, node: tree.Match) -> None:
        self.expression(node.subject)
        for index, case in enumerate(node.cases):
            with self.within(node, str(index), case.start, case.end):
                for name in case.names:
                    self.bind(name, "pattern", case.start, value=node.subject)
                if case.guard is not None:
                    self.expression(case.guard)
                self.statements(case.body)

    def function_def(self, node: tree.FunctionDef) -> None:
        for decorator in node.decorators:
            self.expression(decorator)
        self.defaults(node.params)
        function = self.new_function(node, node.name)
        self.bind(node.name, "function", node.name_start, target=function)
        if isinstance(self.scope, Class):
            function.owner = self.scope
            if "setter" in function.decorator_names:
                self.scope.setters[node.name] = function
            elif function.decorator_names.isdisjoint(("deleter", "overload")):
                self.scope.methods.setdefault(node.name, []).append(function)
        inner = _Scanner(function)
        inner.bind_params(node.params)
        inner.statements(node.body)

    def class_def(self, node: tree.ClassDef) -> None:
        for expr in (*node.decorators, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(expr)
        cls = Class(node.name, f"{self.scope.qualname}.{node.name}", self.module, self.scope, node)
        self.module.classes.append(cls)
        self.bind(node.name, "class", node.name_start, target=cls)
        _Scanner(cls).statements(node.body)

    # --- expressions ------------------------------------------------------------------------------

    def expression(self, node: tree.Node, awaited: bool = False, is_annotation: bool = False) -> None:
        """Record the sites of an expression, inner ones first: the order in which they run."""
        if is_annotation:
            return
        handle = _EXPRESSIONS.get(type(node))
        if handle is not None:
            handle(self, node, awaited)

    def site(self, node: tree.Node, awaited: bool = False, use: Literal["get", "set", "delete"] = "get") -> None:
        if not self.is_dead:
            self.runner.sites.append(Site(node, self.block, awaited, self.statement, use))

    def call(self, node: tree.Call, awaited: bool) -> None:
        func = node.func
        if isinstance(func, tree.Attribute):
            self.expression(func.value)
        elif not isinstance(func, tree.Name):
            self.expression(func)
        for argument in node.args:
            self.expression(argument)
        for keyword in node.keywords:
            self.expression(keyword.value)
        self.site(node, awaited)

    def attribute(self, node: tree.Attribute, _: bool) -> None:
        self.expression(node.value)
        self.site(node)

    def await_(self, node: tree.Await, _: bool) -> None:
        self.expression(node.value, awaited=True)
        if self.function is not None:
            self.function.awaits.append(node)

    def yield_(self, node: tree.Yield, _: bool) -> None:
        if self.function is not None:
            self.function.yields.append(node)
        if node.value is not None:
            self.expression(node.value)
        if node.is_from:
            self.site(node)

    def subscript(self, node: tree.Subscript, _: bool) -> None:
        self.expression(node.value)
        self.expression(node.index)
        self.site(node)

    def operation(self, node: tree.Operation, awaited: bool) -> None:
        # `await (a or b)` and `await (a if t else b)` await what their operands give.
        passes = awaited and node.op in ("or", "and", "if")
        for operand in node.operands:
            self.expression(operand, awaited=passes)
        if node.op in OPERATORS or node.op == "fstring":
            self.site(node)

    def sequence(self, node: tree.Sequence, _: bool) -> None:
        for item in node.items:
            self.expression(item)

    def dict_(self, node: tree.Dict, _: bool) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                self.expression(key)
            self.expression(value)

    def starred(self, node: tree.Starred, _: bool) -> None:
        self.expression(node.value)
        self.site(node)

    def named(self, node: tree.NamedExpr, _: bool) -> None:
        self.expression(node.value)
        self.bind(node.target.id, "assign", node.end, value=node.value)

    def comprehension(self, node: tree.Comprehension, _: bool) -> None:
        with self.within(node, "comprehension", node.start, node.end) as block:
            block.leaves = True
            for generator in node.generators:
                self.expression(generator.iter, awaited=generator.is_async)
                self.bind_target(generator.target, "for", node.start, generator.iter, is_async=generator.is_async)
                for test in generator.ifs:
                    self.expression(test)
            if node.key is not None:
                self.expression(node.key)
            self.expression(node.element)
        self.site(node)

    def lambda_(self, node: tree.Lambda, _: bool) -> None:
        self.defaults(node.params)
        function = self.new_function(node, "<lambda>")
        inner = _Scanner(function)
        inner.bind_params(node.params)
        inner.statement = self.statement
        function.returns.append((node.body, inner.block))
        inner.expression(node.body)

    # --- shared -----------------------------------------------------------------------------------

    def new_function(self, node: tree.FunctionDef | tree.Lambda, name: str) -> Function:
        function = Function(name, f"{self.scope.qualname}.{name}", self.module, self.scope, node)
        self.module.functions.append(function)
        self.runner.inner[node.start] = function
        if isinstance(self.scope, Class) and isinstance(self.statement, tree.Assign) and self.statement.value is node:
            function.owner = self.scope
        return function

    def defaults(self, params: Iterable[tree.Param]) -> None:
        for param in params:
            if param.default is not None:
                self.expression(param.default)

    def bind_params(self, params: Iterable[tree.Param]) -> None:
        for param in params:
            self.bind(param.name, "param", 0, value=param, annotation=param.annotation)


def _runner(scope: Scope) -> Function | Module:
    for around in scope.enclosing():
        if isinstance(around, Function | Module):
            return around
    raise AssertionError("every scope lies in a module")


def _is_never(test: tree.Expression) -> bool:
    """Whether a test is written so that it never holds: `if False:`, `if 0 and ready:`."""
    if isinstance(test, tree.Operation) and test.op == "and":
        return any(map(_is_never, test.operands))
    if isinstance(test, tree.Operation) and test.op == "not":
        return isinstance(test.operands[0], tree.Const) and test.operands[0].value is True
    return isinstance(test, tree.Const) and test.kind in ("bool", "int") and not test.value


def _method_around(scope: Scope) -> Function | None:
    """The method in whose body `scope` lies, itself included: closures of a method see its `self`."""
    return next((s for s in scope.enclosing() if isinstance(s, Function) and s.owner is not None), None)


_STATEMENTS: dict[type, Callable[..., None]] = {
    tree.ExprStmt: _Scanner.expr_statement,
    tree.Assign: _Scanner.assign,
    tree.AugAssign: _Scanner.augmented,
    tree.Return: _Scanner.return_,
    tree.Raise: _Scanner.raise_,
    tree.Assert: _Scanner.assert_,
    tree.Delete: _Scanner.delete,
    tree.Scope: _Scanner.scope_words,
    tree.Import: _Scanner.import_,
    tree.ImportFrom: _Scanner.import_from,
    tree.If: _Scanner.if_,
    tree.While: _Scanner.while_,
    tree.For: _Scanner.for_,
    tree.With: _Scanner.with_,
    tree.Try: _Scanner.try_,
    tree.Match: _Scanner.match,
    tree.FunctionDef: _Scanner.function_def,
    tree.ClassDef: _Scanner.class_def,
}
_EXPRESSIONS: dict[type, Callable[..., None]] = {
    tree.Call: _Scanner.call,
    tree.Attribute: _Scanner.attribute,
    tree.Await: _Scanner.await_,
    tree.Yield: _Scanner.yield_,
    tree.Subscript: _Scanner.subscript,
    tree.Operation: _Scanner.operation,
    tree.Sequence: _Scanner.sequence,
    tree.Dict: _Scanner.dict_,
    tree.Starred: _Scanner.starred,
    tree.NamedExpr: _Scanner.named,
    tree.Comprehension: _Scanner.comprehension,
    tree.Lambda: _Scanner.lambda_,
}
