"""Hold a lock while state is made on first use, and test once more under it: one lock, or one for each key of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from asyncvet.facts import tree
from asyncvet.fix.blocks import above, below
from asyncvet.fix.code import Code, Draft, Need, everything
from asyncvet.fix.rechecks import free_attribute, holder_of, is_repeatable, is_way_out, race_at, read_again, set_in, written_again
from asyncvet.fix.text import Change
from asyncvet.graph import walk
from asyncvet.graph.races import Race
from asyncvet.graph.scopes import Class, Module, last_name
from asyncvet.graph.shared_state import SELF, method_around, signature
from asyncvet.model import Finding


class _Lock(NamedTuple):
    """A lock to be made: how it is taken, what is to stand before that, where it is declared, and the imports for it."""

    taken: str
    before: tuple[str, ...]
    declared: Change
    needs: tuple[Need, ...]


def fix(finding: Finding, code: Code) -> Draft | str:
    """Declare a lock beside the state, and put the work under it, behind a second test."""
    race = race_at(finding, code)
    read = read_again(code, race) if race is not None else None
    if race is None or read is None or not isinstance(race.test.statement, tree.If) or not is_repeatable(race.test.node):
        return "the test cannot be made a second time as it stands; hold an `asyncio.Lock` over it and the assignment"
    lock = _lock(code, race)
    if isinstance(lock, str):
        return lock
    test = race.test.statement
    changes = _under_test(code, race, test, lock, read) or _behind_way_out(code, race, test, lock, read)
    if changes is None:
        return f"the test does not stand by itself; hold an `asyncio.Lock` over it and what sets `{race.test.place.text}`"
    title = f"make `{race.test.place.text}` under a lock, behind a second test"
    stretch = (test.start, max(change.end for change in changes))
    return Draft("unsafe", title, (*changes, lock.declared), lock.needs, stretch)


def _under_test(code: Code, race: Race, test: tree.If, lock: _Lock, read: list[str]) -> tuple[Change, ...] | None:
    """`if missing: make` as `if missing: async with lock: if missing: make`."""
    source = code.source(test.test)
    is_inside = holder_of(test.body, set_in(race)) is not None
    if not is_inside or test.orelse or "\n" in source or not code.source(test).startswith("if"):
        return None
    taking = (*lock.before, f"async with {lock.taken}:", *(f"\t{line}" for line in read))
    head = above(code, test.body[0], *taking, f"\tif {source}:")
    return (head, *code.text.indented(test.body[0].start, test.body[-1].end, 2)) if head is not None else None


def _behind_way_out(code: Code, race: Race, test: tree.If, lock: _Lock, read: list[str]) -> tuple[Change, ...] | None:
    """`if there: return it`, then `make`, as the same, then `async with lock:` with both in it."""
    block = code.siblings(test)
    last = holder_of(block, set_in(race))
    lines = written_again(code, test)
    if not is_way_out(test) or not lines or last is None or last <= block.index(test):
        return None
    rest = block[block.index(test) + 1 : last + 1]
    taking = (*lock.before, f"async with {lock.taken}:", *(f"\t{line}" for line in read))
    head = above(code, rest[0], *taking, *lines)
    is_last = code.text.is_last(rest[-1].end)
    return (head, *code.text.indented(rest[0].start, rest[-1].end)) if head is not None and is_last else None


# --- the lock ---------------------------------------------------------------------------------------


def _lock(code: Code, race: Race) -> _Lock | str:
    """The lock for a race: beside the state, for each key where the state is an entry of a table."""
    place, function = race.test.place, race.function
    declaration = _declaration(code, race)
    prefix = _prefix(code, race)
    asyncio_lock = code.refer("asyncio", "Lock", race.test.node)
    if declaration is None or asyncio_lock is None or prefix is None:
        return f"where `{place.text}` is declared is not seen; hold an `asyncio.Lock` over the test and the assignment"
    of_class = "" if isinstance(code.scope(declaration.start), Module) else prefix
    wanted = f"{place.name}_locks" if place.is_item else f"{place.name}_lock"
    if not free_attribute(code, function, wanted):
        return f"the name `{wanted}` is taken; hold that lock over the test and the assignment"
    if not place.is_item:
        declared = below(code, declaration, f"{of_class}{wanted} = {asyncio_lock[0]}()")
        return _Lock(f"{prefix}{wanted}", (), declared, asyncio_lock[1])
    key, local = _key(code, race), code.free_name(("lock", "key_lock", "own_lock"), function)
    table = code.refer("weakref", "WeakValueDictionary", race.test.node, prefer_module=False)
    if key is None or local is None or table is None:
        return f"the key of `{place.text}` is made where it stands; give it a name, and hold a lock for each"
    line = f"{of_class}{wanted}: {table[0]}[object, {asyncio_lock[0]}] = {table[0]}()"
    taking = f"{local} = {prefix}{wanted}.setdefault({key}, {asyncio_lock[0]}())"
    return _Lock(local, (taking,), below(code, declaration, line), (*asyncio_lock[1], *table[1]))


def _prefix(code: Code, race: Race) -> str | None:
    """What stands before the name of the state in the function, its dot included."""
    place, method = race.test.place, method_around(race.function)
    if place.home is code.module:
        return ""
    if place.home == SELF and method is not None and method.self_name is not None:
        return f"{method.self_name}."
    owner = place.text.partition("[")[0].rpartition(".")[0]
    return f"{owner}." if owner else None


def _declaration(code: Code, race: Race) -> tree.Assign | None:
    """The statement that declares the state: at the top of the module, in the class, or in its `__init__`."""
    place, method = race.test.place, method_around(race.function)
    if place.home is code.module:
        return _assigned(code, code.facts.body, place.name)
    cls = method.owner if place.home == SELF and method is not None else place.home
    if not isinstance(cls, Class) or cls.module is not code.module:
        return None
    if place.home == SELF:
        for init in cls.methods.get("__init__", ()):
            if found := _assigned(code, walk.body(init), place.name):
                return found
    is_plain = not cls.node.decorators and not cls.node.bases and not cls.node.keywords
    return _assigned(code, cls.node.body, place.name) if is_plain else None


def _assigned(code: Code, body: Sequence[tree.Statement], name: str) -> tree.Assign | None:
    """The first statement of a block that sets a name, or an attribute of that name."""
    for statement in body:
        if isinstance(statement, tree.Assign) and any(last_name(target) == name for target in statement.targets):
            return statement if code.is_alone(statement) else None
    return None


def _key(code: Code, race: Race) -> str | None:
    """The key of the entry that a race is about, if saying it twice does nothing twice."""
    nodes = list(everything([set_in(race), race.test.node]))
    keys = [node.index for node in nodes if isinstance(node, tree.Subscript)]
    keys += [node.operands[0] for node in nodes if isinstance(node, tree.Operation) and node.op in ("in", "not in")]
    fitting = [key for key in keys if signature(key) == race.test.place.key]
    is_plain = fitting and all(isinstance(node, tree.Name | tree.Attribute | tree.Const) for node in everything(fitting[:1]))
    return code.source(fitting[0]) if is_plain else None
