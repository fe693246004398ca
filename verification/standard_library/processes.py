"""Other processes, signals, and the console."""

from __future__ import annotations

import ctypes.util
import fcntl
import importlib
import io
import os
import pdb
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from verification.observing import NEW_PROCESS, Call, observe_kernel
from verification.standard_library.registry import CASES, SECONDS, ends, on_disk, resolve, returns, waits

# --- programs ------------------------------------------------------------------------------------


def program(directory: Path) -> tuple[list[str], Call]:
    """The command of a program that ends when the second is called."""
    gate = directory / "gate"
    os.mkfifo(gate)
    return ["/bin/cat", str(gate)], lambda: gate.write_text("done\n")


def running(make: Callable[[list[str]], Call]) -> Callable[[Path], tuple[Call, Call]]:
    """The call that is made of a program's command, and the end of the program."""

    def setup(directory: Path) -> tuple[Call, Call]:
        command, end = program(directory)
        return make(command), end

    return setup


def bounded(name: str, make: Callable[[list[str]], Call], **kinds: Any) -> None:  # noqa: ANN401 - see `ends`
    """A case for a call that stops waiting for the program."""
    ends(name, lambda d: running(make)(d)[0], **kinds)


def popen(command: list[str]) -> subprocess.Popen[bytes]:
    """The program, running."""
    return subprocess.Popen(command, stdout=subprocess.PIPE)


EXPIRED = subprocess.TimeoutExpired

for _name in ("run", "call", "check_call", "check_output"):
    _start = resolve(f"subprocess.{_name}")
    waits(f"subprocess.{_name}", running(lambda command, start=_start: partial(start, command)))  # type: ignore[misc]
    bounded(
        f"subprocess.{_name}",
        lambda command, start=_start: partial(start, command, timeout=SECONDS),  # type: ignore[misc]
        raises=EXPIRED,
    )
for _name in ("subprocess.getoutput", "subprocess.getstatusoutput", "os.system"):
    waits(_name, running(lambda command, name=_name: partial(resolve(name), " ".join(command))))  # type: ignore[misc]
on_disk("subprocess.Popen", lambda _: partial(subprocess.Popen, ["/bin/true"]), through=NEW_PROCESS)

POPEN = "subprocess.Popen"
waits(f"{POPEN}.wait", running(lambda command: popen(command).wait))
waits(f"{POPEN}.communicate", running(lambda command: popen(command).communicate))
waits(f"{POPEN}.__exit__", running(lambda command: partial(subprocess.Popen(command).__exit__, None, None, None)))
returns(f"{POPEN}.wait", "timeout=0", lambda d: running(lambda command: partial(popen(command).wait, 0))(d)[0], raises=EXPIRED)
bounded(f"{POPEN}.wait", lambda command: partial(popen(command).wait, SECONDS), raises=EXPIRED)
bounded(f"{POPEN}.communicate", lambda command: partial(popen(command).communicate, timeout=SECONDS), raises=EXPIRED)

on_disk("os.popen", lambda _: partial(os.popen, "true"), through=NEW_PROCESS)
WRAPPED = "os._wrap_close"
waits(f"{WRAPPED}.close", running(lambda command: os.popen(" ".join(command), "w").close))
waits(f"{WRAPPED}.__exit__", running(lambda command: partial(os.popen(" ".join(command), "w").__exit__, None, None, None)))
waits(f"{WRAPPED}.__iter__", running(lambda command: partial(list, os.popen(" ".join(command)))))

# --- children ------------------------------------------------------------------------------------


def locked(directory: Path) -> tuple[Call, Call]:
    """A file that another process has locked, and the end of that process."""
    ready, may_end = os.pipe(), os.pipe()
    child = os.fork()
    file = os.open(directory / "file", os.O_RDWR)
    if child == 0:
        os.lockf(file, os.F_LOCK, 0)
        os.write(ready[1], b"locked")
        os.read(may_end[0], 1)
        os._exit(0)
    os.read(ready[0], 6)
    return partial(os.lockf, file, os.F_LOCK, 0), partial(os.write, may_end[1], b"!")


waits("os.lockf", locked)

CHILDREN: dict[str, Callable[[int], tuple[object, ...]]] = {
    "os.wait": lambda _: (),
    "os.wait3": lambda _: (0,),
    "os.waitid": lambda child: (os.P_PID, child, os.WEXITED),
    "os.waitpid": lambda child: (child, 0),
    "os.wait4": lambda child: (child, 0),
}
for _name, _arguments in CHILDREN.items():
    waits(
        _name,
        running(lambda command, name=_name, given=_arguments: partial(resolve(name), *given(popen(command).pid))),  # type: ignore[misc]
    )
for _name in ("os.waitpid", "os.wait4"):
    returns(
        _name,
        f"options={os.WNOHANG}",
        lambda d, name=_name: running(lambda command: partial(resolve(name), popen(command).pid, os.WNOHANG))(d)[0],  # type: ignore[misc]
    )

for _suffix in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe"):

    def spawning(command: list[str], suffix: str = _suffix) -> Call:
        """The arguments as the suffix asks for them."""
        listed = command if suffix[0] == "l" else [command]
        return partial(resolve(f"os.spawn{suffix}"), os.P_WAIT, command[0], *listed, *[os.environ] * suffix.endswith("e"))

    waits(f"os.spawn{_suffix}", running(spawning))


def forking(name: str) -> Call:
    """A fork whose child ends at once."""

    def call() -> None:
        result = resolve(name)()
        if (result[0] if isinstance(result, tuple) else result) == 0:
            os._exit(0)

    return call


for _name in ("os.fork", "os.forkpty", "pty.fork"):
    on_disk(_name, lambda _, name=_name: forking(name), through=NEW_PROCESS)  # type: ignore[misc]
for _name in ("os.posix_spawn", "os.posix_spawnp"):
    on_disk(_name, lambda _, name=_name: partial(resolve(name), "/bin/true", ["true"], os.environ), through=NEW_PROCESS)  # type: ignore[misc]
waits("pty.spawn", running(lambda command: partial(pty.spawn, command)))
on_disk("ctypes.util.find_library", lambda _: partial(ctypes.util.find_library, "nowhere"), through=NEW_PROCESS)


def browsing(name: str, _: Path) -> None:
    """With a program as the browser."""
    os.environ["BROWSER"] = "true %s"
    observe_kernel(partial(resolve(name), "http://localhost/"), through=NEW_PROCESS)


for _name in ("webbrowser.open", "webbrowser.open_new", "webbrowser.open_new_tab"):
    CASES.add(_name, partial(browsing, _name))
on_disk("venv.create", lambda d: partial(resolve("venv.create"), d / "new", with_pip=True), through=NEW_PROCESS)
on_disk("ensurepip.bootstrap", lambda d: partial(resolve("ensurepip.bootstrap"), root=str(d / "new")), through=NEW_PROCESS)

# --- signals -------------------------------------------------------------------------------------

SIGNAL = signal.SIGUSR1


def signalled(make: Callable[[], Call]) -> Callable[[Path], tuple[Call, Call]]:
    """A call that waits for a signal, and the signal."""

    def setup(_: Path) -> tuple[Call, Call]:
        signal.pthread_sigmask(signal.SIG_BLOCK, {SIGNAL})
        return make(), partial(os.kill, os.getpid(), SIGNAL)

    return setup


def pausing() -> Call:
    """A pause that this signal ends: it comes to the only thread that does not block it."""
    signal.signal(SIGNAL, lambda *_: None)

    def call() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {SIGNAL})
        signal.pause()

    return call


waits("signal.pause", signalled(pausing))
waits("signal.sigwait", signalled(lambda: partial(signal.sigwait, {SIGNAL})))
waits("signal.sigwaitinfo", signalled(lambda: partial(signal.sigwaitinfo, {SIGNAL})))
waits("signal.sigtimedwait", signalled(lambda: partial(signal.sigtimedwait, {SIGNAL}, 60)))
returns("signal.sigtimedwait", "#1=0", lambda d: signalled(lambda: partial(signal.sigtimedwait, {SIGNAL}, 0))(d)[0])
ends("signal.sigtimedwait", lambda d: signalled(lambda: partial(signal.sigtimedwait, {SIGNAL}, SECONDS))(d)[0])

# --- console -------------------------------------------------------------------------------------


def typing(make: Callable[[], Call], typed: bytes) -> Callable[[Path], tuple[Call, Call]]:
    """A call that reads the terminal, and somebody who types there."""

    def setup(_: Path) -> tuple[Call, Call]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        os.dup2(theirs, 0)
        sys.stdin = open(0, closefd=False)
        sys.stdout = io.StringIO()
        return make(), partial(os.write, ours, typed)

    return setup


END = b"\x04"
"""What ends the input at the start of a line."""


def mortal() -> Call:
    """The debugger, after an error."""
    try:
        raise ValueError
    except ValueError as error:
        return partial(resolve("pdb.post_mortem"), error.__traceback__)


def shell() -> Call:
    """A command loop that ends with the input."""
    made = resolve("cmd.Cmd")()
    made.do_EOF = lambda _: True
    return made.cmdloop  # type: ignore[no-any-return]


def debugger() -> Any:  # noqa: ANN401 - a module
    """The debugger as it comes, without the hooks of the test runner."""
    sys.breakpointhook = sys.__breakpointhook__
    return importlib.reload(pdb)


CONSOLE: dict[str, tuple[Callable[[], Call], bytes]] = {
    "builtins.input": (lambda: input, b"line\n"),
    "getpass.getpass": (lambda: resolve("getpass.getpass"), b"secret\n"),
    "sys.stdin.read": (lambda: sys.stdin.read, b"line\n" + END),
    "sys.stdin.readline": (lambda: sys.stdin.readline, b"line\n"),
    "sys.stdin.readlines": (lambda: sys.stdin.readlines, b"line\n" + END),
    "sys.stdin.__iter__": (lambda: partial(list, sys.stdin), b"line\n" + END),
    "sys.stdin.buffer.read": (lambda: sys.stdin.buffer.read, b"line\n" + END),
    "sys.stdin.buffer.readline": (lambda: sys.stdin.buffer.readline, b"line\n"),
    "sys.stdin.buffer.readlines": (lambda: sys.stdin.buffer.readlines, b"line\n" + END),
    "builtins.breakpoint": (lambda: debugger() and breakpoint, b"continue\n"),
    "pdb.set_trace": (lambda: debugger().set_trace, b"continue\n"),
    "pdb.post_mortem": (mortal, b"continue\n"),
    "code.interact": (lambda: resolve("code.interact"), END),
    "cmd.Cmd.cmdloop": (shell, END),
}
for _name, (_make, _typed) in CONSOLE.items():
    waits(_name, typing(_make, _typed))
