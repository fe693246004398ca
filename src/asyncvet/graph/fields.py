"""What a class that is declared by its fields runs when an object is made: default factories and validators."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.scopes import Class, Function, last_name
from asyncvet.graph.values import Symbol, Value

_FACTORIES = frozenset({"default_factory", "factory"})
_FIELDS = frozenset({"field", "Field", "ib", "attrib"})
_CONSTRUCTORS = frozenset({"model_validate", "model_validate_json", "parse_obj", "parse_raw"})
_VALIDATORS = frozenset({"field_validator", "model_validator", "validator", "root_validator"})


def default_factories(cls: Class, call: tree.Call | None) -> Iterator[tree.Expression]:
    """The functions that make the fields which a call leaves out: of dataclasses, attrs and Pydantic."""
    fields = [name for name, bindings in cls.bindings.items() if bindings[-1].annotation is not None]
    given = {*(keyword.name for keyword in call.keywords), *fields[: len(call.args)]} if call is not None else set()
    for name, bindings in cls.bindings.items():
        value = bindings[-1].value
        if name not in given and isinstance(value, tree.Call) and last_name(value.func) in _FIELDS:
            yield from (keyword.value for keyword in value.keywords if keyword.name in _FACTORIES)


def is_constructor(function: Value) -> bool:
    """Whether a method of Pydantic's models makes one: `Order.model_validate(data)`."""
    return isinstance(function, Symbol) and function.path.rpartition(".")[2] in _CONSTRUCTORS


def validators(cls: Class) -> Iterator[Function]:
    """The methods by which a Pydantic model checks what it is made from."""
    for methods in cls.methods.values():
        yield from (method for method in methods if not method.decorator_names.isdisjoint(_VALIDATORS))
