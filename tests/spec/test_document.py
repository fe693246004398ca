"""Specifications are read as their authors mean them, and refused where that is unclear."""

import re
from pathlib import Path

import pytest

from tests.spec.document import Case, File, parse

DOCUMENT = Path("some-rule.md")


def read(text: str) -> list[Case]:
    return parse(DOCUMENT, text)


def test_one_block_is_main() -> None:
    """A lone Python block needs no label."""
    text = "# Rule\n\nProse.\n\n## It sleeps\n\n```python\nx = 1\n```\n"
    assert read(text) == [Case(DOCUMENT, 5, "It sleeps", [File("main.py", "x = 1\n", 8)])]


def test_labelled_blocks_are_files() -> None:
    """Every labelled block is a file of its case, whatever its language; other blocks are prose."""
    text = (
        "## Two files\n\n`a/b.py`:\n\n```python\nx = 1\n```\n\n`c.py`:\n```python\n```\n"
        "`pyproject.toml`:\n\n```toml\n[tool.asyncvet]\n```\n\nAs in\n\n```text\noutput\n```\n"
    )
    assert read(text) == [
        Case(
            DOCUMENT,
            1,
            "Two files",
            [File("a/b.py", "x = 1\n", 6), File("c.py", "", 11), File("pyproject.toml", "[tool.asyncvet]\n", 15)],
        )
    ]


def test_headings_nest_and_blocks_hide_theirs() -> None:
    """A case is named by its headings below the document's; a comment in a block is no heading."""
    text = "# Rule\n## Upper\n### Lower\n```python\n# not a heading\n```\n## Next\n```python\n```\n"
    assert [(case.line, case.title) for case in read(text)] == [(3, "Upper / Lower"), (7, "Next")]


def test_directives() -> None:
    """What the document says first holds for all its cases; what a case says for itself."""
    text = "# Rule\n\nrules: all\n\n## A\n```python\n```\n## B\n\nsync twin: reported, because so\n```python\n```\n"
    assert [case.directives for case in read(text)] == [
        {"rules": "all"},
        {"rules": "all", "sync twin": "reported, because so"},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## A\n```python\nx = 1\n", "some-rule.md:2: the block is not closed"),
        ("```python\n```\n", "some-rule.md:1: a block before the first heading"),
        (
            "## A\n```python\n```\n```python\n```\n",
            "some-rule.md:3: one of several Python blocks needs a label: `path.py`:",
        ),
        ("## A\n`a.py`:\n```python\n```\n`a.py`:\n```python\n```\n", "some-rule.md:7: the file 'a.py' stands there twice"),
        ("## A\n```python\n```\n## A\n```python\n```\n", "some-rule.md:4: the heading 'A' stands there twice"),
    ],
)
def test_unclear_documents_are_refused(text: str, message: str) -> None:
    """The message says where and what is wrong."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read(text)
