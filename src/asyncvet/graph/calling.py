"""What calls give: functions of the project, classes, methods, wrappers, and calls that the catalogue or Python itself defines."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeGuard

from asyncvet.catalogue import TypeRef, parse_type
from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.conditions import holds
from asyncvet.graph.scopes import Class, Function, Scope, dotted, last_name
from asyncvet.graph.values import (
    NOTHING,
    Bound,
    Container,
    Coroutine,
    GeneratorOf,
    Instance,
    Object,
    Partial,
    Super,
    Symbol,
    Text,
    Tuple,
    Value,
    Values,
    Wrapped,
    union,
)

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_NOTHING_TOLD = frozenset({"object", "builtins.object", "None", "types.NoneType"})
_TRANSPARENT = frozenset(
    {
        "property",
        "staticmethod",
        "classmethod",
        "wraps",
        "abstractmethod",
        "override",
        "overload",
        "contextmanager",
        "asynccontextmanager",
    }
)


class Calling:
    """Computes results of calls. Owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    # --- functions --------------------------------------------------------------------------------

    def decorated(self, function: Function) -> Values:
        """What the name of a function stands for after its decorators ran."""
        values: Values = (function,)
        for decorator in reversed(function.decorators):
            name = last_name(decorator.func if isinstance(decorator, tree.Call) else decorator)
            if name not in _TRANSPARENT:
                values = union(self._decorate(decorator, function, value) for value in values)
        return values

    def _decorate(self, decorator: tree.Expr, function: Function, value: Value) -> Values:
        scope = function.parent or function.module
        makers = self._inference.values(decorator.func if self._is_configured(decorator, scope) else decorator, scope)
        if any(isinstance(maker, Symbol) and self._offloads(maker) for maker in makers):
            return (Object(f"{function.qualname} in a thread"),)
        if any(maker == Symbol("functools.singledispatch") for maker in makers):
            return (value, *self._registered(function))
        wrapped = union(self._made(maker, value) for maker in makers)
        return wrapped or (value,)

    def _made(self, maker: Value, inner: Value) -> Values:
        """What a decorator gives for a function: the wrapper of a function, an object of a class, or one that is entered around it."""
        members = self._inference.members
        if isinstance(maker, Class):
            call, init = members.method(maker, "__call__"), members.method(maker, "__init__")
            param = next((name for name in init.params if name != init.self_name), None) if init is not None else None
            return (
                (Wrapped(call, init, param, inner),) if call is not None and init is not None and param is not None else NOTHING
            )
        if isinstance(maker, Instance) and any(
            isinstance(base, Symbol) and base.path == "contextlib.ContextDecorator" for base in members.mro(maker.cls)
        ):
            around = (members.method(maker.cls, name) for name in ("__enter__", "__exit__"))
            return (inner, *(Bound(method, maker) for method in around if method is not None))
        if isinstance(maker, Instance):
            method = members.method(maker.cls, "__call__")
        else:
            method = _function_of(maker.function if isinstance(maker, Partial) else maker)
        return self._wrap(method, inner) if method is not None else NOTHING

    def _registered(self, function: Function) -> Values:
        """The implementations that `@function.register` adds to one of `functools.singledispatch`."""
        return tuple(
            other
            for other in function.module.functions
            for decorator in other.decorators
            if dotted(decorator.func if isinstance(decorator, tree.Call) else decorator) == f"{function.name}.register"
        )

    def _offloads(self, maker: Symbol) -> bool:
        return any(api.effect == "offloads" for api in self._inference.catalogue.api(maker.path))

    def _is_configured(self, decorator: tree.Expr, scope: Scope) -> TypeGuard[tree.Call]:
        """`@sync_to_async(thread_sensitive=True)`: a library decorator that is first given its options."""
        return isinstance(decorator, tree.Call) and any(
            isinstance(value, Symbol) and self._offloads(value) for value in self._inference.values(decorator.func, scope)
        )

    def _wrap(self, maker: Function, inner: Value) -> Values:
        """The wrappers that a decorator function gives for `inner`; empty if it gives `inner` itself or what is unknown."""
        found: list[Value] = []
        for expr, _ in maker.returns:
            for value in self._inference.values(expr, maker):
                wrapper = _function_of(value)
                home = wrapper.parent if wrapper is not None else None
                if wrapper is None or not isinstance(home, Function) or wrapper is maker:
                    continue
                param = next((name for name in home.params if name != home.self_name), None)
                if param is not None:
                    found.append(Wrapped(wrapper, home, param, inner))
        return tuple(dict.fromkeys(found))

    def returned(self, function: Function) -> Values:
        """What the body gives: results of `return` (after await), or what a generator yields."""
        declared = NOTHING
        if isinstance(function.node, tree.FunctionDef) and function.node.returns is not None:
            declared = self._inference.annotations.instances(function.node.returns, function.parent or function.module)
        if function.is_generator:
            elements = union(value.elements if isinstance(value, Container) else (value,) for value in declared)
            return elements or union(self._inference.values(node.value, function) for node in function.yields)
        if declared and not self._inference.members.are_protocols(declared):
            return declared
        found = union(self._inference.values(expr, function) for expr, _ in function.returns) or declared
        if not found and function.is_abstract:
            return union(self._inference.returned(below) for below in self._inference.members.overrides(function))
        return found

    def result_of_function(self, function: Function, receiver: Value | None = None) -> Values:
        """What calling a function gives, before any await or iteration."""
        if function.is_generator:
            return (GeneratorOf(function),)
        if receiver is not None and self._gives_receiver(function):
            instance = Instance(receiver) if isinstance(receiver, Class) else receiver
            return (Coroutine(function, (instance,)),) if function.is_async else (instance,)
        if function.is_async:
            return (Coroutine(function),)
        if function.is_abstract:
            below = self._inference.members.overrides(function)
            return union(
                (self._inference.returned(function), *(self.result_of_function(f) for f in below[:12] if not f.is_abstract))
            )
        return self._inference.returned(function)

    def _gives_receiver(self, function: Function) -> bool:
        """Whether a method returns `self`, as its annotation or all its returns say."""
        returns = function.node.returns if isinstance(function.node, tree.FunctionDef) else None
        if isinstance(returns, tree.Name | tree.Attribute) and last_name(returns) == "Self":
            return True
        return bool(function.returns) and all(
            isinstance(expr, tree.Name) and expr.id == function.self_name for expr, _ in function.returns
        )

    # --- calls ------------------------------------------------------------------------------------

    def result(self, value: Value, call: tree.Call, scope: Scope) -> Values:
        """What `call` gives if what it calls is `value`."""
        if isinstance(value, Function):
            return self.result_of_function(value)
        if isinstance(value, Class):
            return (Instance(value, is_exact=True),)
        if isinstance(value, Symbol):
            return self._of_symbol(value.path, None, call, scope)
        if isinstance(value, Bound):
            return self._of_bound(value, call, scope)
        if isinstance(value, Wrapped):
            return self._of_wrapped(value, call, scope)
        if isinstance(value, Partial):
            return self.result(value.function, call, scope)
        if isinstance(value, Instance):
            method = self._inference.members.method(value.cls, "__call__")
            return self.result_of_function(method, value) if method is not None else NOTHING
        if isinstance(value, Object):
            if value.path == "functools.wraps":
                return self._argument(call, scope, 0)
            kind = self._inference.catalogue.type(value.path)
            return self.from_notation(kind.call, (value,), call, scope) if kind is not None and kind.call else NOTHING
        return NOTHING

    def _of_bound(self, value: Bound, call: tree.Call, scope: Scope) -> Values:
        if value.function == Symbol("builtins.type.__subclasses__") and isinstance(value.receiver, Class):
            return (Container("list", tuple(self._inference.members.subclasses(value.receiver))),)
        if isinstance(value.function, Symbol):
            return self._of_symbol(value.function.path, value.receiver, call, scope)
        if isinstance(value.function, Function):
            return self.result_of_function(value.function, value.receiver)
        return self.result(value.function, call, scope)

    def _of_wrapped(self, value: Wrapped, call: tree.Call, scope: Scope) -> Values:
        if value.wrapper.is_generator:
            return (GeneratorOf(value.wrapper),)
        inner = self.result(value.inner, call, scope)
        if value.wrapper.is_async:
            return (Coroutine(None, self._inference.awaited(inner)),)
        return inner or self.result_of_function(value.wrapper)

    def _of_symbol(self, path: str, receiver: Value | None, call: tree.Call, scope: Scope) -> Values:
        special = _SPECIAL.get(path)
        if special is not None:
            return special(self, call, scope)
        if isinstance(receiver, Container | Tuple | GeneratorOf):
            return _of_container(path.rpartition(".")[2], receiver)
        catalogue = self._inference.catalogue
        owner = path.rpartition(".")[0]
        origin: Values = NOTHING
        if receiver is not None and not isinstance(receiver, Class):
            origin = (receiver,)
        elif catalogue.type(owner) is not None:  # A class method: `AutoModel.from_pretrained(...)`.
            origin = (Object(owner, call),)
        for api in catalogue.api(path):
            if api.effect == "offloads" and api.argument and (api.is_async or api.returns == "asyncio.Future"):
                return (Coroutine(None, self._result_of_argument(call, scope, api.argument)),)
            if not holds(api, call, receiver, self._inference, scope):
                continue
            found = self.from_notation(api.returns, origin, call, scope)
            if api.is_async:
                return (Coroutine(None, found),)
            if found:
                return found
        if receiver is not None and not isinstance(receiver, Class):
            return NOTHING
        if catalogue.type(path) is not None or path.rpartition(".")[2][:1].isupper():
            return (Object(path, call),)
        return NOTHING

    def _result_of_argument(self, call: tree.Call, scope: Scope, argument: tuple[str | int, ...]) -> Values:
        expr = argument_at(call, argument)
        if expr is None:
            return NOTHING
        return union(self.result(value, call, scope) for value in self._inference.values(expr, scope))

    def from_notation(self, notation: str, origin: Values, call: tree.Call | None = None, scope: Scope | None = None) -> Values:
        """The values that a type of the catalogue stands for; `origin` is what ``self`` means."""
        return self._from_type(parse_type(notation), origin, call, scope) if notation else NOTHING

    def _from_type(self, ref: TypeRef, origin: Values, call: tree.Call | None, scope: Scope | None) -> Values:
        if ref.kind == "self":
            return origin
        if ref.kind == "argument":
            found = self._argument(call, scope, 0) if call is not None and scope is not None else NOTHING
            return union(self._inference.annotations.instance_of(value) or (value,) for value in found)
        if ref.kind == "class":
            name = f"builtins.{ref.name}" if "." not in ref.name and ref.name in dir(builtins) else ref.name
            return NOTHING if name in _NOTHING_TOLD else (Object(self._inference.catalogue.canonical(name), call),)
        parts = tuple(self._from_type(item, origin, call, scope) for item in ref.items)
        if ref.kind == "union":
            return union(parts)
        if ref.kind == "tuple" and len(parts) > 1:
            return (Tuple(parts),)
        return (Container(ref.kind, union(parts)),)

    # --- what Python itself defines ----------------------------------------------------------------

    def _argument(self, call: tree.Call, scope: Scope, index: int) -> Values:
        return self._inference.values(call.args[index], scope) if len(call.args) > index else NOTHING

    def _super(self, _: tree.Call, scope: Scope) -> Values:
        method = next((s for s in scope.enclosing() if isinstance(s, Function) and s.owner is not None), None)
        if method is None or method.owner is None:
            return NOTHING
        receiver: Value = method.owner if method.is_class_method else Instance(method.owner)
        return (Super(method.owner, receiver),)

    def _getattr(self, call: tree.Call, scope: Scope) -> Values:
        if len(call.args) < 2:
            return NOTHING
        names = [value.value for value in self._inference.values(call.args[1], scope) if isinstance(value, Text)]
        names = names or list(self._names_with_prefix(call, scope))
        found = union(self._inference.attribute(value, name) for value in self._argument(call, scope, 0) for name in names)
        return union((found, self._argument(call, scope, 2)))

    def _names_with_prefix(self, call: tree.Call, scope: Scope) -> Iterator[str]:
        """The methods that `getattr(self, f"do_{name}")` can mean."""
        text = call.args[1]
        first = text.operands[0] if isinstance(text, tree.Operation) and text.op in ("fstring", "+") and text.operands else None
        if not (isinstance(first, tree.Const) and isinstance(first.value, str) and first.value):
            return
        for value in self._argument(call, scope, 0):
            for base in self._inference.members.mro(value.cls) if isinstance(value, Instance) else ():
                yield from (name for name in base.methods if name.startswith(first.value)) if isinstance(base, Class) else ()

    def _partial(self, call: tree.Call, scope: Scope) -> Values:
        return tuple(Partial(value) for value in self._argument(call, scope, 0))

    def _cast(self, call: tree.Call, scope: Scope) -> Values:
        return self._inference.annotations.instances(call.args[0], scope) if call.args else NOTHING

    def _iter(self, call: tree.Call, scope: Scope) -> Values:
        found: list[Values] = []
        for value in self._argument(call, scope, 0):
            method = self._inference.members.method(value.cls, "__iter__") if isinstance(value, Instance) else None
            if isinstance(value, GeneratorOf):
                found.append((value,))
            elif method is not None:
                found.append(self.result_of_function(method, value))
            else:
                found.append((Container("iterator", self._inference.element((value,))),))
        return union(found)

    def _context_variable(self, call: tree.Call, scope: Scope) -> Values:
        default = argument_at(call, ("default",))
        return (Container("contextvar", self._inference.values(default, scope) if default is not None else NOTHING),)

    def _new(self, call: tree.Call, scope: Scope) -> Values:
        return tuple(Instance(value) for value in self._argument(call, scope, 0) if isinstance(value, Class))

    def _made_dict(self, call: tree.Call, scope: Scope) -> Values:
        given = [
            value.elements for value in self._argument(call, scope, 0) if isinstance(value, Container) and value.kind == "dict"
        ]
        named = [self._inference.values(keyword.value, scope) for keyword in call.keywords if keyword.name is not None]
        return (Container("dict", union((*given, *named))),)

    def _default_dict(self, call: tree.Call, scope: Scope) -> Values:
        makers = [value for value in self._argument(call, scope, 0) if isinstance(value, Function | Class)]
        return (Container("dict", union(self.result(maker, call, scope) for maker in makers)),)

    def _closing(self, call: tree.Call, scope: Scope) -> Values:
        return (Container("context", self._argument(call, scope, 0)),)

    def _entered(self, call: tree.Call, scope: Scope) -> Values:
        return union(self._inference.members.entered(value, is_async=False) for value in self._argument(call, scope, 0))

    def _import_module(self, call: tree.Call, scope: Scope) -> Values:
        name = call.args[0] if call.args else None
        if not (isinstance(name, tree.Const) and isinstance(name.value, str)) or name.value.startswith("."):
            return NOTHING
        path = self._inference.index.resolve(scope.module.filename, 0, name.value)
        return self._inference.names.file(path) if path is not None else (Symbol(name.value),)

    def _type(self, call: tree.Call, scope: Scope) -> Values:
        return tuple(value.cls for value in self._argument(call, scope, 0) if isinstance(value, Instance))

    def _same(self, call: tree.Call, scope: Scope) -> Values:
        return self._argument(call, scope, 0)

    def _list(self, call: tree.Call, scope: Scope) -> Values:
        return (Container("list", self._inference.element(self._argument(call, scope, 0))),)

    def _next(self, call: tree.Call, scope: Scope) -> Values:
        return self._inference.element(self._argument(call, scope, 0))

    def _anext(self, call: tree.Call, scope: Scope) -> Values:
        return (Coroutine(None, self._inference.element(self._argument(call, scope, 0), is_async=True)),)

    def _any_of(self, call: tree.Call, scope: Scope) -> Values:
        found = [self._inference.values(argument, scope) for argument in call.args]
        return self._inference.element(found[0]) if len(found) == 1 else union(found)

    def _enumerate(self, call: tree.Call, scope: Scope) -> Values:
        return (Container("iterator", (Tuple((NOTHING, self._inference.element(self._argument(call, scope, 0)))),)),)

    def _zip(self, call: tree.Call, scope: Scope) -> Values:
        parts = tuple(self._inference.element(self._inference.values(arg, scope)) for arg in call.args)
        return (Container("iterator", (Tuple(parts),)),)

    def _await_argument(self, call: tree.Call, scope: Scope) -> Values:
        return (Coroutine(None, self._inference.awaited(self._argument(call, scope, 0))),)

    def _gather(self, call: tree.Call, scope: Scope) -> Values:
        if any(isinstance(arg, tree.Starred) for arg in call.args):
            elements = union(self._inference.awaited(self._inference.values(arg, scope)) for arg in call.args)
            return (Coroutine(None, (Container("list", elements),)),)
        return (
            Coroutine(None, (Tuple(tuple(self._inference.awaited(self._inference.values(arg, scope)) for arg in call.args)),)),
        )


def _function_of(value: Value) -> Function | None:
    if isinstance(value, Bound):
        value = value.function
    return value if isinstance(value, Function) else None


def _of_container(name: str, receiver: Value) -> Values:
    if isinstance(receiver, GeneratorOf):
        return NOTHING
    elements = receiver.elements if isinstance(receiver, Container) else union(receiver.items)  # type: ignore[union-attr]
    if name in ("get", "pop", "popleft", "setdefault", "__getitem__"):
        return elements
    if name == "values":
        return (Container("iterator", elements),)
    if name == "items":
        return (Container("iterator", (Tuple((NOTHING, elements)),)),)
    return (receiver,) if name in ("copy", "union", "__enter__") else NOTHING


_SPECIAL: Mapping[str, Callable[[Calling, tree.Call, Scope], Values]] = {
    "builtins.super": Calling._super,
    "builtins.getattr": Calling._getattr,
    "builtins.type": Calling._type,
    "builtins.iter": Calling._iter,
    "contextvars.ContextVar": Calling._context_variable,
    "builtins.object.__new__": Calling._new,
    "builtins.dict": Calling._made_dict,
    "collections.OrderedDict": Calling._made_dict,
    "collections.defaultdict": Calling._default_dict,
    "builtins.staticmethod": Calling._same,
    "contextlib.closing": Calling._closing,
    "contextlib.ExitStack.enter_context": Calling._entered,
    "contextlib.AsyncExitStack.enter_context": Calling._entered,
    "functools.partialmethod": Calling._partial,
    "importlib.import_module": Calling._import_module,
    "builtins.next": Calling._next,
    "builtins.max": Calling._any_of,
    "builtins.min": Calling._any_of,
    "random.choice": Calling._any_of,
    "builtins.anext": Calling._anext,
    "builtins.enumerate": Calling._enumerate,
    "builtins.zip": Calling._zip,
    "functools.partial": Calling._partial,
    "typing.cast": Calling._cast,
    "typing_extensions.cast": Calling._cast,
    "copy.copy": Calling._same,
    "copy.deepcopy": Calling._same,
    "weakref.proxy": Calling._same,
    "asyncio.wait_for": Calling._await_argument,
    "asyncio.shield": Calling._await_argument,
    "asyncio.gather": Calling._gather,
    **{f"builtins.{name}": Calling._list for name in ("list", "tuple", "set", "frozenset", "sorted", "reversed", "aiter")},
}
