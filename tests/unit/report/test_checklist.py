"""The review: verdicts, what to edit first, and each format with findings that mean harm."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from asyncvet import rules
from asyncvet.model import Evidence, Finding, Frame, ReadError, Severity, Sink, Span
from asyncvet.report import Examined, Output, Report
from asyncvet.report.checklist import FORMATS, category_counts, load, priorities, verdicts
from asyncvet.report.checklist.items import CATEGORIES, ITEMS

ROOT = Path(__file__).resolve().parents[3]
PLACE = Span("app.py", 3, 5, 3, 9)
BLOCKING = Finding(
    code="AV101",
    name="blocking-call",
    item=1,
    severity=Severity.CRITICAL,
    span=Span("app.py", 3, 5, 4, 9),
    function="app.read",
    message="`load(...)` blocks the event loop: it reaches `requests.get`; use `await asyncio.to_thread(load, ...)`",
    advice="Waits for the server.",
    sink=Sink("requests.get", "network", "unbounded"),
    chain=(Frame("app.py", 3, 5, "app.read", "load(key)"), Frame("io.py", 9, 1, "io.load", "requests.get(URL)")),
    runs_in=("event-loop: route GET /a", "event-loop: route GET /b"),
    root_cause="cause",
    fingerprint="print",
    scope="impact",
)
DROPPED = Finding(
    code="AV301",
    name="dropped-task",
    item=6,
    severity=Severity.MEDIUM,
    span=Span("b.py", 7, 1, 7, 5),
    function="b.main",
    message="the task is kept nowhere",
    root_cause="own",
    fingerprint="own",
    scope="changed",
)
REPORT = Report(
    findings=(BLOCKING, DROPPED),
    files=2,
    lines=30,
    seconds=0.1234,
    suppressed=1,
    excerpts={("b.py", 7, 1): "create_task(work())"},
    examined=Examined(
        evidence=(
            Evidence(1, (PLACE,), (PLACE, replace(PLACE, line=8), replace(PLACE, line=9), replace(PLACE, line=10))),
            Evidence(9, (PLACE,)),
        ),
        rules={"AV101": 1, "AV301": 6, "AV401": 9, "AV701": 16, "AV303": 14},
        broken=(14,),
        left_out={16: 2},
        is_of_change=True,
    ),
)
EVIL = "<script>alert('x')</script> | ``` [a](javascript:b) **c** \x1b[31m\n# heading"
SHOWN = EVIL.replace("\x1b", "\\x1b").replace("\n", "\\n")


def test_the_items_are_the_checklist() -> None:
    """Nineteen, in eight categories, and every rule speaks of one of them."""
    assert [item.number for item in ITEMS] == list(range(1, 20))
    assert tuple(dict.fromkeys(item.category for item in ITEMS)) == CATEGORIES
    assert {rule.item for rule in rules.load()} <= {item.number for item in ITEMS}
    assert [item.name for item in ITEMS if item.severity is Severity.CRITICAL] == ["No Blocking Calls in Async Functions"]


def test_verdicts() -> None:
    """An item fails if a rule fires, even one whose finding is left out; it is judged only if its rules ran."""
    statuses = {verdict.item.number: verdict.status for verdict in verdicts(REPORT)}
    judged = {1: "FAIL", 6: "FAIL", 9: "PASS", 14: "NOT CHECKED", 16: "FAIL"}
    assert statuses == {number: judged.get(number, "NOT CHECKED") for number in range(1, 20)}
    nothing = Report(examined=Examined(rules={f"AV{number}": number for number in range(1, 20)}))
    assert {verdict.status for verdict in verdicts(nothing)} == {"NOT APPLICABLE"}


def test_the_severity_of_a_verdict_is_that_of_its_gravest_finding() -> None:
    lighter = replace(BLOCKING, severity=Severity.LOW)
    first, second, *_ = verdicts(replace(REPORT, findings=(lighter,)))
    assert (first.severity, second.severity) == (Severity.LOW, Severity.HIGH)


def test_counts() -> None:
    counts = [(count.checked, count.passed, count.failed, count.findings) for count in category_counts(verdicts(REPORT))]
    nothing = (0, 0, 0, 0)
    assert counts == [(1, 0, 1, 1), nothing, (1, 0, 1, 1), (1, 1, 0, 0), nothing, nothing, (1, 0, 1, 0), nothing]


def test_priorities() -> None:
    """By severity, then by ways in, then by places; the place is the end of the chain."""
    wide = replace(BLOCKING, root_cause="wide", runs_in=("a", "b", "c"))
    twice = [replace(BLOCKING, root_cause="twice", fingerprint=str(line), span=Span("z.py", line, 1, line, 2)) for line in (1, 2)]
    found = priorities(Report(findings=(DROPPED, BLOCKING, *twice, wide)))
    assert [(each.finding.root_cause, each.place.path, each.place.line, len(each.entries)) for each in found] == [
        ("wide", "io.py", 9, 3),
        ("twice", "io.py", 9, 2),
        ("cause", "io.py", 9, 2),
        ("own", "b.py", 7, 0),
    ]


MARKDOWN_FINDINGS = """\
## Findings

### [Async Function Basics] No Blocking Calls in Async Functions

**Status**: FAIL

**Severity**: Critical

**Scope**: Impact analysis

**File**: `app.py`

**Line(s)**: 3-4

**Rule**: AV101 blocking-call

```python
# app.py:3 in app.read
load(key)
# io.py:9 in io.load
requests.get(URL)
```

**Issue**: `load(...)` blocks the event loop: it reaches `requests.get`

**Recommendation**: use `await asyncio.to_thread(load, ...)`

### [Task Management] Background Tasks with asyncio.create_task

**Status**: FAIL

**Severity**: Medium

**Scope**: Changed code

**File**: `b.py`

**Line(s)**: 7

**Rule**: AV301 dropped-task

```python
create_task(work())
```

**Issue**: the task is kept nowhere

**Recommendation**: Keep the task, and cancel and await it where the service stops

## Not reviewed

- `c.py:1`: does not parse
- a rule broke down
"""


def test_markdown() -> None:
    """The table, then a section for each finding, in the form that programs read too."""
    errors = (ReadError("c.py", 1, "does not parse"), ReadError("", None, "a rule broke down", "rule"))
    text = load("markdown")(replace(REPORT, errors=errors), Output())
    before, _, findings = text.partition("## Findings")
    assert f"## Findings{findings}" == MARKDOWN_FINDINGS
    lines = before.splitlines()
    assert lines[2] == (
        "Reviewed: what the change brings about, 2 files, 30 lines; 2 findings from 2 root causes: 1 critical, 1 medium; "
        "1 accepted by comments in the code."
    )
    start = lines.index("| Category | Items Checked | Passed | Failed | Findings |")
    assert lines[start + 1 : start + 12] == [
        "|---|---|---|---|---|",
        "| Async Function Basics | 1 | 0 | 1 | 1 |",
        "| Concurrency Control | 0 | 0 | 0 | 0 |",
        "| Task Management | 1 | 0 | 1 | 1 |",
        "| Async Generators | 1 | 1 | 0 | 0 |",
        "| Concurrent Execution | 0 | 0 | 0 | 0 |",
        "| FastAPI Specific | 0 | 0 | 0 | 0 |",
        "| Celery Integration | 1 | 0 | 1 | 0 |",
        "| Error Handling | 0 | 0 | 0 | 0 |",
        "| **Total** | **4** | **1** | **3** | **2** |",
        "",
    ]
    assert "1. **Critical** `io.py:9`, 2 × reached: `load(...)` blocks the event loop: it reaches `requests.get`" in lines
    assert (
        "| 1 | No Blocking Calls in Async Functions | FAIL | Critical | awaited calls: 4 (`app.py:3`, `app.py:8`, `app.py:9`); "
        "functions that the event loop runs: 1 |"
    ) in lines


def test_text() -> None:
    text = load("text")(REPORT, Output())
    assert text.startswith(
        "Review of async code: what the change brings about, 19 items: 3 fail, 1 passes, 15 not checked\n\n"
        "To edit first\n"
        "  1. critical  `load(...)` blocks the event loop: it reaches `requests.get`\n"
        "               io.py:9; 2 ways in\n"
        "  2. medium    the task is kept nowhere\n"
        "               b.py:7\n\n"
        "Async Function Basics\n"
        "  FAIL   1  No Blocking Calls in Async Functions  (critical: 1 finding)\n"
        "          awaited calls: 4 (app.py:3, app.py:8, app.py:9, ...); functions that the event loop runs: 1\n"
        "  ?      2  Use asyncio.to_thread for CPU-Bound Work\n"
    )
    assert "  FAIL  16  Async in Celery Tasks  (2 lighter left out)\n" in text
    assert "\nb.py:7:1: AV301 dropped-task medium\n  the task is kept nowhere\n  │ create_task(work())\n" in text
    painted = load("text")(REPORT, Output(colour=True))
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == text


def test_text_that_the_terminal_cannot_show() -> None:
    assert load("text")(REPORT, Output(encoding="ascii", width=60)).isascii()


def test_json() -> None:
    content = json.loads(load("json")(REPORT, Output()))
    assert content["scope"] == "change"
    assert content["summary"] | {"by_category": ...} == {
        "passed": 1,
        "failed": 3,
        "not_applicable": 0,
        "not_checked": 15,
        "findings": 2,
        "root_causes": 2,
        "by_severity": {"critical": 1, "high": 0, "medium": 1, "low": 0},
        "by_category": ...,
        "files": 2,
        "lines": 30,
        "suppressed": 1,
        "unrelated": 0,
        "seconds": 0.123,
    }
    assert content["priorities"][0] == {
        "severity": "critical",
        "code": "AV101",
        "item": 1,
        "message": BLOCKING.message,
        "path": "io.py",
        "line": 9,
        "entry_points": ["event-loop: route GET /a", "event-loop: route GET /b"],
        "root_cause": "cause",
        "findings": ["print"],
    }
    (found,) = content["items"][5]["findings"]
    assert {key: found[key] for key in ("scope", "excerpt", "issue", "recommendation")} == {
        "scope": "changed",
        "excerpt": "create_task(work())",
        "issue": "the task is kept nowhere",
        "recommendation": ITEMS[5].recommendation,
    }
    assert content["items"][0]["evidence"] == {
        "good": {"what": "awaited calls", "count": 4, "places": [{"path": "app.py", "line": line} for line in (3, 8, 9, 10)]},
        "subjects": {"what": "functions that the event loop runs", "count": 1, "places": [{"path": "app.py", "line": 3}]},
    }


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for below in value.values():
            yield from keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from keys(below)


def test_every_key_is_documented() -> None:
    content = json.loads(load("json")(REPORT, Output()))
    of_check = {"tool", "end_line", "end_column", "column", "function", "advice", "docs", "sink", "chain", "runs_in", "runs_once"}
    of_check |= {"fingerprint", "fix", "text", "bound", "stall"}
    page = (ROOT / "docs" / "reference" / "review.md").read_text(encoding="utf-8")
    assert sorted({key for key in keys(content) if f"`{key}`" not in page} - of_check) == []


class Page(HTMLParser):
    """Notes elements, texts and what an element points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html() -> None:
    """One well-formed file that loads nothing and whose links stay in it."""
    page = Page(load("html")(REPORT, Output()))
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    links = [value for name, value in page.attributes if name in ("href", "src", "for")]
    ids = {value for name, value in page.attributes if name == "id"}
    assert {(link or "").lstrip("#") for link in links} <= ids
    assert {"s-critical", "s-medium", "c-1", "c-3", "f-print", "f-own"} == ids
    assert page.tags.count("article") == 2


def test_hostile_content() -> None:
    """Names and texts of the code are shown and never obeyed, in every format."""
    finding = replace(
        BLOCKING,
        span=Span(EVIL, 1, 1, 1, 2),
        function=EVIL,
        message=f"`{EVIL}` {EVIL}; {EVIL}",
        advice=EVIL,
        chain=(Frame(EVIL, 1, 1, EVIL, EVIL), Frame(EVIL, 2, 1, EVIL, EVIL)),
        runs_in=(EVIL,),
    )
    examined = Examined(evidence=(Evidence(1, (finding.span,), (finding.span,)),), rules={"AV101": 1})
    other = replace(finding, chain=(), fingerprint="other")
    report = Report(
        findings=(finding, other),
        errors=(ReadError(EVIL, 1, EVIL),),
        excerpts={(EVIL, 1, 1): EVIL},
        examined=examined,
    )
    texts = {name: load(name)(report, Output()) for name in FORMATS}
    assert [name for name, text in texts.items() if "\x1b" in text] == []
    assert texts["json"].isascii()
    page = Page(texts["html"])
    assert "script" not in page.tags
    assert not any("javascript" in (value or "") for name, value in page.attributes)
    kinds = Counter(kind for kind, _ in marked_up(texts["markdown"]))
    assert not {"html_block", "html_inline", "link_open", "em_open"} & set(kinds)
    assert kinds["heading_open"] == len([line for line in texts["markdown"].splitlines() if re.match(r"#+ [A-Z[]", line)])
    assert {text for kind, text in marked_up(texts["markdown"]) if kind == "fence"} == {
        f"# {SHOWN}:1 in {SHOWN}\n{SHOWN}\n# {SHOWN}:2 in {SHOWN}\n{SHOWN}\n",
        f"{SHOWN}\n",
    }


def marked_up(text: str) -> list[tuple[str, str]]:
    """Kind and content of the elements of a Markdown text."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [(each.type, each.content) for token in tokens for each in (token, *(token.children or ()))]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_to_say(name: str) -> None:
    """A review without findings is whole in every format."""
    text = load(name)(Report(examined=Examined(rules={"AV101": 1})), Output())
    assert ("NOT APPLICABLE" in text or "n/a" in text, text.endswith("\n")) == (True, True)
