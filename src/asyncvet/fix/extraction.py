"""Hand a whole `with` block to a thread: it becomes a function beside it that a thread runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import walk
from asyncvet.graph.scopes import Function, last_name, shown

_OF_THE_FRAME = frozenset({"super", "locals", "vars", "eval", "exec", "dir"})
"""Functions that look at the frame that calls them."""


def block_around(code: Code, call: tree.Call) -> tree.With | None:
    """The `with` block that enters what a call gives, or in which it uses what the block has entered."""
    used = {node.id for node in everything([call]) if isinstance(node, tree.Name)}
    for around in code.around(call):
        if isinstance(around, tree.With) and not around.is_async:
            targets = {last_name(item.target) for item in around.items if item.target is not None}
            is_item = any(item.value is call for item in around.items)
            if is_item or used & targets:
                return around
    return None


def block_in_thread(code: Code, block: tree.With) -> Draft | str:
    """Move a block into a function and run that in a thread; what it sets comes back as the function's result."""
    function = code.scope(block.start)
    to_thread = code.refer("asyncio", "to_thread", block)
    if not isinstance(function, Function) or not function.is_async or to_thread is None or not code.is_alone(block):
        return "the block stands in no coroutine of asyncio"
    name = code.free_name(_names(block), function)
    given = _given(function, block)
    if problem := _unmovable(function, block, given) or ("" if name else "the names for a function of its own are taken"):
        return problem
    head, needs = to_thread
    call = f"await {head}({name})"
    changes = (*_function(code, block, name or "", given, call), *code.text.indented(block.start, block.end))
    return Draft("unsafe", f"run the block `{shown(block)}` in a thread", changes, needs, (block.start, block.end))


def _names(block: tree.With) -> Iterator[str]:
    call = block.items[0].value
    word = last_name(call.func) if isinstance(call, tree.Call) else "block"
    mode = (
        call.args[1].value if isinstance(call, tree.Call) and len(call.args) > 1 and isinstance(call.args[1], tree.Const) else "r"
    )
    if word == "open":
        word = "read_file" if str(mode).startswith("r") else "write_file"
    else:
        word = f"use_{''.join(f'_{c.lower()}' if c.isupper() else c for c in word).strip('_')}"
    yield word
    yield from (f"{word}_{number}" for number in range(2, 10))


def _given(function: Function, block: tree.With) -> list[str]:
    """The names that a block sets and the rest of the function uses, in the order in which they are set."""
    outside = set(_used(walk.body(function), block, frozenset()))
    return [name for name in dict.fromkeys(target.id for target in _targets(block)) if name in outside]


def _used(nodes: Iterable[tree.Node], block: tree.With, bound: frozenset[str]) -> Iterator[str]:
    """The names in nodes outside a block, but for those that a loop or another block has just set for what is in it."""
    for node in nodes:
        if node is block:
            continue
        if isinstance(node, tree.Name) and node.id not in bound:
            yield node.id
        own = _own_targets(node) if not (node.start <= block.start < node.end) else []
        yield from _used(walk.children(node), block, bound.union(name.id for target in own for name in _names_of(target)))


def _own_targets(node: tree.Node) -> list[tree.Expression]:
    if isinstance(node, tree.With):
        return [item.target for item in node.items if item.target is not None]
    if isinstance(node, tree.Comprehension):
        return [generator.target for generator in node.generators]
    return [node.target] if isinstance(node, tree.For) else []


def _targets(block: tree.Node) -> Iterator[tree.Name]:
    """The names that a block sets."""
    for node in walk.nodes(block):
        if isinstance(node, tree.Assign):
            yield from (name for target in node.targets for name in _names_of(target))
        elif isinstance(node, tree.AugAssign | tree.For):
            yield from _names_of(node.target)
        elif isinstance(node, tree.NamedExpr):
            yield node.target
        elif isinstance(node, tree.WithItem) and node.target is not None:
            yield from _names_of(node.target)


def _names_of(target: tree.Node) -> Iterator[tree.Name]:
    if isinstance(target, tree.Name):
        yield target
    elif isinstance(target, tree.Sequence):
        for item in target.items:
            yield from _names_of(item)
    elif isinstance(target, tree.Starred):
        yield from _names_of(target.value)


def _unmovable(function: Function, block: tree.With, given: list[str]) -> str:
    """Why a block cannot be a function of its own; empty if it can."""
    if not block.body:  # the parser takes a head at the end of a file for whole
        return f"`{shown(block)}` has no body yet"
    last = block.body[-1]
    for node in walk.nodes(block):
        if isinstance(node, tree.Await | tree.Yield) or (
            isinstance(node, tree.With | tree.For | tree.Generator) and node.is_async
        ):
            return (
                f"`{shown(block)}` is held over an await; read or write in a function for `asyncio.to_thread`, and await outside"
            )
        if isinstance(node, tree.Return) and (node is not last or given):
            return f"`{shown(block)}` is left by `return` half-way; move it into a function for `asyncio.to_thread`"
        if isinstance(
            node,
            tree.Jump | tree.Scope | tree.Delete | tree.FunctionDef | tree.ClassDef | tree.Import | tree.ImportFrom | tree.Match,
        ):
            return f"`{shown(block)}` does what a function of its own cannot; move it by hand into one for `asyncio.to_thread`"
        if isinstance(node, tree.Handler) and node.name is not None and node.name in given:
            return f"`{node.name}` has another meaning behind the block"
        if isinstance(node, tree.Name) and node.id in _OF_THE_FRAME:
            return f"`{node.id}()` looks at the function that it stands in"
    return _unbound(function, block, given)


def _unbound(function: Function, block: tree.With, given: list[str]) -> str:
    """Why the names that a block sets cannot be local to a function of its own; empty if they can."""
    if not (function.globals | function.nonlocals).isdisjoint(name.id for name in _targets(block)):
        return "the block sets a name of another function or of the module"
    surely = {
        name.id
        for s in block.body
        if isinstance(s, tree.Assign) and s.value is not None
        for t in s.targets
        for name in _names_of(t)
    }
    if missing := [name for name in given if name not in surely]:
        return f"`{missing[0]}` is not always set in the block, and used behind it"
    stores = {target.start: target.id for target in _targets(block)}
    read_first: dict[str, bool] = {}
    for node in sorted((n for n in everything([block]) if isinstance(n, tree.Name)), key=lambda name: name.start):
        if node.id in stores.values():
            read_first.setdefault(node.id, node.start not in stores)
    for statement in walk.nodes(block):
        if isinstance(statement, tree.Assign) and statement.value is not None:
            inside = {n.id for n in everything([statement.value]) if isinstance(n, tree.Name)}
            # `data = f(data)`: the value is read before the name is set, though it stands behind it.
            for target in (name for each in statement.targets for name in _names_of(each)):
                if target.id in inside and _is_first(stores, target):
                    read_first[target.id] = True
        elif isinstance(statement, tree.AugAssign) and isinstance(statement.target, tree.Name):
            if _is_first(stores, statement.target):
                read_first[statement.target.id] = True
    outer = [name for name, is_read in read_first.items() if is_read]
    return f"`{outer[0]}` is read in the block before the block sets it" if outer else ""


def _is_first(stores: dict[int, str], target: tree.Name) -> bool:
    return min(start for start, name in stores.items() if name == target.id) == target.start


def _function(code: Code, block: tree.With, name: str, given: list[str], call: str) -> Iterator[Change]:
    """The lines around a block that make it a function, and the call of it."""
    text, last = code.text, block.body[-1]
    indentation = text.indentation(block.start)
    start, end = text.line_start(block.start), text.next_line(block.end)
    is_result = isinstance(last, tree.Return)
    previous = text.between(0, start).rstrip()
    gap = "" if previous.endswith(":") or text.is_blank(start - 1) else "\n"
    returns = " -> None" if not given and not (is_result and isinstance(last, tree.Return) and last.value) else ""
    yield Change(start, start, f"{gap}{indentation}def {name}(){returns}:\n")
    ending = f"{indentation}{call}\n"
    if is_result:
        ending = f"{indentation}return {call}\n"
    elif given:
        ending = f"{indentation}{', '.join(given)} = {call}\n"
        if _is_single(last, given):
            assert isinstance(last, tree.Assign)
            assert last.value is not None
            yield Change(last.start, last.value.start, "return ")
        else:
            ending = f"{indentation}{text.unit}return {', '.join(given)}\n\n{ending}"
            yield Change(end, end, ending)
            return
    yield Change(end, end, f"\n{ending}")


def _is_single(last: tree.Stmt, given: list[str]) -> bool:
    """Whether the last statement of a block sets the one name that it gives."""
    return (
        isinstance(last, tree.Assign)
        and last.value is not None
        and last.annotation is None
        and len(last.targets) == 1
        and isinstance(last.targets[0], tree.Name)
        and [last.targets[0].id] == given
    )
