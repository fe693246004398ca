"""The text report: what a person reads."""

import re
from pathlib import Path

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
        errors=(
            ReadError("app/broken.py", 9, "does not parse"),
            ReadError("app/main.py", 2, "the brackets are empty", "suppression"),
            ReadError("app/old.py", None, "AV101 in `app.old.load`: `open(...)` blocks the event loop", "baseline"),
            ReadError("", None, "rule AV999 failed", "rule"),
        ),
        files=1200,
        lines=45_678,
        seconds=1.26,
        unresolved_calls=1,
        statistics={"calls": 1234},
        suppressed=2,
        in_baseline=3,
        test_files_skipped=30,
        excerpts={("app/jobs.py", 3, 1): "asyncio.create_task(work())"},
    )
    assert render(report, Output()) == (
        "app/main.py:12:5: AV101 blocking-call critical\n"
        "  `requests.get` blocks the event loop\n"
        "  await `httpx.AsyncClient`\n"
        "  │ app/main.py:12               read_item     return service.load(key)\n"
        "  │ app/service/__init__.py:140  Service.load  self.client.fetch(key)\n"
        "  ╰ app/client.py:7              fetch         requests.get(URL)\n"
        "                                               ^^^^^^^^^^^^^^^^^ blocks: network, unbounded\n"
        "  runs in: event-loop: route GET /items, route GET /more, worker-thread: job\n"
        "  and 4 more places reach this: app/more.py:1, app/more.py:2, app/more.py:3 (+1)\n"
        "  note: Use an async client,\n"
        "        or `asyncio.to_thread`.\n"
        "\n"
        "app/jobs.py:3:1: AV301 dropped-task medium\n"
        "  the task is kept nowhere\n"
        "  │ asyncio.create_task(work())\n"
        "  fix: keep it in a set (safe: `asyncvet fix`)\n"
        "\n"
        "Could not be read; findings may be missing:\n"
        "  app/broken.py:9: does not parse\n"
        "\n"
        "Suppressions to look at:\n"
        "  app/main.py:2: the brackets are empty\n"
        "\n"
        "In the baseline, and gone (`asyncvet baseline` drops it):\n"
        "  app/old.py: AV101 in `app.old.load`: `open(...)` blocks the event loop\n"
        "\n"
        "Rules that broke down; their findings are missing:\n"
        "  rule AV999 failed\n"
        "\n"
        "6 findings from 2 root causes: 5 critical, 1 medium\n"
        "can be fixed: 1 by `asyncvet fix`\n"
        "1,200 files, 45,678 lines, 1.3 s; 1 of 1,234 calls on the event loop unresolved; 2 findings suppressed; "
        "3 findings in the baseline; 30 test files not reported (--include-tests)\n"
    )


def test_nothing_found_is_said() -> None:
    assert render(Report(files=1, lines=3), Output()) == "No findings\n1 file, 3 lines, 0.0 s\n"


def test_one_more_place_of_another_rule() -> None:
    other = replace(DROPPED, root_cause="cause", fix=None)
    lines = render(Report(findings=(BLOCKING, other)), Output()).splitlines()
    assert lines[8] == "  and 1 more place reaches this: app/jobs.py:3 (AV301 dropped-task)"
    assert "1 root cause:" in lines[-2]


def test_a_long_chain_is_shown_by_its_ends_unless_verbose() -> None:
    chain = tuple(Frame("a.py", line, 1, f"a.f{line}", f"f{line + 1}()") for line in range(1, 13))
    finding = replace(BLOCKING, chain=chain, sink=None, advice="", runs_in=())
    short = render(Report(findings=(finding,)), Output()).split("\n\n")[0].splitlines()[3:]
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
    verbose = render(Report(findings=(finding,)), Output(verbose=True)).split("\n\n")[0].splitlines()[3:]
    assert verbose == [f"  {'╰' if n == 12 else '│'} {f'a.py:{n}':7}  {f'f{n}':3}  f{n + 1}()" for n in range(1, 13)]


def test_verbose_names_every_place() -> None:
    lines = render(Report(findings=(BLOCKING, *map(at, range(1, 6)))), Output(verbose=True)).splitlines()
    assert lines[8:14] == ["  and 5 more places reach this:", *(f"    app/more.py:{line}" for line in range(1, 6))]


def entry(finding: Finding, width: int | None = None, encoding: str = "utf-8") -> list[str]:
    """The lines of the one entry of a report."""
    return render(Report(findings=(finding,)), Output(width=width, encoding=encoding)).split("\n\n")[0].splitlines()


def plain(*chain: Frame, sink: Sink | None = None, message: str = "it blocks", **changes: object) -> Finding:
    """A finding of which little more than the chain is shown."""
    return replace(BLOCKING, chain=chain, sink=sink, message=message, advice="", runs_in=(), **changes)


NETWORK = Sink("requests.get", "network", "unbounded", 2.5)
LONG = Frame("app/client.py", 7, 5, "app.client.fetch", "requests.get(" + "x" * 100 + ")")


def test_a_narrow_terminal_has_the_source_text_below_places() -> None:
    assert entry(plain(CHAIN[0], LONG, sink=NETWORK), 60)[2:] == [
        "  │ app/main.py:12  read_item",
        "  │     return service.load(key)",
        "  ╰ app/client.py:7  fetch",
        "        requests.get(" + "x" * 38 + "…",
        "        " + "^" * 52,
        "        blocks: network, at most 2.5 s",
    ]
    assert entry(plain(CHAIN[0], CHAIN[2], sink=NETWORK), 57)[2:] == [
        "  │ app/main.py:12   read_item  return service.load(key)",
        "  ╰ app/client.py:7  fetch      requests.get(URL)",
        "                                ^^^^^^^^^^^^^^^^^",
        "                                blocks: network, at most 2.5 s",
    ]


def test_a_place_and_a_function_that_are_too_long_for_one_line_are_on_two() -> None:
    assert entry(plain(replace(CHAIN[0], path="app/" + "x" * 30 + ".py"), CHAIN[2], sink=NETWORK), 45)[2:] == [
        "  │ app/" + "x" * 30 + ".py:12",
        "  │ app.main.read_item",
        "  │     return service.load(key)",
        "  ╰ app/client.py:7  fetch",
        "        requests.get(URL)",
        "        ^^^^^^^^^^^^^^^^^",
        "        blocks: network, at most 2.5 s",
    ]


def test_a_frame_whose_source_is_not_there_is_its_place() -> None:
    assert entry(plain(CHAIN[0], replace(CHAIN[2], text=""), sink=NETWORK), 40)[2:] == [
        "  │ app/main.py:12  read_item",
        "  │     return service.load(key)",
        "  ╰ app/client.py:7  fetch",
        "        blocks: network, at most 2.5 s",
    ]


def test_a_frame_that_stands_alone_is_its_source_text() -> None:
    assert entry(plain(CHAIN[2], sink=NETWORK))[2:] == [
        "  │ requests.get(URL)",
        "  │ ^^^^^^^^^^^^^^^^^ blocks: network, at most 2.5 s",
    ]


def test_a_frame_that_would_be_shown_twice_is_shown_once() -> None:
    assert entry(plain(CHAIN[0], replace(CHAIN[0], column=9), sink=NETWORK))[2:] == [
        "  │ return service.load(key)",
        "  │ ^^^^^^^^^^^^^^^^^^^^^^^^ blocks: network, at most 2.5 s",
    ]


def marked(texts: tuple[str, ...], width: int | None = None, sink: Sink | None = NETWORK) -> list[str]:
    """The chain of an entry whose frames have these texts, what is meant in each of them between guillemets."""
    frames, marks = [], {}
    for line, text in enumerate(texts, 1):
        before, meant, after = re.split("[«»]", text)
        frames.append(Frame("a.py", line, 1, "a.f", before + meant + after))
        marks["a.py", line, 1] = (len(before), len(before) + len(meant))
    report = Report(findings=(plain(*frames, sink=sink),), marks=marks)
    return render(report, Output(width=width)).split("\n\n")[0].splitlines()[2:]


def test_carets_say_what_is_meant() -> None:
    """They are left out where a line is meant as a whole, but at the end of a chain, which says what it does."""
    assert marked(("x = «load(key)»", "«load(key)»", "return «get(URL)» or None")) == [
        "  │ a.py:1  f  x = load(key)",
        "  │                ^^^^^^^^^",
        "  │ a.py:2  f  load(key)",
        "  ╰ a.py:3  f  return get(URL) or None",
        "                      ^^^^^^^^ blocks: network, at most 2.5 s",
    ]
    assert marked(("raise «Error()» from None",), sink=None) == ["  │ raise Error() from None", "  │       ^^^^^^^"]


def test_carets_stand_below_wide_characters_and_escapes() -> None:
    assert marked(("漢字é('\x07', «get('字')»)",), sink=None) == ["  │ 漢字é('\\x07', get('字'))", "  │               ^^^^^^^^^"]
    assert marked(("e\u0301(«get()»)",), sink=None) == ["  │ e\u0301(get())", "  │   ^^^^^"]


def test_what_is_meant_is_seen_in_a_line_that_is_too_long() -> None:
    assert marked(("name = " + "x" * 90 + "«get(URL)» or " + "y" * 90,), 60) == [
        "  │ …" + "x" * 18 + "get(URL) or " + "y" * 24 + "…",
        "  │                    ^^^^^^^^",
        "  │                    blocks: network, at most 2.5 s",
    ]
    assert marked(("name = «get(" + "x" * 90 + ")»",), 60, None) == [
        "  │ name = get(" + "x" * 44 + "…",
        "  │        " + "^" * 49,
    ]
    assert marked(("«get(URL)» or " + "y" * 90,), 60, None) == ["  │ get(URL) or " + "y" * 43 + "…", "  │ ^^^^^^^^"]


def test_a_place_that_would_be_named_twice_is_named_once() -> None:
    again = [replace(found, span=replace(found.span, column=9)) for found in (BLOCKING, at(1), at(1))]
    lines = render(Report(findings=(BLOCKING, at(1), *again)), Output()).splitlines()
    assert lines[8] == "  and 1 more place reaches this: app/more.py:1"


@pytest.mark.parametrize(
    ("sink", "note"),
    [
        (Sink("bcrypt.hashpw", "hash", "cpu"), ["  │ ^^^^^^^^^^^^^^^^^ computes: hash"]),
        (Sink("time.sleep", "sleep", "unbounded"), ["  │ ^^^^^^^^^^^^^^^^^ blocks: sleep, unbounded"]),
        (Sink("asyncio.run", "", "unbounded"), []),
    ],
)
def test_the_end_of_a_chain_says_what_it_does(sink: Sink, note: list[str]) -> None:
    assert entry(plain(CHAIN[2], sink=sink))[2:] == ["  │ requests.get(URL)", *note]


def test_text_is_wrapped_between_words_and_not_within_code() -> None:
    finding = replace(
        plain(CHAIN[2], message="`a; b` is called here and waits for what never comes; use `await to_thread(a, b)` in its place"),
        advice="Whoever waits here waits for ever and ever.",
        runs_in=("event-loop: route GET /a/long/path", "event-loop: route GET /another/path"),
    )
    assert entry(finding, 40) == [
        "app/main.py:12:5: AV101 blocking-call critical",
        "  `a; b` is called here and waits for",
        "    what never comes",
        "  use `await to_thread(a, b)` in its",
        "    place",
        "  │ requests.get(URL)",
        "  runs in: event-loop:",
        "           route GET /a/long/path,",
        "           route GET /another/path",
        "  note: Whoever waits here waits for",
        "        ever and ever.",
    ]


def test_the_worst_of_a_root_cause_leads_its_entry() -> None:
    lighter, fewer, longer = (replace(BLOCKING, span=replace(BLOCKING.span, path=path)) for path in ("a.py", "b.py", "c.py"))
    lighter = replace(lighter, severity=Severity.HIGH)
    fewer = replace(fewer, runs_in=BLOCKING.runs_in[:1])
    longer = replace(longer, chain=(CHAIN[0], *CHAIN))
    lines = render(Report(findings=(lighter, fewer, longer, BLOCKING)), Output()).splitlines()
    assert lines[0].startswith("app/main.py:12:5: ")
    assert lines[8] == "  and 3 more places reach this: c.py:12, b.py:12, a.py:12"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_without_the_marks_gets_plain_ones(encoding: str) -> None:
    chain = (*(Frame("a.py", line, 1, "a.f", "f()") for line in range(1, 9)), LONG)
    assert entry(plain(*chain, sink=NETWORK), 60, encoding)[2:] == [
        *(line for number in (1, 2, 3, 4) for line in (f"  | a.py:{number}  f", "  |     f()")),
        "  : 2 more calls (--verbose shows them)",
        *(line for number in (7, 8) for line in (f"  | a.py:{number}  f", "  |     f()")),
        "  ` app/client.py:7  fetch",
        "        requests.get(" + "x" * 38 + "~",
        "        " + "^" * 52,
        "        blocks: network, at most 2.5 s",
    ]


def test_a_cause_of_more_findings_goes_before_one_of_the_same_severity() -> None:
    early = replace(BLOCKING, span=Span("a.py", 1, 1, 1, 2), root_cause="alone")
    heads = [part.partition("\n")[0] for part in render(Report(findings=(early, BLOCKING, at(1))), Output()).split("\n\n")]
    assert heads[:2] == ["app/main.py:12:5: AV101 blocking-call critical", "a.py:1:1: AV101 blocking-call critical"]


def test_places_are_links_where_the_terminal_shows_such() -> None:
    """Names that hold what a terminal would obey are none."""
    output = Output(width=80, links=Path("/srv/my app"))
    lines = render(Report(findings=(plain(*CHAIN[:2]),)), output).splitlines()
    assert (
        lines[0] == "\x1b]8;;file:///srv/my%20app/app/main.py\x1b\\app/main.py:12:5\x1b]8;;\x1b\\: AV101 blocking-call critical"
    )
    assert lines[2] == (
        "  │ \x1b]8;;file:///srv/my%20app/app/main.py\x1b\\app/main.py:12\x1b]8;;\x1b\\               "
        "read_item     return service.load(key)"
    )
    evil = replace(plain(), span=Span("a\x07\x1b.py", 1, 1, 1, 2))
    assert render(Report(findings=(evil,)), output).splitlines()[0] == "a\\x07\\x1b.py:1:1: AV101 blocking-call critical"


def test_a_fix_to_be_looked_at_is_told_apart() -> None:
    unsafe = replace(DROPPED, fix=Fix("unsafe", "keep it", ()), root_cause="other")
    text = render(Report(findings=(DROPPED, unsafe)), Output())
    assert "  fix: keep it (look at it first: `asyncvet fix --unsafe`)\n" in text
    assert "\ncan be fixed: 1 by `asyncvet fix`; 1 by `asyncvet fix --unsafe`, to be looked at\n" in text


def test_colours_only_where_they_are_shown() -> None:
    report = Report(findings=(DROPPED,))
    assert "\x1b" not in render(report, Output())
    first = render(report, Output(colour=True)).splitlines()[0]
    assert first == "\x1b[1mapp/jobs.py:3:1\x1b[0m: \x1b[33mAV301 dropped-task medium\x1b[0m"


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
