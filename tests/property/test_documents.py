"""Texts of an editor: edits and positions in any encoding."""

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from asyncvet.lsp.documents import Document, Encoding, split

ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

encodings = st.sampled_from(sorted(ENCODINGS)).map(Encoding)
texts = st.text(st.sampled_from("ab é€\u2028\f\x85𝄞🙂\t\r\n"), max_size=30)


def position(text: str, offset: int, encoding: Encoding) -> types.Position:
    """The position of an offset that is not within a line's end, worked out on bytes."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    line = before.rpartition("\n")[2]
    codec, size = ENCODINGS[encoding.name]
    return types.Position(before.count("\n"), len(line.encode(codec)) // size)


def offsets(text: str) -> list[int]:
    """The offsets that a position can name: those not between CR and LF."""
    return [index for index in range(len(text) + 1) if text[index - 1 : index + 1] != "\r\n" or index == 0]


@given(texts)
def test_lines(text: str) -> None:
    """No character is lost, and lines end where the protocol says: not at a form feed, a separator of Unicode, or NEL."""
    lines = split(text)
    assert "".join(lines) == text
    assert [line.rstrip("\r\n") for line in lines] == text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@given(texts, texts, encodings, st.data())
def test_edits(text: str, new: str, encoding: Encoding, data: st.DataObject) -> None:
    """An edit between any two positions gives what splicing the text gives."""
    start, end = sorted(data.draw(st.lists(st.sampled_from(offsets(text)), min_size=2, max_size=2)))
    place = types.Range(position(text, start, encoding), position(text, end, encoding))
    edited = Document(text, 1).edited([types.TextDocumentContentChangePartial(place, new)], 2, encoding)
    assert edited == Document(text[:start] + new + text[end:], 2)


@given(texts, encodings, st.data())
def test_columns(text: str, encoding: Encoding, data: st.DataObject) -> None:
    """Characters to units and back is the same; a column within a character is that of its start, one behind the line its end."""
    line = split(text)[0].rstrip("\r\n")
    column = data.draw(st.integers(0, len(line)))
    units = encoding.units(line[:column])
    assert encoding.characters(line, units) == column
    if column < len(line):
        for within in range(units + 1, encoding.units(line[: column + 1])):
            assert encoding.characters(line, within) == column
    assert encoding.characters(line, encoding.units(line) + 5) == len(line)


@given(
    texts,
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 5), st.integers(0, 40)), max_size=5),
    encodings,
)
def test_any_range(text: str, places: list[tuple[int, int, int, int]], encoding: Encoding) -> None:
    """A range behind the end, or from back to front, is bent to the text: no edit fails."""
    changes = [
        types.TextDocumentContentChangePartial(types.Range(types.Position(a, b), types.Position(c, d)), "x")
        for a, b, c, d in places
    ]
    assert Document(text, None).edited(changes, None, encoding).text.count("x") <= len(places)
