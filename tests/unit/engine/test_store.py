"""What is kept is believed only if it is what was kept; a bad store costs time and a sentence, and nothing else."""

import os
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from asyncvet.engine import store as module
from asyncvet.engine.store import Store, default_file

REMEDY = "; name another folder in ASYNCVET_CACHE_DIR, or say --no-cache"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store that knows two values."""
    path = tmp_path / "deep" / "cache.sqlite"
    store = Store(path)
    store.put("kind", b"key", b"value")
    store.put("kind", b"other", b"x" * 100_000)
    store.close()
    assert store.problem is None
    return path


def asked(file: Path) -> tuple[bytes | None, str | None]:
    """What a store says to a key, and what is wrong with it; it is given the value once more."""
    store = Store(file)
    value = store.get("kind", b"key")
    store.put("kind", b"key", b"value")
    store.close()
    return value, store.problem


def test_values_are_kept_by_kind_and_key(file: Path) -> None:
    store = Store(file)
    assert [store.get("kind", b"key"), store.get("kind", b"none"), store.get("else", b"key")] == [b"value", None, None]
    store.drop("kind", b"key")
    store.close()
    assert asked(file) == (None, None)
    assert asked(file) == (b"value", None)


def test_no_file() -> None:
    """Nothing is kept."""
    store = Store(None)
    store.put("kind", b"key", b"value")
    store.flush()
    assert (store.get("kind", b"key"), store.is_open, store.is_empty, store.problem) == (None, False, True, None)
    store.close()


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 4096, b""], ids=["text", "header", "empty"]
)
def test_a_file_of_something_else_is_made_anew(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    value, problem = asked(file)
    assert value is None
    assert content == b"" or (problem or "").startswith(f"the cache {file} was damaged (")
    assert asked(file) == (b"value", None)


def test_a_table_of_another_version_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "cache.sqlite"
    database = sqlite3.connect(file)
    database.execute("create table entries (key blob primary key, value text)")
    database.close()
    assert asked(file) == (None, f"the cache {file} was damaged (no such column: id) and is made anew")
    assert asked(file) == (b"value", None)


@pytest.mark.parametrize("at", [1 / 8, 1 / 2, 7 / 8])
def test_a_truncated_file_gives_what_was_kept_or_nothing(at: float, file: Path) -> None:
    os.truncate(file, int(file.stat().st_size * at))
    value, problem = asked(file)
    assert value in {None, b"value"}
    assert problem is not None
    assert asked(file) == (b"value", None)


def test_any_byte_may_be_wrong(file: Path) -> None:
    """Whatever part of the file is overwritten, no wrong value comes out, and the next run but one finds a sound store."""
    sound = file.read_bytes()
    for start in range(0, len(sound), 7_000):
        file.write_bytes(sound[:start] + b"\xa5" * 700 + sound[start + 700 :])
        assert asked(file)[0] in {None, b"value"}
        store = Store(file)
        assert store.get("kind", b"other") in {None, b"x" * 100_000}
        store.close()
        asked(file)
        assert asked(file) == (b"value", None)
        for left in file.parent.iterdir():
            left.unlink()


def test_a_value_of_another_key_is_not_believed(file: Path) -> None:
    """Who swaps two rows, or writes one of their own, is found out."""
    with sqlite3.connect(file) as database:
        database.execute(
            "update entries set value = (select value from entries where length(value) > 1000) where length(value) < 1000"
        )
    database.close()
    why = "its digest is another one"
    assert asked(file) == (None, f"the cache {file} held what could not be read ({why}); that is read anew")
    assert asked(file) == (b"value", None)


def test_what_was_written_with_another_secret_is_not_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCVET_CACHE_KEY", "secret")
    assert asked(file) == (None, None)
    assert asked(file) == (b"value", None)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    value, problem = asked(tmp_path / "file" / "cache.sqlite")
    assert value is None
    assert (problem or "").endswith(REMEDY)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_the_file_of_another_user_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert asked(file) == (None, f"the cache {file} cannot be used (it belongs to another user){REMEDY}")


def test_another_run_that_writes_for_long(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is still read; what is new is not kept."""
    monkeypatch.setattr(module, "_PATIENCE", 0)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    assert asked(file) == (b"value", f"the cache {file} cannot be used (database is locked){REMEDY}")
    other.execute("rollback")
    other.close()
    assert asked(file) == (b"value", None)


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="files cannot be bounded here")
def test_a_full_disk(file: Path) -> None:
    """What was kept stays, what is new is not kept, and the run says so."""
    program = f"""
import resource
from pathlib import Path
from asyncvet.engine.store import Store

resource.setrlimit(resource.RLIMIT_FSIZE, ({file.stat().st_size}, resource.RLIM_INFINITY))
store = Store(Path({str(file)!r}))
for number in range(50):
    store.put("kind", b"%d" % number, bytes(1_000_000))
store.close()
print(store.problem)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.startswith(f"the cache {file} cannot be used (")
    assert done.stdout.endswith(f"{REMEDY}\n")
    assert asked(file) == (b"value", None)


def test_a_folder_that_cannot_be_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so the refusal is SQLite's own: the file is opened read-only."""
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **more: connect(f"file:{path}?mode=ro", uri=True, **more))
    problem = f"the cache {file} cannot be used (attempt to write a readonly database){REMEDY}"
    assert asked(file) == (b"value", problem)


def test_what_is_not_used_goes_first(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that grows over its bound loses its oldest values until a quarter of the bound is free."""
    monkeypatch.setattr(module, "LARGEST", 1_000_000)
    store = Store(file)
    for number in range(12):
        store._day += 1  # days pass
        store.get("kind", b"key")
        store.put("kind", b"%d" % number, bytes(100_000))
        store.flush()
    store.close()
    assert store.problem is None
    store = Store(file)
    kept = [number for number in range(12) if store.get("kind", b"%d" % number) is not None]
    assert kept == list(range(kept[0], 12))
    assert 3 <= kept[0] <= 6
    assert store.get("kind", b"key") == b"value"
    assert file.stat().st_size < 1_100_000
    store.close()


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, the user's, or the one below the home folder."""
    monkeypatch.setenv("ASYNCVET_CACHE_DIR", str(tmp_path / "own"))
    assert default_file() == tmp_path / "own" / "cache-1.sqlite"
    monkeypatch.delenv("ASYNCVET_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_file() == tmp_path / "xdg" / "asyncvet" / "cache-1.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    if sys.platform != "win32":
        assert default_file() == tmp_path / ".cache" / "asyncvet" / "cache-1.sqlite"
