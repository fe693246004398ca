"""A report that has everything a format may have to show, and readers of the formats."""

import json
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator
from markdown_it import MarkdownIt
from msgspec.structs import replace

from asyncvet.model import Edit, Finding, Fix, Frame, ReadError, Severity, Sink, Span
from asyncvet.report import Report, RuleText

SCHEMA = Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json"


def report(evil: str = "it") -> Report:
    """Two findings of one root cause, one with a fix, an accepted one, and errors of each kind, with a text wherever one can be."""
    span = Span(f"app/{evil}.py", 3, 5, 3, 11)
    blocking = Finding(
        code="AV101",
        name="blocking-call",
        item=1,
        severity=Severity.CRITICAL,
        span=span,
        function=f"app.main.{evil}",
        message=f"`requests.get({evil})` blocks the event loop of {evil}; await `httpx.AsyncClient`",
        advice=f"Use an async client.\nOr {evil.replace(chr(10), ' ')}.",  # its lines are the rule's
        sink=Sink("requests.get", "network", "unbounded", 2.5),
        chain=(
            Frame(span.path, 3, 5, f"app.main.{evil}", f"load({evil})"),
            Frame("app/io.py", 9, 12, "app.io.load", f"get('{evil}')"),
        ),
        runs_in=(f"event-loop: route GET /{evil}", "worker-thread: job"),
        root_cause="cause",
        fingerprint="print",
        fix=Fix("unsafe", f"await {evil} in a thread", (Edit(span, f"await load({evil})"),)),
    )
    other = Finding(
        code="AV301",
        name="dropped-task",
        item=6,
        severity=Severity.MEDIUM,
        span=Span("app/jobs.py", 1, 1, 4, 2),
        function=f"app.jobs.{evil}",
        message=f"the task of {evil} is kept nowhere",
        root_cause="own",
        fingerprint="own",
        fix=Fix("safe", "keep it in a set", (Edit(Span("app/jobs.py", 1, 1, 1, 1), "tasks = set()\n"),)),
    )
    place = Span("app/more.py", 8, 1, 8, 9)
    again = replace(blocking, span=place, fingerprint="again", chain=(), runs_in=(), fix=None)
    return Report(
        findings=(blocking, again, other),
        accepted=(replace(other, fingerprint="accepted"),),
        suppressed=1,
        errors=(
            ReadError(f"{evil}.py", 9, f"does not parse: {evil}"),
            ReadError("app/jobs.py", 2, "the brackets are empty", "suppression"),
            ReadError("", None, f"rule AV999 failed: {evil}", "rule"),
        ),
        failed_rules=("AV999",),
        files=12,
        lines=345,
        seconds=1.26,
        notes=(f"skipped {evil}",),
        excerpts={("app/jobs.py", 1, 1): f"asyncio.create_task({evil})", ("app/more.py", 8, 1): f"get({evil})"},
        rules=(
            RuleText(
                "AV101", "blocking-call", Severity.CRITICAL, "Checks for calls\nthat block.\n\nSee [it](https://docs.example/it)."
            ),
            RuleText("AV301", "dropped-task", Severity.MEDIUM, "Checks for tasks that are lost."),
            RuleText("AV302", "task-never-cancelled", Severity.LOW, "Checks for what is not here."),
        ),
    )


@cache
def _sarif() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def sarif(text: str) -> dict[str, Any]:
    """The one run of a SARIF file that keeps to the schema."""
    content = json.loads(text)
    _sarif().validate(content)
    (run,) = content["runs"]
    assert isinstance(run, dict)
    return run


class Page(HTMLParser):
    """Notes the elements of a page, with their attributes, and its texts; fails where elements do not nest."""

    EMPTY = frozenset({"meta", "input", "br", "option"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements and the names of their attributes, but for the code in messages."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements if tag != "code"]


def marked_up(text: str) -> list[tuple[str, str]]:
    """Kind and content of the elements of a Markdown text."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [(each.type, each.content) for token in tokens for each in (token, *(token.children or ()))]
