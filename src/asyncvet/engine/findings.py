"""Findings on their way from the rules to the report: merged, given source text and identity, sorted."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from asyncvet.engine.excerpts import Place
from asyncvet.model import Edit, Finding, Fix, Frame


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each rule and place: that with the shortest chain, in all the contexts of the others; sorted."""
    groups: defaultdict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.code, finding.span].append(finding)
    return sorted((_merge(group) for group in groups.values()), key=_order)


def identified(findings: Iterable[Finding], texts: dict[Place, str]) -> list[Finding]:
    """Give findings the text of their frames, a fingerprint, and where the rule set no root cause, one of their own.

    A fingerprint is made of what stays when lines move; equal findings of a file are told apart by their order in it.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        chain = tuple(_with_text(frame, texts) for frame in finding.chain)
        steps = [(frame.function, frame.text) for frame in chain]
        excerpt = texts.get((finding.span.path, finding.span.line, finding.span.column))
        content = repr((finding.code, finding.span.path, finding.function, steps, excerpt))
        seen[content] += 1
        fingerprint = _digest(f"{content} {seen[content]}")
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
    first, *others = sorted(group, key=lambda finding: (len(finding.chain), repr(finding)))
    contexts = dict.fromkeys(first.runs_in)
    for other in others:
        contexts |= dict.fromkeys(other.runs_in)
    return replace(first, runs_in=tuple(contexts)) if others else first


def _order(finding: Finding) -> tuple[object, ...]:
    span = finding.span
    return (-finding.severity, span.path, span.line, span.column, finding.code, span.end_line, span.end_column)


def _with_text(frame: Frame, texts: dict[Place, str]) -> Frame:
    return frame if frame.text else replace(frame, text=texts.get((frame.path, frame.line, frame.column), ""))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
