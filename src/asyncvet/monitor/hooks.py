"""Audit events of the interpreter: they tell of calls that reach the primitive by a way that is not wrapped.

An audit hook cannot be taken away again. It is added when strict mode is switched on for the first time, and is silent while it
is off.
"""

from __future__ import annotations

import os
import socket
import sys
from asyncio.events import _get_running_loop
from collections.abc import Callable
from typing import Any

from asyncvet.monitor.recording import RECORDER, Primitive
from asyncvet.monitor.waiting import is_asked_for

_METADATA = (
    "os.chmod", "os.chown", "os.link", "os.listdir", "os.listxattr", "os.getxattr", "os.mkdir", "os.remove", "os.removexattr",
    "os.rename", "os.rmdir", "os.scandir", "os.setxattr", "os.symlink", "os.truncate", "os.utime",
)  # fmt: skip
# Events that the interpreter raises in C, right before it does the thing.
_PRIMITIVES = {
    "open": Primitive("builtins.open", "file"),
    "os.system": Primitive("os.system", "process"),
    "os.posix_spawn": Primitive("os.posix_spawn", "process"),
    "os.fork": Primitive("os.fork", "process"),
    "os.forkpty": Primitive("os.forkpty", "process"),
    "socket.connect": Primitive("socket.socket.connect", "network"),
    "socket.getaddrinfo": Primitive("socket.getaddrinfo", "network"),
    "socket.gethostbyname": Primitive("socket.gethostbyname", "network"),
    "socket.gethostbyaddr": Primitive("socket.gethostbyaddr", "network"),
    "socket.getnameinfo": Primitive("socket.getnameinfo", "network"),
    "sqlite3.connect": Primitive("sqlite3.connect", "database"),
    "mmap.__new__": Primitive("mmap.mmap", "file"),
    "ctypes.dlopen": Primitive("ctypes.CDLL", "file"),
    "fcntl.flock": Primitive("fcntl.flock", "lock"),
    "fcntl.lockf": Primitive("fcntl.lockf", "lock"),
    "time.sleep": Primitive("time.sleep", "sleep"),
    **{name: Primitive(name, "metadata") for name in _METADATA},
}


_LOCK_NB = 4
"""As in `fcntl`, which Windows does not have."""


def _is_waited_for(event: str, args: tuple[Any, ...]) -> bool:
    if event == "open":
        return not isinstance(args[0], int) and args[0] != os.devnull
    if event == "socket.connect":
        return bool(args[0].gettimeout() != 0 and args[0].type != socket.SOCK_DGRAM)
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return is_asked_for(args[0])
    if event == "sqlite3.connect":
        return bool(args[0] != ":memory:")
    if event == "mmap.__new__":
        return bool(args[0] != -1)
    if event in ("fcntl.flock", "fcntl.lockf"):
        return bool(not args[1] & _LOCK_NB)
    return bool(args and args[0]) if event == "time.sleep" else True


def _hook() -> Callable[[str, tuple[Any, ...]], None]:
    primitives, running_loop, recorder = _PRIMITIVES, _get_running_loop, RECORDER

    def hook(event: str, args: tuple[Any, ...]) -> None:
        primitive = primitives.get(event)
        if primitive is None or not recorder.sessions or running_loop() is None or recorder.state().depth:
            return
        if _is_waited_for(event, args):
            recorder.saw(primitive, None, sys._getframe(1))

    return hook


class _Hook:
    is_added = False


def add_hook() -> None:
    """Have audit events recorded, from now on and as long as a session is open."""
    if not _Hook.is_added:
        _Hook.is_added = True
        sys.addaudithook(_hook())
