"""Generators: what asynchronous generators declare that they return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph.scopes import Class, Function, Scope, last_name, shown
from asyncvet.graph.values import Symbol

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_RIGHT = frozenset({"AsyncGenerator", "AsyncIterator", "AsyncIterable"})
_WRONG = frozenset(
    {"Generator", "Iterator", "Iterable", "Coroutine", "Awaitable", "StreamingResponse", "EventSourceResponse"}
) | {
    *("str", "bytes", "int", "float", "bool", "None", "list", "List", "dict", "Dict", "tuple", "Tuple", "set", "Set", "Response")
}
_PLAIN_BASES = frozenset({"ABC", "Generic", "Protocol", "object", "BaseModel", "Enum", "TypedDict", "NamedTuple"})


def badly_annotated(project: Project) -> Iterator[tuple[Function, str]]:
    """Asynchronous generators with no return annotation (empty text) or with one that cannot be theirs, in order."""
    for function in project.functions:
        node = function.node
        if not function.is_async or not function.is_generator or not isinstance(node, tree.FunctionDef):
            continue
        if function.is_context_manager or "fixture" in function.decorator_names:
            continue
        if node.returns is None:
            if not _inherits(project, function):
                yield function, ""
        elif _is_wrong(project, node.returns, function.parent or function.module):
            yield function, _text(node.returns)


def _inherits(project: Project, function: Function) -> bool:
    """Whether a class above declares the method, or is of a library and might."""
    if function.owner is None:
        return False
    for base in project.inference.members.mro(function.owner)[1:]:
        if isinstance(base, Symbol):
            if base.path.rpartition(".")[2] not in _PLAIN_BASES:
                return True
        elif any(isinstance(m.node, tree.FunctionDef) and m.node.returns for m in base.methods.get(function.name, ())):
            return True
    known = project.inference.members.mro(function.owner)
    return len(known) == 1 and any(last_name(_bare(base)) not in _PLAIN_BASES for base in function.owner.node.bases)


def _is_wrong(project: Project, annotation: tree.Expression, scope: Scope) -> bool:
    if isinstance(annotation, tree.Const):
        return annotation.kind == "none"
    if isinstance(annotation, tree.Operation):
        return all(_is_wrong(project, operand, scope) for operand in annotation.operands)
    bare = _bare(annotation)
    if not isinstance(bare, tree.Name | tree.Attribute) or last_name(bare) in _RIGHT:
        return False
    values = project.values(bare, scope)
    if any(isinstance(value, Class) for value in values):
        return all(isinstance(value, Class) and _is_no_iterator(project, value) for value in values)
    is_alias = any(isinstance(s, Scope) and last_name(bare) in s.bindings and not values for s in scope.enclosing())
    return last_name(bare) in _WRONG and not is_alias


def _is_no_iterator(project: Project, cls: Class) -> bool:
    """Whether instances of a class of the project cannot be iterated with `async for`."""
    bases = project.inference.members.mro(cls)
    if any(isinstance(base, Symbol) and base.path.rpartition(".")[2] not in _PLAIN_BASES for base in bases):
        return False
    is_protocol = any(last_name(_bare(base)) == "Protocol" for base in cls.node.bases)
    unknown = len(bases) == 1 and any(last_name(_bare(base)) not in _PLAIN_BASES for base in cls.node.bases)
    return not is_protocol and not unknown and project.inference.members.method(cls, "__aiter__") is None


def _bare(annotation: tree.Expression) -> tree.Expression:
    return annotation.value if isinstance(annotation, tree.Subscript) else annotation


def _text(annotation: tree.Expression) -> str:
    return "None" if isinstance(annotation, tree.Const) else shown(annotation)
