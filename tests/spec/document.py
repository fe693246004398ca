"""Specifications as Markdown: a heading with fenced blocks under it is a case, each block a file.

A block is labelled by the line before its fence: a path in backquotes and a colon. One Python block alone needs no label: it is
`main.py`. Blocks of other languages count if they are labelled; the rest is prose. A block ``python fixed`` is a file after the safe
fixes, ``python fixed unsafe`` after all of them. A line `rules: all`,
`rules: name, name` or `sync twin: reported, because ...` is a directive for the heading that it stands under and those below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(`{3,})([^`]*)$")
_HEADING = re.compile(r"^(#+) (.+)$")
_LABEL = re.compile(r"^`([^`]+)`:\s*$")
_DIRECTIVE = re.compile(r"^(rules|sync twin|fix|measures|shows|gone|needs): *(.+)$")


@dataclass(frozen=True)
class File:
    """One file of a case, as it stands on disk; `line` is where its text starts in the document."""

    path: str
    text: str
    line: int


@dataclass
class Case:
    """What stands under one heading."""

    document: Path
    line: int
    title: str
    files: list[File] = field(default_factory=list)
    fixed: list[File] = field(default_factory=list)
    fixed_unsafe: list[File] = field(default_factory=list)
    directives: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """A fenced block; `label` is empty where there is none."""

    label: str
    language: str
    text: str
    line: int


def parse(document: Path, text: str) -> list[Case]:
    """The cases of a document, in order.

    Raises:
        ValueError: The document breaks the form; the message starts with its name and line.
    """
    cases = [Case(document, 0, "")]
    blocks: list[list[Block]] = [[]]
    enclosing: dict[int, Case] = {}
    for number, part in _parts(document, text):
        if isinstance(part, Block):
            blocks[-1].append(part)
        elif heading := _HEADING.match(part):
            depth = len(heading[1])
            enclosing = {level: case for level, case in enclosing.items() if level < depth}
            enclosing[depth] = _opened(document, number, heading[2].strip(), list(enclosing.values()))
            cases.append(enclosing[depth])
            blocks.append([])
        elif directive := _DIRECTIVE.match(part):
            cases[-1].directives[directive[1]] = directive[2].strip()
    if blocks[0]:
        raise ValueError(f"{document.name}:{blocks[0][0].line - 1}: a block before the first heading")
    for case, own in zip(cases, blocks, strict=True):
        case.files = _files(case, [block for block in own if " fixed" not in block.language])
        case.fixed = _files(case, [block for block in own if block.language == "python fixed"])
        case.fixed_unsafe = _files(case, [block for block in own if block.language == "python fixed unsafe"])
    cases = [case for case in cases if case.files]
    _refuse_twins(document, [(case.line, case.title) for case in cases], "heading")
    return cases


def _opened(document: Path, line: int, title: str, enclosing: list[Case]) -> Case:
    """A case with the titles of the headings around it (but for the document's own) before its own, and with their directives."""
    if not enclosing:
        return Case(document, line, title)
    outer = enclosing[-1]
    prefix = f"{outer.title} / " if len(enclosing) > 1 else ""
    return Case(document, line, prefix + title, directives=dict(outer.directives))


def _parts(document: Path, text: str) -> Iterator[tuple[int, str | Block]]:
    """Lines of prose and whole blocks, each with its line number."""
    lines = text.splitlines()
    position, label = 0, ""
    while position < len(lines):
        fence = _FENCE.match(lines[position])
        if fence is None:
            if line := lines[position].strip():
                label = found[1] if (found := _LABEL.match(line)) else ""
            yield position + 1, lines[position]
            position += 1
            continue
        try:
            end = lines.index(fence[1], position + 1)
        except ValueError:
            raise ValueError(f"{document.name}:{position + 1}: the block is not closed") from None
        body = "".join(line + "\n" for line in lines[position + 1 : end])
        yield position + 1, Block(label, fence[2].strip(), body, position + 2)
        position, label = end + 1, ""


def _files(case: Case, blocks: list[Block]) -> list[File]:
    blocks = [block for block in blocks if block.label or block.language.startswith("python")]
    unlabelled = [block for block in blocks if not block.label]
    if unlabelled and sum(block.language.startswith("python") for block in blocks) > 1:
        raise ValueError(f"{case.document.name}:{unlabelled[0].line}: one of several Python blocks needs a label: `path.py`:")
    files = [File(block.label or "main.py", block.text, block.line) for block in blocks]
    _refuse_twins(case.document, [(file.line, file.path) for file in files], "file")
    return files


def _refuse_twins(document: Path, named: list[tuple[int, str]], kind: str) -> None:
    seen: set[str] = set()
    for line, name in named:
        if name in seen:
            raise ValueError(f"{document.name}:{line}: the {kind} {name!r} stands there twice")
        seen.add(name)
