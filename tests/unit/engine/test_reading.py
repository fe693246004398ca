"""Reading files into facts, in one process and in several."""

import gc
import os
from pathlib import Path

import pytest

from asyncvet.config import Settings
from asyncvet.engine import reading
from asyncvet.engine.collector import uncollected
from asyncvet.engine.discovery import Discovery, SourceFile, discover
from asyncvet.engine.governance import Governance
from asyncvet.engine.reading import Reading, read
from asyncvet.facts import codec, extract
from asyncvet.facts.tree import ModuleFacts
from asyncvet.model import ReadError


def make(root: Path, count: int) -> Discovery:
    for number in range(count):
        (root / f"m{number:02}.py").write_text(f"async def f{number}():\n    pass\n" * (number + 1))
    return discover([root], Settings(), root)


def plain(read_files: Reading) -> tuple[dict[str, bytes], tuple[ReadError, ...]]:
    return {path: codec.encode(facts) for path, facts in read_files.modules.items()}, read_files.errors


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use processes, and many chunks, for small files too."""
    monkeypatch.setattr(reading, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(reading, "CHUNK", 100)


@pytest.mark.usefixtures("eager")
def test_the_number_of_processes_makes_no_difference(tmp_path: Path) -> None:
    discovery = make(tmp_path, 12)
    done: list[int] = []
    alone, together = read(discovery, 1, done.append), read(discovery, 3, done.append)
    assert plain(alone) == plain(together)
    assert list(alone.modules) == list(together.modules) == [f"m{number:02}.py" for number in range(12)]
    assert sum(done) == 24


@pytest.mark.usefixtures("eager")
def test_a_process_that_dies_costs_its_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    discovery = make(tmp_path, 9)
    (tmp_path / "m03.py").write_text("die")
    (tmp_path / "m07.py").write_text("die")

    def fragile(content: bytes) -> ModuleFacts:
        if content == b"die":
            os._exit(1)
        return extract(content)

    monkeypatch.setattr(reading, "extract", fragile)
    done: list[int] = []
    outcome = read(discovery, 2, done.append)
    message = "the process that read this file died: it may be nested too deeply, or take too much memory"
    assert outcome.errors == (ReadError("m03.py", None, message), ReadError("m07.py", None, message))
    assert list(outcome.modules) == [f"m{number:02}.py" for number in range(9) if number not in {3, 7}]
    assert sum(done) == 9


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("eager")
def test_a_fault_while_reading_one_file_is_told_and_the_others_are_read(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(content: bytes) -> ModuleFacts:
        if b"f1()" in content:
            raise ValueError("no such kind of node")
        return extract(content)

    monkeypatch.setattr(reading, "extract", faulty)
    outcome = read(make(tmp_path, 3), jobs, lambda files: None)
    message = "asyncvet failed on this file, which is a fault of asyncvet: ValueError: no such kind of node"
    assert outcome.errors == (ReadError("m01.py", None, message),)
    assert list(outcome.modules) == ["m00.py", "m02.py"]


def test_files_that_are_gone_or_do_not_parse_are_errors(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ndef (:\n")
    files = (SourceFile("broken.py", 10, False, False), SourceFile("gone.py", 10, False, False))
    errors = (ReadError("closed", None, "cannot be listed"),)
    discovery = Discovery(tmp_path, "", files, errors, Governance(Settings(), tmp_path))
    outcome = read(discovery, 1, lambda count: None)
    assert list(outcome.modules) == ["broken.py"]
    broken = tuple(ReadError("broken.py", part.line, part.message) for part in outcome.modules["broken.py"].broken)
    assert [error.line for error in broken] == [2]
    assert outcome.errors == (
        *broken,
        ReadError("closed", None, "cannot be listed"),
        ReadError("gone.py", None, "cannot be read: No such file or directory"),
    )


def test_a_huge_file_is_read_only_if_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 10)
    (tmp_path / "huge.py").write_text("x = 1\n" * 10)
    unnamed, named = discover([tmp_path], Settings(), tmp_path), discover([tmp_path / "huge.py"], Settings(), tmp_path)
    message = "skipped, as 0 MB of source may take more memory than there is; name the file itself to have it read"
    assert read(unnamed, 1, lambda files: None) == Reading({}, (ReadError("huge.py", None, message),))
    assert list(read(named, 1, lambda files: None).modules) == ["huge.py"]


def test_the_collector_rests_and_comes_back() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
