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


PREVIEW = Rule(code="AV109", name="busy-wait", severity=Severity.LOW, item=1, check=check, preview=True)


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


FUNCTION = """\
@decorated(1)
@retry(
    3,
)
async def load(
    path: str,
    *,
    deep: bool = default(),
) -> str:
    first(path)

    def inner():
        second()

    return third(inner)


after()
"""


@pytest.mark.parametrize("line", [1, 2, 3, 4, 5, 9])
def test_on_a_line_of_a_functions_head_it_speaks_of_all_of_the_function(line: int) -> None:
    lines = FUNCTION.splitlines()
    lines[line - 1] += "  # asyncvet: ignore[AV101] a small file"
    accepted = [number for number in range(1, 19) if silenced("\n".join(lines) + "\n", finding(number))]
    assert accepted == list(range(1, 16))


@pytest.mark.parametrize(("line", "expected"), [(6, [6]), (8, [8]), (12, [12, 13]), (13, [13]), (18, [18])])
def test_on_another_line_it_speaks_of_that_one_or_of_the_inner_function(line: int, expected: list[int]) -> None:
    lines = FUNCTION.splitlines()
    lines[line - 1] += "  # asyncvet: ignore[AV101] a small file"
    assert [number for number in range(1, 19) if silenced("\n".join(lines) + "\n", finding(number))] == expected


@pytest.mark.parametrize(
    "source",
    [
        "# asyncvet: ignore[AV101] small\ndef load(path):\n    read()\n",
        "class Files:\n    # asyncvet: ignore[AV101] small\n    @cached\n    def load(self):\n        read()\n",
        "if True:\n    def load(first,\n             second):  # asyncvet: ignore[AV101] small\n        read()\n",
        'def load(path):  # asyncvet: ignore[AV101] small\n    """What it does."""\n    read()\n',
        "def load(): read()  # asyncvet: ignore[AV101] small\n",
    ],
)
def test_a_function_can_be_marked_in_many_ways(source: str) -> None:
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "read()" in text)
    assert silenced(source, finding(line))
    assert silenced("", finding(1, sink_line=line), source), "the end of a chain in a marked function"


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# asyncvet: ignore[AV101] a local socket", True),
        ("# a local socket  # asyncvet: ignore[AV101]", True),
        ("# asyncvet: ignore[AV101]  # a local socket", True),
        ("# asyncvet: ignore[AV101]: a local socket", True),
        ("# asyncvet: ignore[AV101]", False),
        ("# type: ignore[attr]  # asyncvet: ignore[AV101]  # noqa: S101", False),
        ("# asyncvet: ignore[AV101] --", False),
        ("# noqa: AV101", True),
    ],
)
def test_a_comment_has_to_give_a_reason_where_that_is_asked_for(comment: str, expected: bool) -> None:
    modules = {"a.py": extract(f"call()  {comment}\n".encode()), "b.py": extract(b"call()  # asyncvet: ignore[AV101]\n")}
    _, errors = suppressions(modules, RULES, ["a.py"])
    message = "this comment gives no reason; write one behind it: `# asyncvet: ignore[AV101] why it may stay`"
    assert errors == ([] if expected else [ReadError("a.py", 1, message, "suppression")])


NOTHING = "this comment accepts nothing; take it away"


@pytest.mark.parametrize(
    ("comment", "ran", "expected"),
    [
        ("# asyncvet: ignore[AV201] why", ["AV201"], NOTHING),
        ("# asyncvet: ignore[AV201] why", ["AV101"], ""),
        ("# asyncvet: ignore[AV101] why", ["AV101"], ""),
        ("# asyncvet: ignore[AV101, AV201] why", ["AV101", "AV201"], "this comment accepts nothing by `AV201`; take that away"),
        ("# asyncvet: ignore[AV101, AV201] why", ["AV101"], ""),
        ("# asyncvet: ignore[AV2] why", ["AV201"], NOTHING),
        ("# asyncvet: ignore[AV109] why", ["AV101", "AV201"], ""),
        ("# asyncvet: ignore[AV109] why", ["AV109"], NOTHING),
        ("# asyncvet: ignore why", ["AV101", "AV201"], ""),
        ("# noqa: AV201", ["AV101", "AV201"], NOTHING),
        ("# noqa: E501, AV777", ["AV101", "AV201"], ""),
        ("# asyncvet: ignore-file[AV201] why", ["AV201"], NOTHING),
    ],
)
def test_a_comment_that_accepts_nothing_is_told_if_its_rules_ran(comment: str, ran: list[str], expected: str) -> None:
    rules = (*RULES, PREVIEW)
    stated, errors = suppressions({"a.py": extract(f"call()  {comment}\n".encode())}, rules, ["a.py"])
    stated.silence(finding(1))
    told = list(stated.unused({("a.py", code) for code in ran}, rules))
    assert (errors, told) == ([], [ReadError("a.py", 1, expected, "suppression")] if expected else [])


def test_a_bare_comment_that_accepts_nothing_is_told_if_all_rules_ran() -> None:
    rules = (*RULES, PREVIEW)
    stated, _ = suppressions({"a.py": extract(b"call()  # asyncvet: ignore why\n")}, rules)
    assert list(stated.unused({("a.py", "AV101")}, rules)) == []
    assert list(stated.unused({("a.py", "AV101"), ("a.py", "AV201")}, rules)) == [ReadError("a.py", 1, NOTHING, "suppression")]
