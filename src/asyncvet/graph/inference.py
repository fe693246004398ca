"""What expressions can be at run time: demand-driven, over the whole project, with one memo.

`Inference.values` is the question; the answer is empty where the source does not tell. Questions that come back to
themselves are cut, and answers do not depend on the order in which questions are asked beyond that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from asyncvet.catalogue import Catalogue
from asyncvet.facts import tree
from asyncvet.graph.annotations import Annotations
from asyncvet.graph.calling import Calling
from asyncvet.graph.contents import Contents
from asyncvet.graph.library import is_installed
from asyncvet.graph.members import Members
from asyncvet.graph.memo import Memo
from asyncvet.graph.modules import ModuleIndex
from asyncvet.graph.names import Names
from asyncvet.graph.parameters import Parameters
from asyncvet.graph.scan import scan
from asyncvet.graph.scopes import Binding, Function, Module, Scope
from asyncvet.graph.values import (
    NOTHING,
    Container,
    Coroutine,
    GeneratorOf,
    Instance,
    Object,
    Symbol,
    Text,
    Tuple,
    Value,
    Values,
    union,
)


class Inference:
    """Answers questions about values.

    Args:
        modules: All modules by path.
        index: Finds the file that an import means.
        catalogue: What library calls give.
    """

    def __init__(self, modules: Mapping[str, Module], index: ModuleIndex, catalogue: Catalogue) -> None:
        self.modules = modules
        self.index = index
        self.catalogue = catalogue
        self.names = Names(self)
        self.annotations = Annotations(self)
        self.members = Members(self)
        self.calling = Calling(self)
        self.parameters = Parameters(self)
        self.contents = Contents(self)
        self._memo = Memo()
        self._known = self._memo.known
        self._installed: dict[str, Module | None] = {}

    def module(self, path: str) -> Module | None:
        """The module of a file of the project, or of an installed package."""
        if path in self.modules or not is_installed(path) or self.index.library is None:
            return self.modules.get(path)
        if path not in self._installed:
            facts = self.index.library.facts(path)
            name = path.removeprefix("site-packages/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            self._installed[path] = scan(name, path, facts, is_external=True) if facts is not None else None
        return self._installed[path]

    def values(self, expr: tree.Node | None, scope: Scope) -> Values:
        """The values that an expression standing in `scope` can have."""
        kind = type(expr)
        if kind in _SHORT:  # Looking a name up costs no more than remembering what it gave; its bindings are remembered.
            return _SHORT[kind](self, expr, scope)
        known = self._known.get(id(expr))
        if known is not None:
            return known
        handle = _EXPRESSIONS.get(kind)
        if handle is None:
            return NOTHING
        return self._memo.answer(id(expr), lambda: handle(self, expr, scope))

    def binding(self, binding: Binding) -> Values:
        """The values that a binding gives its name."""
        key = ("b", id(binding))
        known = self._known.get(key)
        return known if known is not None else self._memo.answer(key, lambda: self._binding(binding))

    def star(self, binding: Binding, name: str) -> Values:
        """What a star import gives a name."""
        return self._memo.answer(("s", id(binding), name), lambda: self._star(binding, name))

    def decorated(self, function: Function) -> Values:
        """What the name of a function stands for once its decorators ran."""
        return self._memo.answer(("d", id(function)), lambda: self.calling.decorated(function))

    def returned(self, function: Function) -> Values:
        """What the body of a function gives: after `await` for an `async def`; for a generator, what it yields."""
        return self._memo.answer(("r", id(function)), lambda: self.calling.returned(function))

    def parameter(self, function: Function, name: str) -> Values:
        """The values that a parameter can have."""
        return self._memo.answer(("p", id(function), name), lambda: self.parameters.values(function, name))

    def attribute(self, value: Value, name: str) -> Values:
        """The values of an attribute of a value."""
        key = ("a", value, name)
        known = self._known.get(key)
        return known if known is not None else self._memo.answer(key, lambda: self.members.attribute(value, name))

    def aliased(self, expr: tree.Name | tree.Attribute, scope: Scope) -> Iterator[tuple[tree.Node, Scope]]:
        """The expressions that a name was assigned once and for all, through imports: for aliases of types."""
        seen: set[int] = set()
        bindings = list(self._bindings_of(expr, scope))
        while bindings:
            binding = bindings.pop()
            if id(binding) in seen:
                continue
            seen.add(id(binding))
            if binding.kind == "import":
                bindings.extend(self._import_source(binding))
            elif binding.kind == "assign" and binding.value is not None and not binding.path:
                if isinstance(binding.value, tree.Name | tree.Attribute):
                    bindings.extend(self._bindings_of(binding.value, binding.scope))
                else:
                    yield binding.value, binding.scope

    def element(self, values: Values, is_async: bool = False) -> Values:
        """What iterating over values gives."""
        return union(self._element(value, is_async) for value in values)

    def awaited(self, values: Values) -> Values:
        """What awaiting values gives; values of which it is unknown that they can be awaited give themselves."""
        return self._awaited(values[0]) if len(values) == 1 else union(self._awaited(value) for value in values)

    # --- inside -----------------------------------------------------------------------------------

    def _bindings_of(self, expr: tree.Node, scope: Scope) -> list[Binding]:
        if isinstance(expr, tree.Name):
            return self.names.bindings_at(expr.id, scope, expr.start)
        if isinstance(expr, tree.Attribute):
            return [
                binding
                for value in self.values(expr.value, scope)
                if isinstance(value, Module)
                for binding in value.bindings.get(expr.attr, ())
            ]
        return []

    def _import_source(self, binding: Binding) -> list[Binding]:
        assert binding.imported is not None
        level, dotted, name = binding.imported
        target = self.index.resolve(binding.scope.module.filename, level, dotted)
        module = self.module(target) if target else None
        return list(module.bindings.get(name, ())) if module is not None and name else []

    def _star(self, binding: Binding, name: str) -> Values:
        assert binding.imported is not None
        level, dotted, _ = binding.imported
        target = self.index.resolve(binding.scope.module.filename, level, dotted)
        if target is None:
            return NOTHING
        return union(self.names.attribute_of_module(value, name, binding.scope.module) for value in self.names.file(target))

    def _binding(self, binding: Binding) -> Values:
        if binding.kind == "function":
            assert isinstance(binding.target, Function)
            return self.decorated(binding.target)
        if binding.kind == "class":
            return (binding.target,) if binding.target is not None else NOTHING
        if binding.kind == "import":
            return self.names.imported(binding)
        if binding.kind == "param":
            return self.parameter(binding.scope, binding.name) if isinstance(binding.scope, Function) else NOTHING
        if binding.kind == "except":
            return union(self.annotations.instance_of(value) for value in self.values(binding.value, binding.scope))
        return self._assigned(binding)

    def _assigned(self, binding: Binding) -> Values:
        declared = self.annotations.instances(binding.annotation, binding.scope)
        if binding.kind == "assign":
            found = self.values(binding.value, binding.scope)
        elif binding.kind == "for":
            found = self.element(self.values(binding.value, binding.scope), binding.is_async)
        elif binding.kind == "with":
            entered = self.values(binding.value, binding.scope)
            found = union(self.members.entered(value, binding.is_async) for value in entered)
        else:
            found = NOTHING
        for step in binding.path:
            found = union(self._item(value, step) for value in found)
        found = tuple(self.contents.filled(value, binding) for value in found)
        if declared and not any(isinstance(value, Instance | Function) for value in found):
            return declared
        return found

    def _item(self, value: Value, step: int | str) -> Values:
        if isinstance(value, Tuple) and isinstance(step, int):
            return value.items[step] if step < len(value.items) else NOTHING
        if isinstance(value, Container) and value.kind != "dict":
            return value.elements if step != "*" else (value,)
        return NOTHING

    def _element(self, value: Value, is_async: bool) -> Values:
        if isinstance(value, Container):
            return value.elements if value.kind != "dict" else NOTHING
        if isinstance(value, Tuple):
            return union(value.items)
        if isinstance(value, GeneratorOf):
            return self.returned(value.function)
        # A class may be its own iterator, or that of another whose iterator it is.
        return self._memo.answer(("i", value, is_async), lambda: self.members.iterated(value, is_async))

    def _awaited(self, value: Value) -> Values:
        if isinstance(value, Coroutine):
            return value.result or (self.returned(value.function) if value.function is not None else NOTHING)
        return (value,)

    # --- expressions ------------------------------------------------------------------------------

    def _name(self, node: tree.Name, scope: Scope) -> Values:
        checks = scope.checks.get(node.id, ())
        checked = next((test for test in checks if test.start <= node.start < test.end), None) if checks else None
        if checked is not None:
            narrowed = self.annotations.instances(checked.type, scope)
            if narrowed:
                return narrowed
        return self.names.lookup(node.id, scope, node.start)

    def _attribute(self, node: tree.Attribute, scope: Scope) -> Values:
        found = self.members.by_path(node)
        if found:
            return found
        values = self.values(node.value, scope)
        if len(values) == 1:
            return self.attribute(values[0], node.attr)
        return union(self.attribute(value, node.attr) for value in values)

    def _await(self, node: tree.Await, scope: Scope) -> Values:
        return self.awaited(self.values(node.value, scope))

    def _operation(self, node: tree.Operation, scope: Scope) -> Values:
        if node.op in ("or", "and"):
            return union(self.values(operand, scope) for operand in node.operands)
        if node.op == "if":
            return union(self.values(operand, scope) for operand in node.operands[1:])
        if node.op == "/":
            left = self.values(node.operands[0], scope) or self.values(node.operands[-1], scope)
            return tuple(value for value in left if isinstance(value, Object))
        if node.op == "fstring":
            return (Object("builtins.str"),)
        if node.op == "+":
            return tuple(value for value in self.values(node.operands[0], scope) if isinstance(value, Container))
        if node.op == "|":
            found = [value for operand in node.operands for value in self.values(operand, scope)]
            merged = tuple(value for value in found if isinstance(value, Container))
            return union(self._joined(value) for value in found) or merged
        return NOTHING

    def _joined(self, value: Value) -> Values:
        """What the `__or__` of a library's object gives: `prompt | model`."""
        if not isinstance(value, Object):
            return NOTHING
        apis = self.catalogue.api(self.catalogue.member(value.path, "__or__"))
        return union(self.calling.from_notation(api.returns, (value,)) for api in apis)

    def _sequence(self, node: tree.Sequence, scope: Scope) -> Values:
        parts = tuple(self.values(item, scope) for item in node.items)
        if node.kind == "tuple" and len(parts) <= 8:
            return (Tuple(parts),)
        return (Container(node.kind, union(parts)),)

    def _dict(self, node: tree.Dict, scope: Scope) -> Values:
        return (Container("dict", union(self.values(value, scope) for value in node.values)),)

    def _starred(self, node: tree.Starred, scope: Scope) -> Values:
        return self.element(self.values(node.value, scope))

    def _named(self, node: tree.NamedExpr, scope: Scope) -> Values:
        return self.values(node.value, scope)

    def _comprehension(self, node: tree.Comprehension, scope: Scope) -> Values:
        kind = "iterator" if node.kind == "generator" else node.kind
        return (Container(kind, self.values(node.element, scope)),)

    def _subscript(self, node: tree.Subscript, scope: Scope) -> Values:
        index = node.index.value if isinstance(node.index, tree.Const) else None
        return self.members.by_key(node) or union(self.members.item(value, index) for value in self.values(node.value, scope))

    def _const(self, node: tree.Const, _: Scope) -> Values:
        return (Text(node.value),) if node.kind == "str" and isinstance(node.value, str) else NOTHING

    def _lambda(self, node: tree.Lambda, scope: Scope) -> Values:
        for around in scope.enclosing():
            function = getattr(around, "inner", {}).get(node.start)
            if function is not None:
                return (function,)
        return NOTHING

    def _call(self, node: tree.Call, scope: Scope) -> Values:
        callees = self.callee(node, scope)
        if len(callees) == 1:
            return self.calling.result(callees[0], node, scope)
        return union(self.calling.result(value, node, scope) for value in callees)

    def callee(self, node: tree.Call, scope: Scope) -> Values:
        """The values that a call calls."""
        if isinstance(node.func, tree.Name) and node.func.id == "super":
            return (Symbol("builtins.super"),)
        return self.values(node.func, scope)


_SHORT: dict[type | None, Callable[..., Values]] = {tree.Name: Inference._name, tree.Const: Inference._const}
_EXPRESSIONS: dict[type | None, Callable[..., Values]] = {
    tree.Attribute: Inference._attribute,
    tree.Call: Inference._call,
    tree.Await: Inference._await,
    tree.Operation: Inference._operation,
    tree.Sequence: Inference._sequence,
    tree.Dict: Inference._dict,
    tree.Starred: Inference._starred,
    tree.NamedExpr: Inference._named,
    tree.Comprehension: Inference._comprehension,
    tree.Subscript: Inference._subscript,
    tree.Lambda: Inference._lambda,
}
