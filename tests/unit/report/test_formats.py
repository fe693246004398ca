"""The formats for programs and servers, on a report that has everything."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from asyncvet import __version__
from asyncvet.report import Output, Report, formats, load
from asyncvet.report.json import render as as_json
from asyncvet.report.markdown import LONGEST, MARKER
from asyncvet.report.statistics import FORMATS as STATISTICS
from tests.unit.report.formats import Page, marked_up, report, sarif

REPORT = report()
EMPTY = Report(files=1, lines=3)


def render(name: str, content: Report = REPORT, verbose: bool = False) -> str:
    return load(name)(content, Output(verbose=verbose))


def test_the_formats() -> None:
    assert formats() == ("github", "gitlab", "html", "json", "jsonl", "junit", "markdown", "sarif", "text")


def test_jsonl_has_what_json_has() -> None:
    lines = [json.loads(line) for line in render("jsonl").splitlines()]
    whole = json.loads(as_json(REPORT, Output()))
    assert lines == [
        *({"kind": "finding", **finding} for finding in whole["findings"]),
        *({"kind": "error", **error} for error in whole["errors"]),
        {"kind": "summary", "schema_version": 1, "tool": whole["tool"], **whole["summary"], "notes": whole["notes"]},
    ]


def test_sarif() -> None:
    def place(path: str, *numbers: int) -> dict[str, object]:
        region = dict(zip(("startLine", "startColumn", "endLine", "endColumn"), numbers, strict=False))
        return {"artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"}, "region": region}

    def logical(name: str) -> list[dict[str, str]]:
        return [{"fullyQualifiedName": name, "kind": "function"}]

    run = sarif(render("sarif"))
    assert run["tool"]["driver"] == {
        "name": "asyncvet",
        "semanticVersion": __version__,
        "rules": [
            {
                "id": "AV101",
                "name": "blocking-call",
                "shortDescription": {"text": "blocking-call"},
                "fullDescription": {"text": "Checks for calls that block."},
                "help": {"text": "asyncvet rule AV101 prints the page of this rule.", "markdown": REPORT.rules[0].page},
                "defaultConfiguration": {"level": "error"},
                "properties": {"tags": ["async"], "problem.severity": "error", "severity": "critical"},
                "helpUri": "https://docs.example/it",
            },
            {
                "id": "AV301",
                "name": "dropped-task",
                "shortDescription": {"text": "dropped-task"},
                "fullDescription": {"text": "Checks for tasks that are lost."},
                "help": {"text": "asyncvet rule AV301 prints the page of this rule.", "markdown": REPORT.rules[1].page},
                "defaultConfiguration": {"level": "warning"},
                "properties": {"tags": ["async"], "problem.severity": "warning", "severity": "medium"},
            },
        ],
    }
    assert run["invocations"] == [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [
                {
                    "level": "warning",
                    "message": {"text": "does not parse: it"},
                    "locations": [{"physicalLocation": place("it.py", 9)}],
                },
                {
                    "level": "warning",
                    "message": {"text": "the brackets are empty"},
                    "locations": [{"physicalLocation": place("app/jobs.py", 2)}],
                },
                {"level": "error", "message": {"text": "rule AV999 failed: it"}},
            ],
        }
    ]
    first, again, other = run["results"]
    assert first == {
        "ruleId": "AV101",
        "level": "error",
        "message": {
            "text": "`requests.get(it)` blocks the event loop of it; await `httpx.AsyncClient`. Use an async client. Or it."
        },
        "locations": [{"physicalLocation": place("app/it.py", 3, 5, 3, 11), "logicalLocations": logical("app.main.it")}],
        "partialFingerprints": {"primaryLocationLineHash": "print:1", "asyncvet/v1": "print"},
        "properties": {
            "severity": "critical",
            "rootCause": "cause",
            "runsIn": ["event-loop: route GET /it", "worker-thread: job"],
        },
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {
                                "location": {
                                    "physicalLocation": place("app/it.py", 3, 5),
                                    "logicalLocations": logical("app.main.it"),
                                    "message": {"text": "load(it)"},
                                },
                                "nestingLevel": 0,
                            },
                            {
                                "location": {
                                    "physicalLocation": place("app/io.py", 9, 12),
                                    "logicalLocations": logical("app.io.load"),
                                    "message": {"text": "get('it')"},
                                },
                                "nestingLevel": 1,
                            },
                        ]
                    }
                ]
            }
        ],
        "fixes": [
            {
                "description": {"text": "await it in a thread (unsafe)"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "app/it.py", "uriBaseId": "%SRCROOT%"},
                        "replacements": [
                            {
                                "deletedRegion": place("app/it.py", 3, 5, 3, 11)["region"],
                                "insertedContent": {"text": "await load(it)"},
                            }
                        ],
                    }
                ],
            }
        ],
    }
    assert {"codeFlows", "fixes"} & set(again) == set()
    assert other["message"] == {"text": "the task of it is kept nowhere."}


def test_sarif_has_accepted_findings_if_it_is_verbose() -> None:
    """Not otherwise: GitHub shows suppressed results as open ones."""
    *_, accepted = sarif(render("sarif", verbose=True))["results"]
    assert (accepted["suppressions"], accepted["partialFingerprints"]["asyncvet/v1"]) == ([{"kind": "inSource"}], "accepted")
    assert not any("suppressions" in result for result in sarif(render("sarif"))["results"])


def test_github() -> None:
    """The gravest of each root cause goes first."""
    assert render("github").splitlines() == [
        "::error file=app/it.py,line=3,endLine=3,col=5,endColumn=11,title=AV101 blocking-call (critical)::"
        "`requests.get(it)` blocks the event loop of it%0Aawait `httpx.AsyncClient`%0A"
        "app/it.py:3 app.main.it: load(it)%0Aapp/io.py:9 load: get('it')%0Ablocks: network, at most 2.5 s",
        "::warning file=app/jobs.py,line=1,endLine=4,title=AV301 dropped-task (medium)::the task of it is kept nowhere",
        "::error file=app/more.py,line=8,endLine=8,col=1,endColumn=9,title=AV101 blocking-call (critical)::"
        "`requests.get(it)` blocks the event loop of it%0Aawait `httpx.AsyncClient`%0Ablocks: network, at most 2.5 s",
        "::warning file=it.py,line=9,title=asyncvet%3A not reviewed::does not parse: it",
        "::warning file=app/jobs.py,line=2,title=asyncvet%3A not reviewed::the brackets are empty",
        "::warning title=asyncvet%3A not reviewed::rule AV999 failed: it",
        "3 findings from 2 root causes: 2 critical, 1 medium",
    ]


def test_gitlab() -> None:
    def issue(name: str, severity: str, description: str, path: str, begin: int, end: int) -> dict[str, object]:
        location = {"path": path, "lines": {"begin": begin, "end": end}}
        return {"check_name": name, "severity": severity, "description": description, "location": location}

    issues = json.loads(render("gitlab"))
    fingerprints = [each.pop("fingerprint") for each in issues]
    blocks, waits = "`requests.get(it)` blocks the event loop of it", "; await `httpx.AsyncClient`"
    assert issues == [
        issue("AV101 blocking-call", "critical", f"{blocks} (app/io.py:9){waits}", "app/it.py", 3, 3),
        issue("AV101 blocking-call", "critical", f"{blocks}{waits}", "app/more.py", 8, 8),
        issue("AV301 dropped-task", "minor", "the task of it is kept nowhere", "app/jobs.py", 1, 4),
        issue("not reviewed", "minor", "does not parse: it", "it.py", 9, 9),
        issue("not reviewed", "minor", "the brackets are empty", "app/jobs.py", 2, 2),
        issue("not reviewed", "minor", "rule AV999 failed: it", ".", 1, 1),
    ]
    assert fingerprints[:3] == ["print", "again", "own"]
    assert len(set(fingerprints)) == len(issues)


def test_junit() -> None:
    root = ET.fromstring(render("junit"))
    assert root.attrib == {"name": "asyncvet", "tests": "6", "failures": "3", "errors": "3"}
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in root] == [
        ("app/it.py", "1", "1", "0"),
        ("app/jobs.py", "2", "1", "1"),
        ("app/more.py", "1", "1", "0"),
        ("asyncvet", "1", "0", "1"),
        ("it.py", "1", "0", "1"),
    ]
    first, *_, last = root.iter("testcase")
    assert first.attrib == {"classname": "app.it", "name": "AV101 blocking-call at 3:5", "file": "app/it.py", "line": "3"}
    assert [(child.tag, child.attrib, child.text) for child in first] == [
        (
            "failure",
            {"type": "critical", "message": "`requests.get(it)` blocks the event loop of it"},
            "await `httpx.AsyncClient`\napp/it.py:3 app.main.it: load(it)\napp/io.py:9 load: get('it')\n"
            "blocks: network, at most 2.5 s\nUse an async client.\nOr it.",
        )
    ]
    assert [(child.tag, child.attrib) for child in last] == [("error", {"type": "file", "message": "does not parse: it"})]


def test_markdown() -> None:
    text = render("markdown")
    assert text.startswith(
        f"{MARKER}\n\n## asyncvet\n\n**3 findings from 2 root causes: 2 critical, 1 medium**, "
        "can be fixed: 1 by `asyncvet fix`; 1 by `asyncvet fix --unsafe`, to be looked at\n\n"
        "<details open><summary><b>critical</b> <code>app/it.py:3</code>, and 1 more place: "
        "<code>requests.get(it)</code> blocks the event loop of it (AV101 blocking-call)</summary>\n\n"
        "```python\n# app/it.py:3 in app.main.it\nload(it)\n# app/io.py:9 in load\nget('it')\n# blocks: network, at most 2.5 s\n```\n\n"
        "**Await `httpx.AsyncClient`**\n\nRuns in `event-loop: route GET /it` and 1 more context.\n\nUse an async client. Or it.\n\n"
        "Fix: await it in a thread (look at it first: `asyncvet fix --unsafe`)\n\n"
        "The same cause shows at `app/more.py:8`.\n\n</details>\n\n"
    )
    assert text.endswith(
        "Not reviewed:\n\n- `it.py:9`: does not parse: it\n- `app/jobs.py:2`: the brackets are empty\n- rule AV999 failed: it\n\n"
        "12 files, 345 lines; 1 finding accepted by comments\n"
    )


def test_markdown_is_no_longer_than_a_comment_may_be() -> None:
    """What is left out is counted; a verbose report leaves nothing out."""
    first, _, other = REPORT.findings
    many = tuple(replace(first, root_cause=str(number), message="漢" * 50) for number in range(500))
    content = replace(REPORT, findings=(*many, other))
    text = render("markdown", content)
    shown = text.count("<details")
    assert LONGEST - 1000 < len(text.encode()) <= LONGEST
    assert f"\n\n{501 - shown} more root causes would make this comment too long.\n\n" in text
    assert render("markdown", content, verbose=True).count("<details") == 501
    kinds = [kind for kind, _ in marked_up(text)]
    assert kinds.count("html_block") == 1 + 2 * shown


def test_html() -> None:
    """One well-formed file that loads nothing and runs no script but its own."""
    text = render("html")
    page = Page(text)
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not any(name in ("src", "href") or name.startswith("on") for _, attributes in page.elements for name in attributes)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes)
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert ids == ["files", "unfold", "fold", "f-print", "f-own"]
    causes = [attributes for _, attributes in page.elements if (attributes.get("class") or "").startswith("cause")]
    assert [(each["data-severity"], each["data-rules"], each["data-files"]) for each in causes] == [
        ("critical", "AV101", "app/it.py\napp/io.py\napp/more.py"),
        ("medium", "AV301", "app/jobs.py"),
    ]
    assert "<pre>await load(it)</pre>" in text


def test_html_marks_what_is_meant() -> None:
    chain = REPORT.findings[0].chain
    marks = {(chain[0].path, chain[0].line, chain[0].column): (5, 7), ("app/io.py", 9, 12): (0, len(chain[1].text))}
    text = render("html", replace(REPORT, marks=marks))
    assert re.findall("<pre>(.*)</pre>", text)[:2] == ["load(<mark>it</mark>)", "get(&#x27;it&#x27;)"]


@pytest.mark.parametrize("name", formats())
def test_nothing_found(name: str) -> None:
    """A report of nothing is whole in every format."""
    text = render(name, EMPTY)
    readers: dict[str, Callable[[], bool]] = {
        "json": lambda: json.loads(text)["findings"] == [],
        "jsonl": lambda: [json.loads(line)["kind"] for line in text.splitlines()] == ["summary"],
        "sarif": lambda: sarif(text)["results"] == [],
        "gitlab": lambda: json.loads(text) == [],
        "junit": lambda: (
            [case.attrib for case in ET.fromstring(text).iter("testcase")] == [{"classname": "asyncvet", "name": "no findings"}]
        ),
        "github": lambda: text == "No findings\n",
        "text": lambda: text == "No findings\n1 file, 3 lines, 0.0 s\n",
        "markdown": lambda: text == f"{MARKER}\n\n## asyncvet\n\n**No findings**\n\n1 file, 3 lines\n",
        "html": lambda: not {"form", "script"} & {tag for tag, _ in Page(text).elements},
    }
    assert readers[name]()


def test_statistics() -> None:
    """The rule with most findings comes first; what no rule found is no row."""
    assert STATISTICS["text"](REPORT, Output()) == (
        "findings  causes  fixable  code   rule           severity\n"
        "       2       1        1  AV101  blocking-call  critical\n"
        "       1       1        1  AV301  dropped-task   medium\n"
        "\n"
        "3 findings from 2 root causes: 2 critical, 1 medium\n"
    )
    assert json.loads(STATISTICS["json"](REPORT, Output())) == [
        {"code": "AV101", "name": "blocking-call", "severity": "critical", "findings": 2, "root_causes": 1, "fixable": 1},
        {"code": "AV301", "name": "dropped-task", "severity": "medium", "findings": 1, "root_causes": 1, "fixable": 1},
    ]
    assert STATISTICS["text"](EMPTY, Output()) == "No findings\n"
    coloured = STATISTICS["text"](REPORT, Output(colour=True)).splitlines()[1]
    assert coloured == "       2       1        1  AV101  blocking-call  \x1b[1;31mcritical\x1b[0m"
