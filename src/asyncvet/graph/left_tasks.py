"""Left tasks: tasks that work for a stream and go on working when nobody reads the stream any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.tasks import Task

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_WAITING = frozenset({"wait", "wait_for", "gather", "shield", "done", "len", "bool", "isinstance", "print"})


@dataclass(frozen=True, slots=True)
class LeftTask:
    """A task that fills what an asynchronous generator empties, and outlives a generator that is closed half-way.

    Attributes:
        generator: The function that makes the task, or one inside it.
        source: What the generator waits for before it yields.
    """

    task: Task
    generator: Function
    source: tree.Node


def left_tasks(project: Project) -> Iterator[LeftTask]:
    """The tasks that only local names keep, that a stream waits for, and that no clean-up of it speaks of."""
    for task in project.tasks.made:
        if not (task.is_local and isinstance(task.scope, Function) and task.scope.is_async):
            continue
        names = {place.word for place in task.places}
        inside = list(_with_inner(task.scope))
        if any(_is_looked_after(function, names) for function in inside):
            continue
        given = _given(task, inside)
        for generator in inside:
            source = _source(task, generator, given) if _is_stream(generator) else None
            if source is not None:
                yield LeftTask(task, generator, source)
                break


def _with_inner(function: Function) -> Iterator[Function]:
    yield function
    for inner in function.inner.values():
        yield from _with_inner(inner)


def _is_stream(function: Function) -> bool:
    return function.is_async and function.is_generator and not function.is_context_manager


def _is_looked_after(function: Function, names: set[str]) -> bool:
    """Whether a function cancels what a name stands for, gives it away, or speaks of it in a `finally` or a handler."""
    for node in walk.inside(function):
        if isinstance(node, tree.Attribute) and node.attr == "cancel" and _names(node.value, names):
            return True
        if isinstance(node, tree.Call) and _gives_away(node, names):
            return True
        if isinstance(node, tree.Return) and node.value is not None and _names(node.value, names):
            return True
        if isinstance(node, tree.Try):
            endings = [*node.final, *(statement for handler in node.handlers for statement in handler.body)]
            if any(_names(statement, names) for statement in endings):
                return True
    return False


def _gives_away(call: tree.Call, names: set[str]) -> bool:
    """Whether a call hands on what a name stands for: not into a container that is one of the names itself."""
    if isinstance(call.func, tree.Attribute) and isinstance(call.func.value, tree.Name) and call.func.value.id in names:
        return False
    return last_name(call.func) not in _WAITING and any(
        _names(node, names) for node in (*call.args, *(k.value for k in call.keywords))
    )


def _names(node: tree.Node, names: set[str]) -> bool:
    return not names.isdisjoint(_words(node))


def _words(node: tree.Node) -> set[str]:
    return {part.id for part in walk.nodes(node) if isinstance(part, tree.Name)}


def _given(task: Task, inside: list[Function]) -> set[str]:
    """The local names that the task works with: the arguments of its coroutine, and what a nested function takes from around it."""
    found = {word for argument in task.node.args for word in _words(argument)}
    for function in task.runs:
        if function in inside:
            found |= {word for node in walk.body(function) for word in _words(node)} - set(function.bindings)
    own = {name for function in inside for name, bound in function.bindings.items() if any(b.kind == "assign" for b in bound)}
    return found & own


def _source(task: Task, generator: Function, given: set[str]) -> tree.Node | None:
    """What a loop of the generator, begun after the task was made, waits for: something that the task was given as well."""
    for loop in walk.found(generator, tree.For, tree.While):
        if not any(isinstance(n, tree.Yield) for n in walk.nodes(loop.body)):
            continue
        if generator is task.scope and loop.start < task.node.end:
            continue
        if isinstance(loop, tree.For) and loop.is_async and _names(loop.iter, given):
            return loop.iter
        waits = (node.value for node in walk.nodes(loop) if isinstance(node, tree.Await))
        source = next((value for value in waits if _names(value, given)), None)
        if source is not None:
            return source
    return None
