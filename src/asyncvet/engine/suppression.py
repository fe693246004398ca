"""Comments that accept findings.

    requests.get(url)  # asyncvet: ignore[AV101] runs before the app serves
    requests.get(url)  # noqa: AV101
    # asyncvet: ignore[blocking-call] on a line of its own speaks of the next line
    def load(path):  # asyncvet: ignore[AV101] on the line of a function speaks of all that is in it
    # asyncvet: ignore-file[AV1] speaks of the whole file

A bare ``# noqa`` does not count: it was written for a linter of single lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from asyncvet.config import hint
from asyncvet.engine.selection import fits
from asyncvet.facts import tree
from asyncvet.facts.tree import Comment, ModuleFacts
from asyncvet.graph.walk import children
from asyncvet.model import Finding, ReadError
from asyncvet.rules import Rule

DIRECTIVE = re.compile(r"#\s*asyncvet:\s*([\w-]*)\s*(?:\[([^\]]*)(\])?)?")
NOQA = re.compile(r"#\s*noqa:\s*([A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)
_OTHERS = re.compile(r"#\s*(?:noqa|type|pyright|pylint|ruff|pragma|fmt|isort|mypy|nosec|ty|pyrefly)\b[^#]*", re.IGNORECASE)
"""What comments say to tools: no reason for anything."""


class Directive(NamedTuple):
    """A comment's part that speaks to asyncvet: its kind, its selectors (none: all rules), and whether it gives a reason."""

    kind: str
    selectors: tuple[str, ...]
    has_reason: bool


class Suppression(msgspec.Struct):
    """What one directive accepts.

    Attributes:
        path: File of the comment.
        line: Where it stands.
        lines: First and last line that it speaks of; None means the whole file.
        used: The selectors that accepted something; an empty one stands for a directive without selectors.
    """

    path: str
    line: int
    directive: Directive
    lines: tuple[int, int] | None
    used: set[str] = msgspec.field(default_factory=set)

    def accepts(self, finding: Finding, line: int) -> bool:
        """Whether it speaks of this finding, which has to do with this line of its file. Notes what it was good for."""
        if self.lines is not None and not self.lines[0] <= line <= self.lines[1]:
            return False
        fitting = [selector for selector in self.directive.selectors or ("",) if _covers(selector, finding)]
        self.used.update(fitting)
        return bool(fitting)


class Suppressions:
    """All suppressions of a review."""

    def __init__(self, suppressions: Iterable[Suppression]) -> None:
        self._by_file: dict[str, list[Suppression]] = {}
        for each in suppressions:
            self._by_file.setdefault(each.path, []).append(each)

    def silence(self, finding: Finding) -> bool:
        """Whether a comment accepts a finding: on its lines, on the line where its chain ends, around either, or for its file."""
        span = finding.span
        places = [(span.path, line) for line in range(span.line, span.end_line + 1)]
        if finding.chain:
            places.append((finding.chain[-1].path, finding.chain[-1].line))
        # Every one of them is asked, as those that accept nothing are reported.
        verdicts = [each.accepts(finding, line) for path, line in places for each in self._by_file.get(path, ())]
        return any(verdicts)

    def unused(self, tried: Collection[tuple[str, str]], rules: Sequence[Rule]) -> Iterator[ReadError]:
        """The comments that accept nothing.

        Args:
            tried: Path and code of each file and rule of which all findings are known.
            rules: All rules there are.
        """
        for path, suppressions in self._by_file.items():
            ran = [rule for rule in rules if (path, rule.code) in tried]
            for each in suppressions:
                idle = _idle(each, ran, rules)
                if len(idle) == len(each.directive.selectors or ("",)):
                    yield ReadError(path, each.line, "this comment accepts nothing; take it away", "suppression")
                elif idle:
                    named = ", ".join(f"`{selector}`" for selector in idle)
                    yield ReadError(path, each.line, f"this comment accepts nothing by {named}; take that away", "suppression")


def suppressions(
    modules: Mapping[str, ModuleFacts], rules: Sequence[Rule], needs_reason: Iterable[str] = ()
) -> tuple[Suppressions, list[ReadError]]:
    """The suppressions that comments state, and the comments that mean to state one but do not.

    Args:
        modules: The files.
        rules: All rules there are.
        needs_reason: The files whose comments have to give a reason.
    """
    stated: list[Suppression] = []
    errors: list[ReadError] = []
    known = {word for rule in rules for word in (rule.code, rule.name)}
    strict = frozenset(needs_reason)
    for path, facts in modules.items():
        heads = _heads(facts) if facts.comments else {}
        for comment in facts.comments:
            line = bisect_right(facts.line_starts, comment.start)
            for directive in _directives(comment):
                if problem := _problem(directive, known):
                    errors.append(ReadError(path, line, problem, "suppression"))
                    continue
                about = line + 1 if comment.own_line else line
                extent = None if directive.kind == "ignore-file" else heads.get(about, (about, about))
                stated.append(Suppression(path, line, directive, extent))
                if path in strict and not directive.has_reason:
                    errors.append(ReadError(path, line, _without_reason(directive), "suppression"))
    return Suppressions(stated), errors


def _covers(selector: str, finding: Finding) -> bool:
    return not selector or selector == finding.name or finding.code.startswith(selector.upper())


def _idle(suppression: Suppression, ran: Sequence[Rule], rules: Sequence[Rule]) -> list[str]:
    """The selectors that accepted nothing though all that they name ran; an empty one stands for a directive without selectors."""
    selectors = suppression.directive.selectors or ("",)
    return [selector for selector in selectors if selector not in suppression.used and _was_tried(selector, ran, rules)]


def _was_tried(selector: str, ran: Sequence[Rule], rules: Sequence[Rule]) -> bool:
    """Whether every rule that a selector names ran; a preview rule counts only where it is named alone."""
    named = [rule for rule in rules if not selector or fits(rule, (selector,))]
    asked = [rule for rule in named if not rule.preview] or named
    return bool(asked) and all(rule in ran for rule in asked)


def _heads(facts: ModuleFacts) -> dict[int, tuple[int, int]]:
    """All lines of a function, by each line on which a comment speaks of all of it: decorators, `def`, the end of its signature."""
    heads: dict[int, tuple[int, int]] = {}
    waiting: list[tree.Node] = list(facts.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.FunctionDef):
            heads |= _head(facts, node)
        if isinstance(node, tree.Stmt | tree.Handler | tree.Case):
            waiting += [child for child in children(node) if not isinstance(child, tree.Expr)]
    return heads


def _head(facts: ModuleFacts, node: tree.FunctionDef) -> dict[int, tuple[int, int]]:
    def line(offset: int) -> int:
        return bisect_right(facts.line_starts, offset)

    first = line(min([node.start, *(decorator.start for decorator in node.decorators)]))
    whole = first, line(max(node.end - 1, node.start))
    marked = {line(node.start), line(node.name_start)}
    for decorator in node.decorators:
        marked |= set(range(line(decorator.start), line(decorator.end) + 1))
    if node.body:  # above which, or on whose line, the signature ends
        parameters = {line(param.end) for param in node.params}
        end = max(
            [node.name_start, *(param.end for param in node.params), *([node.returns.end] if node.returns is not None else [])]
        )
        below = line(node.body[0].start)
        marked |= {number for number in range(line(end), below) if number == below - 1 or number not in parameters}
    return dict.fromkeys(marked, whole)


def _directives(comment: Comment) -> Iterator[Directive]:
    said = _OTHERS.sub("", DIRECTIVE.sub("", comment.text))
    for match in DIRECTIVE.finditer(comment.text):
        kind, selectors, closed = match.groups()
        if selectors is not None and not closed:
            kind = "["
        words = _split(selectors or "") if selectors is None or selectors.strip() else ("",)
        yield Directive(kind, words, any(char.isalnum() for char in said))
    for match in NOQA.finditer(comment.text):
        if codes := tuple(code for code in _split(match[1]) if code.upper().startswith("AV")):
            yield Directive("noqa", codes, has_reason=True)


def _split(selectors: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s,]+", selectors))


def _without_reason(directive: Directive) -> str:
    selectors = ", ".join(directive.selectors) or "AV101"
    return f"this comment gives no reason; write one behind it: `# asyncvet: {directive.kind}[{selectors}] why it may stay`"


def _problem(directive: Directive, known: set[str]) -> str:
    """What is wrong with a directive; empty if nothing is. Linters other than this one may own codes in a ``noqa``."""
    kind = directive.kind
    if kind == "noqa":
        return ""
    if kind == "[":
        return "this comment silences nothing: the bracket after `ignore` is not closed"
    if kind not in {"ignore", "ignore-file"}:
        return f"this comment silences nothing: there is no `asyncvet: {kind}`; {hint(kind, ('ignore', 'ignore-file'))}"
    for selector in directive.selectors:
        if not selector:
            return "this comment silences nothing: the brackets are empty"
        if selector not in known and not any(word.startswith(selector.upper()) for word in known):
            return f"this comment names no rule: there is no `{selector}`; {hint(selector, known)}"
    return ""
