"""Wait for a worker in a thread, and not for ever."""

from __future__ import annotations

import msgspec

from asyncvet.facts import tree
from asyncvet.fix.arguments import with_keyword
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.fix.threads import in_thread
from asyncvet.graph.arguments import argument_at, hides_arguments
from asyncvet.graph.scopes import last_name
from asyncvet.model import Finding

SECONDS = 30
"""For which a result is waited for where the code does not say how long."""

_WAITS = frozenset({"get", "wait", "join", "join_native"})


def fix(finding: Finding, code: Code) -> Draft | str:
    """Hand the wait to a thread, with a timeout if it has none: a thread that waits for ever is lost."""
    draft = in_thread(finding, code)
    call = code.at(finding, tree.Call)
    if isinstance(draft, str) or call is None or len(finding.chain) > 1 or not _is_endless(call):
        return draft
    argument = f"timeout={SECONDS}"
    is_given = bool(call.args or call.keywords)
    bound = with_keyword(code, call, argument) if is_given else Change(call.end - 1, call.end - 1, f", {argument}")
    title = f"{draft.title}, for {SECONDS} s at most; see whether that is long enough"
    return msgspec.structs.replace(draft, title=title, changes=(*draft.changes, bound))


def _is_endless(call: tree.Call) -> bool:
    """Whether a call waits for a result and says nothing of how long."""
    return last_name(call.func) in _WAITS and not hides_arguments(call) and argument_at(call, ("timeout", 0)) is None
