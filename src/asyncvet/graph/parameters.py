"""What parameters can be: annotations, dependencies, defaults, and what callers pass."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.annotations import metadata
from asyncvet.graph.arguments import argument_at, passed, surplus
from asyncvet.graph.modules import is_test
from asyncvet.graph.scopes import Body, Class, Function, Scope, last_name
from asyncvet.graph.values import NOTHING, Bound, Container, Instance, Partial, Value, Values, Wrapped, union

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_CALLERS = 40
"""A name called from more places than this is too common for its callers to say what its parameters are."""


_DECORATIONS = 200
"""The same for what a decorator is applied to: tables of handlers are long."""


class Parameters:
    """Finds values of parameters. Owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._calls: dict[str, list[tuple[Scope, tree.Call]]] | None = None

    def values(self, function: Function, name: str) -> Values:
        """The values that a parameter of a function can have."""
        param = function.params.get(name)
        if param is None:
            return NOTHING
        if name == function.self_name and function.owner is not None:
            if function.name == "__init_subclass__":
                return tuple(self._inference.members.subclasses(function.owner))
            return (function.owner,) if function.is_class_method else (Instance(function.owner),)
        if param.kind == "star":
            return (Container("tuple", self._passed(function, param)),)
        if param.kind == "double":
            return NOTHING
        around = function.parent or function.module
        declared = self._inference.annotations.instances(param.annotation, around)
        if declared and not self._inference.members.are_protocols(declared):
            return union((declared, self._more_exact(function, param, declared)))
        found = self._provided(param, around) or union(
            (self._default(param, around), self._passed(function, param), self._decorated(function, param))
        )
        return union((found, declared))

    def _more_exact(self, function: Function, param: tree.Param, declared: Values) -> Values:
        """Objects of classes below the declared one that callers pass: `record(FileHistory())` for `history: History`."""
        members = self._inference.members
        classes = [value.cls for value in declared if isinstance(value, Instance) and members.subclasses(value.cls)]
        passed = self._passed(function, param) if classes else NOTHING
        return tuple(
            value for value in passed if isinstance(value, Instance) and any(c in members.mro(value.cls) for c in classes)
        )

    def field(self, cls: Class, name: str) -> Values:
        """What constructor calls give a field of a dataclass, a named tuple or a model: of a class that has no `__init__`."""
        members = self._inference.members
        if members.method(cls, "__init__") is not None or not (cls.node.decorators or cls.node.bases):
            return NOTHING
        calls = self._constructions(cls)
        if len(calls) > _CALLERS:
            return NOTHING
        bases = [base for base in reversed(members.mro(cls)) if isinstance(base, Class)]
        names = [key for base in bases for key, bound in base.bindings.items() if bound[0].annotation is not None]
        given = ("", names.index(name)) if name in names else ("",)
        return union(
            self._inference.values(argument_at(call, (name, *given)), scope)
            for scope, call in calls
            if any(isinstance(value, Class) and cls in members.mro(value) for value in self._inference.callee(call, scope))
        )

    def _constructions(self, cls: Class) -> list[tuple[Scope, tree.Call]]:
        """Calls of the names of a class and of those below it."""
        names = [cls.name, *(below.name for below in self._inference.members.subclasses(cls))]
        names += [alias for name in names for alias in self._aliases.get(name, ())]
        return [site for name in dict.fromkeys(names) for site in self._calls_by_name().get(name, ())]

    def is_from_callers(self, function: Function, param: tree.Param) -> bool:
        """Whether neither an annotation, a dependency nor a default says what a parameter is."""
        if not _tells_nothing(param.default) or (param.name == function.self_name and function.owner is not None):
            return False
        around = function.parent or function.module
        return not (self._inference.annotations.instances(param.annotation, around) or self._provided(param, around))

    def dependency(self, param: tree.Param) -> tree.Expression | None:
        """The function or class in `Depends(...)` of a parameter: its default or in its annotation."""
        for expr in (param.default, *metadata(param.annotation)):
            if isinstance(expr, tree.Call) and last_name(expr.func) in ("Depends", "Security"):
                return expr.args[0] if expr.args else next((k.value for k in expr.keywords if k.name == "dependency"), None)
        return None

    def _provided(self, param: tree.Param, scope: Scope) -> Values:
        expr = self.dependency(param)
        if expr is None:
            return NOTHING
        found = []
        for value in self._inference.values(expr, scope):
            function = value.function if isinstance(value, Bound) else value
            if isinstance(function, Function):
                found.append(self._inference.returned(function))
            elif isinstance(value, Class):
                found.append((Instance(value, is_exact=True),))
        return union(found)

    def _default(self, param: tree.Param, scope: Scope) -> Values:
        return self._inference.values(param.default, scope) if param.default is not None else NOTHING

    def _passed(self, function: Function, param: tree.Param) -> Values:
        """What the callers pass, found by the name that they call."""
        if function.owner is not None and _is_init(function):
            calls = [*self._constructions(function.owner), *self._super_calls(function)]
        else:
            names = [function.name, *self._aliases.get(function.name, ())]
            calls = [site for name in dict.fromkeys(names) for site in self._calls_by_name().get(name, ())]
        if len(calls) > _CALLERS:
            return NOTHING
        return union(self._argument(function, param, scope, call) for scope, call in calls)

    def _super_calls(self, function: Function) -> list[tuple[Scope, tree.Call]]:
        """`super().__init__(...)` in subclasses."""
        assert function.owner is not None
        below = {
            method for cls in self._inference.members.subclasses(function.owner) for method in cls.methods.get("__init__", ())
        }
        return [(scope, call) for scope, call in self._calls_by_name().get("__init__", ()) if scope in below] if below else []

    def _argument(self, function: Function, param: tree.Param, scope: Scope, call: tree.Call) -> Values:
        for value in self._inference.callee(call, scope):
            target, skips_self = self._target(value, function)
            if target is function:
                if param.kind == "star":
                    rest = surplus(function, param, call, skips_self)
                    return union(self._inference.values(expr, scope) for expr in rest)
                expr = passed(function, param, call, skips_self)
                return self._inference.values(expr, scope) if expr is not None else NOTHING
        return NOTHING

    def _target(self, value: Value, wanted: Function) -> tuple[Function | None, bool]:
        """The function that calling a value runs, and whether its first parameter is filled in by Python."""
        if isinstance(value, Class):
            return self._inference.members.method(value, "__init__") if _is_init(wanted) else None, True
        if isinstance(value, Bound):
            function = value.function.inner if isinstance(value.function, Wrapped) else value.function
            if (
                isinstance(function, Function)
                and function is not wanted
                and wanted.owner is not None
                and wanted.name == function.name
            ):
                if wanted in self._inference.members.overrides(function):
                    return wanted, True
            return (function if isinstance(function, Function) else None), True
        if isinstance(value, Wrapped | Partial):
            inner = value.inner if isinstance(value, Wrapped) else value.function
            return self._target(inner, wanted)
        return (value if isinstance(value, Function) else None), False

    def _decorated(self, function: Function, param: tree.Param) -> Values:
        """The functions and classes that a decorator is given: `@handler("name")` puts them into a table.

        One that has a function of its own wraps them: what that one runs is told where the decorated function is called.
        """
        if function.inner or param.name != next((name for name in function.params if name != function.self_name), None):
            return NOTHING
        return tuple(
            target
            for target, decorator in self._applied(function)
            if target is not function.parent
            and any(
                (value.function if isinstance(value, Bound) else value) is function
                for value in self._inference.values(decorator, target.parent or target.module)
            )
        )

    def is_called(self, function: Function) -> bool:
        """Whether the project calls something by the name of a function."""
        return function.name in self._calls_by_name()

    def decorated_by(self, decorator: Scope) -> Iterator[Function]:
        """The functions to which a decorator, or one that it makes, is applied, by its name."""
        yield from (target for target, _ in self._applied(decorator) if isinstance(target, Function))

    def _applied(self, decorator: Scope) -> list[tuple[Function | Class, tree.Expression]]:
        """The places where a decorator of this name, or one that a function of this name makes, is applied."""
        names = [decorator.name, *([decorator.parent.name] if isinstance(decorator.parent, Function) else [])]
        applied = [place for name in names for place in self._decorations.get(name, ())]
        return applied if len(applied) <= _DECORATIONS else []

    @cached_property
    def _decorations(self) -> dict[str, list[tuple[Function | Class, tree.Expression]]]:
        """What is decorated, by the last word of the decorator's name."""
        found: dict[str, list[tuple[Function | Class, tree.Expression]]] = {}
        for module in self._inference.modules.values():
            targets: list[Function | Class] = [] if is_test(module.filename) else [*module.functions, *module.classes]
            for target in targets:
                for decorator in target.decorators if isinstance(target, Function) else target.node.decorators:
                    name = last_name(decorator.func if isinstance(decorator, tree.Call) else decorator)
                    found.setdefault(name, []).append((target, decorator))
        return found

    @cached_property
    def _aliases(self) -> dict[str, list[str]]:
        """Other names under which modules import a function or class."""
        aliases: dict[str, dict[str, None]] = {}
        for module in self._inference.modules.values():
            for name, bindings in module.bindings.items():
                for binding in bindings:
                    if binding.imported is not None and binding.imported[2] not in (None, name):
                        aliases.setdefault(str(binding.imported[2]), {})[name] = None
        return {name: list(others) for name, others in aliases.items()}

    def _calls_by_name(self) -> dict[str, list[tuple[Scope, tree.Call]]]:
        if self._calls is None:
            self._calls = {}
            for module in self._inference.modules.values():
                if is_test(module.filename):
                    continue
                bodies: list[Body] = [module, *module.functions]
                for scope in bodies:
                    for site in scope.sites:
                        if isinstance(site.node, tree.Call) and (name := last_name(site.node.func)):
                            self._calls.setdefault(name, []).append((scope, site.node))
        return self._calls


def _tells_nothing(default: tree.Expression | None) -> bool:
    return default is None or (isinstance(default, tree.Const) and default.kind == "none")


def _is_init(function: Function) -> bool:
    return function.owner is not None and function.name == "__init__"
