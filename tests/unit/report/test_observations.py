"""Reports of observations: text and page, also of programs whose names mean to break them."""

import dataclasses
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncvet.model import Finding, MissedAlarm, Seen, Severity, Span
from asyncvet.monitor.observation import Observation, Sample, StackFrame
from asyncvet.report import Output, Report, checklist, in_words, load
from asyncvet.report.observations import page, render

FRAMES = tuple(StackFrame(f"app/{name}.py", 1, name) for name in ("server", "routes", "client"))
SLEEP = Observation(
    kind="stall",
    primitive="time.sleep",
    category="",
    stack=FRAMES[1:],
    call="time.sleep",
    seconds=0.25,
    time=1e9,
    process=7,
    request="GET /items",
    victims=("GET /",),
    samples=(Sample(FRAMES, 3), Sample(FRAMES[:2], 1)),
)


class Checked(HTMLParser):
    """Tags of a page, which must be balanced, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_text() -> None:
    """An entry for each place and call, what took longest first."""
    other = dataclasses.replace(
        SLEEP, stack=(), category="descheduled", call="", primitive="", seconds=1.5, request="", victims=()
    )
    assert render([SLEEP, SLEEP, other]) == (
        "no place: descheduled\n"
        "  1 time, p95 1.5 s\n"
        "app/client.py:1: time.sleep\n"
        "  in client: 2 times, p95 250 ms, GET /items\n"
        "  2 requests had to wait\n"
        "3 observations\n"
    )


def test_page() -> None:
    """A bar on the time line, a row in the table, and the stacks as a tree: what two samples share stands once."""
    text = page.render([SLEEP])
    checked = Checked(text)
    assert text.count('<a class="blocked" style="left:0.00%;width:100.00%;height:90%" href="#s0"') == 1
    frames = [data for data in checked.texts if "app/" in data]
    assert frames == [
        "app/client.py:1",
        "app/client.py:1",
        "server app/server.py:1",
        "routes app/routes.py:1",
        "client app/client.py:1",
    ]


def test_empty_page() -> None:
    """Nothing observed is a page too."""
    assert "0 observations, 0 ms all together." in page.render([])


@given(st.text(), st.text())
def test_hostile_names(name: str, other: str) -> None:
    """Whatever a program calls its functions, files and routes, the page has the same tags, attributes and no character that acts."""
    tame = Checked(page.render([SLEEP]))
    frames = tuple(StackFrame(f"{name}{number}", 1, other) for number in range(3))
    hostile = dataclasses.replace(
        SLEEP,
        call=f"x{name}",
        request=f"y{other}",
        victims=(name,),
        stack=frames[1:],
        samples=(Sample(frames, 3), Sample(frames[:2], 1)),
    )
    text = page.render([hostile])
    checked = Checked(text)
    assert (checked.tags, checked.names) == (tame.tags, tame.names)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert all(character.isprintable() or character == "\n" for character in render([hostile]))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Seen(1), "1 time"),
        (Seen(1200, 3.0, 0.0004, ()), "1,200 times, p95 0.4 ms"),
        (Seen(37, 3.0, 0.12, ("GET /items",)), "37 times, p95 120 ms, GET /items"),
        (Seen(2, 3.0, 1.5, ("a", "b", "c", "d", "e")), "2 times, p95 1.5 s, a, b, c (+2)"),
    ],
)
def test_words(seen: Seen, said: str) -> None:
    """What observations say of a place, in words."""
    assert in_words(seen) == said


ALARM = MissedAlarm(
    path="app.py", line=3, function="f", call="vendor.fetch", seen=Seen(2, 1.0, 0.5), reason="nobody knows", entry="[[api]]\nwhy"
)


def test_missed_alarms_in_reports() -> None:
    """Every format shows missed alarms."""
    report = Report(missed_alarms=(ALARM,))
    assert load("text")(report, Output()).startswith(
        "Missed alarms, seen at run time and not predicted:\n"
        "  app.py:3: `vendor.fetch` in f\n"
        "    seen at run time: 2 times, p95 500 ms\n"
        "    nobody knows\n"
        "      [[api]]\n"
        "      why\n"
        "\n"
    )
    assert "- `app.py:3`: `vendor.fetch`, 2 times, p95 500 ms. nobody knows\n" in checklist.load("markdown")(report, Output())
    said = "<li><code>app.py:3</code> <code>vendor.fetch</code>, 2 times, p95 500 ms. nobody knows<pre>[[api]]\nwhy</pre></li>"
    assert said in checklist.load("html")(report, Output())
    assert said in load("html")(report, Output())
    assert "- `app.py:3`: `vendor.fetch`, 2 times, p95 500 ms. nobody knows\n" in load("markdown")(report, Output())


def test_seen_in_reports() -> None:
    """Every format shows what was seen of a finding."""
    seen = Seen(37, 4.0, 0.12, ("GET /items",))
    span = Span("app.py", 1, 1, 1, 2)
    finding = Finding(
        code="AV101", name="blocking-call", item=1, severity=Severity.HIGH, span=span, function="f", message="m", seen=seen
    )
    report = Report(findings=(finding,))
    assert "  seen at run time: 37 times, p95 120 ms, GET /items\n" in load("text")(report, Output())
    assert '"seen": {\n        "times": 37,\n        "seconds": 4.0,\n        "p95": 0.12,\n' in load("json")(report, Output())
    assert "**Seen at run time**: 37 times, p95 120 ms, GET /items\n" in checklist.load("markdown")(report, Output())
    for render_page in (checklist.load("html"), load("html")):
        assert "Seen at run time: 37 times, p95 120 ms, GET /items</p>" in render_page(report, Output())
    assert "Seen at run time: 37 times, p95 120 ms, GET /items.\n" in load("markdown")(report, Output())
