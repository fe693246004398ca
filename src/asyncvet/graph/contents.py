"""What containers hold that are filled after they are made: `registry[key] = x`, `items.append(x)`, `table.setdefault(key, x)`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph.scopes import Binding, Body, Class, Module, Scope, last_name
from asyncvet.graph.values import Container, Instance, Value, Values, is_empty, union

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_FILLING = {"append": 0, "appendleft": 0, "add": 0, "put_nowait": 0, "insert": 1, "setdefault": 1, "set": 0}
_SPREADING = frozenset({"update", "extend"})
_WRITES = 60
"""A container name that is written to in more places is too common to tell anything."""


@dataclass(frozen=True, slots=True)
class _Write:
    """`value` is put into `holder` as an element; ``nested``: into one of its elements; ``spread``: the elements of it are."""

    scope: Scope
    holder: tree.Node
    value: tree.Node
    form: Literal["element", "nested", "spread"] = "element"


class Contents:
    """Finds what is put into containers. Owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def filled(self, value: Value, binding: Binding) -> Value:
        """A container as it is once filled, by the name or attribute that holds it; any other value as it is."""
        if not isinstance(value, Container) or not is_empty(value):
            return value
        writes = self._writes.get(binding.name, ())
        if not writes or len(writes) > _WRITES:
            return value
        found = union(self._put_in(write) for write in writes if self._is_same(write.holder, write.scope, binding))
        return Container(value.kind, found) if found else value

    def _put_in(self, write: _Write) -> Values:
        values = self._inference.values(write.value, write.scope)
        if write.form == "spread":
            return union(value.elements for value in values if isinstance(value, Container))
        return (Container("list", values),) if write.form == "nested" and values else values

    def _is_same(self, holder: tree.Node, scope: Scope, binding: Binding) -> bool:
        """Whether an expression means the container that a binding made."""
        if isinstance(holder, tree.Name):
            if binding.owner is not None:
                return False
            bindings = self._inference.names.bindings_at(holder.id, scope, holder.start)
            return any(found is binding or self._imports(found, binding) for found in bindings)
        if not isinstance(holder, tree.Attribute):
            return False
        owners = self._inference.values(holder.value, scope)
        home = binding.owner if binding.owner is not None else binding.scope
        return any(self._belongs(owner, home) for owner in owners)

    def _belongs(self, owner: Value, home: Scope) -> bool:
        if isinstance(owner, Instance | Class):
            cls = owner.cls if isinstance(owner, Instance) else owner
            return home in self._inference.members.mro(cls)
        return isinstance(owner, Module) and owner is home

    def _imports(self, found: Binding, binding: Binding) -> bool:
        if found.imported is None or not isinstance(binding.scope, Module):
            return False
        level, dotted, name = found.imported
        target = self._inference.index.resolve(found.scope.module.filename, level, dotted)
        return target == binding.scope.filename and name == binding.name

    @cached_property
    def _writes(self) -> dict[str, list[_Write]]:
        """What is put into containers, by the last word of the container's name."""
        writes: dict[str, list[_Write]] = {}
        for module in self._inference.modules.values():
            for scope, target, value in module.item_assignments:
                if value is not None:
                    writes.setdefault(last_name(target.value), []).append(_Write(scope, target.value, value))
            bodies: list[Body] = [module, *module.functions]
            for body in bodies:
                for site in body.sites:
                    put = _put(site.node, body)
                    if put is not None:
                        writes.setdefault(last_name(put.holder), []).append(put)
        writes.pop("", None)
        return writes


def _put(node: tree.Node, scope: Body) -> _Write | None:
    """What `container.append(element)`, `table[key].append(element)`, `table.update(other)` and their like put where."""
    if not (isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.args):
        return None
    holder, method = node.func.value, node.func.attr
    if method in _SPREADING:
        return _Write(scope, holder, node.args[0], "spread")
    index = _FILLING.get(method, len(node.args))
    if index >= len(node.args):
        return None
    if isinstance(holder, tree.Subscript):
        return _Write(scope, holder.value, node.args[index], "nested")
    if isinstance(holder, tree.Call) and isinstance(holder.func, tree.Attribute) and holder.func.attr == "setdefault":
        return _Write(scope, holder.func.value, node.args[index], "nested")
    return _Write(scope, holder, node.args[index])
