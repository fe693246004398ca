"""Programs with a fault, as Markdown: a document for each rule, a heading for each shape of the fault.

A shape is one or more files of a project, and `load.py`, which runs the project under load and says what it measured and what the
project gave. What the document's own heading says, the shapes share:

- `fix: safe` or `unsafe`: the fix that is to end the fault.
- `measures: ...`: what the load measures.
- `shows: >= 3`, `gone: <= 1`: where the measure must lie with the fault, and after the fix.
- `needs: httpx`: distributions without which the program cannot run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.spec.document import Case, File, parse
from tests.spec.harness import write

HERE = Path(__file__).resolve().parent
LOAD = "load.py"
SECONDS = 60
"""For which a program may run."""


class Outcome(msgspec.Struct, frozen=True):
    """What a load has measured, and what the program gave."""

    measured: float
    result: object


class Bound(NamedTuple):
    """Where a measure must lie: on one side of a number."""

    side: str
    number: float

    def holds(self, measured: float) -> bool:
        """Whether a measure lies there."""
        return measured >= self.number if self.side == ">=" else measured <= self.number

    def __str__(self) -> str:
        return f"{self.side} {self.number:g}"


@dataclass(frozen=True)
class Program:
    """A shape of a fault."""

    rule: str
    shape: str
    safety: str
    measures: str
    shows: Bound
    gone: Bound
    needs: tuple[str, ...]
    project: tuple[File, ...]
    load: File

    def __str__(self) -> str:
        return f"{self.rule}: {self.shape}"

    @property
    def missing(self) -> list[str]:
        """The distributions that it needs and that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def write(self, folder: Path) -> Path:
        """Write its files below a folder and give that of its project, in which the load is not."""
        write([self.load], folder)
        write(self.project, folder / "project")
        return folder / "project"

    def run(self, folder: Path) -> Outcome:
        """Run the load over the project as it stands below a folder, in a process of its own."""
        path = os.pathsep.join([str(folder / "project"), str(HERE)])
        done = subprocess.run(
            [sys.executable, "-X", "utf8", LOAD],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{self} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return msgspec.convert(json.loads(done.stdout.splitlines()[-1]), Outcome)


def programs() -> list[Program]:
    """All programs, document by document."""
    return [program for path in sorted((HERE / "programs").glob("*.md")) for program in _of_document(path)]


def _of_document(path: Path) -> list[Program]:
    shared, *cases = _cases(path)
    return [_program(case, shared) for case in cases]


def _cases(path: Path) -> list[Case]:
    cases = parse(path, path.read_text(encoding="utf-8"))
    has_shared = [file.path for file in cases[0].files] == [LOAD]
    return cases if has_shared else [Case(path, 0, ""), *cases]


def _program(case: Case, shared: Case) -> Program:
    files = {file.path: file for file in (*shared.files, *case.files)}
    said = case.directives
    return Program(
        rule=case.document.stem,
        shape=case.title,
        safety=said["fix"],
        measures=said["measures"],
        shows=_bound(said["shows"]),
        gone=_bound(said["gone"]),
        needs=tuple(filter(None, said.get("needs", "").split(", "))),
        project=tuple(file for file in files.values() if file.path != LOAD),
        load=files[LOAD],
    )


def _bound(text: str) -> Bound:
    side, number = text.split()
    return Bound(side, float(number))
