"""What a class that is declared by its fields runs when an object is made: default factories and validators."""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.facts import tree
from asyncvet.graph.scopes import Class, Function, last_name

_FACTORIES = frozenset({"default_factory", "factory"})
_FIELDS = frozenset({"field", "Field", "ib", "attrib"})
_VALIDATORS = frozenset({"field_validator", "model_validator", "validator", "root_validator"})


def default_factories(cls: Class, call: tree.Call | None) -> Iterator[tree.Expression]:
    """The functions that make the fields which a call leaves out: of dataclasses, attrs and Pydantic."""
    given = {keyword.name for keyword in call.keywords} if call is not None else set()
    for name, bindings in cls.bindings.items():
        value = bindings[-1].value
        if name not in given and isinstance(value, tree.Call) and last_name(value.func) in _FIELDS:
            yield from (keyword.value for keyword in value.keywords if keyword.name in _FACTORIES)


def validators(cls: Class) -> Iterator[Function]:
    """The methods by which a Pydantic model checks what it is made from."""
    for methods in cls.methods.values():
        yield from (method for method in methods if not method.decorator_names.isdisjoint(_VALIDATORS))
