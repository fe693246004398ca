"""Read files into facts, in several processes where that pays."""

from __future__ import annotations

import contextlib
import heapq
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from pathlib import Path

import msgspec

from asyncvet.engine.cache import FactsCache
from asyncvet.engine.collector import uncollected
from asyncvet.engine.contents import Seen, look
from asyncvet.engine.discovery import Discovery, SourceFile
from asyncvet.facts import codec, extract
from asyncvet.facts.tree import ModuleFacts
from asyncvet.model import ReadError

Progress = Callable[[int], None]
"""Told how many more files are done."""

Outcome = tuple[Seen, bytes] | str
"""What a process gives back for a file: how it found it and its encoded facts, or why there are none."""

WORTH_PROCESSES = 1_000_000
"""Bytes of source from which on several processes are faster than one."""

CHUNK = 200_000
"""Bytes of source that a process reads at a time: about a quarter of a second, so that an interrupt is heeded soon."""

LARGEST = 20_000_000
"""Bytes of the largest file that is read unless it is named. Measured at 10 MB: 1.3 GB of memory, 8 s for 200,000 lines."""


class Reading(msgspec.Struct, frozen=True):
    """Facts of the files that could be read, by path in sorted order, and what could not be read."""

    modules: dict[str, ModuleFacts]
    errors: tuple[ReadError, ...]


def read(discovery: Discovery, jobs: int, progress: Progress, cache: FactsCache | None = None) -> Reading:
    """Read all files. The result does not depend on the number of processes, nor on what the cache knows.

    Args:
        discovery: The files.
        jobs: Number of processes; 0 means as many as there are processors to use.
        progress: Called after each file or chunk of files.
        cache: Where facts are kept; None means nowhere.
    """
    modules: dict[str, ModuleFacts] = {}
    errors = list(discovery.errors)
    files = []
    for file in discovery.files:
        if file.size > LARGEST and not file.is_named:
            reason = f"{file.size / 1e6:.0f} MB of source may take more memory than there is"
            errors.append(ReadError(file.path, None, f"skipped, as {reason}; name the file itself to have it read"))
        else:
            files.append(file)
    for path, facts in _facts(_Folder(discovery.base, cache or FactsCache()), files, jobs or _processors(), progress):
        if isinstance(facts, str):
            errors.append(ReadError(path, None, facts))
        else:
            modules[path] = facts
            errors += [ReadError(path, part.line, part.message) for part in facts.broken]
    errors.sort(key=lambda error: (error.path, error.line or 0, error.message))
    return Reading(dict(sorted(modules.items())), tuple(errors))


class _Folder(msgspec.Struct):
    """Where the files are, and what is known of them."""

    base: Path
    cache: FactsCache

    def file(self, path: str) -> str:
        return os.path.join(self.base, path)  # noqa: PTH118  # made for each file, and a Path takes longer to make


def _facts(
    folder: _Folder, files: Sequence[SourceFile], jobs: int, progress: Progress
) -> Iterator[tuple[str, ModuleFacts | str]]:
    unknown = []
    for file in files:
        known = folder.cache.known(folder.file(file.path))
        if known is None:
            unknown.append(file)
        else:
            yield file.path, known
            progress(1)
    if jobs > 1 and sum(file.size for file in unknown) > WORTH_PROCESSES and not multiprocessing.current_process().daemon:
        for path, outcome in _read_in_processes(folder, unknown, jobs, progress):
            if isinstance(outcome, str):
                yield path, outcome
            else:
                folder.cache.keep(folder.file(path), *outcome)
                yield path, codec.decode(outcome[1])
        return
    for file in unknown:
        yield file.path, _read_here(folder, file.path)
        progress(1)


def _read_here(folder: _Folder, path: str) -> ModuleFacts | str:
    outcome = _read_file(folder.file(path))
    if isinstance(outcome, str):
        return outcome
    seen, facts = outcome
    folder.cache.keep(folder.file(path), seen, facts)
    return facts


def _read_file(file: str) -> tuple[Seen, ModuleFacts] | str:
    """The facts of one file, or why there are none."""
    try:
        seen, content = look(file)
        return seen, extract(content)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except Exception as error:  # one file must not end the review of all others
        return f"asyncvet failed on this file, which is a fault of asyncvet: {type(error).__name__}: {error}"


def _read_chunk(files: Sequence[str]) -> list[Outcome]:
    """What a worker process does. It stands at the top of a module so that a spawned process finds it."""
    with uncollected():
        outcomes = map(_read_file, files)
        return [outcome if isinstance(outcome, str) else (outcome[0], codec.encode(outcome[1])) for outcome in outcomes]


def _read_in_processes(
    folder: _Folder, files: Sequence[SourceFile], jobs: int, progress: Progress
) -> Iterator[tuple[str, Outcome]]:
    lost: list[SourceFile] = []
    chunks = _chunks(files)
    pool = _pool(min(jobs, len(chunks)))
    try:
        with _interrupts_held():
            waiting = {pool.submit(_read_chunk, [folder.file(file.path) for file in chunk]): chunk for chunk in chunks}
        for future in as_completed(list(waiting)):
            chunk = waiting.pop(future)
            try:
                yield from zip((file.path for file in chunk), future.result(), strict=True)
                progress(len(chunk))
            except BrokenProcessPool:
                lost += chunk
    finally:  # after an interrupt no chunk is begun any more
        pool.shutdown(cancel_futures=True)
    yield from _retry(folder, lost, progress)


def _retry(folder: _Folder, files: Sequence[SourceFile], progress: Progress) -> Iterator[tuple[str, Outcome]]:
    """Read one by one, after a process died, the files that it may have died of."""
    waiting = sorted(files)
    while waiting:
        with _pool(1) as pool:
            for index, file in enumerate(waiting):  # noqa: B007  # the index is where the pool broke
                try:
                    with _interrupts_held():
                        future = pool.submit(_read_chunk, [folder.file(file.path)])
                    yield file.path, future.result()[0]
                except BrokenProcessPool:
                    yield file.path, "the process that read this file died: it may be nested too deeply, or take too much memory"
                    break
                finally:
                    progress(1)
        waiting = waiting[index + 1 :]


def _chunks(files: Sequence[SourceFile]) -> list[list[SourceFile]]:
    """Chunks of about the same number of bytes, the one with the largest files first."""
    count = max(1, sum(file.size for file in files) // CHUNK)
    chunks: list[list[SourceFile]] = [[] for _ in range(count)]
    lightest = [(0, index) for index in range(count)]
    for file in sorted(files, key=lambda file: (-file.size, file.path)):
        size, index = lightest[0]
        chunks[index].append(file)
        heapq.heapreplace(lightest, (size + file.size, index))
    return [chunk for chunk in chunks if chunk]


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """An interrupt from the keyboard reaches every process of the terminal; the first one alone answers to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep an interrupt back while processes are forked: Python drops what is raised in the hooks that it runs around a fork."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> BaseContext:
    """Fork starts at once and needs no importable main module, but is safe only where it is native and there are no threads."""
    is_safe = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if is_safe else "spawn")


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
