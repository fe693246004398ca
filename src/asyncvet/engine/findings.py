"""Findings on their way from the rules to the report: merged, given source text and identity, sorted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from asyncvet.engine import excerpts
from asyncvet.model import Edit, Finding, Fix, Frame, Span

Key = tuple[str, Span]
"""Code of the rule, and where: no two findings of a review have the same."""


def key(finding: Finding) -> Key:
    """What tells a finding of one review from the others."""
    return finding.code, finding.span


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each rule and place: that with the shortest chain, in all the contexts of the others; sorted."""
    groups: defaultdict[Key, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[key(finding)].append(finding)
    return sorted((_merge(group) for group in groups.values()), key=_order)


def identified(
    findings: Iterable[Finding], texts: Mapping[excerpts.Place, str], fingerprints: Mapping[Key, str]
) -> list[Finding]:
    """Give findings the text of their frames, their fingerprint, and where the rule set no root cause, one of their own."""
    result = []
    for finding in findings:
        chain = tuple(_with_text(frame, texts) for frame in finding.chain)
        fingerprint = fingerprints[key(finding)]
        cause = finding.root_cause or fingerprint
        result.append(replace(finding, chain=chain, fingerprint=fingerprint, root_cause=cause))
    return result


def relocated(finding: Finding, rename: Callable[[str], str]) -> Finding:
    """The finding with every path renamed."""
    fix = finding.fix and Fix(
        finding.fix.safety,
        finding.fix.title,
        tuple(Edit(replace(edit.span, path=rename(edit.span.path)), edit.text) for edit in finding.fix.edits),
    )
    chain = tuple(replace(frame, path=rename(frame.path)) for frame in finding.chain)
    return replace(finding, span=replace(finding.span, path=rename(finding.span.path)), chain=chain, fix=fix)


def _merge(group: list[Finding]) -> Finding:
    first, *others = sorted(group, key=_length)
    contexts = dict.fromkeys(first.runs_in)
    for other in others:
        contexts |= dict.fromkeys(other.runs_in)
    return replace(first, runs_in=tuple(contexts)) if others else first


def _length(finding: Finding) -> tuple[object, ...]:
    """The shorter chain first; of equal ones, the one whose calls stand first, so that lines added elsewhere change nothing."""
    return len(finding.chain), [(frame.path, frame.line, frame.column) for frame in finding.chain], repr(finding)


def _order(finding: Finding) -> tuple[object, ...]:
    span = finding.span
    return (-finding.severity, span.path, span.line, span.column, finding.code, span.end_line, span.end_column)


def _with_text(frame: Frame, texts: Mapping[excerpts.Place, str]) -> Frame:
    return frame if frame.text else replace(frame, text=texts.get((frame.path, frame.line, frame.column), ""))
