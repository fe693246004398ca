"""What annotations say about values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.arguments import argument_at
from asyncvet.graph.scopes import Class, Scope, last_name
from asyncvet.graph.values import NOTHING, Container, Coroutine, Instance, Object, Symbol, Tuple, Value, Values, union

if TYPE_CHECKING:
    from asyncvet.graph.inference import Inference

_LISTS = frozenset({"list", "List", "Sequence", "MutableSequence", "Collection", "deque", "Deque"})
_SETS = frozenset({"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"})
_DICTS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "defaultdict", "OrderedDict"})
_ITERATORS = frozenset({"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_AWAITABLES = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
_OPAQUE = frozenset({"Any", "object", "None", "Callable", "Literal", "TypeVar", "NoReturn", "Never", "Self"})


class Annotations:
    """Evaluates annotations. One object a project, owned by `Inference`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def instances(self, annotation: tree.Node | None, scope: Scope, depth: int = 0) -> Values:
        """The values that something annotated so can have."""
        if annotation is None or depth > 12:
            return NOTHING
        if isinstance(annotation, tree.Subscript):
            return self._generic(annotation, scope, depth + 1)
        if isinstance(annotation, tree.Operation) and annotation.op == "|":
            return union(self.instances(operand, scope, depth + 1) for operand in annotation.operands)
        if isinstance(annotation, tree.Name | tree.Attribute):
            alias = self._alias(annotation, scope, depth)
            if alias is not None:
                return alias
            return union(self.instance_of(value) for value in self._inference.values(annotation, scope))
        return NOTHING

    def instance_of(self, value: Value) -> Values:
        """An instance of a class value, as an annotation means it."""
        if isinstance(value, Class):
            return (Instance(value),)
        if isinstance(value, Symbol):
            word = value.path.rpartition(".")[2]
            if word in _OPAQUE or value.path.startswith("typing"):
                return NOTHING
            if word in _LISTS | _SETS | _DICTS and value.path.startswith(("builtins.", "collections.")):
                return (Container(_kind(word), NOTHING),)
            return (Object(value.path),)
        return NOTHING

    def _generic(self, node: tree.Subscript, scope: Scope, depth: int) -> Values:
        word = last_name(node.value)
        items = node.index.items if isinstance(node.index, tree.Sequence) and node.index.kind == "tuple" else [node.index]
        if word in ("Optional", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "InitVar", "Mapped"):
            return self.instances(items[0], scope, depth)
        if word == "Union":
            return union(self.instances(item, scope, depth) for item in items)
        if word in ("type", "Type"):
            return self._inference.values(items[0], scope)
        if word in ("tuple", "Tuple"):
            return self._tuple(items, scope, depth)
        if word in _LISTS | _SETS | _DICTS | _ITERATORS:
            element = items[-1] if word in _DICTS else items[0]
            return (Container(_kind(word), self.instances(element, scope, depth)),)
        if word == "ContextVar":
            return (Container("contextvar", self.instances(items[0], scope, depth)),)
        if word in _AWAITABLES:
            return (Coroutine(None, self.instances(items[-1], scope, depth)),)
        if word in _OPAQUE:
            return NOTHING
        return self.instances(node.value, scope, depth)

    def _tuple(self, items: list[tree.Expression], scope: Scope, depth: int) -> Values:
        parts = tuple(self.instances(item, scope, depth) for item in items)
        if len(items) == 2 and type(items[1]) is tree.Expr:  # tuple[X, ...]
            return (Container("tuple", parts[0]),)
        return (Tuple(parts),)

    def _alias(self, annotation: tree.Name | tree.Attribute, scope: Scope, depth: int) -> Values | None:
        """The meaning of a name that stands for an annotation: ``Session = Annotated[...]``; None if it is no such name."""
        for target, home in self._inference.aliased(annotation, scope):
            if isinstance(target, tree.Subscript) or (isinstance(target, tree.Operation) and target.op == "|"):
                return self.instances(target, home, depth + 1)
            if isinstance(target, tree.Call) and last_name(target.func) in ("TypeVar", "NewType"):
                key = ("bound",) if last_name(target.func) == "TypeVar" else ("tp", 1)
                return self.instances(argument_at(target, key), home, depth + 1)
        return None


def metadata(annotation: tree.Node | None) -> list[tree.Expression]:
    """The second and further arguments of `Annotated[...]`."""
    if (
        isinstance(annotation, tree.Subscript)
        and last_name(annotation.value) == "Annotated"
        and isinstance(annotation.index, tree.Sequence)
    ):
        return annotation.index.items[1:]
    return []


def _kind(word: str) -> str:
    if word in _DICTS:
        return "dict"
    if word in _SETS:
        return "set"
    return "iterator" if word in _ITERATORS else "list"
