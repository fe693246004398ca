"""Files that can be ingested: what kind they are, whether they are what their names say, and the text in them."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from farm.errors import BadInput, UnsupportedFile

HEAD_BYTES = 4096
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A part of a document, and where in it that is: `page 3`, or the heading above it."""

    text: str
    place: str = ""


def check_name(name: str) -> str:
    """The suffix of a file's name.

    Raises:
        BadInput: it is no plain name.
        UnsupportedFile: files of this kind cannot be read.
    """
    if not _NAME.fullmatch(name) or name in {".", ".."}:
        raise BadInput("a file's name has 1 to 200 characters, and neither slashes nor control characters")
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in _READERS:
        raise UnsupportedFile(f"{name!r}: only files with these suffixes can be read: {', '.join(_READERS)}")
    return suffix


def check_head(suffix: str, head: bytes) -> None:
    """Compare a file's first bytes with what its suffix says.

    Raises:
        BadInput: the file is empty.
        UnsupportedFile: it is something else.
    """
    if not head.strip():
        raise BadInput("the file is empty")
    if suffix == ".pdf":
        if not head.lstrip().startswith(b"%PDF-"):
            raise UnsupportedFile("the file is called .pdf but is no PDF")
    elif b"\0" in head or not _is_utf8(head):
        raise UnsupportedFile(f"the file is called {suffix} but is no text in UTF-8")


def sections(path: Path, suffix: str) -> Iterator[Section]:
    """The text of a file, part by part. Reads and computes, so it does not belong on the loop.

    Raises:
        UnsupportedFile: the file cannot be read.
    """
    return _READERS[suffix](path)


def check_whole(path: Path, suffix: str) -> None:
    """Find out whether a PDF can be opened. Reads and computes, so it does not belong on the loop.

    Raises:
        UnsupportedFile: it cannot.
    """
    if suffix == ".pdf":
        next(sections(path, suffix), None)


def _text(path: Path) -> Iterator[Section]:
    yield Section(_read(path))


def _markdown(path: Path) -> Iterator[Section]:
    text = _read(path)
    headings = [*_HEADING.finditer(text)]
    yield Section(text[: headings[0].start()] if headings else text)
    for heading, end in zip(headings, [*(each.start() for each in headings[1:]), len(text)], strict=True):
        yield Section(text[heading.end() : end], heading[1])


def _html(path: Path) -> Iterator[Section]:
    page = _Page()
    page.feed(_read(path))
    page.close()
    yield Section("".join(page.parts))


def _pdf(path: Path) -> Iterator[Section]:
    try:
        with PdfReader(path) as reader:
            for number, page in enumerate(reader.pages, 1):
                yield Section(page.extract_text(), f"page {number}")
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise UnsupportedFile(f"the PDF is broken: {error}") from error


_READERS: dict[str, Callable[[Path], Iterator[Section]]] = {
    ".txt": _text,
    ".md": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
}
SUFFIXES = tuple(_READERS)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnsupportedFile("the file is no text in UTF-8") from error


def _is_utf8(head: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8; if there are more, the last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return True


class _Page(HTMLParser):
    """Collects the text that a reader of the page would see."""

    _BLOCKS = frozenset({"p", "div", "br", "li", "tr", "section", "article", "h1", "h2", "h3", "h4", "h5", "h6"})
    _HIDDEN = frozenset({"script", "style", "template", "noscript"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Start a paragraph, or something that is not shown."""
        self._hidden += tag in self._HIDDEN
        if tag in self._BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        """End something that is not shown."""
        if tag in self._HIDDEN and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._hidden:
            self.parts.append(data)
