"""Merging, fingerprints and root causes."""

from msgspec.structs import replace

from asyncvet.engine.findings import identified, merged, relocated
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


def test_a_fingerprint_survives_moved_lines_and_tells_equals_apart() -> None:
    chain = (frame("a.py", 1), frame("b.py", 7, "b.load"))
    texts = {("a.py", 1, 1): "b.load()", ("b.py", 7, 1): "time.sleep(1)"}
    first, second = identified([finding(chain=chain), finding(line=1, chain=chain)], texts)
    moved_chain = (frame("a.py", 11), frame("b.py", 17, "b.load"))
    moved_texts = {("a.py", 11, 1): "b.load()", ("b.py", 17, 1): "time.sleep(1)"}
    (moved,) = identified([finding(line=11, chain=moved_chain)], moved_texts)
    assert moved.fingerprint == first.fingerprint != second.fingerprint
    assert first.chain == (frame("a.py", 1, text="b.load()"), frame("b.py", 7, "b.load", "time.sleep(1)"))
    (changed,) = identified([finding(chain=chain)], texts | {("b.py", 7, 1): "time.sleep(2)"})
    assert changed.fingerprint != first.fingerprint


def test_a_finding_without_a_root_cause_is_its_own() -> None:
    alone, shared = identified([finding(), finding(line=2, root_cause="cause")], {})
    assert (alone.root_cause, shared.root_cause) == (alone.fingerprint, "cause")


def test_every_path_of_a_finding_is_renamed() -> None:
    def make(path: str) -> Finding:
        edit = Edit(Span(path, 1, 1, 1, 2), "x")
        return finding(path, chain=(frame(path, 1),), fix=Fix("safe", "write x", (edit,)))

    assert relocated(make("a.py"), lambda path: f"../{path}") == make("../a.py")
