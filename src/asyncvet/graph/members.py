"""Attributes, items, iteration and `with` targets of values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import celery
from asyncvet.graph.modules import is_test
from asyncvet.graph.scopes import Binding, Class, Function, Module, Scope, dotted, last_name
from asyncvet.graph.values import (
    NOTHING,
    Bound,
    Container,
    Coroutine,
    GeneratorOf,
    Instance,
    Namespace,
    Object,
    Super,
    Symbol,
    Text,
    Tuple,
    Value,
    Values,
    Wrapped,
    is_empty,
    union,
)

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference


class Members:
    """Looks attributes up, through class hierarchies and types of libraries. Owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self._overrides: dict[Function, list[Function]] = {}
        self._mro: dict[Class, tuple[Class | Symbol, ...]] = {}
        self._subclasses: dict[Class, list[Class]] | None = None
        self._assignments: dict[str, list[tuple[Scope, tree.Attribute, Binding]]] | None = None

    # --- hierarchy --------------------------------------------------------------------------------

    def mro(self, cls: Class) -> tuple[Class | Symbol, ...]:
        """A class and its bases in the order in which attributes are looked up; library classes as symbols."""
        known = self._mro.get(cls)
        if known is not None:
            return known
        self._mro[cls] = (cls,)  # A class that is its own base ends here.
        order: dict[Class | Symbol, None] = {}
        for base in cls.node.bases:
            for value in self._inference.values(base, cls.parent or cls.module):
                parts = self.mro(value) if isinstance(value, Class) else (value,) if isinstance(value, Symbol) else ()
                for part in parts:
                    order.pop(part, None)
                    order[part] = None
        order.pop(cls, None)
        self._mro[cls] = (cls, *order)
        return self._mro[cls]

    def subclasses(self, cls: Class) -> list[Class]:
        """All classes of the project below a class, nearest modules first."""
        if self._subclasses is None:
            self._subclasses = {}
            for module in self._inference.modules.values():
                for below in module.classes:
                    for base in self.mro(below)[1:]:
                        if isinstance(base, Class):
                            self._subclasses.setdefault(base, []).append(below)
        return self._subclasses.get(cls, [])

    def method(self, cls: Class, name: str) -> Function | None:
        """The method that an instance of a class has under a name."""
        for base in self.mro(cls):
            if isinstance(base, Class) and base.methods.get(name):
                return base.methods[name][-1]
        return None

    def overrides(self, function: Function) -> list[Function]:
        """What subclasses put in the place of a method."""
        known = self._overrides.get(function)
        if known is None:
            known = self._overrides[function] = self._find_overrides(function)
        return known

    def _find_overrides(self, function: Function) -> list[Function]:
        if function.owner is None:
            return []
        found = [
            below.methods[function.name][-1] for below in self.subclasses(function.owner) if below.methods.get(function.name)
        ]
        return found or (self._implementations(function) if self.is_protocol(function.owner) else [])

    def are_protocols(self, values: Values) -> bool:
        """Whether values are known by protocols only, so that other knowledge of them says more."""
        return all(isinstance(value, Instance) and self.is_protocol(value.cls) for value in values)

    def is_protocol(self, cls: Class) -> bool:
        """Whether a class only says what others have: `class Store(Protocol)`."""
        return any(last_name(base.value if isinstance(base, tree.Subscript) else base) == "Protocol" for base in cls.node.bases)

    def _implementations(self, function: Function) -> list[Function]:
        """Methods of classes that have all the methods of a protocol."""
        assert function.owner is not None
        wanted = {name for name in function.owner.methods if not name.startswith("__")}
        found = [
            cls.methods[function.name][-1]
            for module in self._inference.modules.values()
            for cls in module.classes
            if cls is not function.owner and function.name in cls.methods and wanted <= cls.methods.keys()
        ]
        # Of one method, classes that mean another thing may have the name: then only those with the same parameters.
        return found if len(wanted) > 1 else [method for method in found if list(method.params) == list(function.params)]

    # --- attributes -------------------------------------------------------------------------------

    def attribute(self, value: Value, name: str) -> Values:
        """The values of `value.name`."""
        if isinstance(value, Instance):
            return self._of_instance(value, name)
        if isinstance(value, Module):
            return union((self._inference.names.member(value, name), self._assigned_from_outside(value, name)))
        if isinstance(value, Class):
            return self._of_class(value, name)
        if isinstance(value, Symbol):
            return (Symbol(self._inference.catalogue.canonical(f"{value.path}.{name}")),)
        if isinstance(value, Object):
            return self._of_object(value, name)
        if isinstance(value, Namespace):
            return self._inference.names.in_namespace(value, name)
        if isinstance(value, Super):
            return self._of_super(value, name)
        if isinstance(value, Text):
            return (Bound(Symbol(f"builtins.str.{name}"), value),)
        if isinstance(value, Container | Tuple | GeneratorOf | Coroutine):
            return (Bound(Symbol(f"builtins.{_container_type(value)}.{name}"), value),)
        return self._of_function(value, name)

    def _of_function(self, value: Value, name: str) -> Values:
        """Attributes that a decorator puts on a function: `task.delay`, `cached.cache_clear`."""
        if celery.is_task(celery.body_of(value), self._inference):
            return self._of_object(Object("celery.Task"), name)
        return self._assigned_from_outside(value, name) or (Bound(Symbol(f"function.{name}"), value),)

    def _of_instance(self, value: Instance, name: str) -> Values:
        found = union((self._in_hierarchy(value, self.mro(value.cls), name), self._assigned_from_outside(value, name)))
        if found:
            return found
        for below in self.subclasses(value.cls):
            # A mixin uses what only the classes composed with it have.
            found = union((found, self._in_hierarchy(Instance(below), self.mro(below), name)))
        if not found and name == "__class__":
            return (value.cls,)
        return found or self._forwarded(value, name) or self._of_library_base(value, name)

    def _in_hierarchy(self, value: Instance, order: tuple[Class | Symbol, ...], name: str) -> Values:
        for base in order:
            if isinstance(base, Class):
                found = self._own(base, value, name)
                if found is not None:
                    return found
            elif self._inference.catalogue.type(base.path) is not None:
                member = self._of_object(Object(base.path), name, strict=True)
                if member:
                    return tuple(Bound(m.function, value) if isinstance(m, Bound) else m for m in member)
        return NOTHING

    def _own(self, cls: Class, value: Instance, name: str) -> Values | None:
        """What a class itself says of an attribute, None if nothing."""
        if methods := cls.methods.get(name):
            return self._method(methods[-1], value)
        assigned = cls.attribute_bindings.get(name, ())
        bindings = [*cls.bindings.get(name, ()), *(binding for _, binding in assigned)]
        if not bindings:
            return None
        found = union(self._inference.binding(binding) for binding in bindings) or self._inference.parameters.field(cls, name)
        return tuple(Bound(f, value) if isinstance(f, Function) and f.owner is cls else f for f in found)

    def _method(self, method: Function, value: Value) -> Values:
        if method.is_property:
            if method.is_async:
                return (Coroutine(method),)
            return self._inference.calling.result_of_function(method, value)
        found = self._inference.decorated(method)
        return found if method.is_static else tuple(_bind(f, value) for f in found)

    def _of_library_base(self, value: Instance, name: str) -> Values:
        for base in self.mro(value.cls):
            if isinstance(base, Symbol) and not base.path.startswith(("builtins.", "typing.", "abc.", "enum.")):
                return (Bound(Symbol(f"{base.path}.{name}"), value),)
        return NOTHING

    def _forwarded(self, value: Instance, name: str) -> Values:
        """`def __getattr__(self, name): return getattr(self._target, name)`."""
        method = self.method(value.cls, "__getattr__")
        if method is None:
            return NOTHING
        return union(
            self._inference.attribute(target, name)
            for expr, _ in method.returns
            if isinstance(expr, tree.Call) and last_name(expr.func) == "getattr" and len(expr.args) > 1
            for target in self._inference.values(expr.args[0], method)
            if target != value
        )

    def _of_class(self, cls: Class, name: str) -> Values:
        is_declared, found = False, NOTHING
        if name == "__subclasses__":
            return (Bound(Symbol("builtins.type.__subclasses__"), cls),)
        for base in self.mro(cls):
            if isinstance(base, Symbol):
                continue
            if methods := base.methods.get(name):
                found = self._inference.decorated(methods[-1])
                return tuple(_bind(f, cls) for f in found) if methods[-1].is_class_method else found
            assigned = [binding for method, binding in base.attribute_bindings.get(name, ()) if method.is_class_method]
            bindings = [*base.bindings.get(name, ()), *assigned]
            if bindings and self.is_enum(cls) and not any(isinstance(binding.value, tree.Lambda) for binding in bindings):
                return (Instance(cls),)
            is_declared = is_declared or bool(bindings)
            found = union((found, *(self._inference.binding(binding) for binding in bindings)))
            if not all(is_empty(value) for value in found):
                return found
        found = union((found, self._assigned_from_outside(cls, name)))
        if is_declared and all(is_empty(value) for value in found):
            below = (binding for below in self.subclasses(cls) for binding in below.bindings.get(name, ()))
            return union((found, *map(self._inference.binding, below)))
        return found or self._of_library_class(cls, name)

    def _of_library_class(self, cls: Class, name: str) -> Values:
        """An attribute that a class has from a library: `objects` of a Django model."""
        catalogue = self._inference.catalogue
        bases = [base for base in self.mro(cls) if isinstance(base, Symbol)]
        for base in bases:
            kind = catalogue.type(base.path)
            if kind is not None and name in kind.attributes:
                return self._inference.calling.from_notation(kind.attributes[name], (Object(base.path),))
        known = [base for base in bases if catalogue.api(f"{base.path}.{name}")] or bases
        return tuple(Bound(Symbol(f"{base.path}.{name}"), cls) for base in known[:1])

    def _of_super(self, value: Super, name: str) -> Values:
        receiver = value.receiver
        order = self.mro(receiver.cls if isinstance(receiver, Instance) else value.cls)
        rest = order[order.index(value.cls) + 1 :] if value.cls in order else self.mro(value.cls)[1:]
        instance = receiver if isinstance(receiver, Instance) else Instance(value.cls)
        found = union((self._in_hierarchy(instance, rest, name), self._next_below(value.cls, name)))
        if not found and name == "__new__":
            return (Symbol("builtins.object.__new__"),)
        return found or tuple(Bound(Symbol(f"{base.path}.{name}"), instance) for base in rest[:1] if isinstance(base, Symbol))

    def _next_below(self, cls: Class, name: str) -> Values:
        """What `super()` means in a class where classes are composed with it: the class after it in their order."""
        return union(
            self._in_hierarchy(Instance(below), self.after(cls, below), name)
            for below in self.subclasses(cls)
            if len(below.node.bases) > 1
        )

    def after(self, cls: Class, below: Class) -> tuple[Class | Symbol, ...]:
        """The classes in which `super()` in a method of `cls` looks, on an object of a class below it."""
        order = self.mro(below)
        return order[order.index(cls) + 1 :] if cls in order else ()

    def _of_object(self, value: Object, name: str, strict: bool = False) -> Values:
        catalogue = self._inference.catalogue
        member = catalogue.member(value.path, name)
        kind = catalogue.type(value.path)
        if kind is not None and name in kind.attributes:
            return self._inference.calling.from_notation(kind.attributes[name], (value,))
        if kind is not None and kind.getattr and not catalogue.api(member):
            return self._inference.calling.from_notation(kind.getattr, (value,))
        if strict and not catalogue.api(member):
            return NOTHING
        return (Bound(Symbol(member), value),)

    # --- assignments from elsewhere ---------------------------------------------------------------

    def _assigned_from_outside(self, value: Value, name: str) -> Values:
        """`obj.name = x` outside the methods of its class, monkeypatches included."""
        found = []
        for scope, target, binding in self._attribute_assignments().get(name, ())[:40]:
            owners = self._inference.values(target.value, scope)
            if any(_same_object(owner, value) for owner in owners):
                found.append(self._inference.binding(binding))
        return union(found)

    def by_path(self, node: tree.Attribute) -> Values:
        """`request.app.state.db` by what is assigned to any `...state.db`."""
        if not (isinstance(node.value, tree.Attribute) and node.value.attr == "state"):
            return NOTHING
        return union(
            self._inference.binding(binding)
            for _, target, binding in self._attribute_assignments().get(node.attr, ())[:40]
            if dotted(target.value).rpartition(".")[2] == "state"
        )

    def by_key(self, node: tree.Subscript) -> Values:
        """`request.app["db"]` by what is put under that key of any `app`."""
        if not isinstance(node.index, tree.Const) or last_name(node.value) != "app":
            return NOTHING
        return union(self._inference.values(value, scope) for scope, value in self._by_key.get(node.index.value, ())[:40])

    @cached_property
    def _by_key(self) -> dict[object, list[tuple[Scope, tree.Node]]]:
        found: dict[object, list[tuple[Scope, tree.Node]]] = {}
        for module in self._inference.modules.values():
            for scope, target, value in () if is_test(module.filename) else module.item_assignments:
                if value is not None and isinstance(target.index, tree.Const) and last_name(target.value) == "app":
                    found.setdefault(target.index.value, []).append((scope, value))
        return found

    def _attribute_assignments(self) -> dict[str, list[tuple[Scope, tree.Attribute, Binding]]]:
        if self._assignments is None:
            self._assignments = {}
            for module in self._inference.modules.values():
                for scope, target, binding in () if is_test(module.filename) else module.attribute_assignments:
                    self._assignments.setdefault(target.attr, []).append((scope, target, binding))
        return self._assignments

    # --- protocols --------------------------------------------------------------------------------

    def entered(self, value: Value, is_async: bool) -> Values:
        """What `with value as target` gives its target."""
        if isinstance(value, GeneratorOf):
            return self._inference.returned(value.function)
        if isinstance(value, Instance):
            name = "__aenter__" if is_async else "__enter__"
            method = self.method(value.cls, name)
            if method is not None:
                return self._inference.awaited(self._inference.calling.result_of_function(method, value))
            other = self.method(value.cls, "__enter__" if is_async else "__aenter__")
            return tuple(self._library_enter(value, is_async)) or ((value,) if other is None else NOTHING)
        if isinstance(value, Object):
            kind = self._inference.catalogue.type(value.path)
            notation = (kind.aenter if is_async else kind.enter) if kind is not None else "self"
            return self._inference.calling.from_notation(notation or "self", (value,))
        if isinstance(value, Coroutine):
            return union(self.entered(result, is_async) for result in self._inference.awaited((value,)))
        if isinstance(value, Container):
            return value.elements if value.kind in ("context", "async-context") else (value,)
        return NOTHING

    def _library_enter(self, value: Instance, is_async: bool) -> Iterator[Value]:
        for base in self.mro(value.cls):
            kind = self._inference.catalogue.type(base.path) if isinstance(base, Symbol) else None
            notation = (kind.aenter if is_async else kind.enter) if kind is not None else ""
            if notation:
                yield from self._inference.calling.from_notation(notation, (value,))

    def iterated(self, value: Value, is_async: bool) -> Values:
        """What `for x in value` gives, for instances."""
        if isinstance(value, Class) and self.is_enum(value):
            return (Instance(value),)
        if isinstance(value, Instance):
            method = self.method(value.cls, "__aiter__" if is_async else "__iter__")
            if method is None:
                return NOTHING
            if method.is_generator:
                return self._inference.returned(method)
            step = self.method(value.cls, "__anext__" if is_async else "__next__")
            if step is not None:
                return self._inference.returned(step)
            return self._inference.element(self._inference.returned(method), is_async)
        if isinstance(value, Object):
            kind = self._inference.catalogue.type(value.path)
            notation = (kind.aiterates if is_async else kind.iterates) if kind is not None else ""
            return self._inference.calling.from_notation(notation, (value,)) if notation else NOTHING
        return NOTHING

    def is_enum(self, cls: Class) -> bool:
        """Whether the names that a class binds are objects of it."""
        return any(isinstance(base, Symbol) and base.path.startswith("enum.") for base in self.mro(cls))

    def item(self, value: Value, index: object) -> Values:
        """The values of `value[index]`; a class stands for itself, as in `Base[int]`."""
        if isinstance(value, Class) and self.is_enum(value):
            return (Instance(value),)
        if isinstance(value, Container):
            return value.elements
        if isinstance(value, Tuple):
            return (
                value.items[index]
                if isinstance(index, int) and -len(value.items) <= index < len(value.items)
                else union(value.items)
            )
        if isinstance(value, Instance):
            method = self.method(value.cls, "__getitem__")
            return self._inference.returned(method) if method is not None else NOTHING
        if isinstance(value, Object):
            kind = self._inference.catalogue.type(value.path)
            return self._inference.calling.from_notation(kind.getitem, (value,)) if kind is not None and kind.getitem else NOTHING
        return (value,) if isinstance(value, Class | Symbol) else NOTHING


def _bind(function: Value, receiver: Value) -> Value:
    return Bound(function, receiver) if isinstance(function, Function | Wrapped) else function


def _same_object(owner: Value, value: Value) -> bool:
    if isinstance(owner, Instance) and isinstance(value, Instance):
        return owner.cls is value.cls
    return owner == value or (isinstance(value, Instance) and owner is value.cls)


def _container_type(value: Value) -> str:
    if isinstance(value, Container):
        return value.kind
    return {Tuple: "tuple", GeneratorOf: "generator"}.get(type(value), "coroutine")
