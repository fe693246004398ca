"""The report as SARIF 2.1.0 (OASIS, 2020), which code scanning services and editors read."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import quote

from asyncvet import __version__
from asyncvet.model import Edit, Finding, Fix, Frame, ReadError, Severity, Span
from asyncvet.report import Output, Report, RuleText, harmless, split_message

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
"""The words of GitHub for the same levels."""

_LINK = re.compile(r"\[(?=[^\]]*\]\()")
"""What would begin a link in a message."""

_ADDRESS = re.compile(r"\]\((https://[^)\s]+)\)")


def render(report: Report, output: Output) -> str:
    """The report as one run, in ASCII, on one line: it is long, and indenting it takes longer than all else.

    Findings that comments accept are in it, as suppressed, if the report is verbose: GitHub would show them as any other.
    """
    results = [_result(finding) for finding in report.findings]
    accepted = report.accepted if output.verbose else ()
    results += [{**_result(finding), "suppressions": [{"kind": "inSource"}]} for finding in accepted]
    codes = {finding.code for finding in (*report.findings, *accepted)}
    rules = [_rule(rule) for rule in report.rules if rule.code in codes]
    run = {
        "tool": {"driver": {"name": "asyncvet", "semanticVersion": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.failed_rules,
                "toolExecutionNotifications": [_notification(error) for error in report.errors],
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}) + "\n"


def _rule(rule: RuleText) -> dict[str, object]:
    summary = " ".join(rule.page.partition("\n\n")[0].split())
    level = _LEVELS[rule.severity]
    told: dict[str, object] = {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": summary},
        "help": {"text": f"asyncvet rule {rule.code} prints the page of this rule.", "markdown": rule.page},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["async"], "problem.severity": _PROBLEMS[level], "severity": rule.severity.word},
    }
    if address := _ADDRESS.search(rule.page):
        told["helpUri"] = address[1]
    return told


def _result(finding: Finding) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": _message(_told(finding)),
        "locations": [_location(finding.span.path, _region(finding.span), finding.function)],
        # GitHub knows alerts again by the first; without it, it would take one of the line's text, which a new frame changes.
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:1", "asyncvet/v1": finding.fingerprint},
        "properties": {
            "severity": finding.severity.word,
            "rootCause": finding.root_cause,
            "runsIn": [harmless(context) for context in finding.runs_in],
        },
    }
    if finding.chain:
        steps = [{"location": _step(frame), "nestingLevel": depth} for depth, frame in enumerate(finding.chain)]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if finding.fix and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _told(finding: Finding) -> str:
    issue, remedies = split_message(finding.message)
    told = "; ".join([issue, *remedies])
    return f"{told}. {' '.join(finding.advice.split())}" if finding.advice else f"{told}."


def _message(text: str) -> dict[str, object]:
    return {"text": _LINK.sub(r"\\[", harmless(text))}


def _step(frame: Frame) -> dict[str, object]:
    region = {"startLine": frame.line, "startColumn": frame.column}
    return {**_location(frame.path, region, frame.function), "message": _message(frame.text or frame.function)}


def _location(path: str, region: dict[str, int], function: str) -> dict[str, object]:
    return {
        "physicalLocation": {"artifactLocation": _artifact(path), "region": region},
        "logicalLocations": [{"fullyQualifiedName": harmless(function), "kind": "function"}],
    }


def _artifact(path: str) -> dict[str, object]:
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, int]:
    return {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column}


def _fix(fix: Fix) -> dict[str, object]:
    paths = dict.fromkeys(edit.span.path for edit in fix.edits)
    return {
        "description": _message(f"{fix.title} ({fix.safety})"),
        "artifactChanges": [
            {
                "artifactLocation": _artifact(path),
                "replacements": [_replacement(edit) for edit in fix.edits if edit.span.path == path],
            }
            for path in paths
        ],
    }


def _replacement(edit: Edit) -> dict[str, object]:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}


def _notification(error: ReadError) -> dict[str, object]:
    notification: dict[str, object] = {
        "level": "error" if error.about == "rule" else "warning",
        "message": _message(error.message),
    }
    if error.path:
        place: dict[str, object] = {"artifactLocation": _artifact(error.path)}
        if error.line:
            place["region"] = {"startLine": error.line}
        notification["locations"] = [{"physicalLocation": place}]
    return notification
