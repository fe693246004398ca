"""Makes every heading of `rules/*.md` and `graph/*.md` a test, and its sync twin another."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from _pytest._code.code import TerminalRepr

from asyncvet import rules
from tests.spec.document import Case, parse
from tests.spec.harness import Harness, SpecificationError
from tests.spec.review import fix, review


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".md" and file_path.parent.name in ("rules", "graph"):
        return Specification.from_parent(parent, path=file_path)
    return None


class Specification(pytest.File):
    """One document."""

    def collect(self) -> Iterable[pytest.Item]:
        harness = Harness(review, rules.load(), fix)
        for case in parse(self.path, self.path.read_text(encoding="utf-8")):
            yield CaseItem.from_parent(self, name=case.title, case=case, check=harness.check)
            yield CaseItem.from_parent(self, name=f"{case.title} [sync twin]", case=case, check=harness.check_sync_twin)
            if case.fixed or case.fixed_unsafe:
                yield CaseItem.from_parent(self, name=f"{case.title} [fixed]", case=case, check=harness.check_fixed)


class CaseItem(pytest.Item):
    """One case under one way to check it."""

    def __init__(self, *, case: Case, check: Callable[[Case, Path], None], **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.case = case
        self.check = check

    def runtest(self) -> None:
        # Resolved, since paths in findings are relative to it and temporary directories can be links.
        with tempfile.TemporaryDirectory() as directory:
            self.check(self.case, Path(directory).resolve())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str | TerminalRepr:  # type: ignore[override]
        if isinstance(excinfo.value, SpecificationError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, self.name
