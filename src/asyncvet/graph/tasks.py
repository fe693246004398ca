"""Tasks: where the project makes them, who keeps them, and where they are cancelled and awaited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.calls import CallSite, Mode
from asyncvet.graph.scopes import Binding, Body, Class, Function, dotted, last_name
from asyncvet.graph.values import Coroutine, Object

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_MAKERS = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task", "asyncio.Task"})
_MAKING = frozenset({"create_task", "ensure_future"})
_ADDING = frozenset({"append", "add", "appendleft", "put", "put_nowait", "setdefault", "insert", "extend"})
_PASSING = (tree.Sequence, tree.Comprehension, tree.Starred, tree.Operation, tree.NamedExpr)
_AROUND = {"gather": None, "wait": 1, "wait_for": 1, "shield": 1}
"""Calls that wait for their arguments, with how many of them."""
_CALLBACKS = frozenset({"add_done_callback"})
_FORGETTING = frozenset({"discard", "remove", "pop"})
_ASKING = frozenset({"exception", "result"})

Use = Literal["dropped", "callback", "kept", "returned", "awaited", "passed"]


@dataclass(frozen=True, slots=True)
class Task:
    """A place that makes a task.

    Attributes:
        node: The call that makes it.
        runs: The coroutine functions that it can run; empty if unknown.
        use: What becomes of it: ``dropped``, only given a ``callback``, ``kept`` by a name, an attribute or a container,
            ``returned``, ``awaited`` at once, or ``passed`` to a call.
        place: The name or attribute that keeps it, empty if nothing does.
        holder: The class whose attribute keeps it.
    """

    scope: Body
    node: tree.Call
    runs: tuple[Function, ...]
    use: Use
    place: str = ""
    holder: Class | None = None

    @property
    def is_local(self) -> bool:
        """It is kept by a local name of the function that makes it."""
        return (
            self.use == "kept" and self.holder is None and isinstance(self.scope, Function) and self.place in self.scope.bindings
        )


@dataclass(frozen=True, slots=True)
class Mention:
    """A use of something that can hold tasks.

    Attributes:
        word: Its name or last attribute.
        owner: The class, if it is an attribute of `self`.
    """

    word: str
    owner: Class | None


class Tasks:
    """Answers questions about tasks. One object a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)

    @cached_property
    def made(self) -> tuple[Task, ...]:
        """All places that make a task, also through functions of the project that only make one and return it."""
        found = [task for scope in self._bodies for task in self._made_in(scope)]
        wrappers = {task.scope for task in found if task.use == "returned" and _is_plain(task.scope)}
        while wrappers:
            through = [task for scope in self._bodies for task in self._made_through(scope, wrappers)]
            found += through
            wrappers = {task.scope for task in through if task.use == "returned" and _is_plain(task.scope)} - wrappers
        return tuple(found)

    @cached_property
    def started(self) -> dict[Function, list[Task]]:
        """The tasks that run a coroutine function."""
        found: dict[Function, list[Task]] = {}
        for task in self.made:
            for function in task.runs:
                found.setdefault(function, []).append(task)
        return found

    @cached_property
    def awaited(self) -> dict[Function, list[CallSite]]:
        """The calls of a coroutine function other than those that hand it to a task."""
        nodes = {id(task.node.args[0]) for task in self.made if task.node.args}
        nodes |= {id(keyword.value) for task in self.made for keyword in task.node.keywords}
        found: dict[Function, list[CallSite]] = {}
        for scope in self._bodies:
            for site in self._project.sites(scope):
                for target in site.targets:
                    if target.mode is Mode.COROUTINE and id(site.node) not in nodes:
                        found.setdefault(target.function, []).append(site)
        return found

    def is_cancelled(self, task: Task) -> bool:
        """Whether something in the project cancels what keeps a task, awaits it, or hands it to code that may."""
        if task.is_local and isinstance(task.scope, Function):
            scopes = list(_with_inner(task.scope))
            return any(mention.word == task.place for mention in (*self._cancelled_in(scopes), *self._handed_in(scopes)))
        return self._is_mentioned(task, self._cancelled) or self._is_mentioned(task, self._handed)

    def is_awaited(self, task: Task) -> bool:
        """Whether something in the project awaits what keeps a task, or hands it to code that may."""
        return task.use in ("returned", "awaited", "passed") or self._is_mentioned(task, self._handed)

    def is_supervised(self, task: Task) -> bool:
        """Whether an error of a task is seen while the service runs: not just by the code that stops the task."""
        if task.use in ("returned", "awaited", "passed", "callback"):
            return True
        if any(callback.start > task.node.start for callback in self._callbacks_in(task.scope)):
            return True
        return bool(task.place) and self._is_mentioned(task, self._watched)

    def cancels(self, scope: Body) -> list[tree.Call]:
        """The calls in a body that cancel something."""
        return [
            site.node
            for site in scope.sites
            if isinstance(site.node, tree.Call) and isinstance(site.node.func, tree.Attribute) and site.node.func.attr == "cancel"
        ]

    def cancelled_in(self, function: Function, before: int) -> frozenset[str]:
        """What a function cancels up to an offset, or a function inside it at any time: dotted texts."""
        found: set[str] = set()
        for scope in _with_inner(function):
            for call in self.cancels(scope):
                if isinstance(call.func, tree.Attribute) and (scope is not function or call.start < before):
                    found |= self.related(call.func.value, scope)
        return frozenset(found)

    def is_task(self, expr: tree.Expr, scope: Body) -> bool:
        """Whether an expression is known to be a task."""
        return any(isinstance(value, Object) and value.path == "asyncio.Task" for value in self._project.values(expr, scope))

    def is_waited_for(self, expr: tree.Expr, scope: Body) -> bool:
        """Whether something awaits what an expression names or was taken from, or hands it on: here, or of attributes anywhere."""
        texts = self.related(expr, scope)
        words = {text.rpartition(".")[2] for text in texts}
        shared = {text.rpartition(".")[2] for text in texts if "." in text}
        here = {mention.word for mention in self._handed_in([scope])}
        return bool(words & here) or bool(shared & {mention.word for mention in self._handed})

    def related(self, expr: tree.Node, scope: Body) -> frozenset[str]:
        """What an expression names, and what those names were taken from: dotted texts."""
        found: dict[str, None] = {}
        stack = [expr]
        while stack:
            for text, node in _mentioned(stack.pop()):
                if text in found or text in ("self", "cls"):
                    continue
                bindings: list[Binding] = []
                if isinstance(node, tree.Name):
                    bindings = self._project.inference.names.bindings_at(node.id, scope, node.start)
                    found.update(dict.fromkeys(self._filled_by(node.id, scope)))
                if not any(binding.kind == "import" for binding in bindings):
                    found[text] = None
                    stack += [b.value for b in bindings if b.value is not None and b.kind in ("assign", "for")]
        return frozenset(found)

    def is_of_others(self, expr: tree.Expr, scope: Body) -> bool:
        """Whether an awaited expression is tasks or futures that were not made by this body for itself."""
        if isinstance(expr, tree.Starred):
            return self.is_of_others(expr.value, scope)
        if isinstance(expr, tree.Call):
            is_around = last_name(expr.func) in _AROUND and bool(expr.args)
            return is_around and all(
                self.is_of_others(argument, scope) for argument in expr.args[: _AROUND[last_name(expr.func)]]
            )
        if not isinstance(expr, tree.Name | tree.Attribute | tree.Subscript):
            return False
        if any(isinstance(value, Coroutine) and value.function for value in self._project.values(expr, scope)):
            return False
        words = {text for text in self.related(expr, scope) if "." not in text}
        return not any(task.scope is scope and task.holder is None and task.place in words for task in self.made)

    def is_ended_by_maker(self, task: Task) -> bool:
        """Whether the function that makes a task cancels it too."""
        return any(
            task.place in {text.rpartition(".")[2] for text in self.related(call.func.value, task.scope)}
            for call in self.cancels(task.scope)
            if isinstance(call.func, tree.Attribute)
        )

    # --- inside -----------------------------------------------------------------------------------

    def _filled_by(self, name: str, scope: Body) -> Iterator[str]:
        """What is put into a local container: `pending.append(self._task)`."""
        for site in scope.sites:
            node = site.node
            if not (isinstance(node, tree.Call) and isinstance(node.func, tree.Attribute) and node.func.attr in _ADDING):
                continue
            if dotted(node.func.value) == name:
                yield from (text for argument in node.args for text, _ in _mentioned(argument))

    def _made_in(self, scope: Body) -> Iterator[Task]:
        for site in self._project.sites(scope):
            if isinstance(site.node, tree.Call) and _is_maker(site, site.node):
                yield self._task(scope, site.node, site.awaited)

    def _made_through(self, scope: Body, wrappers: set[Body]) -> Iterator[Task]:
        for site in self._project.sites(scope):
            if not isinstance(site.node, tree.Call) or site.awaited or _is_maker(site, site.node):
                continue
            if any(target.function in wrappers and target.mode is Mode.INLINE and not target.via for target in site.targets):
                yield self._task(scope, site.node, False)

    def _task(self, scope: Body, node: tree.Call, awaited: bool) -> Task:
        runs = tuple(
            dict.fromkeys(
                value.function
                for argument in (*node.args, *(keyword.value for keyword in node.keywords))
                for value in self._project.values(argument, scope)
                if isinstance(value, Coroutine) and value.function is not None
            )
        )
        if awaited:
            return Task(scope, node, runs, "awaited")
        use, place, holder = self._use(scope, node)
        return Task(scope, node, runs, use, place, holder)

    def _use(self, scope: Body, node: tree.Node) -> tuple[Use, str, Class | None]:
        holders = walk.around(scope, node)
        for index, holder in enumerate(holders):
            if isinstance(holder, _PASSING):
                continue
            if isinstance(holder, tree.Attribute):
                return ("callback" if holder.attr in _CALLBACKS else "passed"), "", None
            if isinstance(holder, tree.Call):
                return self._given(scope, holder)
            if isinstance(holder, tree.Assign):
                return self._assigned(scope, holder)
            if isinstance(holder, tree.Return):
                return "returned", "", None
            if isinstance(holder, tree.ExprStmt):
                return self._discarded(scope, holders[index - 1] if index else node)
            return "passed", "", None
        return "passed", "", None

    def _discarded(self, scope: Body, node: tree.Node) -> tuple[Use, str, Class | None]:
        if isinstance(node, tree.NamedExpr):
            return self._named(scope, node.target.id)
        if isinstance(scope, Function) and scope.is_lambda:
            return ("dropped" if self._is_loop_callback(scope) else "returned"), "", None
        return "dropped", "", None

    def _is_loop_callback(self, function: Function) -> bool:
        return any(entry.role == "loop callback" for entry in self._project.contexts.entry_points.get(function, ()))

    def _given(self, scope: Body, call: tree.Call) -> tuple[Use, str, Class | None]:
        if isinstance(call.func, tree.Attribute) and call.func.attr in _ADDING:
            word = last_name(call.func.value)
            return "kept", word, _self_class(call.func.value, scope)
        return "passed", "", None

    def _assigned(self, scope: Body, node: tree.Assign) -> tuple[Use, str, Class | None]:
        target = node.targets[0]
        if isinstance(target, tree.Subscript):
            target = target.value
        if isinstance(target, tree.Attribute):
            return "kept", target.attr, _self_class(target, scope)
        if isinstance(target, tree.Name) and len(node.targets) == 1 and not isinstance(node.targets[0], tree.Subscript):
            return self._named(scope, target.id)
        return "kept", last_name(target), None

    def _named(self, scope: Body, name: str) -> tuple[Use, str, Class | None]:
        """What becomes of a task in a local name: nothing, a callback, or something that keeps it."""
        if not isinstance(scope, Function) or name not in scope.bindings:
            return "kept", name, None
        uses = [use for function in _with_inner(scope) for use in _reads(function, name)]
        if any(isinstance(holder, tree.Return) for holder, _ in uses):
            return "returned", name, None
        if all(isinstance(holder, tree.Attribute) and holder.attr in _CALLBACKS for holder, _ in uses):
            return ("callback" if uses else "dropped"), "", None
        for holder, node in uses:
            if isinstance(holder, tree.Call) and isinstance(holder.func, tree.Attribute) and holder.func.attr in _ADDING:
                return "kept", last_name(holder.func.value), _self_class(holder.func.value, scope)
            if isinstance(holder, tree.Assign) and holder.value is node and not isinstance(holder.targets[0], tree.Name):
                target = holder.targets[0].value if isinstance(holder.targets[0], tree.Subscript) else holder.targets[0]
                return "kept", last_name(target), _self_class(target, scope)
        return "kept", name, None

    def _is_mentioned(self, task: Task, mentions: frozenset[Mention]) -> bool:
        owners = [mention.owner for mention in mentions if mention.word == task.place]
        return any(owner is None or task.holder is None or self._kin(owner, task.holder) for owner in owners)

    def _kin(self, one: Class, other: Class) -> bool:
        members = self._project.inference.members
        families = [{one, *members.mro(one), *members.subclasses(one)}, {other, *members.mro(other), *members.subclasses(other)}]
        return any(isinstance(cls, Class) for cls in families[0] & families[1])

    @cached_property
    def _near(self) -> list[Body]:
        """The bodies that name something which keeps a task."""
        places = {task.place for task in self.made} - {""}
        return [
            scope for scope in self._bodies if not places.isdisjoint(scope.module.bindings) or _reads_attribute(scope, places)
        ]

    @cached_property
    def _cancelled(self) -> frozenset[Mention]:
        """What something cancels, with what it was taken from."""
        return frozenset(self._cancelled_in(self._near))

    @cached_property
    def _handed(self) -> frozenset[Mention]:
        """What is awaited, passed to a call, or returned."""
        return frozenset(self._handed_in(self._near))

    @cached_property
    def _watched(self) -> frozenset[Mention]:
        """What is awaited or handed on by code that cancels nothing, or asked for its error, or whether it is done in a loop."""
        found = set(self._handed_in([scope for scope in self._near if not self.cancels(scope)]))
        for scope in self._near:
            asked = [
                site.node.func.value
                for site in scope.sites
                if isinstance(site.node, tree.Call) and isinstance(site.node.func, tree.Attribute)
                if site.node.func.attr in _ASKING or (site.node.func.attr == "done" and any(site.block.loops()))
            ]
            found.update(self._mentions([*asked, *(call.func for call in self._callbacks_in(scope))], scope))
        return frozenset(found)

    def _cancelled_in(self, scopes: Iterable[Body]) -> Iterator[Mention]:
        for scope in scopes:
            yield from self._mentions(
                [call.func.value for call in self.cancels(scope) if isinstance(call.func, tree.Attribute)], scope
            )

    def _handed_in(self, scopes: Iterable[Body]) -> Iterator[Mention]:
        for scope in scopes:
            exprs: list[tree.Expr] = []
            for site in scope.sites:
                if isinstance(site.node, tree.Call) and last_name(site.node.func) not in _MAKING:
                    exprs += [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
            if isinstance(scope, Function):
                exprs += [node.value for node in scope.awaits if isinstance(node, tree.Await)]
                exprs += [expr for expr, _ in scope.returns]
            yield from self._mentions([expr for expr in exprs if not isinstance(expr, tree.Call)], scope)

    def _callbacks_in(self, scope: Body) -> list[tree.Call]:
        """Calls that give a task a callback which does more than forget it."""
        return [
            site.node
            for site in scope.sites
            if isinstance(site.node, tree.Call) and isinstance(site.node.func, tree.Attribute)
            if site.node.func.attr in _CALLBACKS and not (site.node.args and last_name(site.node.args[0]) in _FORGETTING)
        ]

    def _mentions(self, exprs: Iterable[tree.Node], scope: Body) -> Iterator[Mention]:
        owner = _self_owner(scope)
        for expr in exprs:
            for text in self.related(expr, scope):
                head, _, word = text.rpartition(".")
                yield Mention(word, owner[1] if owner is not None and head == owner[0] else None)


def _is_maker(site: CallSite, node: tree.Call) -> bool:
    if any(name in _MAKERS for name in site.names):
        return True
    if site.is_resolved or not isinstance(node.func, tree.Attribute) or node.func.attr not in _MAKING:
        return False
    receiver = node.func.value
    return "loop" in last_name(receiver.func if isinstance(receiver, tree.Call) else receiver).lower()


def _is_plain(scope: Body) -> bool:
    return isinstance(scope, Function) and not scope.is_async


def _mentioned(expr: tree.Node) -> Iterator[tuple[str, tree.Node]]:
    """The dotted names in an expression, outermost ones only; of a call its arguments, and the object if it is a method."""
    stack = [expr]
    while stack:
        node = stack.pop()
        text = dotted(node) if isinstance(node, tree.Name | tree.Attribute) else ""
        if text:
            yield text, node
        elif isinstance(node, tree.Call):
            stack += [node.func.value] if isinstance(node.func, tree.Attribute) else []
            stack += node.args
            if last_name(node.func) == "getattr" and len(node.args) > 1 and isinstance(node.args[1], tree.Const):
                yield f"{dotted(node.args[0])}.{node.args[1].value}", node
        elif not isinstance(node, tree.Lambda):
            stack += list(walk.children(node))


def _reads_attribute(scope: Body, names: set[str]) -> bool:
    return any(
        (isinstance(site.node, tree.Attribute) and site.node.attr in names)
        or (isinstance(site.node, tree.Call) and last_name(site.node.func) == "getattr")
        for site in scope.sites
    )


def _with_inner(function: Function) -> Iterator[Function]:
    yield function
    for inner in function.inner.values():
        yield from _with_inner(inner)


def _reads(function: Function, name: str) -> Iterator[tuple[tree.Node, tree.Node]]:
    """The places that read a name, each with the node directly around it."""
    stack: list[tuple[tree.Node, tree.Node]] = [(statement, statement) for statement in walk.body(function)]
    while stack:
        holder, node = stack.pop()
        if isinstance(node, tree.Name) and node.id == name and not (isinstance(holder, tree.Assign) and node in holder.targets):
            yield holder, node
        if holder is node or not isinstance(node, tree.FunctionDef | tree.Lambda | tree.ClassDef):
            stack += [(node, child) for child in walk.children(node)]


def _self_owner(scope: Body) -> tuple[str, Class] | None:
    """Name of the instance and class of the method that a body lies in."""
    for around in scope.enclosing():
        if isinstance(around, Function) and around.owner is not None and around.self_name:
            return around.self_name, around.owner
    return None


def _self_class(expr: tree.Node, scope: Body) -> Class | None:
    owner = _self_owner(scope)
    if owner is None or not isinstance(expr, tree.Attribute):
        return None
    return owner[1] if isinstance(expr.value, tree.Name) and expr.value.id == owner[0] else None
