"""Merging, fingerprints and root causes."""

from msgspec.structs import replace

from asyncvet.engine.findings import identified, key, merged, relocated
from asyncvet.model import Edit, Finding, Fix, Frame, Severity, Span


def finding(path: str = "a.py", line: int = 1, **changes: object) -> Finding:
    plain = Finding(
        code="AV101",
        name="blocking-call",
        item=1,
        severity=Severity.CRITICAL,
        span=Span(path, line, 5, line, 9),
        function="a.main",
        message="`time.sleep` blocks",
    )
    return replace(plain, **changes)


def frame(path: str, line: int, function: str = "a.main", text: str = "") -> Frame:
    return Frame(path, line, 1, function, text)


def test_the_shortest_chain_of_one_place_is_kept_with_the_contexts_of_all() -> None:
    short = finding(chain=(frame("a.py", 1),), runs_in=("event-loop: route GET /a",))
    long = finding(chain=(frame("a.py", 1), frame("b.py", 2)), runs_in=("event-loop: route GET /b", "event-loop: route GET /a"))
    expected = [replace(short, runs_in=("event-loop: route GET /a", "event-loop: route GET /b"))]
    assert merged([long, short]) == merged([short, long]) == expected


def test_the_gravest_go_first_then_by_place() -> None:
    low, other, critical = finding(severity=Severity.LOW), finding(line=2, code="AV102"), finding("b.py")
    assert merged([low, critical, other]) == [other, critical, low]


def test_of_chains_of_one_length_the_one_whose_calls_stand_first_is_kept() -> None:
    first, second = finding(chain=(frame("a.py", 1), frame("b.py", 9))), finding(chain=(frame("a.py", 1), frame("b.py", 10)))
    assert merged([second, first]) == merged([first, second]) == [first]


def test_findings_get_the_text_of_their_frames_and_their_fingerprint() -> None:
    found = finding(chain=(frame("a.py", 1), frame("b.py", 7, "b.load")), root_cause="cause")
    texts = {("a.py", 1, 1): "b.load()", ("b.py", 7, 1): "time.sleep(1)"}
    assert identified([found], texts, {key(found): "1f"}) == [
        replace(found, chain=(frame("a.py", 1, text="b.load()"), frame("b.py", 7, "b.load", "time.sleep(1)")), fingerprint="1f")
    ]


def test_a_finding_without_a_root_cause_is_its_own() -> None:
    found = [finding(), finding(line=2, root_cause="cause")]
    alone, shared = identified(found, {}, {key(one): str(one.span.line) for one in found})
    assert (alone.root_cause, shared.root_cause) == ("1", "cause")


def test_every_path_of_a_finding_is_renamed() -> None:
    def make(path: str) -> Finding:
        edit = Edit(Span(path, 1, 1, 1, 2), "x")
        return finding(path, chain=(frame(path, 1),), fix=Fix("safe", "write x", (edit,)))

    assert relocated(make("a.py"), lambda path: f"../{path}") == make("../a.py")
