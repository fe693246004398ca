"""State that is made on first use: the test made once more under the lock that is held while it is made."""

from __future__ import annotations

from collections.abc import Sequence

from asyncvet.facts import tree
from asyncvet.fix.code import Code, everything
from asyncvet.graph import Project
from asyncvet.graph.races import Race, Races
from asyncvet.graph.scopes import Function, last_name
from asyncvet.model import Finding


def race_at(finding: Finding, code: Code) -> Race | None:
    """The race that a finding tells of."""
    function = code.function(finding)
    start, end = code.start(finding.span), code.end(finding.span)
    races = code.ask(_races).of(function) if function is not None else ()
    return next((race for race in races if (race.test.node.start, race.test.node.end) == (start, end)), None)


def _races(project: Project) -> Races:
    return Races(project)


def is_repeatable(test: tree.Node) -> bool:
    """Whether a test can be made twice: it awaits nothing and sets nothing."""
    return not any(isinstance(node, tree.Await | tree.NamedExpr | tree.Yield) for node in everything([test]))


def read_again(code: Code, race: Race) -> list[str] | None:
    """The lines that read the state anew before the second test; none where the test reads it itself, None if that is not seen.

    A test of a local name asks what was there when the name was set, not what is there now.
    """
    name, function = race.test.place.text, race.function
    if not name.isidentifier() or name not in function.bindings or name in function.globals:
        return []
    test = race.test.statement
    block = code.siblings(test) if isinstance(test, tree.If) else []
    before = block[block.index(test) - 1] if isinstance(test, tree.If) and block and block[0] is not test else None
    is_read = isinstance(before, tree.Assign) and len(before.targets) == 1 and last_name(before.targets[0]) == name
    if not is_read or before is None or not is_repeatable(before) or "\n" in code.source(before):
        return None
    return [code.source(before)]


def is_way_out(statement: tree.Statement) -> bool:
    """Whether a statement is a test whose body does nothing but leave."""
    return isinstance(statement, tree.If) and not statement.orelse and isinstance(statement.body[-1], tree.Return | tree.Jump)


def written_again(code: Code, test: tree.If) -> list[str]:
    """The lines of a way out, one level deeper than what they are put above; none if the test shares a line with other code."""
    if not code.is_alone(test):
        return []
    old = code.text.indentation(test.start)
    return [f"\t{line.removeprefix(old)}" for line in code.source(test).split("\n")]


def holder_of(block: Sequence[tree.Statement], node: tree.Node) -> int | None:
    """The index of the statement of a block that holds a node."""
    return next((i for i, s in enumerate(block) if s.start <= node.start and node.end <= s.end), None)


def set_in(race: Race) -> tree.Node:
    """What sets the state, in the function of the test: the assignment, or the await of who does it."""
    return race.store.node if race.setter is race.function else race.wait


def free_attribute(code: Code, function: Function, name: str) -> bool:
    """Whether nothing in a file, or in the names around a function, is called so."""
    return code.is_free(name, function) and not any(isinstance(n, tree.Attribute) and n.attr == name for n in code.nodes)
