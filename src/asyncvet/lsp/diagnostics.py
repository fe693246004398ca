"""Findings, and what could not be read, as an editor's diagnostics."""

from __future__ import annotations

from collections.abc import Mapping

from lsprotocol import types

from asyncvet.lsp.view import View
from asyncvet.model import Finding, Frame, ReadError, Severity, Sink

SOURCE = "asyncvet"

_SEVERITY = {
    Severity.CRITICAL: types.DiagnosticSeverity.Error,
    Severity.HIGH: types.DiagnosticSeverity.Warning,
    Severity.MEDIUM: types.DiagnosticSeverity.Warning,
    Severity.LOW: types.DiagnosticSeverity.Information,
}
_SHOWN = 5
"""So many entry points are named in a message."""

Diagnostics = dict[str, list[types.Diagnostic]]
"""By the address of the file."""


def diagnostics(view: View, pages: Mapping[str, str]) -> Diagnostics:
    """All diagnostics of a project.

    Args:
        view: The project.
        pages: Addresses of the rules' pages, by code.
    """
    found: Diagnostics = {}
    for finding in view.report.findings:
        found.setdefault(view.uri(finding.span.path), []).append(_of_finding(view, finding, pages))
    for error in view.report.errors:
        if error.path and error.path in view.project.modules:
            found.setdefault(view.uri(error.path), []).append(_of_error(view, error))
    return found


def _of_finding(view: View, finding: Finding, pages: Mapping[str, str]) -> types.Diagnostic:
    page = pages.get(finding.code)
    return types.Diagnostic(
        range=view.range(finding.span),
        message="\n".join([finding.message, *_contexts(finding)]),
        severity=_SEVERITY[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(page) if page else None,
        source=SOURCE,
        related_information=_chain(view, finding) or None,
    )


def _contexts(finding: Finding) -> list[str]:
    once = " (once)" if finding.runs_once else ""
    lines = [f"runs in {context}{once}" for context in finding.runs_in[:_SHOWN]]
    return [*lines, f"and in {len(finding.runs_in) - _SHOWN} more"] if len(finding.runs_in) > _SHOWN else lines


def _chain(view: View, finding: Finding) -> list[types.DiagnosticRelatedInformation]:
    """The steps of the call chain below the finding's own place."""
    steps = finding.chain[1:]
    ends = [finding.sink if step is steps[-1] else None for step in steps]
    return [
        types.DiagnosticRelatedInformation(types.Location(view.uri(step.path), view.frame_range(step)), _step(step, end))
        for step, end in zip(steps, ends, strict=True)
    ]


def _step(step: Frame, end: Sink | None) -> str:
    return f"{step.function}: {step.text}{f'  ← {sink_words(end)}' if end is not None else ''}"


def sink_words(sink: Sink) -> str:
    """What a sink does to its thread: `blocks: network, unbounded`."""
    if sink.stall == "cpu":
        return f"computes: {sink.category}" if sink.category else "computes"
    stall = sink.stall if sink.bound is None else f"at most {sink.bound:g} s"
    return f"blocks: {', '.join(filter(None, (sink.category, stall)))}"


def _of_error(view: View, error: ReadError) -> types.Diagnostic:
    """Places of errors in files are in the text as it is; those of suppressions in the one that was read."""
    line = error.line or 1
    if error.about == "suppression":
        line = view.drift(error.path).now(line)
    lines = view.lines(error.path)
    text = lines[line - 1].rstrip() if line <= len(lines) else ""
    start = len(text) - len(text.lstrip())
    place = types.Range(types.Position(line - 1, start), types.Position(line - 1, view.encoding.units(text)))
    about = "" if error.about == "suppression" else "; until it is mended, findings are those of the text before"
    return types.Diagnostic(place, f"{error.message}{about}", severity=types.DiagnosticSeverity.Information, source=SOURCE)
