"""Comments that silence findings.

    requests.get(url)  # asyncvet: ignore[AV101] runs before the app serves
    requests.get(url)  # noqa: AV101
    # asyncvet: ignore[blocking-call] on a line of its own speaks of the next line
    # asyncvet: ignore-file[AV1]

A bare ``# noqa`` does not count: it was written for a linter of single lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from asyncvet.config import hint
from asyncvet.facts.tree import Comment, ModuleFacts
from asyncvet.model import Finding, ReadError
from asyncvet.rules import Rule

DIRECTIVE = re.compile(r"#\s*asyncvet:\s*([\w-]*)\s*(?:\[([^\]]*)(\])?)?")
NOQA = re.compile(r"#\s*noqa:\s*([A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)


class Suppression(msgspec.Struct, frozen=True):
    """Part of a comment: which findings it silences, by code, name or prefix of a code; empty for all of them."""

    selectors: tuple[str, ...]

    def covers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        return not self.selectors or any(
            selector == finding.name or (selector and finding.code.startswith(selector.upper())) for selector in self.selectors
        )


class Suppressions(msgspec.Struct, frozen=True):
    """All suppressions of a review."""

    by_file: Mapping[str, Sequence[Suppression]]
    by_line: Mapping[tuple[str, int], Sequence[Suppression]]

    def silence(self, finding: Finding) -> bool:
        """Whether a comment silences a finding: on its lines, on the line where its chain ends, or for the file of either."""
        span = finding.span
        places = [(span.path, line) for line in range(span.line, span.end_line + 1)]
        if finding.chain:
            places.append((finding.chain[-1].path, finding.chain[-1].line))
        return any(
            suppression.covers(finding)
            for path, line in places
            for suppression in (*self.by_file.get(path, ()), *self.by_line.get((path, line), ()))
        )


def suppressions(modules: Mapping[str, ModuleFacts], rules: Sequence[Rule]) -> tuple[Suppressions, list[ReadError]]:
    """The suppressions that comments state, and the comments that mean to state one but do not.

    Args:
        modules: The files.
        rules: All rules there are.
    """
    by_file: dict[str, list[Suppression]] = {}
    by_line: dict[tuple[str, int], list[Suppression]] = {}
    errors = []
    known = {word for rule in rules for word in (rule.code, rule.name)}
    for path, facts in modules.items():
        for comment in facts.comments:
            line = bisect_right(facts.line_starts, comment.start)
            for kind, selectors in _directives(comment):
                if problem := _problem(kind, selectors, known):
                    errors.append(ReadError(path, line, problem, "suppression"))
                elif kind == "ignore-file":
                    by_file.setdefault(path, []).append(Suppression(selectors))
                else:
                    about = line + 1 if comment.own_line else line
                    by_line.setdefault((path, about), []).append(Suppression(selectors))
    return Suppressions(by_file, by_line), errors


def _directives(comment: Comment) -> Iterator[tuple[str, tuple[str, ...]]]:
    for match in DIRECTIVE.finditer(comment.text):
        kind, selectors, closed = match.groups()
        if selectors is not None and not closed:
            kind = "["
        yield kind, _split(selectors or "") if selectors is None or selectors.strip() else ("",)
    for match in NOQA.finditer(comment.text):
        if codes := tuple(code for code in _split(match[1]) if code.upper().startswith("AV")):
            yield "noqa", codes


def _split(selectors: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s,]+", selectors))


def _problem(kind: str, selectors: Iterable[str], known: set[str]) -> str:
    """What is wrong with a directive; empty if nothing is. Linters other than this one may own codes in a ``noqa``."""
    if kind == "noqa":
        return ""
    if kind == "[":
        return "this comment silences nothing: the bracket after `ignore` is not closed"
    if kind not in {"ignore", "ignore-file"}:
        return f"this comment silences nothing: there is no `asyncvet: {kind}`; {hint(kind, ('ignore', 'ignore-file'))}"
    for selector in selectors:
        if not selector:
            return "this comment silences nothing: the brackets are empty"
        if selector not in known and not any(word.startswith(selector.upper()) for word in known):
            return f"this comment names no rule: there is no `{selector}`; {hint(selector, known)}"
    return ""
