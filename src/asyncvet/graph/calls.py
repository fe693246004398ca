"""Call sites: which functions of the project and which catalogue entries each runs, and how.

Every site of a function's body (calls, `with`, `for`, properties, subscripts) becomes a `CallSite`. What a site hands on to
another thread or to the loop is found here too, also through functions of the project that hand on a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asyncvet.catalogue import Api
from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at, passed
from asyncvet.graph.conditions import holds, is_over, touches_memory_only
from asyncvet.graph.fields import default_factories, is_constructor, validators
from asyncvet.graph.guesses import guessed
from asyncvet.graph.observed_calls import ObservedCalls
from asyncvet.graph.scopes import Class, Function, Module, Scope, Site, last_name
from asyncvet.graph.sites import ApiCall, CallSite, Mode, Target, Use
from asyncvet.graph.special_methods import SpecialMethods
from asyncvet.graph.values import Bound, Coroutine, GeneratorOf, Instance, Object, Partial, Symbol, Value, Wrapped

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference


_CONSUMERS = frozenset(
    f"builtins.{name}"
    for name in (
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "next",
        "map",
        "filter",
        "list.extend",
        "set.update",
        "dict.update",
    )
) | {"collections.deque"}
_STARTERS = frozenset({"builtins.generator.send", "builtins.generator.__next__", "builtins.generator.__enter__"})
_SPECIAL_CALLS = {
    "builtins.len": ("__len__",),
    "builtins.str": ("__str__", "__repr__"),
    "builtins.str.format": ("__format__", "__str__", "__repr__"),
    "builtins.repr": ("__repr__",),
    "builtins.bool": ("__bool__", "__len__"),
    "builtins.hash": ("__hash__",),
    "builtins.format": ("__format__",),
    "builtins.int": ("__int__",),
    "builtins.float": ("__float__",),
    "builtins.bytes": ("__bytes__",),
    "builtins.abs": ("__abs__",),
    "builtins.iter": ("__iter__",),
    "builtins.reversed": ("__reversed__",),
    "builtins.print": ("__str__", "__repr__"),
    "copy.copy": ("__copy__",),
    "copy.deepcopy": ("__deepcopy__",),
}
_CALLABLE = (Function, Bound, Wrapped, Partial, Class, Instance, Symbol)
_MODES = {"offloads": Mode.THREAD, "schedules": Mode.LOOP, "calls": Mode.INLINE, "defers": Mode.LATER}


class Calls:
    """Resolves sites. One object a project."""

    def __init__(self, inference: Inference, observed: ObservedCalls) -> None:
        self._inference = inference
        self._observed = observed
        self._special = SpecialMethods(inference)
        self._methods: dict[tuple[Function, Value], tuple[Target, ...]] = {}
        self._sites: dict[Scope, tuple[CallSite, ...]] = {}
        self._uses: dict[tuple[Function, str, Function], tuple[Use, ...]] = {}

    def sites(self, scope: Function | Module) -> tuple[CallSite, ...]:
        """The call sites of a body, in the order of the text."""
        known = self._sites.get(scope)
        if known is None:
            known = tuple(filter(None, (self._resolve(site, scope) for site in scope.sites)))
            self._sites[scope] = known
        return known

    # --- sites ------------------------------------------------------------------------------------

    def _resolve(self, site: Site, scope: Function | Module) -> CallSite | None:
        node = site.node
        if isinstance(node, tree.Call):
            return self._call(site, node, scope)
        found = list(dict.fromkeys(self._special.of_site(site, scope)))
        if not found:
            return None
        targets = tuple(part for part in found if isinstance(part, Target))
        names = tuple(part for part in found if isinstance(part, str))
        apis = tuple(filter(None, (self._entry(name, None, None, scope) for name in names)))
        return CallSite(scope, site, targets, apis, names, True) if targets or apis else None

    def _call(self, site: Site, node: tree.Call, scope: Function | Module) -> CallSite:
        targets: dict[Target, None] = {}
        names: dict[str, Value | None] = {}
        called: dict[str, None] = {}
        values = self._called(node, scope)
        is_from_callers = self._is_from_callers(node.func, scope)
        for value in values:
            for part in (value.path,) if isinstance(value, Symbol) else self._parts(value, node):
                if is_from_callers and not (isinstance(part, Target) and part.mode is Mode.COROUTINE):
                    continue  # What runs in the caller's thread is told at the call that passes it.
                if isinstance(part, Target):
                    targets[part] = None
                    for handed in self._callbacks(part, value, node, scope):
                        if isinstance(handed, Target):
                            targets[handed] = None
                        else:
                            called[handed] = None
                else:
                    names[part] = value.receiver if isinstance(value, Bound) else value if isinstance(value, Object) else None
        names.update(dict.fromkeys(guessed(site, node) if not values else ()))
        apis = tuple(filter(None, (self._entry(name, receiver, node, scope) for name, receiver in names.items())))
        apis += tuple(filter(None, (self._entry(name, None, None, scope) for name in called)))
        for entry in apis:
            targets.update(dict.fromkeys(self._handed(entry.api, node, scope)))
        for part in self._consumed(names, node, scope):
            if isinstance(part, Target):
                targets[part] = None
            else:
                apis = (*apis, *filter(None, [self._entry(part, None, None, scope)]))
        targets.update(dict.fromkeys(self._wrapped_here(site, scope)))
        run = self._awaitable(targets) if site.awaited else tuple(targets)
        return CallSite(scope, site, run, apis, tuple(names), bool(values) or self._is_parameter(node.func, scope))

    def _parts(self, value: Value, node: tree.Call) -> Iterator[Target | str]:
        return self._construct(value, node) if isinstance(value, Class) else self._run(value)

    def _called(self, node: tree.Call, scope: Function | Module) -> tuple[Value, ...]:
        """What a call calls; of one that is open, also what it was seen to run."""
        values = self._inference.callee(node, scope)
        return (*values, *self._seen(node, scope)) if self._observed and self._is_open(values) else values

    def _is_open(self, values: Iterable[Value]) -> bool:
        """Whether nothing that was read or that the catalogue has is among what is called."""
        return all(isinstance(value, Symbol) and not self._inference.catalogue.api(value.path) for value in values)

    def _seen(self, node: tree.Call, scope: Function | Module) -> list[Value]:
        """What a call was seen to run, where it is the only one on its line that is open."""
        if not (seen := self._observed.callees(node, scope)):
            return []
        position = scope.module.facts.position
        calls = [site.node for site in scope.sites if isinstance(site.node, tree.Call)]
        here = [call for call in calls if call is not node and position(call.start)[0] == position(node.start)[0]]
        return [] if any(self._is_open(self._inference.callee(call, scope)) for call in here) else list(seen)

    def _wrapped_here(self, site: Site, scope: Function | Module) -> Iterator[Target]:
        """The plain functions that a decorator makes into coroutines which call them: `async def wrapper(): return fn()`."""
        func = site.node.func if isinstance(site.node, tree.Call) else None
        if site.awaited or not (isinstance(scope, Function) and scope.is_async and isinstance(func, tree.Name)):
            return
        if scope.parent is None or not self._is_from_callers(func, scope):
            return
        parameters = self._inference.parameters
        for function in parameters.decorated_by(scope.parent):
            if parameters.is_called(function):
                continue  # That place is told.
            for value in self._inference.decorated(function):
                if isinstance(value, Wrapped) and value.wrapper is scope and value.param == func.id:
                    yield from (part for part in self._run(value.inner) if isinstance(part, Target) and part.mode is Mode.INLINE)

    def _awaitable(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        """The targets of an awaited call: where the object may be of a sync or an async class, `await` says that it is the latter."""
        has_coroutine = any(target.mode is Mode.COROUTINE for target in targets)
        return tuple(
            target
            for target in targets
            if target.mode is not Mode.INLINE or target.via or not (has_coroutine or self._gives_plain_value(target.function))
        )

    def _gives_plain_value(self, function: Function) -> bool:
        found = self._inference.returned(function)
        return bool(found) and not any(isinstance(value, Coroutine | Object) for value in found)

    def _run(self, value: Value) -> Iterator[Target | str]:
        """What calling a value runs: targets, and dotted names of library callables."""
        if isinstance(value, Bound):
            if isinstance(value.function, Function):
                yield from self._run_method(value.function, value.receiver)
            else:
                yield from self._run(value.function)
                if isinstance(value.receiver, Class) and is_constructor(value.function):
                    yield from self._construct(value.receiver)
        elif isinstance(value, Function):
            yield from self._run_function(value)
        elif isinstance(value, Wrapped):
            yield from self._run_wrapped(value)
        elif isinstance(value, Class):
            yield from self._construct(value)
        elif isinstance(value, Partial):
            yield from self._run(value.function)
        elif isinstance(value, Instance):
            yield from self._run_instance(value)
        elif isinstance(value, Object):
            yield f"{value.path}.__call__"
        elif isinstance(value, Symbol):
            yield value.path

    def _run_instance(self, value: Instance) -> Iterator[Target | str]:
        members = self._inference.members
        method = members.method(value.cls, "__call__")
        if method is not None:
            yield from self._run_method(method, value)
            return
        bases = [base.path for base in members.mro(value.cls) if isinstance(base, Symbol)]
        yield from (f"{base}.__call__" for base in bases)
        forward = members.method(value.cls, "forward") if any(base.startswith("torch.nn.") for base in bases) else None
        if forward is not None:
            yield from self._run_method(forward, value)

    def _run_function(self, function: Function) -> Iterator[Target]:
        if function.is_async:
            yield Target(function, Mode.COROUTINE)
        elif not function.is_generator:
            yield Target(function, Mode.INLINE)

    def _run_method(self, function: Function, receiver: Value) -> tuple[Target, ...]:
        key = (function, receiver)
        known = self._methods.get(key)
        if known is None:
            known = self._methods[key] = tuple(self._find_methods(function, receiver))
        return known

    def _find_methods(self, function: Function, receiver: Value) -> Iterator[Target]:
        yield from self._run_function(function)
        if function.is_hook:
            for below in self._inference.members.overrides(function):
                if not below.is_hook and not self._is_of_another(below, function, receiver):
                    yield from self._run_function(below)

    def _is_of_another(self, below: Function, function: Function, receiver: Value) -> bool:
        """Whether an override of a method belongs to a class that a receiver cannot be of: a sibling of its own."""
        if not isinstance(receiver, Instance) or below.owner is None or function.owner is None:
            return False
        bases = self._inference.members.mro(below.owner)[1:]
        if below.owner is receiver.cls or function.owner not in bases:
            return False
        return receiver.is_exact or receiver.cls not in bases

    def _run_wrapped(self, value: Wrapped) -> Iterator[Target | str]:
        yield from self._run_function(value.wrapper)
        uses = self.uses(value.decorator, value.param, value.wrapper)
        for part in self._run(value.inner):
            if not isinstance(part, Target):
                continue
            for use in uses:
                if part.mode is Mode.INLINE:
                    yield Target(part.function, use.mode, ((use.function, use.node),))
            if part.mode is Mode.COROUTINE:
                yield part

    def _construct(self, cls: Class, call: tree.Call | None = None) -> Iterator[Target | str]:
        for name in ("__new__", "__init__", "__post_init__", "model_post_init"):
            method = self._inference.members.method(cls, name)
            if method is not None:
                yield Target(method, Mode.INLINE)
        for base in self._inference.members.mro(cls):
            if isinstance(base, Class):
                yield from (Target(method, Mode.INLINE) for method in validators(base))
                for factory in default_factories(base, call):
                    yield from (part for value in self._inference.values(factory, base) for part in self._run(value))

    def _entry(self, name: str, receiver: Value | None, call: tree.Call | None, scope: Scope) -> ApiCall | None:
        for api in self._inference.catalogue.api(name):
            if holds(api, call, receiver, self._inference, scope):
                if touches_memory_only(api, call, receiver, self._inference, scope) or is_over(name, call, scope):
                    return None
                return ApiCall(self._inference.catalogue.canonical(name), api, receiver)
        return None

    def _consumed(self, names: dict[str, Value | None], node: tree.Call, scope: Scope) -> Iterator[Target | str]:
        """Generators and iterators that `list(...)`, `sum(...)`, `"".join(...)` run to their end, and methods behind `len(...)`."""
        for name in names:
            if name in _SPECIAL_CALLS and node.args and self._special.is_defined(_SPECIAL_CALLS[name]):
                for value in self._inference.values(node.args[0], scope):
                    if isinstance(value, Instance):
                        yield from (
                            part
                            for part in self._special.special(value, _SPECIAL_CALLS[name])
                            if name != "builtins.iter" or isinstance(part, str) or not part.function.is_generator
                        )
        for receiver in (names[name] for name in names if name in _STARTERS):
            if isinstance(receiver, GeneratorOf) and not receiver.function.is_async:
                yield Target(receiver.function, Mode.INLINE)
        if not node.args:
            return
        if any(name.endswith("ExitStack.enter_context") for name in names):
            yield from self._special.entered(node.args[0], scope)
        if not (any(name in _CONSUMERS for name in names) or last_name(node.func) == "join"):
            return
        for argument in node.args:
            yield from self._special.iterated(argument, scope)

    # --- hand-offs --------------------------------------------------------------------------------

    def _handed(self, api: Api, node: tree.Call, scope: Scope) -> Iterator[Target]:
        mode = _MODES.get(api.effect)
        expr = argument_at(node, api.argument) if mode is not None else None
        if expr is None or mode is None or self._is_from_callers(expr, scope):
            return
        for value in self._callables(expr, scope):
            for part in self._run(value):
                if isinstance(part, Target) and part.mode is Mode.INLINE:
                    yield Target(part.function, mode, part.via)
            if mode is Mode.THREAD and isinstance(value, Function) and value.is_generator:
                yield Target(value, mode)

    def _callables(self, expr: tree.Expression, scope: Scope) -> Iterator[Value]:
        """The functions that an expression handed on stands for; for `partial(context.run, f)` also what it is given."""
        for value in self._inference.values(expr, scope):
            yield value
            if isinstance(value, Partial) and isinstance(expr, tree.Call):
                for argument in expr.args[1:2]:
                    yield from self._callables(argument, scope)

    def _callbacks(self, target: Target, value: Value, node: tree.Call, scope: Scope) -> Iterator[Target | str]:
        """What a function of the project does with functions that this call passes to it: its own, and those of libraries."""
        function = target.function
        skips_self = isinstance(value, Bound | Class)
        for name, param in function.params.items():
            if name == function.self_name:
                continue
            expr = passed(function, param, node, skips_self)
            if expr is None or isinstance(expr, tree.Const) or self._is_from_callers(expr, scope):
                continue
            callables = [handed for handed in self._callables(expr, scope) if isinstance(handed, _CALLABLE)]
            uses = self.uses(function, name, function) if callables else ()
            for handed in callables if uses else ():
                for part in self._run(handed):
                    if isinstance(part, Target) and part.mode is Mode.INLINE:
                        yield from (Target(part.function, use.mode, ((use.function, use.node), *part.via)) for use in uses)
                    elif isinstance(part, str) and any(use.mode is Mode.INLINE for use in uses):
                        yield part

    def uses(self, owner: Function, param: str, inside: Function) -> tuple[Use, ...]:
        """How `inside` (`owner` itself, or a function within it) runs the function in a parameter of `owner`."""
        key = (owner, param, inside)
        known = self._uses.get(key)
        if known is None:
            self._uses[key] = ()
            known = self._uses[key] = tuple(dict.fromkeys(self._find_uses(owner, param, inside)))
        return known

    def _find_uses(self, owner: Function, param: str, inside: Function) -> Iterator[Use]:
        for site in inside.sites:
            node = site.node
            if not isinstance(node, tree.Call):
                continue
            if self._names_param(node.func, owner, param, inside):
                if not site.awaited:
                    yield Use(Mode.INLINE, inside, node)
                continue
            for value in self._inference.callee(node, inside):
                yield from self._uses_in_call(value, node, owner, param, inside)

    def _uses_in_call(self, value: Value, node: tree.Call, owner: Function, param: str, inside: Function) -> Iterator[Use]:
        for part in self._run(value):
            if isinstance(part, str):
                for api in self._inference.catalogue.api(part):
                    mode = _MODES.get(api.effect)
                    expr = argument_at(node, api.argument) if mode is not None else None
                    if expr is not None and mode is not None and self._runs_param(expr, owner, param, inside):
                        yield Use(mode, inside, node)
                continue
            function = part.function
            if function.parent is inside and function is not inside:
                yield from self.uses(owner, param, function)
            for name, inner in function.params.items():
                expr = passed(function, inner, node, isinstance(value, Bound | Class))
                if expr is not None and self._runs_param(expr, owner, param, inside):
                    yield from (Use(use.mode, inside, node) for use in self.uses(function, name, function))

    def _runs_param(self, expr: tree.Expression, owner: Function, param: str, inside: Function) -> bool:
        """Whether running what an expression gives runs the parameter: itself, a partial, a lambda or a function around it."""
        if self._names_param(expr, owner, param, inside):
            return True
        if isinstance(expr, tree.Call) and last_name(expr.func) in ("partial", "wraps", "copy_context"):
            return any(self._runs_param(argument, owner, param, inside) for argument in expr.args)
        return any(
            isinstance(value, Function) and value.parent in (inside, owner) and bool(self.uses(owner, param, value))
            for value in self._inference.values(expr, inside)
        )

    def _names_param(self, expr: tree.Node, owner: Function, param: str, inside: Function) -> bool:
        if isinstance(expr, tree.Attribute) and isinstance(expr.value, tree.Name):
            return _keeps(owner, param, expr.attr) and expr.value.id == _self_around(inside, owner)
        if not (isinstance(expr, tree.Name) and expr.id == param):
            return False
        scope: Scope | None = inside
        while scope is not None and scope is not owner:
            if param in scope.bindings:
                return False
            scope = scope.parent
        return scope is owner

    def _is_from_callers(self, expr: tree.Expression, scope: Scope) -> bool:
        """Whether an expression is a parameter of which only callers tell what it is: what it runs is told at their calls."""
        if not isinstance(expr, tree.Name):
            return False
        owner = next((s for s in scope.enclosing() if isinstance(s, Function) and expr.id in s.bindings), None)
        param = owner.params.get(expr.id) if owner is not None else None
        if owner is None or param is None or len(owner.bindings[expr.id]) > 1:
            return False
        return self._inference.parameters.is_from_callers(owner, param)

    def _is_parameter(self, func: tree.Expression, scope: Scope) -> bool:
        return isinstance(func, tree.Name) and any(
            isinstance(around, Function) and func.id in around.params for around in scope.enclosing()
        )


def _keeps(init: Function, param: str, attr: str) -> bool:
    """Whether a constructor keeps a parameter of its own under an attribute: `self.attr = param`."""
    if init.owner is None or init.name != "__init__":
        return False
    values = [binding.value for method, binding in init.owner.attribute_bindings.get(attr, ()) if method is init]
    return any(isinstance(value, tree.Name) and value.id == param for value in values)


def _self_around(inside: Function, init: Function) -> str | None:
    """The name that the object of a constructor's class has in a method, or in a function within one."""
    method = next((s for s in inside.enclosing() if isinstance(s, Function) and s.owner is init.owner), None)
    return method.self_name if method is not None else None
