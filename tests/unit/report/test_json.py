"""The JSON report: every key of schema version 1."""

import json

from asyncvet import __version__
from asyncvet.model import Edit, Finding, Fix, Frame, ReadError, Severity, Sink, Span
from asyncvet.report import Output, Report
from asyncvet.report.json import render

FULL = Finding(
    code="AV101",
    name="blocking-call",
    item=1,
    severity=Severity.CRITICAL,
    span=Span("app/main.py", 3, 5, 3, 11),
    function="app.main.read",
    message="`requests.get` blocks the event loop; await `httpx.AsyncClient`",
    advice="Use an async client.",
    sink=Sink("requests.get", "network", "unbounded", 2.5),
    chain=(Frame("app/main.py", 3, 5, "app.main.read", "load()"), Frame("app/io.py", 9, 12, "app.io.load", "requests.get(URL)")),
    runs_in=("event-loop: route GET /items",),
    root_cause="cause",
    fingerprint="print",
    fix=Fix("unsafe", "await it in a thread", (Edit(Span("app/main.py", 3, 5, 3, 11), "await load()"),)),
)
BARE = Finding(
    code="AV301",
    name="dropped-task",
    item=6,
    severity=Severity.MEDIUM,
    span=Span("caf\udce9.py", 1, 1, 1, 2),
    function="café.main",
    message="the task is dropped",
    runs_once=True,
    root_cause="own",
    fingerprint="own",
)


def test_a_report_with_everything() -> None:
    report = Report(
        findings=(FULL, BARE),
        errors=(ReadError("app/broken.py", 7, "does not parse"), ReadError("app/closed.py", None, "cannot be read")),
        files=4,
        lines=321,
        seconds=1.23456,
        cached_files=1,
        notes=("one file was not read",),
        unresolved_calls=5,
        in_baseline=7,
    )
    assert json.loads(render(report, Output())) == {
        "schema_version": 1,
        "tool": {"name": "asyncvet", "version": __version__},
        "summary": {
            "files": 4,
            "lines": 321,
            "findings": 2,
            "root_causes": 2,
            "by_severity": {"critical": 1, "high": 0, "medium": 1, "low": 0},
            "by_code": {"AV101": 1, "AV301": 1},
            "suppressed": 0,
            "in_baseline": 7,
            "seconds": 1.235,
            "cached_files": 1,
            "unresolved_calls": 5,
        },
        "findings": [
            {
                "code": "AV101",
                "name": "blocking-call",
                "severity": "critical",
                "item": 1,
                "path": "app/main.py",
                "line": 3,
                "column": 5,
                "end_line": 3,
                "end_column": 11,
                "function": "app.main.read",
                "message": "`requests.get` blocks the event loop; await `httpx.AsyncClient`",
                "advice": "Use an async client.",
                "docs": "asyncvet rule AV101",
                "sink": {"name": "requests.get", "category": "network", "stall": "unbounded", "bound": 2.5},
                "chain": [
                    {"path": "app/main.py", "line": 3, "column": 5, "function": "app.main.read", "text": "load()"},
                    {"path": "app/io.py", "line": 9, "column": 12, "function": "app.io.load", "text": "requests.get(URL)"},
                ],
                "runs_in": ["event-loop: route GET /items"],
                "runs_once": False,
                "root_cause": "cause",
                "fingerprint": "print",
                "scope": None,
                "fix": {
                    "safety": "unsafe",
                    "title": "await it in a thread",
                    "edits": [
                        {
                            "path": "app/main.py",
                            "line": 3,
                            "column": 5,
                            "end_line": 3,
                            "end_column": 11,
                            "text": "await load()",
                        }
                    ],
                },
                "seen": None,
            },
            {
                "code": "AV301",
                "name": "dropped-task",
                "severity": "medium",
                "item": 6,
                "path": "caf\udce9.py",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 2,
                "function": "café.main",
                "message": "the task is dropped",
                "advice": "",
                "docs": "asyncvet rule AV301",
                "sink": None,
                "chain": [],
                "runs_in": [],
                "runs_once": True,
                "root_cause": "own",
                "fingerprint": "own",
                "scope": None,
                "fix": None,
                "seen": None,
            },
        ],
        "errors": [
            {"path": "app/broken.py", "line": 7, "message": "does not parse"},
            {"path": "app/closed.py", "line": None, "message": "cannot be read"},
        ],
        "notes": ["one file was not read"],
        "missed_alarms": [],
    }


def test_the_text_is_ascii_so_that_every_pipe_can_carry_it() -> None:
    assert render(Report(findings=(BARE,)), Output()).isascii()
