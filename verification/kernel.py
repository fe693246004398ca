"""Holds a thread inside its system calls, as a disk or a network share does that is slow to answer.

The call under observation runs in a forked child under a seccomp filter: the kernel stops the thread at each system call of the table
below and asks a supervisor, the parent, which says how long the wait is. So what is seen is no count and no guess: the thread
stands in the system call, on this file, until the supervisor answers. A call that makes no system call of these cannot be held.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import platform
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

HOLD = 0.02
"""Seconds for which the first system call that matters is held."""

PATIENCE = 30.0
"""Seconds after which a call that still has not returned is given up."""

# Name, number on x86_64, number on aarch64 (- where there is none), what its arguments are: d descriptor, p path, _ something else;
# dp a path relative to a descriptor.
_TABLE = """
open 2 - p
openat 257 56 dp
creat 85 - p
read 0 63 d
pread64 17 67 d
readv 19 65 d
preadv 295 69 d
preadv2 327 286 d
write 1 64 d
pwrite64 18 68 d
writev 20 66 d
pwritev 296 70 d
pwritev2 328 287 d
fsync 74 82 d
fdatasync 75 83 d
sync 162 81 -
msync 26 227 -
sendfile 40 71 dd
copy_file_range 326 285 d_d
splice 275 76 d_d
truncate 76 45 p
ftruncate 77 46 d
fallocate 285 47 d
getdents 78 - d
getdents64 217 61 d
stat 4 - p
lstat 6 - p
fstat 5 80 d
newfstatat 262 79 dp
statx 332 291 dp
statfs 137 43 p
fstatfs 138 44 d
access 21 - p
faccessat 269 48 dp
faccessat2 439 439 dp
readlink 89 - p
readlinkat 267 78 dp
mkdir 83 - p
mkdirat 258 34 dp
rmdir 84 - p
unlink 87 - p
unlinkat 263 35 dp
rename 82 - pp
renameat 264 38 dpdp
renameat2 316 276 dpdp
chmod 90 - p
fchmod 91 52 d
fchmodat 268 53 dp
fchmodat2 452 452 dp
chown 92 - p
lchown 94 - p
fchown 93 55 d
fchownat 260 54 dp
utime 132 - p
utimes 235 - p
utimensat 280 88 dp
symlink 88 - _p
symlinkat 266 36 _dp
link 86 - pp
linkat 265 37 dpdp
mknod 133 - p
mknodat 259 33 dp
getxattr 191 8 p
lgetxattr 192 9 p
fgetxattr 193 10 d
setxattr 188 5 p
lsetxattr 189 6 p
fsetxattr 190 7 d
listxattr 194 11 p
llistxattr 195 12 p
flistxattr 196 13 d
removexattr 197 14 p
lremovexattr 198 15 p
fremovexattr 199 16 d
execve 59 221 p
execveat 322 281 dp
fork 57 - -
vfork 58 - -
clone 56 220 -
clone3 435 435 -
connect 42 203 -
"""

_CLONE_THREAD = 0x10000
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1


class SystemCall(NamedTuple):
    """One system call of a thread under observation: its name, the files it is about, and its place in `process`."""

    name: str
    paths: tuple[Path, ...]
    process: int


class _Entry(NamedTuple):
    name: str
    number: int
    arguments: str


def why_unsupported() -> str:
    """Why this machine cannot hold system calls; empty if it can."""
    if not sys.platform.startswith("linux") or platform.machine() not in _SECCOMP:
        return "holding system calls needs Linux on x86_64 or aarch64"
    try:
        hold_calls(lambda: Path("/").stat, lambda call: call.paths == (Path("/"),))
    except OSError as error:
        return f"holding system calls needs seccomp's user notification: {error}"
    return ""


def _entries() -> Iterator[_Entry]:
    column = 1 if platform.machine() == "x86_64" else 2
    for line in _TABLE.split("\n"):
        if (fields := line.split()) and fields[column] != "-":
            yield _Entry(fields[0], int(fields[column]), fields[3])


def hold_calls(make: Callable[[], Callable[[], object]], matters: Callable[[SystemCall], bool]) -> list[SystemCall]:
    """Run the call that `make` gives, both in a forked child, and hold the first of its system calls that matters for `HOLD` seconds.

    Returns:
        The system calls that mattered, first one first; none if the call made none.

    Raises:
        OSError: The kernel refuses the filter.
        AssertionError: The call failed, returned while it was held, or did not return.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = os.fork()
        if child == 0:
            _run_filtered(make, theirs)
        theirs.close()
        try:
            return _supervise(ours, matters)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _run_filtered(make: Callable[[], Callable[[], object]], supervisor: socket.socket) -> None:
    """Put this process under the filter, hand the supervisor the other end of it, run the call and never return."""
    outcome = b"returned"
    try:
        call = make()
        gc.collect()  # what a collection would close is none of the call's doing
        gc.disable()
        listener = _install_filter()
        socket.send_fds(supervisor, [b"entered"], [listener])
        os.close(listener)
        call()
    except BaseException:  # whatever it is, the supervisor tells it
        outcome = traceback.format_exc()[-8000:].encode()
    finally:
        supervisor.send(outcome)
        os._exit(0)


def _install_filter() -> int:
    """Ask the kernel to notify us of the system calls of the table; gives the descriptor to listen on."""
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = [entry.number for entry in _entries()]
    load, allow, notify = (0x20, 0, 0, 0), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x7FC00000)
    tests = [(0x15, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in [load, *tests, allow, notify]))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(numbers) + 3, ctypes.addressof(code)))
    no_new_privileges, set_filter, new_listener = 38, 1, 8
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) == 0:
        listener: int = libc.syscall(_SECCOMP[platform.machine()], set_filter, new_listener, program)
        if listener >= 0:
            return listener
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _supervise(child: socket.socket, matters: Callable[[SystemCall], bool]) -> list[SystemCall]:
    message, descriptors, _, _ = socket.recv_fds(child, 8192, 1)
    if not descriptors:
        raise OSError(message.decode())
    (listener,) = descriptors
    names = {entry.number: entry for entry in _entries()}
    seen: list[SystemCall] = []
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            ready = select.select([child.fileno(), listener], [], [], max(0.0, deadline - time.monotonic()))[0]
            if child.fileno() in ready:
                outcome = child.recv(8192).decode()
                assert outcome == "returned", f"the call failed: {outcome}"
                return seen
            assert ready, f"the call did not return within {PATIENCE} s; it made {seen}"
            _answer(listener, names, child, matters, seen)
    finally:
        os.close(listener)


def _answer(
    listener: int,
    names: dict[int, _Entry],
    child: socket.socket,
    matters: Callable[[SystemCall], bool],
    seen: list[SystemCall],
) -> None:
    """Take one system call, hold it if it is the first that matters, and let it go on."""
    buffer = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer)
        token, process, _, number, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        entry = names[number]
        call = SystemCall(entry.name, tuple(_paths(process, entry.arguments, arguments)), process)
        if not _starts_thread(entry.name, process, arguments) and matters(call):
            if not seen:
                time.sleep(HOLD)
                assert not select.select([child], [], [], 0)[0], f"the call returned while {call} was held"
            seen.append(call)
        fcntl.ioctl(listener, _SEND, bytearray(_ANSWER.pack(token, 0, 0, _CONTINUE)))
    except FileNotFoundError:
        return  # a signal or the end of the process took the system call away


def _paths(process: int, kinds: str, arguments: list[int]) -> Iterator[Path]:
    """The files that a system call is about, as the process that makes it sees them."""
    base = Path(f"/proc/{process}/cwd")
    for kind, previous, value in zip(kinds, f"_{kinds}", arguments, strict=False):
        if kind == "d":
            base = _descriptor(process, value)
            if f"{kinds}_"[kinds.index("d") + 1] != "p":
                yield _resolved(base)
        elif kind == "p":
            text = _string(process, value)
            start = base if previous == "d" else Path(f"/proc/{process}/cwd")
            yield _resolved(start) / text if text else _resolved(start)


def _descriptor(process: int, number: int) -> Path:
    at_cwd = number & 0xFFFFFFFF == 0xFFFFFF9C
    return Path(f"/proc/{process}/cwd") if at_cwd else Path(f"/proc/{process}/fd/{number & 0xFFFFFFFF}")


def _resolved(link: Path) -> Path:
    try:
        return link.readlink()
    except OSError:
        return Path("/nowhere")  # closed, or gone with its process


def _string(process: int, address: int) -> str:
    if address == 0:
        return ""
    try:
        with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(4096 - address % 4096).partition(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""


def _starts_thread(name: str, process: int, arguments: list[int]) -> bool:
    """Whether a clone makes a thread, which nobody waits for, and not a process."""
    if name == "clone":
        return bool(arguments[0] & _CLONE_THREAD)
    if name == "clone3":
        with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
            memory.seek(arguments[0])
            return bool(int.from_bytes(memory.read(8), sys.byteorder) & _CLONE_THREAD)
    return False
