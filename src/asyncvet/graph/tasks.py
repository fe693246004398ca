"""Tasks: where the project makes them, who keeps them, and where they are cancelled and awaited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.scopes import Binding, Body, Class, Function, dotted, last_name
from asyncvet.graph.sites import CallSite, Mode
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
_HOLDING = _MAKING | {
    "list",
    "tuple",
    "set",
    "sorted",
    "len",
    "bool",
    "isinstance",
    "hasattr",
    "getattr",
    "print",
    "id",
    "discard",
}
"""Calls that are given tasks and neither await nor cancel them."""
_FORGETTING = frozenset({"discard", "remove", "pop"})
_ASKING = frozenset({"exception", "result"})

Use = Literal["dropped", "callback", "kept", "returned", "awaited", "passed"]


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can hold tasks.

    Attributes:
        word: Its name or last attribute.
        owner: The class, if it is an attribute of `self`.
    """

    word: str
    owner: Class | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Where a task is made.

    Attributes:
        node: The call that makes it.
        runs: The coroutine functions that it can run; empty if unknown.
        use: What becomes of it: ``dropped``, only given a ``callback``, ``kept`` by a name, an attribute or a container,
            ``returned``, ``awaited`` at once, or ``passed`` to a call.
        places: What keeps it, the longest-lived first.
    """

    scope: Body
    node: tree.Call
    runs: tuple[Function, ...]
    use: Use
    places: tuple[Place, ...] = ()

    @property
    def is_local(self) -> bool:
        """Only local names of the function that makes it, and containers that it made itself, keep it."""
        return self.use == "kept" and isinstance(self.scope, Function) and all(map(self._is_own, self.places))

    def _is_own(self, place: Place) -> bool:
        bindings = self.scope.bindings.get(place.word, []) if place.owner is None else []
        values = [binding.value for binding in bindings if binding.kind not in ("annotation", "augmented", "for")]
        return bool(values) and all(map(self._is_fresh, values))

    def _is_fresh(self, value: tree.Node | None) -> bool:
        if isinstance(value, tree.Call) and not isinstance(value.func, tree.Name):
            return value.start <= self.node.start < value.end or last_name(value.func) in _MAKING
        return isinstance(value, tree.Sequence | tree.Dict | tree.Comprehension | tree.Call | tree.Const | tree.Operation)


class Tasks:
    """Answers questions about tasks. One object a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._bodies: tuple[Body, ...] = (*project.modules.values(), *project.functions)
        self._related: dict[int, frozenset[str]] = {}
        self._fillings: dict[Body, dict[str, list[str]]] = {}

    @cached_property
    def made(self) -> tuple[Task, ...]:
        """All places that make a task, also through functions of the project that only make one and return it."""
        found = [task for scope in self._bodies for task in self._made_in(scope)]
        wrappers = {task.scope for task in found if _is_all_it_gives(task)}
        while wrappers:
            through = [task for scope in self._bodies for task in self._made_through(scope, wrappers)]
            found += through
            wrappers = {task.scope for task in through if _is_all_it_gives(task)} - wrappers
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
            return any(place.word in _words(task) for place in (*self._cancelled_in(scopes), *self._handed_in(scopes)))
        return self._is_among(task, self._cancelled) or self._is_among(task, self._handed)

    def is_awaited(self, task: Task) -> bool:
        """Whether something in the project awaits what keeps a task, or hands it to code that may."""
        return task.use in ("returned", "awaited", "passed") or self._is_among(task, self._handed)

    def is_supervised(self, task: Task) -> bool:
        """Whether an error of a task is seen while the service runs: not just by the code that stops the task."""
        if task.use in ("returned", "awaited", "passed", "callback"):
            return True
        if any(callback.start > task.node.start for callback in self._callbacks_in(task.scope)) or self._is_made_anew(task):
            return True
        if task.is_local and isinstance(task.scope, Function):
            stop = min((call.start for call in self._stops(task)), default=None) if self.is_lifespan(task.scope) else None
            return any(place.word in _words(task) for place in self._handed_in(_with_inner(task.scope), before=stop))
        return self._is_among(task, self._watched)

    def _stops(self, task: Task) -> Iterator[tree.Call]:
        """The calls in the function that makes a task which cancel it."""
        for call in self.cancels(task.scope):
            if isinstance(call.func, tree.Attribute):
                places = self._places([call.func.value], task.scope)
                if any(place.word in _words(task) for place in places):
                    yield call

    def _is_made_anew(self, task: Task) -> bool:
        """Whether who needs a task asks first whether it is done, and makes another one if so: `def _ensure_writer(self)`."""
        asked = [
            site.node.func.value
            for site in task.scope.sites
            if isinstance(site.node, tree.Call) and isinstance(site.node.func, tree.Attribute) and site.node.func.attr == "done"
        ]
        return "ensure" in task.scope.name and any(place.word in _words(task) for place in self._places(asked, task.scope))

    def is_lifespan(self, scope: Body) -> bool:
        """Whether the names of a function live as long as the service: it waits at its `yield`. Its name may be all that says so."""
        if not isinstance(scope, Function):
            return False
        entries = self._project.contexts.entry_points.get(scope, ())
        is_named_so = scope.is_context_manager and "lifespan" in scope.name
        return is_named_so or any(entry.role == "lifespan" for entry in entries)

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
        """Whether an expression is known to be a task, by its type or as what keeps the tasks that the project makes."""
        if any(isinstance(value, Object) and value.path == "asyncio.Task" for value in self._project.values(expr, scope)):
            return True
        places = frozenset(place for place in self._places([expr], scope) if place.owner is not None)
        return any(self._is_among(task, places) for task in self.made if any(place.owner for place in task.places))

    def is_waited_for(self, expr: tree.Expr, scope: Body) -> bool:
        """Whether something awaits what an expression names or was taken from, or hands it on: here, if an attribute anywhere."""
        texts = self.related(expr, scope)
        words = {text.rpartition(".")[2] for text in texts}
        shared = {text.rpartition(".")[2] for text in texts if "." in text}
        here = {place.word for place in self._handed_in([scope])}
        return bool(words & here) or bool(shared & {place.word for place in self._handed})

    def related(self, expr: tree.Node, scope: Body) -> frozenset[str]:
        """What an expression names, and what those names were taken from: dotted texts."""
        known = self._related.get(id(expr))
        if known is None:
            known = self._related[id(expr)] = self._find_related(expr, scope)
        return known

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
        return not any(task.scope is scope and task.is_local and _words(task) & words for task in self.made)

    def is_ended_by_maker(self, task: Task) -> bool:
        """Whether the function that makes a task cancels it too."""
        return any(
            _words(task) & {text.rpartition(".")[2] for text in self.related(call.func.value, task.scope)}
            for scope in (_with_inner(task.scope) if isinstance(task.scope, Function) else (task.scope,))
            for call in self.cancels(scope)
            if isinstance(call.func, tree.Attribute)
        )

    # --- inside -----------------------------------------------------------------------------------

    def _find_related(self, expr: tree.Node, scope: Body) -> frozenset[str]:
        found: dict[str, None] = {}
        stack = [expr]
        while stack:
            for text, node in _mentioned(stack.pop()):
                if text in found or text in ("self", "cls"):
                    continue
                bindings: list[Binding] = []
                if isinstance(node, tree.Name):
                    bindings = self._project.inference.names.bindings_at(node.id, scope, node.start)
                    found.update(dict.fromkeys(self._filled(scope).get(node.id, ())))
                if not any(binding.kind == "import" for binding in bindings):
                    found[text] = None
                    stack += [b.value for b in bindings if b.value is not None and b.kind in ("assign", "for")]
        return frozenset(found)

    def _filled(self, scope: Body) -> dict[str, list[str]]:
        """What is put into local containers, by their names: `pending.append(self._task)`."""
        known = self._fillings.get(scope)
        if known is None:
            known = self._fillings[scope] = {}
            for node in walk.found(scope, tree.Call):
                if isinstance(node.func, tree.Attribute) and node.func.attr in _ADDING:
                    given = [text for argument in node.args for text, _ in _mentioned(argument)]
                    known.setdefault(dotted(node.func.value), []).extend(given)
        return known

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
        use, places = self._use(scope, node)
        return Task(scope, node, runs, use, places)

    def _use(self, scope: Body, node: tree.Node) -> tuple[Use, tuple[Place, ...]]:
        inner = node
        for holder in walk.around(scope, node):
            if isinstance(holder, tree.Assign):
                return self._assigned(scope, holder)
            if isinstance(holder, tree.Call) and isinstance(holder.func, tree.Attribute) and holder.func.attr in _ADDING:
                return "kept", (_place(holder.func.value, scope),)
            if isinstance(holder, tree.ExprStmt) and isinstance(inner, tree.NamedExpr):
                return self._named(scope, inner.target.id)
            if isinstance(holder, tree.ExprStmt):
                return ("returned" if self._is_result(scope) else "dropped"), ()
            if not isinstance(holder, _PASSING):
                is_callback = isinstance(holder, tree.Attribute) and holder.attr in _CALLBACKS
                return ("callback" if is_callback else "returned" if isinstance(holder, tree.Return) else "passed"), ()
            inner = holder
        return "passed", ()

    def _is_result(self, scope: Body) -> bool:
        """Whether a body is a lambda whose result goes to a caller that may use it: not to the loop."""
        if not isinstance(scope, Function) or not scope.is_lambda:
            return False
        return not any(entry.role == "loop callback" for entry in self._project.contexts.entry_points.get(scope, ()))

    def _assigned(self, scope: Body, node: tree.Assign) -> tuple[Use, tuple[Place, ...]]:
        kept = tuple(_place(target, scope) for target in node.targets if not isinstance(target, tree.Name))
        names = [target.id for target in node.targets if isinstance(target, tree.Name)]
        return self._named(scope, names[0]) if names and not kept else ("kept", kept)

    def _named(self, scope: Body, name: str) -> tuple[Use, tuple[Place, ...]]:
        """What becomes of a task in a local name: nothing, a callback, or something that keeps it."""
        if not isinstance(scope, Function) or name not in scope.bindings:
            return "kept", (Place(name),)
        uses = [use for function in _with_inner(scope) for use in _reads(function, name)]
        if all(isinstance(holder, tree.Attribute) and holder.attr in _CALLBACKS for holder, _ in uses):
            if not uses and self.is_lifespan(scope):
                return "kept", (Place(name),)
            return ("callback" if uses else "dropped"), ()
        places = [
            _place(holder.func.value, scope)
            for holder, _ in uses
            if isinstance(holder, tree.Call) and isinstance(holder.func, tree.Attribute) and holder.func.attr in _ADDING
        ]
        for holder, node in uses:
            if isinstance(holder, tree.Assign) and holder.value is node:
                places += [_place(target, scope) for target in holder.targets]
        if not places and any(isinstance(holder, tree.Return) for holder, _ in uses):
            return "returned", (Place(name),)
        return "kept", (*places, Place(name))

    def _is_among(self, task: Task, places: frozenset[Place]) -> bool:
        kept = [place for place in task.places if place.owner is not None or place.word not in task.scope.bindings] or task.places
        return any(
            found.word == place.word and (found.owner is None or place.owner is None or self._kin(found.owner, place.owner))
            for place in kept
            for found in places
        )

    def _kin(self, one: Class, other: Class) -> bool:
        members = self._project.inference.members
        families = [{one, *members.mro(one), *members.subclasses(one)}, {other, *members.mro(other), *members.subclasses(other)}]
        return any(isinstance(cls, Class) for cls in families[0] & families[1])

    @cached_property
    def _near(self) -> list[Body]:
        """The bodies that name something which keeps a task."""
        words = {word for task in self.made for word in _words(task)}
        return [scope for scope in self._bodies if not words.isdisjoint(scope.module.bindings) or _reads_attribute(scope, words)]

    @cached_property
    def _cancelled(self) -> frozenset[Place]:
        """What something cancels, with what it was taken from."""
        return frozenset(self._cancelled_in(self._near))

    @cached_property
    def _handed(self) -> frozenset[Place]:
        """What is awaited, passed to a call, or returned."""
        return frozenset(self._handed_in(self._near))

    @cached_property
    def _watched(self) -> frozenset[Place]:
        """What is awaited or handed on by code that cancels nothing, or asked for its error, or whether it is done in a loop."""
        found = set(self._handed_in([scope for scope in self._near if not self.cancels(scope)]))
        for scope in self._near:
            asked = [
                site.node.func.value
                for site in scope.sites
                if isinstance(site.node, tree.Call) and isinstance(site.node.func, tree.Attribute)
                if site.node.func.attr in _ASKING or (site.node.func.attr == "done" and any(site.block.loops()))
            ]
            found.update(self._places([*asked, *(call.func for call in self._callbacks_in(scope))], scope))
        return frozenset(found)

    def _cancelled_in(self, scopes: Iterable[Body]) -> Iterator[Place]:
        for scope in scopes:
            yield from self._places(
                [call.func.value for call in self.cancels(scope) if isinstance(call.func, tree.Attribute)], scope
            )

    def _handed_in(self, scopes: Iterable[Body], before: int | None = None) -> Iterator[Place]:
        """What is awaited, passed to a call, or returned, up to an offset if one is given."""
        for scope in scopes:
            exprs: list[tree.Expr] = []
            for site in scope.sites:
                if isinstance(site.node, tree.Call) and last_name(site.node.func) not in _HOLDING:
                    exprs += [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
            if isinstance(scope, Function):
                exprs += [node.value for node in scope.awaits if isinstance(node, tree.Await)]
                exprs += [expr for expr, _ in scope.returns]
            given = (expr for expr in exprs if before is None or expr.start < before)
            yield from self._places([expr for expr in given if not isinstance(expr, tree.Call)], scope)

    def _callbacks_in(self, scope: Body) -> list[tree.Call]:
        """Calls that give a task a callback which does more than forget it."""
        return [
            site.node
            for site in scope.sites
            if isinstance(site.node, tree.Call) and isinstance(site.node.func, tree.Attribute)
            if site.node.func.attr in _CALLBACKS and not (site.node.args and last_name(site.node.args[0]) in _FORGETTING)
        ]

    def _places(self, exprs: Iterable[tree.Node], scope: Body) -> Iterator[Place]:
        owner = _self_owner(scope)
        for expr in exprs:
            for text in self.related(expr, scope):
                head, _, word = text.rpartition(".")
                yield Place(word, owner[1] if owner is not None and head == owner[0] else None)


def _is_maker(site: CallSite, node: tree.Call) -> bool:
    if any(name in _MAKERS for name in site.names):
        return True
    if site.is_resolved or not isinstance(node.func, tree.Attribute) or node.func.attr not in _MAKING:
        return False
    receiver = node.func.value
    return "loop" in last_name(receiver.func if isinstance(receiver, tree.Call) else receiver).lower()


def _is_all_it_gives(task: Task) -> bool:
    """Whether a plain function gives nothing but the task: who drops its result drops the task."""
    scope = task.scope
    if task.use != "returned" or not isinstance(scope, Function) or scope.is_async or len(scope.returns) != 1:
        return False
    return all(len(scope.bindings.get(place.word, ())) == 1 for place in task.places)


def _words(task: Task) -> set[str]:
    return {place.word for place in task.places}


def _place(target: tree.Node, scope: Body) -> Place:
    """What an assignment target, or what is added to, stands for."""
    while isinstance(target, tree.Subscript):
        target = target.value
    if isinstance(target, tree.Call) and isinstance(target.func, tree.Attribute):
        target = target.func.value
    return Place(last_name(target), _self_class(target, scope))


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
