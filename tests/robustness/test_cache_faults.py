"""Whatever happens to the cache while it is written, reports are right, and what is wrong with it is told and mended.

`make faults` tries more often.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from asyncvet.engine.store import Store

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("ROUNDS", "2"))

WRITER = """
import sys
from pathlib import Path
from asyncvet.engine.store import Store

store = Store(Path(sys.argv[1]))
print(flush=True)
for number in range(10**9):
    store.put("kind", b"%d" % (number % 40), b"%d" % (number % 40) * 20_000)
    store.flush()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The shop of the examples."""
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    return tmp_path / "shop"


def started(project: Path, cache: Path | None) -> "subprocess.Popen[str]":
    """A review in a process of its own, without a cache if there is no folder for it."""
    command = [sys.executable, "-m", "asyncvet", "check", ".", "--format", "json", "--jobs", "1"]
    command += ["--no-cache"] if cache is None else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "ASYNCVET_CACHE_DIR": str(cache)}
    return subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """The report of a review, without what is told of this run alone."""
    output, complaint = process.communicate()
    assert (process.returncode, complaint) == (1, "")
    report: dict[str, Any] = json.loads(output)
    del report["summary"]["seconds"], report["summary"]["cached_files"]
    return report


def test_a_writer_is_killed_at_any_moment(tmp_path: Path) -> None:
    """What it had written is right or not there, the file is sound, and nobody has to mend anything."""
    file = tmp_path / "cache.sqlite"
    moments = random.Random(7)
    for _ in range(3 * ROUNDS):
        command = [sys.executable, "-c", WRITER, str(file)]
        writer = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        writer.kill()
        writer.communicate()
        store = Store(file)
        found = {number: store.get("kind", b"%d" % number) for number in range(40)}
        store.close()
        assert store.problem is None
        assert {number: value for number, value in found.items() if value not in {None, b"%d" % number * 20_000}} == {}
    with sqlite3.connect(file) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    database.close()


def test_a_review_is_killed_at_any_moment(project: Path, tmp_path: Path) -> None:
    """The next one, over files that have changed since, reports what a review without a cache does."""
    moments = random.Random(11)
    began = time.monotonic()
    told(started(project, tmp_path / "cache"))
    length = time.monotonic() - began
    for number in range(ROUNDS):
        with (project / "shop_api" / "main.py").open("a") as text:
            text.write(f"\n\nasync def extra{number}():\n    time.sleep({number})\n")
        victim = started(project, tmp_path / "cache")
        time.sleep(moments.uniform(length / 3, length))
        victim.kill()
        victim.communicate()
        assert victim.returncode in {-signal.SIGKILL, 1}
        assert told(started(project, tmp_path / "cache")) == told(started(project, None))


def test_several_reviews_at_once(project: Path, tmp_path: Path) -> None:
    """Each reports what it would alone, and none has to complain of the others."""
    alone = told(started(project, None))
    together = [started(project, tmp_path / "cache") for _ in range(4)]
    assert [told(process) for process in together] == [alone] * 4
    assert told(started(project, tmp_path / "cache")) == alone


def test_a_damaged_cache_is_told_and_mended(project: Path, tmp_path: Path) -> None:
    """Once each: bytes that were overwritten, a file cut short, and one of something else."""
    alone = told(started(project, None))
    told(started(project, tmp_path / "cache"))
    file = tmp_path / "cache" / "cache-1.sqlite"
    sound = file.read_bytes()
    middle = len(sound) // 2
    for content in (sound[:middle] + bytes(8192) + sound[middle + 8192 :], sound[:middle], b"something else" * 1000):
        file.write_bytes(content)
        hurt = told(started(project, tmp_path / "cache"))
        assert [note.startswith(f"the cache {file} ") for note in hurt.pop("notes")] in ([True], [])
        assert hurt == {key: value for key, value in alone.items() if key != "notes"}
        assert told(started(project, tmp_path / "cache")) == alone
