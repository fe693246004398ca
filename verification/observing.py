"""Ways to see that a call blocks, or that it does not. Each raises `NotObservedError` where it sees otherwise.

=========================  =======================================================================================
`observe_wait`             While nobody answers, the calling thread sleeps inside the call; once somebody does, it returns.
`observe_no_wait`          It returns though nobody answers.
`observe_bound`            Though nobody answers it returns after the seconds that its argument says, and not before.
`observe_kernel`           The calling thread stands in a system call for as long as the kernel does not answer it: about a file
                           (``at``: this file or what lies under this directory), or of a kind (``through``: a new process, a program).
`observe_kernel_after`     The same, of a call whose receiver is made in the same process: a database, a pool.
`observe_no_kernel`        It makes no system call about files at all.
`observe_computation`      The processor time that the calling thread uses grows with the size of what it is given.
`isolated`                 Runs any of these in a process of its own, which is ended afterwards with all that it started.
=========================  =======================================================================================

Nothing is replaced by a stand-in: locks are held by real threads, sockets have real peers on the loopback interface, files lie on
the disk, programs are programs.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from verification.kernel import PATIENCE, SystemCall, hold_calls

BOUND = 0.05
"""Seconds for which a call must stand before it is said to block."""

Call = Callable[[], object]
Errors = type[BaseException] | tuple[type[BaseException], ...]

NEW_PROCESS = ("fork", "vfork", "clone", "clone3", "execve", "execveat")


class NotObservedError(AssertionError):
    """The call did not do what it was to be seen doing."""


class _Caller(threading.Thread):
    """Makes one call, in a thread of its own."""

    def __init__(self, call: Call) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.entered = threading.Event()
        self.left = threading.Event()
        self.result: object = None
        self.error: BaseException | None = None
        self.start()
        self.entered.wait()

    def run(self) -> None:
        self.entered.set()
        try:
            self.result = self._call()
        except BaseException as error:  # whatever it is, the observer tells it
            self.error = error
        finally:
            self.left.set()

    def is_asleep(self) -> bool:
        """Whether the kernel has put the thread to sleep."""
        stat = Path(f"/proc/self/task/{self.native_id}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] in "SD"

    def processor_time(self) -> float:
        """Seconds of processor time that the thread has used."""
        schedule = Path(f"/proc/self/task/{self.native_id}/schedstat").read_text(encoding="utf-8")
        return int(schedule.split()[0]) / 1e9

    def outcome(self, raises: Errors = ()) -> Any:  # noqa: ANN401 - whatever the call gives
        """What the call gave, once it has returned; its error if `raises` names it."""
        if self.error is not None and not isinstance(self.error, raises):
            raise NotObservedError(f"the call failed: {self.error!r}") from self.error
        return self.result if self.error is None else self.error


def observe_wait(call: Call, release: Call, *, bound: float = BOUND, raises: Errors = ()) -> Any:  # noqa: ANN401 - whatever it gives
    """See that `call` sleeps until `release`, made by this thread, lets it go on. Errors of `raises` end it as well as a result.

    Returns:
        What the call gave.
    """
    caller = _Caller(call)
    deadline = time.monotonic() + PATIENCE
    while True:
        if caller.left.is_set():
            caller.outcome()
            raise NotObservedError(f"the call returned {caller.result!r} before anybody answered")
        if _stands(caller, bound):
            break
        if time.monotonic() > deadline:
            raise NotObservedError("the thread never slept in the call")
    release()
    if not caller.left.wait(PATIENCE):
        raise NotObservedError("the call did not return after it was released")
    return caller.outcome(raises)


def _stands(caller: _Caller, bound: float) -> bool:
    """Whether the thread is asleep in the call at the end of `bound` seconds, and has worked for less than half of them."""
    used = caller.processor_time() if not caller.left.is_set() else 0.0
    if caller.left.wait(bound):
        return False
    try:
        return caller.is_asleep() and caller.processor_time() - used < bound / 2 and not caller.left.is_set()
    except FileNotFoundError:
        return False  # it has ended just now


def observe_no_wait(call: Call, *, raises: Errors = ()) -> Any:  # noqa: ANN401 - whatever it gives
    """See that `call` returns though nobody answers; give what it gave, or its error if `raises` names it."""
    caller = _Caller(call)
    if not caller.left.wait(PATIENCE):
        raise NotObservedError(f"the call still waits after {PATIENCE} s")
    return caller.outcome(raises)


def observe_bound(call: Call, seconds: float, *, raises: Errors = ()) -> Any:  # noqa: ANN401 - whatever it gives
    """See that `call`, told to wait for `seconds` at most, returns after them though nobody answers."""
    start = time.monotonic()
    result = observe_no_wait(call, raises=raises)
    elapsed = time.monotonic() - start
    if elapsed < seconds * 0.9:
        raise NotObservedError(f"the call returned after {elapsed:.3f} s, its bound is {seconds} s")
    return result


def observe_kernel(call: Call, *, at: Path | None = None, through: Collection[str] = ()) -> list[SystemCall]:
    """See that `call` stands in a system call until the kernel answers: one about a file at `at`, or one of the names `through`.

    It runs in a forked child, so what it does to the memory of this process is not seen here. Threads are not copied.
    """
    return observe_kernel_after(lambda: call, at=at, through=through)


def observe_kernel_after(make: Callable[[], Call], *, at: Path | None = None, through: Collection[str] = ()) -> list[SystemCall]:
    """The same of the call that `make` gives; what `make` itself does, in the forked child too, is not counted."""

    def matters(made: SystemCall) -> bool:
        return made.name in through or (at is not None and any(path == at or at in path.parents for path in made.paths))

    if not (seen := hold_calls(make, matters)):
        raise NotObservedError(f"the call made no system call {f'about {at}' if at else f'among {sorted(through)}'}")
    return seen


def observe_no_kernel(make: Callable[[], Call]) -> None:
    """See that the call that `make` gives makes no system call about a file, and starts no process."""
    if seen := hold_calls(make, lambda _: True):
        raise NotObservedError(f"the call made system calls: {seen[:5]}")


def observe_computation(call: Callable[[int], object], size: int, *, growth: int = 8, at_least: float = 0.01) -> None:
    """See that `call` uses the processor for longer, the larger the size that it is given.

    `growth` times the `size` must take `growth / 4` times the processor time of the calling thread, and `at_least` seconds.
    """
    call(size)  # imports, buffers
    small, large = _processor_time(call, size), _processor_time(call, size * growth)
    if large < small * growth / 4 or large < at_least:
        raise NotObservedError(f"size {size} took {small:.4f} s of processor time, size {size * growth} took {large:.4f} s")


def _processor_time(call: Callable[[int], object], size: int) -> float:
    start = time.thread_time()
    call(size)
    return time.thread_time() - start


def isolated(function: Call, *, seconds: float = 2 * PATIENCE) -> None:
    """Run `function` in a forked child and end the child with all its processes; raise what it raised, as text, or skip as it did."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run_isolated(function, writer)
    os.close(writer)
    try:
        told = _told(reader, time.monotonic() + seconds)
    finally:
        os.close(reader)
        _end_group(child)
        os.waitpid(child, 0)
    verdict, _, text = told.partition(":")
    if verdict == "skipped":
        pytest.skip(text)
    if verdict != "seen":
        raise NotObservedError(text or f"no verdict within {seconds} s, or the process ended without one")


def _run_isolated(function: Call, writer: int) -> None:
    verdict = "seen:"
    try:
        os.setsid()
        die_with_parent()
        warnings.simplefilter("ignore")  # forking beside threads is what some cases are about
        function()
    except pytest.skip.Exception as skip:
        verdict = f"skipped:{skip.msg}"
    except NotObservedError as error:
        verdict = f"failed:{error}"
    except BaseException:  # whatever it is, the parent tells it
        verdict = f"failed:{traceback.format_exc()[-8000:]}"
    finally:
        os.write(writer, verdict.encode())
        os._exit(0)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends, however that comes."""
    parent_death_signal = 1
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL, 0, 0, 0)


def _told(reader: int, deadline: float) -> str:
    """The child's verdict. Its own children may hold the pipe open, so it is read once and not to its end."""
    ready = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]
    return os.read(reader, 65_536).decode(errors="replace") if ready else ""


def _end_group(child: int) -> None:
    for target in (-child, child):
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:
            continue
