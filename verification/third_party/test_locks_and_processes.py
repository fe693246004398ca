"""Locks on files wait while another process holds them, and what runs a program or watches one waits for it."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fasteners
import filelock
import git
import portalocker
import psutil
import pytest
import tenacity
import tenacity.nap

from verification.observing import observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import HOST, SilentListener

SECONDS = 0.2


class Holder:
    """A process that has locked a file, by `flock` or by the locks of POSIX."""

    def __init__(self, file: Path, function: str = "flock") -> None:
        self.file = file
        script = (
            f"import fcntl, sys; file = open({str(file)!r}, 'a+'); fcntl.{function}(file, fcntl.LOCK_EX); "
            "print('held', flush=True); sys.stdin.read()"
        )
        self._process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def release(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Holder]:
    """A file that another process has locked by `flock`."""
    holder = Holder(tmp_path / "lock")
    yield holder
    holder.release()


@pytest.fixture
def held_by_posix(tmp_path: Path) -> Iterator[Holder]:
    """A file that another process has locked by the locks of POSIX."""
    holder = Holder(tmp_path / "posix", "lockf")
    yield holder
    holder.release()


@exercises("filelock.BaseFileLock.acquire", "filelock.BaseFileLock.__enter__")
@pytest.mark.parametrize("acquire", [lambda lock: lock.acquire(), lambda lock: lock.__enter__()])
def test_filelock(acquire: Callable[[filelock.FileLock], object], held: Holder) -> None:
    lock = filelock.FileLock(held.file, thread_local=False)
    observe_wait(lambda: acquire(lock), held.release)
    observe_no_wait(lock.release)


@exercises("filelock.BaseFileLock.acquire", aspect="bound")
def test_filelock_is_bounded(held: Holder) -> None:
    observe_bound(lambda: filelock.FileLock(held.file).acquire(SECONDS), SECONDS, raises=filelock.Timeout)


@exercises("filelock.BaseFileLock.acquire", aspect="blocking=False")
@exercises("filelock.BaseFileLock.acquire", aspect="timeout=0")
@exercises("filelock.BaseFileLock.acquire", "filelock.BaseFileLock.__enter__", aspect="constructor blocking=False")
@exercises("filelock.BaseFileLock.acquire", "filelock.BaseFileLock.__enter__", aspect="constructor timeout=0")
@pytest.mark.parametrize(
    "acquire",
    [
        lambda file: filelock.FileLock(file).acquire(blocking=False),
        lambda file: filelock.FileLock(file).acquire(timeout=0),
        lambda file: filelock.FileLock(file, blocking=False).acquire(),
        lambda file: filelock.FileLock(file, timeout=0).acquire(),
        lambda file: filelock.FileLock(file, blocking=False).__enter__(),
        lambda file: filelock.FileLock(file, timeout=0).__enter__(),
    ],
)
def test_filelock_without_a_wait(acquire: Callable[[Path], object], held: Holder) -> None:
    error = observe_no_wait(lambda: acquire(held.file), raises=filelock.Timeout)
    assert isinstance(error, filelock.Timeout)


@exercises("filelock.BaseFileLock.release", aspect=HARMLESS)
def test_filelock_is_released_at_once(tmp_path: Path) -> None:
    lock = filelock.FileLock(tmp_path / "lock", thread_local=False)
    lock.acquire()
    observe_no_wait(lock.release)


@exercises("filelock.AsyncFileLock.acquire", aspect=AWAITS)
def test_async_filelock(held: Holder) -> None:
    async def acquire() -> None:
        async with filelock.AsyncFileLock(held.file):
            pass

    observe_await(acquire, held.release)


@exercises("portalocker.Lock.acquire", "portalocker.Lock.__enter__", "portalocker.RLock.acquire")
@pytest.mark.parametrize(
    "acquire",
    [
        lambda file: portalocker.Lock(file, timeout=60).acquire(),
        lambda file: portalocker.Lock(file, timeout=60).__enter__(),
        lambda file: portalocker.RLock(file, timeout=60).acquire(),
    ],
)
def test_portalocker(acquire: Callable[[Path], object], held: Holder) -> None:
    observe_wait(lambda: acquire(held.file), held.release)


@exercises("portalocker.Lock.acquire", aspect="bound")
def test_portalocker_is_bounded(held: Holder) -> None:
    observe_bound(lambda: portalocker.Lock(held.file).acquire(SECONDS), SECONDS, raises=portalocker.LockException)


LOCKS = "fasteners.InterProcessReaderWriterLock"


@exercises("fasteners.InterProcessLock.acquire", "fasteners.InterProcessLock.__enter__")
@exercises(f"{LOCKS}.read_lock", f"{LOCKS}.write_lock", f"{LOCKS}.acquire_read_lock", f"{LOCKS}.acquire_write_lock")
@pytest.mark.parametrize(
    "acquire",
    [
        lambda file: fasteners.InterProcessLock(file).acquire(),
        lambda file: fasteners.InterProcessLock(file).__enter__(),
        lambda file: fasteners.InterProcessReaderWriterLock(file).read_lock().__enter__(),
        lambda file: fasteners.InterProcessReaderWriterLock(file).write_lock().__enter__(),
        lambda file: fasteners.InterProcessReaderWriterLock(file).acquire_read_lock(),
        lambda file: fasteners.InterProcessReaderWriterLock(file).acquire_write_lock(),
    ],
)
def test_fasteners(acquire: Callable[[Path], object], held_by_posix: Holder) -> None:
    observe_wait(lambda: acquire(held_by_posix.file), held_by_posix.release)


@exercises("fasteners.InterProcessLock.acquire", f"{LOCKS}.acquire_read_lock", f"{LOCKS}.acquire_write_lock", aspect="bound")
@exercises(
    "fasteners.InterProcessLock.acquire", f"{LOCKS}.acquire_read_lock", f"{LOCKS}.acquire_write_lock", aspect="blocking=False"
)
@pytest.mark.parametrize(
    "acquire",
    [
        lambda file: fasteners.InterProcessLock(file).acquire,
        lambda file: fasteners.InterProcessReaderWriterLock(file).acquire_read_lock,
        lambda file: fasteners.InterProcessReaderWriterLock(file).acquire_write_lock,
    ],
)
def test_fasteners_is_bounded(acquire: Callable[[Path], Callable[..., bool]], held_by_posix: Holder) -> None:
    assert observe_bound(lambda: acquire(held_by_posix.file)(timeout=SECONDS), SECONDS) is False
    assert observe_no_wait(lambda: acquire(held_by_posix.file)(blocking=False)) is False


CPU = ("psutil.cpu_percent", "psutil.cpu_times_percent", "psutil.Process.cpu_percent")
MEASURES = [psutil.cpu_percent, psutil.cpu_times_percent, psutil.Process().cpu_percent]


@exercises(*CPU)
@exercises(*CPU, aspect="bound")
@pytest.mark.parametrize("measure", MEASURES)
def test_psutil_measures(measure: Callable[..., object]) -> None:
    observe_bound(lambda: measure(interval=SECONDS), SECONDS)
    observe_wait(lambda: measure(SECONDS), lambda: None)


@exercises(*CPU, aspect="interval present")
@exercises(*CPU, aspect="interval is None")
@exercises(*CPU, aspect="interval=0")
@exercises(*CPU, aspect="interval=0.0")
@pytest.mark.parametrize("arguments", [(), (None,), (0,), (0.0,)])
@pytest.mark.parametrize("measure", MEASURES)
def test_psutil_without_an_interval(measure: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """Without an interval, or one of nothing, the measure sleeps not even once."""
    slept = _slept(lambda: measure(*arguments))
    assert slept == []


def _slept(call: Callable[[], object]) -> list[float]:
    slept: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", slept.append)
        call()
    return slept


@pytest.fixture
def program() -> Iterator[psutil.Popen]:
    """A program that runs until it is ended."""
    program = psutil.Popen(["sleep", "600"])
    yield program
    if program.is_running():
        program.kill()
    program.wait()


@exercises("psutil.Process.wait", "psutil.wait_procs")
@pytest.mark.parametrize("wait", [lambda process: process.wait(), lambda process: psutil.wait_procs([process])])
def test_psutil_waits(wait: Callable[[psutil.Process], object], program: psutil.Popen) -> None:
    observe_wait(lambda: wait(psutil.Process(program.pid)), program.kill)


@exercises("psutil.Process.wait", "psutil.wait_procs", aspect="bound")
@exercises("psutil.Process.wait", "psutil.wait_procs", aspect="timeout=0")
@pytest.mark.parametrize("wait", [psutil.Process.wait, lambda process, seconds: psutil.wait_procs([process], seconds)])
def test_psutil_is_bounded(wait: Callable[[psutil.Process, float], object], program: psutil.Popen) -> None:
    process = psutil.Process(program.pid)
    observe_bound(lambda: wait(process, SECONDS), SECONDS, raises=psutil.TimeoutExpired)
    observe_no_wait(lambda: wait(process, 0), raises=psutil.TimeoutExpired)


@pytest.fixture
def repository(tmp_path: Path, silent: SilentListener) -> git.Repo:
    """A repository with one commit, whose remote `origin` says nothing."""
    repository = git.Repo.init(tmp_path / "repository")
    with repository.config_writer() as config:
        config.set_value("user", "name", "name").set_value("user", "email", "a@example.org")
    repository.index.commit("first")
    repository.create_remote("origin", f"git://{HOST}:{silent.port}/name")
    return repository


@exercises("git.Repo.clone_from", "git.Remote.fetch", "git.Git.*")
@pytest.mark.parametrize(
    "ask",
    [
        lambda repository: git.Repo.clone_from(repository.remote("origin").url, Path(repository.working_dir) / "clone"),
        lambda repository: repository.remote("origin").fetch(),
        lambda repository: repository.git.ls_remote("origin"),
    ],
    ids=["clone_from", "fetch", "ls_remote"],
)
def test_gitpython(ask: Callable[[git.Repo], object], repository: git.Repo, silent: SilentListener) -> None:
    observe_wait(lambda: ask(repository), silent.close, raises=git.GitCommandError)


@exercises("git.Repo.remote", "git.Repo.commit", "git.Repo.create_head", "git.Repo.close", aspect=HARMLESS)
def test_gitpython_runs_nothing(repository: git.Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """These read files of the repository themselves: they work without the program."""

    def use() -> None:
        repository.remote("origin")
        repository.commit()
        repository.create_head("name")
        repository.close()

    monkeypatch.setattr(git.Git, "GIT_PYTHON_GIT_EXECUTABLE", "/nowhere/git")
    observe_no_wait(use)


@exercises("tenacity.Retrying.__iter__", "tenacity.nap.sleep")
@pytest.mark.parametrize("sleep", ["retrying", "nap"])
def test_tenacity(sleep: str) -> None:
    def retry() -> None:
        attempts = tenacity.Retrying(wait=tenacity.wait_fixed(SECONDS), stop=tenacity.stop_after_attempt(2), reraise=True)
        for attempt in attempts:
            with attempt:
                raise LookupError

    call: Callable[[], Any] = retry if sleep == "retrying" else lambda: tenacity.nap.sleep(SECONDS)
    observe_wait(call, lambda: None, raises=LookupError)
    observe_bound(call, SECONDS, raises=LookupError)
