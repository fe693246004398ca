"""Certainty: what a call of a function surely waits for, whatever its arguments are and unless something goes wrong.

The graph's `Reach` tells whether a call *can* block; here it must. A call in one arm of an `if` does not count unless the other arm
waits as well, nor does one in an `except`, nor one behind an early return. Loops are taken to run at least once.
"""

from __future__ import annotations

import builtins
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from asyncvet.facts import tree
from asyncvet.graph import Project, walk
from asyncvet.graph.feasibility import Feasibility
from asyncvet.graph.known import NOTHING_KNOWN, Known, truth
from asyncvet.graph.loop_checks import LoopChecks
from asyncvet.graph.memo import RECURSION
from asyncvet.graph.reach import Step
from asyncvet.graph.scopes import Class, Function
from asyncvet.graph.sites import ApiCall, CallSite, Mode, Target

_NEAR = frozenset({"lock", "thread", "metadata", "console", "celery-publish", "celery-result"})
"""Categories that are a library's own business: short, the user's wish, or as long as what its threads do."""
_FAR = frozenset({"sleep", "network", "database", "process", "broker"})
"""Categories that count where a library calls another one, whose files, queues and locks are that one's own business."""
_WHEN_FULL = frozenset({"queue.Queue.put", "multiprocessing.Queue.put", "multiprocessing.queues.Queue.put"})
"""What waits only while something is full, which nothing tells."""
_IN_TURN = frozenset({"__new__", "__init__", "__post_init__", "__enter__", "__exit__", "__iter__", "__next__"})
_DEPTH = 40
"""Calls that a way has at the most: nobody reads a longer one, and recursion has to end."""
_VARIANTS = 24
"""So many different sets of what is known are tried for one function; after that nothing is taken as known."""


@dataclass(frozen=True, slots=True)
class Certain:
    """What surely has happened at a place of a function, on every way there.

    Attributes:
        way: To the gravest call that blocks; empty if none is sure.
        called: The calls of functions in parameters, by identity of their nodes.
    """

    way: tuple[Step, ...] = ()
    called: frozenset[int] = frozenset()


_NOTHING = Certain()
_State = Certain | None
"""None is a place that is never reached but by an error."""


def _grade(way: Sequence[Step]) -> tuple[int, int]:
    """How grave a way is: others' time before the disk's, then the shorter one."""
    end = way[-1].api if way else None
    if end is None:
        return 0, 0
    return (2 if end.api.stall == "unbounded" else 1), -len(way)


def _both(first: _State, second: _State) -> _State:
    """What has happened after two things in turn."""
    if first is None or second is None:
        return None
    if second is _NOTHING:
        return first
    return Certain(max(first.way, second.way, key=_grade), first.called | second.called)


def _either(states: Iterable[_State]) -> _State:
    """What has happened whichever of several ways was taken."""
    reached = [state for state in states if state is not None]
    if not reached:
        return None
    ways = [state.way for state in reached]
    way = min(ways, key=_grade) if all(ways) else ()
    return Certain(way, frozenset.intersection(*(state.called for state in reached)))


class Certainty:
    """Finds what functions surely wait for. One object a project."""

    def __init__(self, project: Project, roots: Iterable[Function]) -> None:
        """Answer questions about `roots` and what they call."""
        self.project = project
        self.feasibility = Feasibility(project.inference)
        self.checks = LoopChecks(project.inference)
        self._made: set[Class] = set()
        self._candidates = self._reaching(roots)
        self._known: dict[Function, dict[Known, _State]] = {}
        self._depth = 0
        # A walk down a chain nests with the statements of every function on it.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))

    def from_outside(self, function: Function, known: Known) -> _State:
        """The same as `of` for a call by a user, of whose arguments the calls in the distribution tell nothing."""
        if function not in self._candidates:
            return _NOTHING
        return _Body(self, function, known, frozenset(self._given_by_users(function))).outcome()

    def of(self, function: Function, known: Known = NOTHING_KNOWN) -> _State:
        """What running the body of a function surely comes to; None if it always raises."""
        if function not in self._candidates:
            return _NOTHING
        answers = self._known.setdefault(function, {})
        if known not in answers and len(answers) >= _VARIANTS:
            known = NOTHING_KNOWN
        if known not in answers:
            if self._depth >= _DEPTH:
                return _NOTHING
            answers[known] = _NOTHING  # What comes back to itself tells nothing.
            self._depth += 1
            answers[known] = _Body(self, function, known).outcome()
            self._depth -= 1
        return answers[known]

    def at(self, site: CallSite, known: Known) -> _State:
        """What running a site surely comes to."""
        if self.checks.runs_without_loop(site):
            return _NOTHING
        plain = [target for target in site.targets if not target.via]
        state = self._run(site, plain, known)
        own = self._own(site)
        if own is not None:
            here = Certain((Step(site, None, own),))
            state = _either([here, state]) if plain else here
        elif plain and any(map(self._is_harmless, site.names)):
            state = _either([_NOTHING, state])
        for target in site.targets:
            if target.via and target.mode is Mode.INLINE and all(self._is_called(fn, node) for fn, node in target.via):
                inner = self.of(target.function)
                if inner is not None and inner.way:
                    state = _both(state, Certain((Step(site, target, None), *inner.way)))
        return state

    def _given_by_users(self, function: Function) -> Iterator[str]:
        """The parameters of a function of which neither an annotation nor a default tells what they are."""
        around = function.parent or function.module
        for name, param in function.params.items():
            tells = param.default is not None and not (isinstance(param.default, tree.Const) and param.default.kind == "none")
            if name != function.self_name and not tells:
                if not self.project.inference.annotations.instances(param.annotation, around):
                    yield name

    def _own(self, site: CallSite) -> ApiCall | None:
        """The entry of the catalogue that a site surely calls."""
        if site.awaited or not site.apis:
            return None
        blocking = [api for api in site.apis if is_blocking(api, site)]
        others = [name for name in site.names if name not in {api.name for api in blocking}]
        if isinstance(site.node, tree.Call) and any(map(self._is_harmless, others)):
            return None
        return min(blocking, key=lambda api: _grade([Step(site, None, api)])) if blocking else None

    def _is_harmless(self, name: str) -> bool:
        """Whether a name that a site may call is one of something that exists and does not block."""
        root, _, rest = name.partition(".")
        owner, _, attr = rest.rpartition(".")
        if root in ("builtins", "function") and attr:
            return hasattr(getattr(builtins, owner, None), attr)
        catalogue = self.project.catalogue
        return bool(catalogue.api(name)) or catalogue.type(name.rpartition(".")[0]) is not None

    def _run(self, site: CallSite, targets: list[Target], known: Known) -> _State:
        """What running the functions of a site comes to: one of several, or those of `with`, `for` and construction in turn."""
        concrete = [target for target in targets if not target.function.is_abstract]
        if len(concrete) < len(targets):
            # What the library makes itself, not what it offers for tests and special needs.
            concrete = [target for target in concrete if target.function.owner in self._made] or concrete
        # Plain code has no use for a coroutine: it is the other half of what serves both kinds of callers.
        concrete = [target for target in concrete if target.mode is Mode.INLINE] or concrete
        state: _State = _NOTHING
        names = sorted({target.function.name for target in concrete})
        groups = [[name] for name in names] if _IN_TURN.issuperset(names) else [names]
        for group in groups:
            members = [target for target in concrete if target.function.name in group]
            if members:
                state = _both(state, _either([self._enter(site, target, known) for target in members]))
        return state

    def _enter(self, site: CallSite, target: Target, known: Known) -> _State:
        if target.mode is not Mode.INLINE:
            return _NOTHING
        if target.function not in self._candidates:
            return _NOTHING
        inside = self.feasibility.enter(site, target, known)
        if inside is None:
            return None
        state = self.of(target.function, inside)
        return Certain((Step(site, target, None), *state.way)) if state is not None and state.way else state and _NOTHING

    def _is_called(self, function: Function, node: tree.Node) -> bool:
        state = self.of(function)
        return state is not None and id(node) in state.called

    def _reaching(self, roots: Iterable[Function]) -> frozenset[Function]:
        """The functions that can come to a call that blocks, or that call a function they are given."""
        callers: dict[Function, list[Function]] = {}
        found = dict.fromkeys(roots)
        pending, reached = deque(found), dict[Function, None]()
        while pending:
            function = pending.popleft()
            for site in self.project.sites(function):
                if any(is_blocking(api, site) for api in site.apis) or _calls_parameter(site, function):
                    reached[function] = None
                self._made.update(self._classes(site))
                for target in site.targets:
                    below = [target.function, *(around for around, _ in target.via)]
                    for each in below:
                        callers.setdefault(each, []).append(function)
                        if each not in found:
                            found[each] = None
                            pending.append(each)
        pending = deque(reached)
        while pending:
            for caller in callers.get(pending.popleft(), ()):
                if caller not in reached:
                    reached[caller] = None
                    pending.append(caller)
        return frozenset(reached)

    def _classes(self, site: CallSite) -> Iterator[Class]:
        """The classes of which a call makes an object, with those that they inherit from."""
        inference = self.project.inference
        if isinstance(site.node, tree.Call):
            for value in inference.callee(site.node, site.scope):
                if isinstance(value, Class):
                    yield from (base for base in inference.members.mro(value) if isinstance(base, Class))


def is_blocking(api: ApiCall, site: CallSite) -> bool:
    """Whether an entry tells of a wait that a caller of a library should know of."""
    entry = api.api
    if entry.effect != "blocks" or entry.is_async or entry.stall == "short" or api.name in _WHEN_FULL:
        return False
    return entry.category in _FAR if site.scope.module.is_external else entry.category not in _NEAR


def _calls_parameter(site: CallSite, function: Function) -> bool:
    func = site.node.func if isinstance(site.node, tree.Call) else None
    return isinstance(func, tree.Name) and any(
        isinstance(around, Function) and func.id in around.params for around in function.enclosing()
    )


class _Body:
    """One walk over the body of a function, along its control flow."""

    def __init__(self, certainty: Certainty, function: Function, known: Known, unknown: frozenset[str] = frozenset()) -> None:
        """`unknown` are names of parameters of which nothing is known."""
        self._certainty = certainty
        self._function = function
        self._known = known
        self._unknown = unknown
        self._sites = {id(site.node): site for site in certainty.project.sites(function)}
        self._returned: list[_State] = []
        self._jumps: list[list[_State]] = []

    def outcome(self) -> _State:
        state = self._statements(walk.body(self._function), _NOTHING)
        return _either([*self._returned, state])

    def _statements(self, statements: Iterable[tree.Node], state: _State) -> _State:
        for statement in statements:
            if state is None:
                break
            state = self._statement(statement, state)
        return state

    def _statement(self, node: tree.Node, state: _State) -> _State:
        if isinstance(node, tree.FunctionDef | tree.ClassDef):
            return state
        if isinstance(node, tree.If):
            state = self._expression(node.test, state)
            return self._fork(node.test, state, node.body, node.orelse)
        if isinstance(node, tree.For | tree.While):
            return self._loop(node, state)
        if isinstance(node, tree.With):
            for item in node.items:
                state = self._expression(item.value, state)
            return self._statements(node.body, _both(state, self._site(node)))
        if isinstance(node, tree.Try):
            state = self._statements([*node.body, *node.orelse], state)
            return self._statements(node.final, state)
        if isinstance(node, tree.Match):
            state = self._expression(node.subject, state)
            return _either([*(self._statements(case.body, state) for case in node.cases), state])
        return self._simple(node, state)

    def _simple(self, node: tree.Node, state: _State) -> _State:
        state = self._children(node, state)
        if isinstance(node, tree.Return):
            self._returned.append(state)
            return None
        if isinstance(node, tree.Jump):
            if self._jumps:
                self._jumps[-1].append(state)
            return None
        return None if isinstance(node, tree.Raise) else state

    def _fork(self, test: tree.Node, state: _State, then: Sequence[tree.Node], other: Sequence[tree.Node]) -> _State:
        holds = truth(test, self._known)
        arms = [arm for arm, taken in ((then, True), (other, False)) if holds in (None, taken)]
        return _either([self._statements(arm, state) for arm in arms])

    def _loop(self, node: tree.For | tree.While, state: _State) -> _State:
        if isinstance(node, tree.For):
            state = _both(self._expression(node.iter, state), self._site(node))
            is_endless = False
        else:
            state = self._expression(node.test, state)
            is_endless = isinstance(node.test, tree.Const) and bool(node.test.value)
        self._jumps.append([])
        end = self._statements(node.body, state)
        jumps = self._jumps.pop()
        return self._statements(node.orelse, _either(jumps if is_endless else [*jumps, end]))

    # --- expressions --------------------------------------------------------------------------------

    def _children(self, node: tree.Node, state: _State) -> _State:
        for child in walk.children(node):
            state = self._expression(child, state)
        return state

    def _expression(self, node: tree.Node, state: _State) -> _State:
        if state is None or isinstance(node, tree.Lambda | tree.FunctionDef | tree.ClassDef | tree.Const | tree.Name):
            return state
        if isinstance(node, tree.Operation) and node.op in ("and", "or", "if"):
            return self._choice(node, state)
        if isinstance(node, tree.Comprehension):
            return _both(self._expression(node.generators[0].iter, state), self._comprehension(node))
        state = _both(self._children(node, state), self._site(node))
        if isinstance(node, tree.Call) and state is not None and isinstance(node.func, tree.Name):
            return Certain(state.way, state.called | {id(node)})
        return state

    def _comprehension(self, node: tree.Comprehension) -> _State:
        """What the elements of a comprehension come to; a generator's are made by whoever asks for them."""
        if node.kind == "generator":
            return _NOTHING
        is_filtered = any(generator.ifs for generator in node.generators)
        state = self._site(node)
        return state if is_filtered else self._expression(node.element, state)

    def _choice(self, node: tree.Operation, state: _State) -> _State:
        first, *others = node.operands
        state = self._expression(first, state)
        holds = truth(first, self._known)
        if node.op == "if":
            arms = [arm for arm, taken in zip(others, (True, False), strict=True) if holds in (None, taken)]
            return _either([self._expression(arm, state) for arm in arms])
        for before, operand in zip(node.operands, others, strict=False):
            if truth(before, self._known) is not (node.op == "and"):
                return state
            state = self._expression(operand, state)
        return state

    def _site(self, node: tree.Node) -> _State:
        site = self._sites.get(id(node))
        if site is None or (self._unknown and not self._unknown.isdisjoint(_receivers(node))):
            return _NOTHING
        return self._certainty.at(site, self._known)


def _receivers(node: tree.Node) -> Iterator[str]:
    """The names on whose objects a site calls something."""
    parts: list[tree.Node] = []
    if isinstance(node, tree.Call):
        parts = [node.func]
    elif isinstance(node, tree.For):
        parts = [node.iter]
    elif isinstance(node, tree.With):
        parts = [item.value for item in node.items]
    elif isinstance(node, tree.Comprehension):
        parts = [generator.iter for generator in node.generators]
    elif isinstance(node, tree.Attribute | tree.Subscript):
        parts = [node.value]
    for part in parts:
        inner = part
        while isinstance(inner, tree.Attribute | tree.Subscript | tree.Call):
            inner = inner.func if isinstance(inner, tree.Call) else inner.value
        if isinstance(inner, tree.Name):
            yield inner.id


def defaults(function: Function, without: str = "") -> Iterator[tuple[str, object, int]]:
    """The parameters of a function that hold a literal where a call does not give them, but for one; as in `Known.constants`."""
    for name, param in function.params.items():
        default = param.default
        is_plain = isinstance(default, tree.Const) and default.kind in ("bool", "none", "int", "str")
        if name != without and is_plain and len(function.bindings.get(name, ())) == 1:
            yield name, default.value, function.node.end  # type: ignore[union-attr]


def end_of(way: Sequence[Step]) -> ApiCall:
    """The call at the end of a way."""
    api = way[-1].api
    assert api is not None
    return api
