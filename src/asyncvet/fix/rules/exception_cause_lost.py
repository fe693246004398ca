"""Say what an error comes from: `from` the one that was caught, which gets a name if it has none."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.model import Finding

_NAMES = ("error", "exc", "cause", "caught")


def fix(finding: Finding, code: Code) -> Draft | str:
    """Add `from error`: it sets the cause of the exception and changes the words of the traceback, nothing else."""
    node = code.at(finding, tree.Raise)
    handler = next((n for n in code.around(node) if isinstance(n, tree.Handler)), None) if node is not None else None
    if node is None or handler is None:
        return "the statement is not under its handler"
    scope = code.scope(node.start)
    if handler.name is not None:
        if any(binding.kind != "except" for binding in scope.bindings.get(handler.name, [])):
            return f"`{handler.name}` may be something else there than what was caught"
        return Draft("safe", f"add `from {handler.name}`", (Change(node.end, node.end, f" from {handler.name}"),))
    name = code.free_name(_NAMES, scope)
    if handler.exc is None or name is None:
        return "what was caught has no name to say `from`; write `except BaseException as error:` if all of it is meant"
    named = Change(handler.exc.end, handler.exc.end, f" as {name}")
    return Draft("safe", f"add `as {name}` and `from {name}`", (named, Change(node.end, node.end, f" from {name}")))
