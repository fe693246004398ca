"""Whether it matters that two callers both make a value: told from what it is called, and from what makes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asyncvet.facts import tree
from asyncvet.graph import walk
from asyncvet.graph.flow import Store, Test
from asyncvet.graph.scopes import Function, last_name
from asyncvet.graph.shared_state import place_of

if TYPE_CHECKING:
    from asyncvet.graph.project import Project

_TIME = re.compile(
    r"(^|_)(now|time|monotonic|ttl|age|deadline|timestamp|perf_counter|utcnow|datetime|\w*expir\w*)(_|$)", re.IGNORECASE
)
_REFRESHED = re.compile(r"(token|credentials?)$", re.IGNORECASE)
_THING = (
    r"(client|session|conn|connection|pool|engine|model|browser|page|playwright|process|worker|task|channel|socket|websocket|ws"
    r"|instance|service|manager|agent|pipeline|server|driver|producer|consumer|publisher|subscriber|transport|stream|tunnel|container"
    r"|sandbox|bot|cluster|db|database|collection|redis|reader|writer|cdp|context|index|store|tokenizer|embedder|llm|executor"
    r"|scheduler|app|proxy|sdk|broker|exchange|stub|gateway|device|kernel|runtime|workspace|environment|interpreter|graph|table)"
)
_KEPT_THING = re.compile(rf"(^|_){_THING}(_async|_instance)?$", re.IGNORECASE)
_KEPT_THINGS = re.compile(rf"(^|_){_THING}(s|es|_map|_by_\w+|_pool)?$", re.IGNORECASE)
_STARTED = re.compile(
    r"(^|_|is_)(initiali[sz]ed|inited|connected|started|loaded|ready|set_?up|setup_done|injected|opened|launched|prepared"
    r"|configured|created|migrated|warm(ed)?(_up)?|logged_in|authenticated|bootstrapped|installed|seeded|running)$",
    re.IGNORECASE,
)
_MAKING = re.compile(
    r"(^|_)(create|connect|open|start|launch|spawn|init|initiali[sz]e|build|establish|acquire|enter_async_context|aenter|login"
    r"|provision|register|from_pretrained|load_\w*model|get_or_create)(_|$)",
    re.IGNORECASE,
)
_LOADING = re.compile(r"^_*(load|download|warm_up|bootstrap)(_|$)")
_OVER = re.compile(
    r"(sent|exhausted|finished|stopped|closed|done|eof|ended|cancelled|disconnected|disabled|failed|consumed|seen|handled|notified"
    r"|logged|warned|reported|completed)$"
)


def is_worth_a_lock(project: Project, test: Test, store: Store, setter: Function) -> bool:
    """Whether it matters that two callers both make a value.

    It does for what lives on and for what is done to set something up: clients, connections, models, what is loaded once, flags that
    say that something was started. It does not for copies of data that is fetched, by key or from time to time, nor for a note of the
    last call, or of all calls.
    """
    place = store.place
    if not is_made_once(project, test, store, setter):
        return False
    if _REFRESHED.search(place.name) and not place.is_item:
        return True
    if any(_TIME.search(word) for word in _words(test.statement)):
        return False
    if place.is_item:
        return bool(_KEPT_THINGS.search(place.name)) or _is_made_up(setter, store.value)
    is_kept = bool(_KEPT_THING.search(place.name) or _STARTED.search(place.name))
    return is_kept or any(_is_made_up(setter, store.value, words) for words in (_MAKING, _LOADING))


def is_made_once(project: Project, test: Test, store: Store, setter: Function) -> bool:
    """Whether a store puts there what its test found missing, and what the next caller takes: no clearing, no note of the last call."""
    if isinstance(store.node, tree.Call) or _clears(store) or _OVER.search(store.place.name):
        return False
    return not _is_note_of_last(project, test, setter)


def _is_made_up(setter: Function, value: tree.Node | None, words: re.Pattern[str] = _MAKING) -> bool:
    """Whether a value, or what a local in it was assigned, comes from a call whose name says that it makes something."""
    values = [value]
    if isinstance(value, tree.Name):
        values = [binding.value for binding in setter.bindings.get(value.id, ()) if binding.kind == "assign"]
    calls = [node for value in values if value is not None for node in walk.nodes(value) if isinstance(node, tree.Await)]
    return any(words.search(last_name(call.value.func)) for call in calls if isinstance(call.value, tree.Call))


def _words(node: tree.Node | None) -> Iterator[str]:
    """The names in an expression, or in the tests of a statement."""
    if isinstance(node, tree.If):
        tests = [inner.test for inner in walk.nodes(node) if isinstance(inner, tree.If)]
        yield from (word for test in tests for word in _words(test))
    elif node is not None:
        for inner in walk.nodes(node):
            if word := last_name(inner):
                yield word


def _is_note_of_last(project: Project, test: Test, function: Function) -> bool:
    """`if last is not None and last.key == key`: what is kept is that of the last call, whichever it was."""
    for node in walk.nodes(test.node):
        if isinstance(node, tree.Operation) and node.op == "==":
            for operand in node.operands:
                inner = operand.value if isinstance(operand, tree.Attribute | tree.Subscript) else None
                if inner is not None and place_of(project, inner, function) == test.place:
                    return True
    return False


def _clears(store: Store) -> bool:
    """Whether an assignment takes away rather than puts there: `None`, `False`, an empty display."""
    value = store.value
    if isinstance(value, tree.Const):
        return not value.value
    return isinstance(value, tree.Sequence | tree.Dict) and not next(iter(walk.children(value)), None)
