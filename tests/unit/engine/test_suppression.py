"""Comments that silence findings."""

from collections.abc import Iterator

import pytest

from asyncvet.engine.suppression import suppressions
from asyncvet.facts import extract
from asyncvet.model import Finding, Frame, ReadError, Severity, Span
from asyncvet.rules import Rule


def check(project: object) -> Iterator[Finding]:
    raise NotImplementedError


RULES = (
    Rule(code="AV101", name="blocking-call", severity=Severity.HIGH, item=1, check=check),
    Rule(code="AV201", name="unguarded-lazy-init", severity=Severity.HIGH, item=4, check=check),
)


def finding(line: int, end_line: int = 0, sink_line: int = 0) -> Finding:
    return Finding(
        code="AV101",
        name="blocking-call",
        item=1,
        severity=Severity.CRITICAL,
        span=Span("a.py", line, 1, end_line or line, 9),
        function="a.main",
        message="`time.sleep` blocks",
        chain=(Frame("a.py", line, 1, "a.main"), Frame("b.py", sink_line, 1, "b.load")) if sink_line else (),
    )


def silenced(source: str, found: Finding, other: str = "") -> bool:
    stated, errors = suppressions({"a.py": extract(source.encode()), "b.py": extract(other.encode())}, RULES)
    assert errors == []
    return stated.silence(found)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# asyncvet: ignore[AV101] runs before the app serves", True),
        ("# asyncvet: ignore[blocking-call]", True),
        ("# asyncvet: ignore[AV201, AV1]", True),
        ("# asyncvet: ignore", True),
        ("#asyncvet:ignore[av101]", True),
        ("# type: ignore  # asyncvet: ignore[AV101]", True),
        ("# noqa: AV101", True),
        ("# NOQA: E501,AV101 because", True),
        ("# asyncvet: ignore[AV201]", False),
        ("# noqa: AV201", False),
        ("# noqa: E501", False),
        ("# noqa", False),
        ("# what asyncvet says", False),
    ],
)
def test_a_comment_silences_what_it_names_on_its_line(comment: str, expected: bool) -> None:
    assert silenced(f"call()  {comment}\n", finding(1)) is expected
    assert silenced(f"call()  {comment}\ncall()\n", finding(2)) is False


def test_any_line_of_the_finding_will_do() -> None:
    source = "call(\n    1,\n)  # asyncvet: ignore[AV101]\n"
    assert silenced(source, finding(1, end_line=3))
    assert not silenced(source, finding(1, end_line=2))


def test_the_line_where_the_chain_ends_will_do() -> None:
    source = "\nsleep()  # asyncvet: ignore[AV101] a local socket\n"
    assert silenced("", finding(1, sink_line=2), source)
    assert not silenced("", finding(1, sink_line=1), source)


def test_a_comment_on_a_line_of_its_own_speaks_of_the_next() -> None:
    source = "# asyncvet: ignore[AV101] why\ncall()\ncall()\n"
    assert [silenced(source, finding(line)) for line in (2, 3)] == [True, False]


@pytest.mark.parametrize(("selectors", "expected"), [("[AV101]", True), ("[AV1]", True), ("", True), ("[AV201]", False)])
def test_a_file_can_be_silenced(selectors: str, expected: bool) -> None:
    assert silenced(f"x = 1\ncall()\n# asyncvet: ignore-file{selectors}\n", finding(2)) is expected


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# asyncvet: ignore[AV102]", "this comment names no rule: there is no `AV102`; did you mean `AV101`?"),
        ("# asyncvet: ignore[]", "this comment silences nothing: the brackets are empty"),
        ("# asyncvet: ignore[AV101", "this comment silences nothing: the bracket after `ignore` is not closed"),
        (
            "# asyncvet: ignroe[AV101]",
            "this comment silences nothing: there is no `asyncvet: ignroe`; did you mean `ignore`?",
        ),
        (
            "# asyncvet: off",
            "this comment silences nothing: there is no `asyncvet: off`; known are ignore, ignore-file",
        ),
    ],
)
def test_a_comment_that_means_to_silence_but_does_not_is_told(comment: str, message: str) -> None:
    stated, errors = suppressions({"a.py": extract(f"\ncall()  {comment}\n".encode())}, RULES)
    assert errors == [ReadError("a.py", 2, message, "suppression")]
    assert not stated.silence(finding(2))
