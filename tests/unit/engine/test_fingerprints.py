"""What a finding is known by."""

import pytest

from asyncvet.engine.fingerprints import Identity, text_at, unformatted
from asyncvet.model import Span


@pytest.mark.parametrize(
    "text",
    [
        "load(path, 'a.b', key = 0X1F)",
        'load( path, "a.b", key=0x1f )',
        'load(\n    path,\n    "a" ".b",  # why\n    key=0x1f,\n)',
        "load(path, \\\n    u'a.b', key=(0x1f))",
        'load(path, "a" f".b", key=0x1f)',
    ],
)
def test_what_a_formatter_changes_does_not_count(text: str) -> None:
    assert unformatted(text) == "load path a.b key = 0x1f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("with open(path) as file:\n    file.read()", "with open path as file"),
        ("except (A,\n        B) as error:\n    pass", "except A B as error"),
        ("async for row in rows[1:2]:\n    use(row)", "async for row in rows [ 1 : 2 ]"),
        ("while (line := read()):\n    pass", "while line := read"),
        ("finally:\n    close()", "finally"),
        ("withdraw(a)[b:c]", "withdraw a [ b : c ]"),
        ("", ""),
    ],
)
def test_of_a_block_the_head_alone_counts(text: str, expected: str) -> None:
    assert unformatted(text) == expected


def test_what_is_said_in_strings_and_names_counts() -> None:
    assert len({unformatted(text) for text in ('f("a")', 'f("b")', "f(a)", "g(a)", "f(A)", "f(not a)")}) == 5


def test_the_text_of_a_span() -> None:
    lines = ["x = first(", "    second,", ")  # end"]
    assert text_at(Span("a.py", 1, 5, 3, 2), lines) == "first(\n    second,\n)"
    assert text_at(Span("a.py", 2, 5, 2, 11), lines) == "second"
    assert text_at(Span("a.py", 9, 1, 9, 5), lines) == ""


def test_a_fingerprint_is_the_same_in_every_run() -> None:
    assert Identity("AV101", "app.main", "time . sleep 1", "sleep", 1).fingerprint == "45123ad375dc2fac"
