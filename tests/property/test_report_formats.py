"""Names and texts of the reviewed code are shown and never obeyed, in every format and whatever they are."""

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncvet.report import Output, Render, Report, checklist, formats, harmless, load
from asyncvet.report.statistics import FORMATS as STATISTICS
from tests.unit.report.formats import Page, marked_up, report, sarif

HOSTILE = (
    "\x1b]0;owned\x07",
    "\x1b]8;;https://evil.example\x1b\\",
    "\x1b[2J\x9b31m",
    "\r\n",
    "\n::set-output name=x::y",
    "\n::error file=a::b",
    "%0A::stop-commands::x",
    "<script>alert(1)</script>",
    "</pre></details></summary>",
    '" onclick="x',
    "' autofocus='",
    "<!-- ",
    " -->",
    "]]>",
    "&amp;&#10;",
    "<?xml?>",
    "[x](https://evil.example)",
    "![x](https://evil.example)",
    "<https://evil.example>",
    "`",
    "```\n",
    "~~~\n",
    "| a | b |\n|---|---|\n",
    "\n# heading\n",
    "\n- item",
    "*_~@owner #1",
    "\udce9\udcff",
    "\u202e\u2066\ufeff\ufffe\x00",
    "漢字e\u0301🐍",
    "{0}{{",
    "; ",
    "\t",
    "\\",
    "x",
)
NASTY = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), min_size=1, max_size=6).map("".join).filter(str.strip)
STEADY = NASTY.map(lambda text: text.replace(";", ","))
"""As a message has another line for what stands behind a semicolon."""
PLAIN = report("it")
OUTPUTS = (Output(), Output(width=60), Output(width=100, colour=True, links=Path("/srv")), Output(verbose=True))
CONTROL = re.compile(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
COMMAND = re.compile(r"::(error|warning) ((?:\w+=[^:,\n]*)(?:,\w+=[^:,\n]*)*)::[^\n]*")


def renderings(content: Report) -> dict[str, str]:
    """The report in all formats, with its review and its counts."""
    texts = {name: load(name)(content, Output()) for name in formats()}
    texts |= {f"statistics {name}": render(content, Output()) for name, render in STATISTICS.items()}
    return texts | {f"review {name}": checklist.load(name)(content, Output()) for name in checklist.FORMATS}


@settings(deadline=None)
@given(NASTY)
def test_no_format_holds_what_a_terminal_obeys(evil: str) -> None:
    """Neither control characters nor what turns text around, and nothing that cannot be encoded."""
    for name, text in renderings(report(evil)).items():
        assert (name, CONTROL.findall(text)) == (name, [])
        assert text.endswith("\n")


@settings(deadline=None)
@given(STEADY, st.sampled_from(OUTPUTS))
def test_text_has_no_other_lines(evil: str, output: Output) -> None:
    """A text on more lines is one that the report broke, for its width."""
    escapes = r"\x1b\[[\d;]*m|\x1b\]8;;[\x21-\x7e]*\x1b\\"
    lines = re.sub(escapes, "", load("text")(report(evil), output)).splitlines()
    assert CONTROL.findall("\n".join(lines)) == []
    if output.width is None:
        assert len(lines) == len(load("text")(PLAIN, output).splitlines())


@settings(deadline=None)
@given(NASTY)
def test_formats_for_programs_stay_whole(evil: str) -> None:
    texts = renderings(report(evil))
    assert {name for name in ("json", "jsonl", "sarif", "gitlab") if not texts[name].isascii()} == set()
    assert [json.loads(line)["kind"] for line in texts["jsonl"].splitlines()] == [*["finding"] * 3, *["error"] * 3, "summary"]
    assert json.loads(texts["json"])["findings"][0]["function"] == f"app.main.{evil}"
    run = sarif(texts["sarif"])
    assert [len(result.get("codeFlows", ())) for result in run["results"]] == [1, 0, 0]
    assert not re.search(r"(?<!\\)\[[^\]]*\]\(", run["results"][0]["message"]["text"])
    assert json.loads(texts["gitlab"])[0]["location"]["path"] == harmless(f"app/{evil}.py")


@settings(deadline=None)
@given(NASTY)
def test_workflow_commands_are_those_of_the_report(evil: str) -> None:
    *commands, last = load("github")(report(evil), Output()).removesuffix("\n").split("\n")
    assert last == "3 findings from 2 root causes: 2 critical, 1 medium"
    assert [found[1] if (found := COMMAND.fullmatch(line)) else line for line in commands] == [
        "error",
        "warning",
        "error",
        *["warning"] * 3,
    ]


@settings(deadline=None)
@given(NASTY)
def test_junit_is_xml_with_the_same_elements(evil: str) -> None:
    root = ET.fromstring(load("junit")(report(evil), Output()))
    plain = ET.fromstring(load("junit")(PLAIN, Output()))
    assert Counter(element.tag for element in root.iter()) == Counter(element.tag for element in plain.iter())
    names = {suite.get("name") for suite in root}
    assert {harmless(f"app/{evil}.py"), "app/jobs.py", "app/more.py", "asyncvet", harmless(f"{evil}.py")} == names


@pytest.mark.parametrize("load_format", [load, checklist.load], ids=["check", "review"])
@settings(deadline=None)
@given(evil=STEADY)
def test_html_has_the_same_elements(load_format: Callable[[str], Render], evil: str) -> None:
    render = load_format("html")
    assert Page(render(report(evil), Output())).shape() == Page(render(PLAIN, Output())).shape()


@settings(deadline=None)
@given(NASTY)
def test_markdown_marks_nothing_else_up(evil: str) -> None:
    """No heading, link, picture, table or tag that the report did not put there."""
    text = load("markdown")(report(evil), Output())
    found = marked_up(text)
    kinds = Counter(kind for kind, _ in found)
    plain = Counter(kind for kind, _ in marked_up(load("markdown")(PLAIN, Output())))
    harmful = ["heading_open", "link_open", "image", "table_open", "em_open", "s_open", "html_inline", "html_block"]
    harmful += ["fence", "code_block", "list_item_open", "hr", "blockquote_open"]
    assert {kind: kinds[kind] for kind in harmful} == {kind: plain[kind] for kind in harmful}
    tags = [tag for kind, content in found if kind == "html_block" for tag in re.findall(r"<(/?\w+)", content)]
    assert set(tags) == {"details", "/details", "summary", "/summary", "b", "/b", "code", "/code"}
