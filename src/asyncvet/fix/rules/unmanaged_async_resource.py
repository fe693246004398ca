"""Enter a resource by `async with` and put what uses it into the block."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.text import Change
from asyncvet.graph import Project, walk
from asyncvet.graph.ownership import Opened, Ownership
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding

_OPENING = frozenset({"start", "open", "connect", "initialize", "__aenter__"})
"""Methods that entering the object may call once more."""


def fix(finding: Finding, code: Code) -> Draft | str:
    """The block ends behind the last use of the resource and of what was made from it; a call that closed it there goes."""
    opened = code.ask(_opened).get((finding.span.path, code.start(finding.span)))
    if opened is None or not opened.is_entered or not opened.holder.isidentifier():
        return "it is no object that `async with` enters, or has no local name; close it in `finally`, or at shutdown"
    statement = code.statement(opened.node)
    if not isinstance(statement, tree.Assign) or statement.annotation is not None or statement.value is not opened.node:
        return f"`{opened.holder}` is not set by a plain assignment"
    block = code.siblings(statement)
    rest = block[block.index(statement) + 1 :]
    closing = [node for node in everything(rest) if _calls(node, opened, (opened.closer, "close", "aclose"))]
    closer = next(
        (s for s in rest if isinstance(s, tree.ExprStmt) and isinstance(s.value, tree.Await) and s.value.value in closing), None
    )
    if len(closing) > (closer is not None) or any(_calls(node, opened, _OPENING) for node in everything(rest)):
        return f"`{opened.holder}` is opened or closed by calls of its own; close it in a `finally` instead"
    # What the code did after it had closed the object itself, it can do behind the block.
    used = rest[: rest.index(closer)] if closer is not None else rest[: _end(rest, opened.holder)]
    if not used or not code.is_alone(statement) or not code.is_alone(closer or statement) or not code.text.is_last(used[-1].end):
        return f"nothing below uses `{opened.holder}`"
    head = Change(statement.start, statement.end, f"async with {code.source(opened.node)} as {opened.holder}:")
    changes = [head, *code.text.indented(used[0].start, used[-1].end)]
    if closer is not None:
        changes.append(Change(code.text.line_start(closer.start), code.text.next_line(closer.end), ""))
    title = f"open `{opened.holder}` by `async with {shown(opened.node)}`"
    return Draft("unsafe", title, tuple(changes), (), (statement.start, used[-1].end))


def _opened(project: Project) -> dict[tuple[str, int], Opened]:
    return {(opened.function.path, opened.node.start): opened for opened in Ownership(project).find()}


def _end(rest: Sequence[tree.Statement], name: str) -> int:
    """How many of the statements use a name, or a name that was set from such a one, and all between."""
    tainted, end = {name}, 0
    for index, statement in enumerate(rest):
        if any(isinstance(node, tree.Name) and node.id in tainted for node in everything([statement])):
            end = index + 1
            for node in walk.nodes(statement):
                if isinstance(node, tree.Assign):
                    tainted |= {n.id for target in node.targets for n in everything([target]) if isinstance(n, tree.Name)}
    return end


def _calls(node: tree.Node, opened: Opened, methods: Collection[str]) -> bool:
    """Whether a node calls one of some methods of a resource."""
    func = node.func if isinstance(node, tree.Call) else None
    is_of_holder = isinstance(func, tree.Attribute) and isinstance(func.value, tree.Name) and func.value.id == opened.holder
    return is_of_holder and isinstance(func, tree.Attribute) and func.attr in methods
