"""Outcomes: what calling one public function or method does to its caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from asyncvet.catalogue import Condition
from asyncvet.engine.learning.certainty import Certain, Certainty, defaults, end_of
from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.arguments import passed
from asyncvet.graph.known import Known
from asyncvet.graph.reach import Step, is_doubtful
from asyncvet.graph.scopes import Class, Function, Scope
from asyncvet.graph.sites import ApiCall, Mode
from asyncvet.graph.values import Value, Wrapped

_MEMOISED = frozenset({"cache", "lru_cache"})
_CONSTRUCTION = ("__new__", "__init__", "__post_init__")
_FILES = frozenset({"file", "archive"})
"""What a library does with files of its own is small, or cached; only those that its caller names count."""
_MOST_OPTIONS = 2
"""Options that have to be left alone for a call to block; one that depends on more is too special to state."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call does, in terms of the catalogue.

    Attributes:
        sink: The call at the end of the chain; None if the call itself does not block.
        bound: The name and position of the argument that bounds the stall; empty if there is none.
        is_example: The sink is one of several that a call ends in, by the class of an object.
        unless_given: The names and positions of arguments that change it.
        returns: What it gives, in the notation of the catalogue; empty if the source does not tell, or nobody needs it.
    """

    is_async: bool = False
    sink: ApiCall | None = None
    bound: tuple[str | int, ...] = ()
    is_example: bool = False
    unless_given: tuple[tuple[str, int | None], ...] = ()
    is_kept: bool = False
    returns: str = ""

    @property
    def is_plain(self) -> bool:
        """There is nothing to tell of it but what it returns."""
        return not self.is_async and self.sink is None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """When it holds."""
        return tuple(Condition(argument=name, position=at, present=False) for name, at in self.unless_given)


class Outcomes:
    """Works out outcomes. One object a project."""

    def __init__(self, certainty: Certainty) -> None:
        self._certainty = certainty
        self._inference = certainty.project.inference

    def of_function(self, function: Function, owner: Class | None = None) -> Outcome:
        """What calling a function does, or a method on an object of the class `owner`."""
        body = _body(self._inference.decorated(function), function)
        if body is None or function.is_abstract or function.is_property or function.is_context_manager:
            return Outcome()
        if _is_coroutine(body):
            return Outcome(is_async=True)
        return self._blocking(function, body, owner)

    def of_construction(self, cls: Class) -> Outcome:
        """What making an object of a class does."""
        methods = [self._inference.members.method(cls, name) for name in _CONSTRUCTION]
        found = [self._blocking(method, method, cls) for method in methods if method is not None and not method.is_async]
        return next((outcome for outcome in found if outcome.sink is not None), Outcome())

    def _blocking(self, function: Function, body: Function | Wrapped, owner: Class | None) -> Outcome:
        state, options = self._state(function, body, owner), tuple[str, ...]()
        if not _is_sure(state):
            state = self._state(function, body, owner, defaults(function))
            if not _is_sure(state):
                return Outcome()
            names = [name for name, _, _ in defaults(function)]
            options = tuple(n for n in names if not _is_sure(self._state(function, body, owner, defaults(function, without=n))))
            if not options or len(options) > _MOST_OPTIONS:
                return Outcome()
        assert state is not None
        if end_of(state.way).api.category in _FILES and not names_file(state.way):
            return Outcome()
        bound = self._bound(function, state.way)
        return Outcome(
            sink=replace(end_of(state.way), receiver=None),
            bound=bound,
            is_example=is_doubtful(state.way),
            unless_given=tuple((name, _position(function, name)) for name in options),
            is_kept=not function.decorator_names.isdisjoint(_MEMOISED),
        )

    def _state(
        self,
        function: Function,
        body: Function | Wrapped,
        owner: Class | None,
        constants: Iterable[tuple[str, object, int]] = (),
    ) -> Certain | None:
        """What running a function comes to, or what a decorator made of it."""
        known = Known(tuple(constants), cls=owner)
        if isinstance(body, Function):
            return self._certainty.from_outside(function, known)
        outer = self._certainty.of(body.wrapper)
        if outer is None or outer.way:
            return outer
        runs = any(
            use.mode is Mode.INLINE and use.function is body.wrapper and id(use.node) in outer.called
            for use in self._certainty.project.calls.uses(body.decorator, body.param, body.wrapper)
        )
        return self._certainty.from_outside(function, known) if runs else None

    def _bound(self, function: Function, way: tuple[Step, ...]) -> tuple[str | int, ...]:
        """The `timeout` parameter of a function, if it goes into the call by which the chain begins; no disk asks for one."""
        if "timeout" not in function.params or end_of(way).api.stall != "unbounded":
            return ()
        node = way[0].site.node
        parts = [*node.args, *(keyword.value for keyword in node.keywords)] if isinstance(node, tree.Call) else []
        names = {part.id for part in walk.nodes(parts) if isinstance(part, tree.Name)}
        if "timeout" not in names:
            return ()
        position = _position(function, "timeout")
        return ("timeout",) if position is None else ("timeout", position)


def names_file(way: Sequence[Step]) -> bool:
    """Whether a parameter of the function in which a way starts goes through all its calls into the one at the end."""
    names = _parameters_in(way[-1].site.node, way[-1].site.scope)
    for step in reversed(way[:-1]):
        node, target = step.site.node, step.target
        if not isinstance(node, tree.Call) or target is None or target.via:
            return False
        given = (
            passed(target.function, param, node, bool(target.function.self_name))
            for name, param in target.function.params.items()
            if name in names
        )
        names = {name for expr in given if expr is not None for name in _parameters_in(expr, step.site.scope)}
    return bool(names)


def _parameters_in(node: tree.Node, scope: Scope) -> set[str]:
    """The parameters of a function that an expression names, `self` aside."""
    if not isinstance(scope, Function):
        return set()
    names = {part.id for part in walk.nodes(node) if isinstance(part, tree.Name)}
    return {name for name in scope.params if name in names and name != scope.self_name}


def _is_sure(state: Certain | None) -> bool:
    return state is not None and bool(state.way)


def _position(function: Function, name: str) -> int | None:
    """The position of an argument, `self` not counted; None if it is given by name only."""
    if function.params[name].kind not in ("normal", "positional"):
        return None
    return list(function.params).index(name) - (1 if function.self_name else 0)


def _body(values: tuple[Value, ...], function: Function) -> Function | Wrapped | None:
    """What runs when a function is called that decorators may have wrapped; None if that is not known, or it is a generator."""
    if values == (function,):
        return None if function.is_generator else function
    wrapped = [value for value in values if isinstance(value, Wrapped) and value.inner is function]
    wrapped = [value for value in wrapped if value.wrapper.is_async == function.is_async]
    return wrapped[0] if len(wrapped) == 1 and not function.is_generator else None


def _is_coroutine(body: Function | Wrapped) -> bool:
    """Whether a call gives a coroutine: of an `async def`."""
    return (body.wrapper if isinstance(body, Wrapped) else body).is_async
