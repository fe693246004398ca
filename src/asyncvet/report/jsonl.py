"""The report as JSON lines: an object a line, in the order in which JSON has them; `kind` says what each is."""

from __future__ import annotations

import json

from asyncvet.report import Output, Report
from asyncvet.report.json import as_object, error_object, heading, summary


def render(report: Report, output: Output) -> str:  # noqa: ARG001
    """A line for each finding, then for each error, and last the summary. The text is ASCII."""
    objects = [
        *({"kind": "finding", **as_object(finding)} for finding in report.findings),
        *({"kind": "error", **error_object(error)} for error in report.errors),
        {"kind": "summary", **heading(), **summary(report), "notes": list(report.notes)},
    ]
    return "".join(f"{json.dumps(each)}\n" for each in objects)
