"""`asyncvet check --watch`, as a process of its own."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.commands import run

SLEEPS = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
WAITING = "Watching; Ctrl-C ends it.\n"


class Watcher:
    """A running `asyncvet check --watch`, whose output is gathered."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "asyncvet", "check", "--watch"]
        environment = {**os.environ, "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next_check(self) -> list[str]:
        """What the next check says, up to the line that tells of the wait."""
        lines: list[str] = []
        while True:
            line = self._lines.get(timeout=30)
            if line == WAITING:
                return lines
            lines.append(line)

    def rest(self) -> str:
        """What is left when the process has ended."""
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return "".join(lines)


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    (tmp_path / "app.py").write_text(SLEEPS)
    started = Watcher(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()
    assert started.process.stdout is not None
    started.process.stdout.close()


def save(file: Path, text: str, until: Watcher) -> list[str]:
    """Save a file, again if the watch had not yet begun, and give what the check after it says."""
    lines: list[str] = []
    for _ in range(3):
        time.sleep(0.3)
        file.write_text(text)
        try:
            lines = until.next_check()
            break
        except queue.Empty:
            continue
    return lines


def test_it_checks_again_when_something_is_saved_and_ends_cleanly(watcher: Watcher, tmp_path: Path) -> None:
    assert watcher.next_check()[0] == "app.py:5:5: AV101 blocking-call critical\n"
    assert save(tmp_path / "app.py", "x = 1\n", watcher)[0] == "No findings\n"
    broken = save(tmp_path / "asyncvet.toml", "jbos = 1\n", watcher)
    assert broken == [f"asyncvet: error: {tmp_path}/asyncvet.toml: there is no setting `jbos`; did you mean `jobs`?\n"]
    assert save(tmp_path / "asyncvet.toml", "jobs = 1\n", watcher)[0] == "No findings\n"
    (tmp_path / "notes.txt").write_text("nothing to do with it")
    assert save(tmp_path / "new.py", SLEEPS, watcher)[0] == "new.py:5:5: AV101 blocking-call critical\n"
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.process.wait(timeout=30) == 1
    assert watcher.rest() == "\n"


def test_without_the_library_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    message = "asyncvet: error: `--watch` needs watchfiles; install it by `pip install 'asyncvet[watch]'`\n"
    assert run(capsys, "check", "--watch") == (2, "", message)


def test_a_path_that_does_not_exist_is_not_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "check", "--watch", "nowhere") == (2, "", "asyncvet: error: nowhere: there is no such file or folder\n")


def test_standard_input_cannot_be_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    message = "`--watch` checks again and again, and standard input can be read only once; give `--diff` a file"
    assert run(capsys, "check", "--watch", "--diff", "-") == (2, "", f"asyncvet: error: {message}\n")
