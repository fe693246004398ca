"""Arguments that fixes add to calls."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code
from asyncvet.fix.text import Change


def with_keyword(code: Code, call: tree.Call, argument: str) -> Change:
    """One more keyword argument, in a line of its own where the others have theirs."""
    given = [*call.args, *call.keywords]
    if not given:
        return Change(call.end - 1, call.end - 1, argument)
    last = max(given, key=lambda node: node.end)
    has_comma = "," in _code_only(code.text.between(last.end, call.end - 1))
    if code.text.is_first(last.start) and code.text.is_first(call.end - 1):
        end = code.text.next_line(last.end)
        line = f"{code.text.indentation(last.start)}{argument},\n"
        return Change(end, end, line) if has_comma else Change(last.end, end, f",{code.text.between(last.end, end)}{line}")
    return Change(last.end, last.end, f", {argument}")


def _code_only(text: str) -> str:
    return "\n".join(line.partition("#")[0] for line in text.split("\n"))
