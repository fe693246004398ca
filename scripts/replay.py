"""Run the commands that pages of the documentation show, and give the pages with what the commands print now."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from asyncvet import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = tuple(ROOT / "docs" / name for name in ("tutorial.md", "how-to/read-a-chain.md"))
WIDTH = "100"
"""Columns of the terminal that the commands print to."""

_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_SECONDS = re.compile(r", \d+\.\d s(?=;|$)", re.MULTILINE)


def replay(page: str) -> str:
    """A page with the output of its commands as it is now.

    They run in order, on a copy of the examples. A Python block below a paragraph that names a file of them and a line stands for
    what a reader writes there.
    """

    def replayed(block: re.Match[str]) -> str:
        language, text = block.groups()
        if language == "python":
            _edit(page[: block.start()].rstrip().rpartition("\n\n")[2], text)
            return block[0]
        command, _, output = text.partition("\n")
        return f"```console\n{command}\n{_output(command)}```\n" if output else block[0]

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "examples", Path(folder) / "examples")
        with contextlib.chdir(folder):
            return _BLOCK.sub(replayed, page)


def _edit(paragraph: str, text: str) -> None:
    file, line = re.search(r"examples/[\w/]+\.py", paragraph), re.search(r"line (\d+)", paragraph)
    if file and line:
        lines = Path(file[0]).read_text(encoding="utf-8").splitlines(keepends=True)
        lines[int(line[1]) - 1] = text
        Path(file[0]).write_text("".join(lines), encoding="utf-8")


def _output(command: str) -> str:
    """What `$ asyncvet ... | tail -2` prints."""
    asyncvet, _, end = command.removeprefix("$ asyncvet ").partition(" | ")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), mock.patch.dict(os.environ, COLUMNS=WIDTH):
        cli.main(shlex.split(asyncvet))
    lines = _SECONDS.sub(", 0.1 s", printed.getvalue()).splitlines(keepends=True)
    if end:
        which, number = end.split(" -")
        lines = lines[: int(number)] if which == "head" else lines[-int(number) :]
    return "".join(lines)
