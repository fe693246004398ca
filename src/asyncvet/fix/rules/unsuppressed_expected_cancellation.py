"""Write `with suppress(...)` for a `try` whose only handler passes."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft
from asyncvet.fix.text import Change
from asyncvet.model import Finding


def fix(finding: Finding, code: Code) -> Draft | str:
    """Replace `try` by `with suppress(CancelledError)` and take the handler away; its comments stand above the `with`."""
    node = code.starting(code.start(finding.span), tree.Try)
    if node is None or len(node.handlers) != 1 or not code.text.is_first(node.start):
        return "the `try` does not stand alone"
    handler, last = node.handlers[0], node.body[-1]
    if handler.exc is None or handler.name is not None or not code.text.is_first(handler.start):
        return "its handler does more than name `CancelledError`"
    suppress = code.refer("contextlib", "suppress", node, prefer_module=False)
    if suppress is None:
        return "the name `suppress` is taken"
    head, needs = suppress
    indentation = code.text.indentation(node.start)
    after_body = code.text.next_line(last.end)
    comments = "".join(f"{comment}\n{indentation}" for comment in code.text.comments(after_body, code.text.next_line(node.end)))
    caught = code.source(handler.exc)
    changes = (
        Change(node.start, node.start + len("try"), f"{comments}with {head}({caught})"),
        Change(after_body, code.text.next_line(node.end), ""),
    )
    return Draft("safe", f"write `with {head}({caught})`", changes, needs)
