"""What containers hold that are filled after they are made: `registry[key] = x`, `items.append(x)`, `table.setdefault(key, x)`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.scopes import Binding, Body, Class, Module, Scope, last_name
from asyncvet.graph.values import Container, Instance, Value, union

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_FILLING = {"append": 0, "appendleft": 0, "add": 0, "put_nowait": 0, "insert": 1, "setdefault": 1}
_WRITES = 60
"""A container name that is written to in more places is too common to tell anything."""


class Contents:
    """Finds what is put into containers. Owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def filled(self, value: Value, binding: Binding) -> Value:
        """A container as it is once filled, by the name or attribute that holds it; any other value as it is."""
        if not isinstance(value, Container) or value.elements:
            return value
        writes = self._writes.get(binding.name, ())
        if not writes or len(writes) > _WRITES:
            return value
        found = [self._inference.values(expr, scope) for scope, holder, expr in writes if self._is_same(holder, scope, binding)]
        return Container(value.kind, union(found)) if found else value

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
    def _writes(self) -> dict[str, list[tuple[Scope, tree.Node, tree.Node]]]:
        """By the last word of the container's name: where, the container, and what is put in."""
        writes: dict[str, list[tuple[Scope, tree.Node, tree.Node]]] = {}
        for module in self._inference.modules.values():
            for scope, target, value in module.item_assignments:
                if value is not None:
                    writes.setdefault(last_name(target.value), []).append((scope, target.value, value))
            bodies: list[Body] = [module, *module.functions]
            for body in bodies:
                for site in body.sites:
                    put = _put(site.node)
                    if put is not None:
                        writes.setdefault(last_name(put[0]), []).append((body, *put))
        writes.pop("", None)
        return writes


def _put(node: tree.Node) -> tuple[tree.Node, tree.Node] | None:
    """The container and the element of `container.append(element)` and its like."""
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr in _FILLING:
        index = _FILLING[node.func.attr]
        if len(node.args) > index:
            return node.func.value, node.args[index]
    return None
