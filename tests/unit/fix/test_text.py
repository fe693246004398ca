"""The text of a file: what comes back byte for byte, and what is refused."""

import pytest

from asyncvet.fix.text import Change, Text


def text(data: bytes) -> Text:
    found = Text.read(data)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("data", "start", "written"),
    [
        (b"a = 1\nb = 2\n", 6, b"a = 1\nc\nb = 2\n"),
        (b"a = 1\r\nb = 2\r\n", 7, b"a = 1\r\nc\r\nb = 2\r\n"),
        (b"\xef\xbb\xbfa = 1\nb = 2\n", 6, b"\xef\xbb\xbfa = 1\nc\nb = 2\n"),
        ("# coding: latin-1\nä = 1\n".encode("latin-1"), 18, "# coding: latin-1\nc\nä = 1\n".encode("latin-1")),
        ("ä = 1\n".encode(), 7, "ä = 1\nc\n".encode()),
        (b"a = 1\n\f\nb = 2", 8, b"a = 1\n\f\nc\nb = 2"),
    ],
    ids=["plain", "carriage returns", "byte order mark", "latin-1", "wide letters", "form feed and no last line feed"],
)
def test_all_but_the_change_stays(data: bytes, start: int, written: bytes) -> None:
    """Line endings, encoding, byte order mark and white space are those of the file; offsets are those of its UTF-8 form."""
    assert text(data).changed([]) == data
    assert text(data).changed([Change(start, start, "c\n")]) == written


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"# coding: nothing\n", b"a = 1\rb = 2\n", b"a = '\0'\n"],
    ids=["not UTF-8", "no encoding", "lone CR", "NUL"],
)
def test_what_would_not_come_back(data: bytes) -> None:
    assert Text.read(data) is None


def test_what_the_encoding_cannot_say() -> None:
    with pytest.raises(UnicodeError):
        text(b"# coding: ascii\n").changed([Change(0, 0, "ä")])


def test_changes_at_one_place_stay_in_order() -> None:
    assert text(b"abc").changed([Change(1, 1, "1"), Change(2, 3, "3"), Change(1, 1, "2")]) == b"a12b3"


@pytest.mark.parametrize(
    ("source", "unit"),
    [
        ("if a:\n  b\n", "  "),
        ("if a:\n\tb\n", "\t"),
        ('"""Doc:\n        text\n"""\nif a:\n   b\n', "   "),
        ("a = [\n  1,\n]\n", "    "),
    ],
)
def test_a_level_of_indentation(source: str, unit: str) -> None:
    """It is that of the first block, not of a string or a bracket."""
    assert text(source.encode()).unit == unit


def test_indenting_leaves_strings_and_blank_lines() -> None:
    source = 'if a:\n  b = """x\n  y"""\n\n  c\nd\n'
    found = text(source.encode())
    assert found.changed(found.indented(8, source.index("d"))) == b'if a:\n    b = """x\n  y"""\n\n    c\nd\n'


def test_comments_are_no_text_of_strings() -> None:
    assert text(b"a = '# no'  # yes\n'''\n# no\n'''\n").comments(0, 40) == ["# yes"]
