"""Code actions: a finding's fix, and the comment that accepts it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from lsprotocol import types

from asyncvet.engine.suppression import DIRECTIVE
from asyncvet.facts import extract
from asyncvet.graph.scopes import Module
from asyncvet.lsp.view import View
from asyncvet.model import Finding, Fix

REASON = "reason"
"""What stands for the reason until someone writes it."""


def actions(view: View, module: Module, place: types.Range, has_snippets: bool) -> list[types.CodeAction]:
    """What can be done about the findings in a range.

    Args:
        view: The project.
        module: The file.
        place: The range of the editor.
        has_snippets: The editor lets people fill in places in an edit.
    """
    found: list[types.CodeAction] = []
    for finding in view.report.findings:
        if finding.span.path != module.path or not _meet(view.range(finding.span), place):
            continue
        if finding.fix is not None and (fix := _fix(view, finding.fix)) is not None:
            found.append(fix)
        if (comment := _comment(view, finding)) is not None:
            found.append(_suppression(view, finding, comment, has_snippets))
    return found


def _meet(one: types.Range, other: types.Range) -> bool:
    return (one.start.line, one.start.character) <= (other.end.line, other.end.character) and (
        other.start.line,
        other.start.character,
    ) <= (one.end.line, one.end.character)


def _fix(view: View, fix: Fix) -> types.CodeAction | None:
    """The fix as an action; none while a text that it edits is broken."""
    edits: dict[str, list[types.TextEdit]] = {}
    for edit in fix.edits:
        if view.drift(edit.span.path).stretches:
            return None
        edits.setdefault(view.uri(edit.span.path), []).append(types.TextEdit(view.range(edit.span), edit.text))
    unsafe = " (look at it first: it may change what the program does)" if fix.safety == "unsafe" else ""
    return types.CodeAction(
        f"{fix.title}{unsafe}",
        kind=types.CodeActionKind.QuickFix,
        is_preferred=fix.safety == "safe",
        edit=types.WorkspaceEdit(changes=edits),
    )


class _Comment:
    """A place, in characters, where `before`, the reason and `after` make a comment that accepts a finding."""

    def __init__(self, line: int, column: int, before: str, has_reason: bool = True, after: str = "") -> None:
        self.line, self.column = line, column
        self.before, self.after, self.has_reason = before, after, has_reason

    @property
    def text(self) -> str:
        return f"{self.before}{REASON if self.has_reason else ''}{self.after}"


def _comment(view: View, finding: Finding) -> _Comment | None:
    """The first form of the comment that the text takes: at the end of the finding's line, or on a line above it."""
    path = finding.span.path
    index = view.drift(path).now(finding.span.line) - 1
    lines = view.lines(path)
    if index >= len(lines):
        return None
    before = extract("\n".join(lines).encode("utf-8", "replace"))
    for comment in _forms(lines[index], index, finding.code):
        line = lines[comment.line]
        changed = [*lines]
        changed[comment.line] = line[: comment.column] + comment.text + line[comment.column :]
        facts = extract("\n".join(changed).encode("utf-8", "replace"))
        if len(facts.broken) <= len(before.broken):
            places = [bisect_right(facts.line_starts, each.start) for each in facts.comments if finding.code in each.text]
            if comment.line + 1 in places:
                return comment
    return None


def _forms(line: str, index: int, code: str) -> Iterator[_Comment]:
    known = next((match for match in DIRECTIVE.finditer(line) if match[1] == "ignore" and match[3]), None)
    if known is not None:
        yield _Comment(index, known.end(3) - 1, f", {code}", has_reason=False)
    yield _Comment(index, len(line.rstrip()), f"  # asyncvet: ignore[{code}] ")
    indent = line[: len(line) - len(line.lstrip())]
    yield _Comment(index, 0, f"{indent}# asyncvet: ignore[{code}] ", after="\n")


def _suppression(view: View, finding: Finding, comment: _Comment, has_snippets: bool) -> types.CodeAction:
    uri = view.uri(finding.span.path)
    line = view.lines(finding.span.path)[comment.line]
    position = types.Position(comment.line, view.encoding.units(line[: comment.column]))
    place = types.Range(position, position)
    edit = types.WorkspaceEdit(changes={uri: [types.TextEdit(place, comment.text)]})
    if has_snippets and comment.has_reason:
        snippet = types.SnippetTextEdit(place, types.StringValue(f"{comment.before}${{1:{REASON}}}{comment.after}"))
        document = types.OptionalVersionedTextDocumentIdentifier(uri)
        edit = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, [snippet])])
    return types.CodeAction(f"Accept {finding.code} {finding.name} on this line", kind=types.CodeActionKind.QuickFix, edit=edit)
