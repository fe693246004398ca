"""The text report: what a person reads."""

import pytest
from msgspec.structs import replace

from asyncvet.model import Finding, Fix, Frame, ReadError, Severity, Sink, Span
from asyncvet.report import Output, Report, harmless
from asyncvet.report.text import render

CHAIN = (
    Frame("app/main.py", 12, 5, "app.main.read_item", "return service.load(key)"),
    Frame("app/service/__init__.py", 140, 9, "app.service.Service.load", "self.client.fetch(key)"),
    Frame("app/client.py", 7, 5, "app.client.fetch", "requests.get(URL)"),
)
BLOCKING = Finding(
    code="AV101",
    name="blocking-call",
    item=1,
    severity=Severity.CRITICAL,
    span=Span("app/main.py", 12, 5, 12, 20),
    function="app.main.read_item",
    message="`requests.get` blocks the event loop; await `httpx.AsyncClient`",
    advice="Use an async client,\nor `asyncio.to_thread`.",
    sink=Sink("requests.get", "network", "unbounded"),
    chain=CHAIN,
    runs_in=("event-loop: route GET /items", "event-loop: route GET /more", "worker-thread: job"),
    root_cause="cause",
)
DROPPED = Finding(
    code="AV301",
    name="dropped-task",
    item=6,
    severity=Severity.MEDIUM,
    span=Span("app/jobs.py", 3, 1, 3, 9),
    function="app.jobs.start",
    message="the task is kept nowhere",
    root_cause="own",
    fix=Fix("safe", "keep it in a set", ()),
)


def at(line: int) -> Finding:
    return replace(BLOCKING, span=Span("app/more.py", line, 1, line, 2), chain=(BLOCKING.chain[0], *BLOCKING.chain))


def test_one_entry_for_each_root_cause() -> None:
    report = Report(
        findings=(BLOCKING, at(1), at(2), at(3), at(4), DROPPED),
        errors=(ReadError("app/broken.py", 9, "does not parse"), ReadError("", None, "rule AV999 failed")),
        files=1200,
        lines=45_678,
        seconds=1.26,
        unresolved_calls=1,
        statistics={"calls": 1234},
        suppressed=2,
        test_files_skipped=30,
        excerpts={("app/jobs.py", 3): "asyncio.create_task(work())"},
    )
    assert render(report, Output()) == (
        "app/main.py:12:5: AV101 blocking-call critical: `requests.get` blocks the event loop; await `httpx.AsyncClient`\n"
        "  │ app/main.py:12               read_item     return service.load(key)\n"
        "  │ app/service/__init__.py:140  Service.load  self.client.fetch(key)\n"
        "  ╰ app/client.py:7              fetch         requests.get(URL)  ← blocks: network, unbounded\n"
        "  runs in: event-loop: route GET /items, route GET /more, worker-thread: job\n"
        "  and 4 more places reach this: app/more.py:1, app/more.py:2, app/more.py:3 (+1)\n"
        "  note: Use an async client,\n"
        "        or `asyncio.to_thread`.\n"
        "\n"
        "app/jobs.py:3:1: AV301 dropped-task medium: the task is kept nowhere\n"
        "  │ asyncio.create_task(work())\n"
        "  fix: keep it in a set (safe)\n"
        "\n"
        "Could not be read; findings may be missing:\n"
        "  app/broken.py:9: does not parse\n"
        "  rule AV999 failed\n"
        "\n"
        "6 findings from 2 root causes: 5 critical, 1 medium\n"
        "1,200 files, 45,678 lines, 1.3 s; 1 of 1,234 calls on the event loop unresolved; 2 findings suppressed; "
        "30 test files not reported (--include-tests)\n"
    )


def test_nothing_found_is_said() -> None:
    assert render(Report(files=1, lines=3), Output()) == "No findings\n1 file, 3 lines, 0.0 s\n"


def test_one_more_place_of_another_rule() -> None:
    other = replace(DROPPED, root_cause="cause")
    lines = render(Report(findings=(BLOCKING, other)), Output()).splitlines()
    assert lines[5] == "  and 1 more place reaches this: app/jobs.py:3 (AV301 dropped-task)"
    assert "1 root cause:" in lines[-2]


def test_a_long_chain_is_shown_by_its_ends_unless_verbose() -> None:
    chain = tuple(Frame("a.py", line, 1, f"a.f{line}", f"f{line + 1}()") for line in range(1, 13))
    finding = replace(BLOCKING, chain=chain, sink=None, advice="", runs_in=())
    short = render(Report(findings=(finding,)), Output()).split("\n\n")[0].splitlines()[1:]
    assert short == [
        "  │ a.py:1   f1   f2()",
        "  │ a.py:2   f2   f3()",
        "  │ a.py:3   f3   f4()",
        "  │ a.py:4   f4   f5()",
        "  ┆ 5 more calls (--verbose shows them)",
        "  │ a.py:10  f10  f11()",
        "  │ a.py:11  f11  f12()",
        "  ╰ a.py:12  f12  f13()",
    ]
    verbose = render(Report(findings=(finding,)), Output(verbose=True)).split("\n\n")[0].splitlines()[1:]
    assert verbose == [f"  {'╰' if n == 12 else '│'} {f'a.py:{n}':7}  {f'f{n}':3}  f{n + 1}()" for n in range(1, 13)]


def test_verbose_names_every_place() -> None:
    lines = render(Report(findings=(BLOCKING, *map(at, range(1, 6)))), Output(verbose=True)).splitlines()
    assert lines[5:11] == ["  and 5 more places reach this:", *(f"    app/more.py:{line}" for line in range(1, 6))]


def test_source_lines_are_cropped_to_the_terminal() -> None:
    chain = (Frame("a.py", 1, 1, "a.f", "call(" + "x" * 100 + ")"),)
    finding = replace(BLOCKING, chain=chain, sink=None, advice="", runs_in=())
    assert render(Report(findings=(finding,)), Output(width=50)).splitlines()[1] == "  ╰ a.py:1  f  call(" + "x" * 29 + "…"


def test_colours_only_where_they_are_shown() -> None:
    report = Report(findings=(DROPPED,))
    assert "\x1b" not in render(report, Output())
    first = render(report, Output(colour=True)).splitlines()[0]
    assert first == "\x1b[1mapp/jobs.py:3:1\x1b[0m: \x1b[33mAV301 dropped-task medium\x1b[0m: the task is kept nowhere"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 漢字", "plain é 漢字"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\tb\nc", "a    b\\nc"),
        ("caf\udce9.py", "caf\\udce9.py"),
        ("user\u202ename", "user\\u202ename"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, expected: str) -> None:
    assert harmless(text) == expected


def test_reviewed_code_cannot_steer_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\r\u202e"
    finding = replace(
        BLOCKING,
        span=Span(evil, 1, 1, 1, 1),
        message=evil,
        advice=evil,
        runs_in=(evil,),
        chain=(Frame(evil, 1, 1, evil, evil),),
        sink=Sink(evil, evil, evil),
        fix=Fix("safe", evil, ()),
    )
    text = render(Report(findings=(finding, finding), errors=(ReadError(evil, None, evil),)), Output())
    assert text.replace("\n", "").isprintable()
