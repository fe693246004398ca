"""Unknowns: which part of an expression keeps the source from telling what it is, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.scopes import Binding, Class, Function, Module, Scope, shown
from asyncvet.graph.values import Container, Instance, Object, Symbol, Tuple, Value

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_STEPS = 6
"""An explanation follows so many assignments at the most."""


def why_unknown(project: Project, expr: tree.Node, scope: Scope) -> list[str]:
    """Sentences that lead from an expression of which nothing is known to what would have to be known; empty if it is known."""
    return list(_Search(project).of(expr, scope, _STEPS))


class _Search:
    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, expr: tree.Node | None, scope: Scope, left: int) -> Iterator[str]:
        if expr is None or left == 0 or self._project.values(expr, scope):
            return
        if isinstance(expr, tree.Attribute):
            yield from self._attribute(expr, scope, left)
        elif isinstance(expr, tree.Call):
            yield from self._call(expr, scope, left)
        elif isinstance(expr, tree.Name):
            yield from self._name(expr, scope, left)
        elif isinstance(expr, tree.Await | tree.Subscript | tree.Starred | tree.NamedExpr):
            inner = expr.value
            if self._project.values(inner, scope):
                yield f"what `{shown(expr)}` holds is not known: {self._told(inner, scope)}"
            else:
                yield from self.of(inner, scope, left)
        else:
            yield f"`{shown(expr)}` is an expression whose result is not followed"

    def _attribute(self, expr: tree.Attribute, scope: Scope, left: int) -> Iterator[str]:
        values = self._project.values(expr.value, scope)
        if not values:
            yield from self.of(expr.value, scope, left)
            return
        classes = [value.cls for value in values if isinstance(value, Instance)]
        bindings = [binding for cls in classes for binding in self._assigned(cls, expr.attr)]
        if bindings:
            yield f"the type of `{shown(expr)}` is not known"
            yield from self._bindings(bindings, left)
        else:
            yield f"nothing that was read says what `{expr.attr}` is: {self._told(expr.value, scope)}"

    def _assigned(self, cls: Class, attr: str) -> Iterator[Binding]:
        for base in self._project.inference.members.mro(cls):
            if isinstance(base, Class):
                yield from (binding for _, binding in base.attribute_bindings.get(attr, ()))
                yield from base.bindings.get(attr, ())

    def _call(self, expr: tree.Call, scope: Scope, left: int) -> Iterator[str]:
        callees = self._project.inference.callee(expr, scope)
        if not callees:
            yield from self.of(expr.func, scope, left)
            return
        yield f"what `{shown(expr)}` gives is not known: {self._told(expr.func, scope)}"
        functions = [value for callee in callees if isinstance(value := getattr(callee, "function", callee), Function)]
        for function in functions[:1]:
            yield f"{_place(function, function.node)} has no annotation of its result that is known"
            for result, _ in function.returns[:1]:
                yield from self.of(result, function, left - 1)

    def _name(self, expr: tree.Name, scope: Scope, left: int) -> Iterator[str]:
        bindings = self._project.inference.names.bindings_at(expr.id, scope, expr.start)
        if not bindings:
            yield f"nothing that was read defines `{expr.id}`"
            return
        if bindings[0].kind not in ("param", "import"):
            yield f"the type of `{expr.id}` is not known"
        yield from self._bindings(bindings, left)

    def _bindings(self, bindings: list[Binding], left: int) -> Iterator[str]:
        telling = [binding for binding in bindings if not isinstance(binding.value, tree.Const)]
        for binding in (telling or bindings)[:1]:
            yield from self._binding(binding, left)

    def _binding(self, binding: Binding, left: int) -> Iterator[str]:
        where = _line(binding)
        if binding.kind == "param":
            yield self._parameter(binding)
        elif binding.kind == "import":
            assert binding.imported is not None
            level, dotted, name = binding.imported
            source = "." * level + dotted
            yield f"`{binding.name}` is imported{where} from `{source or name}`, where nothing that was read defines it"
        elif binding.kind == "annotation" or binding.value is None:
            kind = f"as `{shown(binding.annotation)}`, a type that is not known" if binding.annotation else "with no value"
            yield f"`{binding.name}` is declared{where} {kind}"
        else:
            word = {"for": "taken from", "with": "opened by", "augmented": "changed by"}.get(binding.kind, "assigned from")
            yield f"it is {word} `{shown(binding.value)}`{where}"
            yield from self.of(binding.value, binding.scope, left - 1)

    def _parameter(self, binding: Binding) -> str:
        function = binding.scope
        assert isinstance(function, Function)
        param = function.params.get(binding.name)
        lead = f"`{binding.name}` is a parameter of {_place(function, function.node)}"
        if param is not None and param.kind in ("star", "double"):
            return f"{lead} that gathers what callers pass"
        if param is not None and param.annotation is not None:
            return f"{lead}, annotated as `{shown(param.annotation)}`, which says nothing of the type"
        called = any(self._project.contexts.callers.get(function, ()))
        callers = "its callers do not tell the type either" if called else "no caller was found"
        return f"{lead} with no annotation, and {callers}"

    def _told(self, expr: tree.Node, scope: Scope) -> str:
        """What is known of an expression, in words."""
        values = self._project.values(expr, scope)
        names = list(dict.fromkeys(filter(None, map(_named, values))))[:3]
        return f"`{shown(expr)}` is {' or '.join(names)}" if names else f"of `{shown(expr)}` only its kind is known"


def _named(value: Value) -> str:
    if isinstance(value, Instance):
        return f"a `{value.cls.qualname}`"
    if isinstance(value, Object):
        return f"a `{value.path}`"
    if isinstance(value, Symbol):
        return f"`{value.path}`, whose result is not known"
    if isinstance(value, Module | Class | Function):
        return f"`{value.qualname}`"
    if isinstance(value, Container | Tuple):
        return "a container whose elements are not known" if isinstance(value, Container) else "a tuple"
    return _named(value.function) if hasattr(value, "function") and value.function is not None else ""


def _place(function: Function, node: tree.Node) -> str:
    line, _ = function.module.facts.position(node.start)
    return f"`{function.name}` ({function.path}:{line})"


def _line(binding: Binding) -> str:
    if binding.from_ <= 0:
        return ""
    module = binding.scope.module
    line, _ = module.facts.position((binding.value or tree.Node(binding.from_ - 1, binding.from_)).start)
    return f" in {module.path}:{line}"
