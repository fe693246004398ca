"""Facts are kept by what files hold; a bad cache costs time and a sentence, and nothing else."""

import sqlite3
import sys
from pathlib import Path

import msgspec
import pytest

from asyncvet.engine import Settings, review
from asyncvet.engine.cache import FactsCache, default_file
from asyncvet.facts import extract

SOURCE = b"import time\n\n\ndef wait():\n    time.sleep(1)\n"
ENCODED = msgspec.msgpack.encode(extract(SOURCE))


def known(cache: FactsCache) -> tuple[bool, int, str | None]:
    """Whether a cache gives the right facts of `SOURCE`, what it knew before, and its problem."""
    right = msgspec.msgpack.encode(cache.facts(SOURCE)) == ENCODED
    cache.close()
    return right, cache.hits, cache.problem


def test_what_was_read_is_known_the_next_time(tmp_path: Path) -> None:
    """The second cache on the same file has the facts."""
    file = tmp_path / "deep" / "facts.sqlite"
    assert [known(FactsCache(file)) for _ in range(3)] == [(True, 0, None), (True, 1, None), (True, 1, None)]


def test_no_file(tmp_path: Path) -> None:
    """Nothing is kept, and nothing written."""
    assert [known(FactsCache(None)) for _ in range(2)] == [(True, 0, None)] * 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 4096])
def test_a_damaged_file_is_made_anew(content: bytes, tmp_path: Path) -> None:
    """The run says so, and the next one finds a sound cache."""
    file = tmp_path / "facts.sqlite"
    file.write_bytes(content)
    right, hits, problem = known(FactsCache(file))
    assert (right, hits) == (True, 0)
    assert problem is not None
    assert problem.startswith(f"the cache {file} was damaged (")
    assert problem.endswith(") and is made anew")
    assert known(FactsCache(file)) == (True, 1, None)


def test_a_value_that_is_cut_short_is_read_anew(tmp_path: Path) -> None:
    """The row is told of and replaced."""
    file = tmp_path / "facts.sqlite"
    known(FactsCache(file))
    with sqlite3.connect(file) as database:
        database.execute("update facts set value = substr(value, 1, 20)")
    database.close()
    right, hits, problem = known(FactsCache(file))
    assert (right, hits) == (True, 0)
    assert problem is not None
    assert problem.startswith(f"the cache {file} held what could not be read (")
    assert known(FactsCache(file)) == (True, 1, None)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The run goes on without a cache and says what to do."""
    (tmp_path / "file").write_text("")
    right, hits, problem = known(FactsCache(tmp_path / "file" / "facts.sqlite"))
    assert (right, hits) == (True, 0)
    assert problem is not None
    assert problem.endswith("; name another folder in ASYNCVET_CACHE_DIR, or say --no-cache")


def test_a_file_that_another_run_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs at once: the one that finds the file locked goes on without it."""
    file = tmp_path / "facts.sqlite"
    known(FactsCache(file))
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **_: connect(path, timeout=0))
    other = connect(file)
    other.execute("begin exclusive")
    right, _, problem = known(FactsCache(file))
    other.close()
    assert right
    assert problem is None or "database is locked" in problem


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, the user's, or the one below the home folder."""
    monkeypatch.setenv("ASYNCVET_CACHE_DIR", str(tmp_path / "own"))
    assert default_file() == tmp_path / "own" / "facts.sqlite"
    monkeypatch.delenv("ASYNCVET_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_file() == tmp_path / "xdg" / "asyncvet" / "facts.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    if sys.platform != "win32":
        assert default_file() == tmp_path / ".cache" / "asyncvet" / "facts.sqlite"


def test_a_second_review_knows_the_packages(tmp_path: Path) -> None:
    """A review of another project with the same distribution reads nothing of it again, and reports the same."""
    for name in ("first", "second"):
        folder = tmp_path / name / ".venv" / "lib" / "python3.11" / "site-packages"
        folder.mkdir(parents=True)
        (tmp_path / name / ".venv" / "pyvenv.cfg").write_text("")
        (folder / "remote.py").write_text(f"# of {tmp_path}\n" + "import time\n\n\ndef wait():\n    time.sleep(1)\n")
        (tmp_path / name / "main.py").write_text("import remote\n\n\nasync def main():\n    remote.wait()\n")
    reports = [review([tmp_path / name], root=tmp_path / name) for name in ("first", "second")]
    uncached = review([tmp_path / "first"], Settings(cache=False), root=tmp_path / "first")
    assert [report.cached_files for report in reports] == [0, 1]
    assert reports[0].findings == reports[1].findings == uncached.findings != ()
