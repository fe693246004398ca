"""Test once more under the lock that is taken already."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.blocks import above
from asyncvet.fix.code import Code, Draft, everything
from asyncvet.fix.rechecks import is_repeatable, is_way_out, race_at, read_again, written_again
from asyncvet.graph import walk
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding


def fix(finding: Finding, code: Code) -> Draft | str:
    """Put what the lock guards under the test, or the way out in front of it; who finds the state set goes on as if it always was."""
    race = race_at(finding, code)
    test = race.test.statement if race is not None else None
    if race is None or race.taken is None or not isinstance(test, tree.If) or not is_repeatable(test.test):
        return "the test cannot be made a second time as it stands"
    lock = shown(race.taken.expr)
    taken = race.taken.node
    block = next((n for n in code.around(taken) if isinstance(n, tree.With)), None)
    if block is None or not any(item.value is taken for item in block.items):
        return f"`{lock}` is not held by `async with`; test `{race.test.place.text}` again once it is taken"
    read = read_again(code, race)
    if test.body[0].start <= block.start < test.body[-1].end and not test.orelse:
        if test.body[-1] is not block and _gives(code, block):
            return f"what follows the block needs what it sets; test `{race.test.place.text}` again inside `async with {lock}`"
        lines = [f"if {code.source(test.test)}:"]
        inside = code.text.indented(block.body[0].start, block.body[-1].end)
    elif is_way_out(test) and test.end <= block.start:
        lines = [line.removeprefix("\t") for line in written_again(code, test)]
        inside = []
    else:
        lines = []
    head = above(code, block.body[0], *(read or ()), *lines)
    if read is None or not lines or "\n" in lines[0] or head is None or not code.text.is_last(block.end):
        return (
            f"the test and the block do not stand by themselves; test `{race.test.place.text}` again inside `async with {lock}`"
        )
    title = f"test `{race.test.place.text}` again under `{lock}`"
    return Draft("unsafe", title, (head, *inside), (), (test.start, block.end))


def _gives(code: Code, block: tree.With) -> bool:
    """Whether a block leaves the function, or sets names that are used behind it."""
    nodes = list(walk.nodes(block.body))
    targets = {t.id for n in nodes if isinstance(n, tree.Assign) for t in n.targets if isinstance(t, tree.Name)}
    behind = {n.id for n in everything(walk.body(code.scope(block.start))) if isinstance(n, tree.Name) and n.start >= block.end}
    return any(isinstance(n, tree.Return | tree.Jump) for n in nodes) or bool(targets & behind)
