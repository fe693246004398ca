"""What syntax calls: special methods and properties behind `with`, `for`, operators, attributes and items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import OPERATORS, Class, Scope, Site, last_name
from asyncvet.graph.sites import Mode, Target
from asyncvet.graph.values import GeneratorOf, Instance, Object, Value

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_FORMATTING: tuple[str, ...] = ("__format__", "__str__", "__repr__")
_PASSING = frozenset({"enumerate", "zip", "reversed", "tqdm", "iter", "islice", "chain", "track"})


class SpecialMethods:
    """Finds methods of the project, as targets, and of libraries, by their names. Owned by `Calls`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def of_site(self, site: Site, scope: Scope) -> Iterator[Target | str]:
        """What a site that is no call runs."""
        node = site.node
        if isinstance(node, tree.With):
            for item in () if node.is_async else node.items:
                yield from self.entered(item.value, scope, node.body)
        elif isinstance(node, tree.For):
            if not node.is_async:
                yield from self.iterated(node.iter, scope)
        elif isinstance(node, tree.Comprehension):
            for generator in node.generators:
                if not generator.is_async:
                    yield from self.iterated(generator.iter, scope)
        elif isinstance(node, tree.Yield | tree.Starred | tree.Assign) and node.value is not None:
            yield from self.iterated(node.value, scope)
        else:
            yield from self._accessed(node, site.use, scope)

    def _accessed(self, node: tree.Node, use: str, scope: Scope) -> Iterator[Target | str]:
        """What an attribute, an item and an operator call."""
        if isinstance(node, tree.Attribute):
            yield from self._property(node, scope) if use == "get" else self._set(node, scope) if use == "set" else ()
        elif isinstance(node, tree.Subscript):
            for value in self._inference.values(node.value, scope):
                yield from self.special(value, (f"__{'del' if use == 'delete' else use}item__",))
        elif isinstance(node, tree.Operation):
            yield from self._operated(node, scope)
        elif isinstance(node, tree.AugAssign):
            yield from self._augmented(node, scope)

    def _set(self, node: tree.Attribute, scope: Scope) -> Iterator[Target | str]:
        """The setter of a property. What a `__setattr__` does depends on the name that it is given."""
        if self.is_defined(("__set__",)):
            for value in self._inference.values(node.value, scope):
                if isinstance(value, Instance):
                    yield from self._descriptor(value, node.attr, "__set__")
        if node.attr not in self._with_setters:
            return
        for value in self._inference.values(node.value, scope):
            bases = self._inference.members.mro(value.cls) if isinstance(value, Instance) else ()
            setters = (base.setters[node.attr] for base in bases if isinstance(base, Class) and node.attr in base.setters)
            yield from (Target(setter, Mode.INLINE) for setter in list(setters)[:1])

    @cached_property
    def _with_setters(self) -> frozenset[str]:
        return frozenset(name for module in self._inference.modules.values() for cls in module.classes for name in cls.setters)

    def _operated(self, node: tree.Operation, scope: Scope) -> Iterator[Target | str]:
        """Special methods of the project's own classes that operators and format strings call."""
        operands, names = node.operands, _FORMATTING
        first = node.operands[0] if node.operands else None
        if node.op == "%" and isinstance(first, tree.Const):
            operands = node.operands[1:]
        elif node.op != "fstring":
            operands = node.operands[1:2] if node.op in ("in", "not in") else node.operands[:1]
            names = (OPERATORS[node.op],)
        for operand in operands:
            for value in self._inference.values(operand, scope) if self.is_defined(names) else ():
                if isinstance(value, Instance):
                    yield from self.special(value, names)
        if names == ("__contains__",):
            for value in self._inference.values(operands[0], scope) if operands else ():
                if isinstance(value, GeneratorOf) and not value.function.is_async:
                    yield Target(value.function, Mode.INLINE)

    def _augmented(self, node: tree.AugAssign, scope: Scope) -> Iterator[Target | str]:
        """What `x += y` calls: the method that changes it in place, else that of the operator."""
        name = OPERATORS.get(node.op, "")
        in_place = f"__i{name[2:]}"
        for value in self._inference.values(node.target, scope) if name and self.is_defined((name, in_place)) else ():
            if isinstance(value, Instance):
                yield from list(self.special(value, (in_place, name)))[:1]

    def is_defined(self, names: tuple[str, ...]) -> bool:
        """Whether any class of the project has one of these special methods."""
        return not self._special_methods.isdisjoint(names)

    @cached_property
    def _special_methods(self) -> frozenset[str]:
        classes = (cls for module in self._inference.modules.values() for cls in module.classes)
        return frozenset(name for cls in classes for name in cls.methods if name.startswith("__"))

    def entered(self, expr: tree.Expression, scope: Scope, body: Sequence[tree.Node] = ()) -> Iterator[Target | str]:
        """What `with` over an object runs, around a body."""
        for value in self._inference.values(expr, scope):
            if isinstance(value, GeneratorOf) and not value.function.is_async:
                yield Target(value.function, Mode.INLINE)
            elif (
                isinstance(value, Object)
                and value.path.startswith("concurrent.futures.")
                and any(True for _ in walk.awaits(body))
            ):
                yield f"{value.path}.__enter__"  # Its work was awaited: at the exit nothing is left to wait for.
            else:
                yield from self.special(value, ("__enter__", "__exit__"))

    def iterated(self, expr: tree.Expression, scope: Scope) -> Iterator[Target | str]:
        """What running an iterable to its end runs."""
        if isinstance(expr, tree.Call) and last_name(expr.func) in _PASSING:
            for argument in expr.args:
                yield from self.iterated(argument, scope)
            return
        for value in self._inference.values(expr, scope):
            if isinstance(value, GeneratorOf):
                if not value.function.is_async:
                    yield Target(value.function, Mode.INLINE)
            else:
                yield from self.special(value, ("__iter__", "__next__"))

    def special(self, value: Value, names: tuple[str, ...]) -> Iterator[Target | str]:
        """Special methods that syntax calls on a value."""
        for name in names:
            if isinstance(value, Instance):
                method = self._inference.members.method(value.cls, name)
                if method is not None and not method.is_async:
                    yield Target(method, Mode.INLINE)
                    if name in _FORMATTING:
                        return
            elif isinstance(value, Object):
                yield f"{value.path}.{name}"

    def _property(self, node: tree.Attribute, scope: Scope) -> Iterator[Target | str]:
        for value in self._inference.values(node.value, scope):
            if isinstance(value, Instance):
                method = self._inference.members.method(value.cls, node.attr)
                if method is None:
                    yield from self._descriptor(value, node.attr, "__get__")
                elif method.is_property and not method.is_async:
                    yield Target(method, Mode.INLINE)

    def _descriptor(self, value: Instance, name: str, special: str) -> Iterator[Target | str]:
        """The `__get__` or `__set__` of an object that stands for an attribute in the class."""
        if not self.is_defined((special,)):
            return
        bases = (base for base in self._inference.members.mro(value.cls) if isinstance(base, Class))
        for binding in next((base.bindings[name] for base in bases if name in base.bindings), ()):
            for held in self._inference.binding(binding):
                if isinstance(held, Instance):
                    yield from self.special(held, (special,))
