"""Whether a call, as it is made, can wait at all: by the catalogue's conditions, and by the state of the file or socket."""

from __future__ import annotations

import os
import socket
import sys
from asyncio import base_events
from collections.abc import Callable
from types import FrameType
from typing import Any

from asyncvet.catalogue import Api, Condition

Waits = Callable[[tuple[Any, ...], dict[str, Any]], bool]

_RUN_ONCE = base_events.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]
_SELECTS = ("select.select", "select.poll.poll", "select.epoll.poll")
_DESCRIPTORS = frozenset({
    "os.read", "os.readv", "os.write", "os.writev", "os.sendfile", "os.splice",
})  # fmt: skip


def may_wait(name: str, apis: tuple[Api, ...], is_method: bool) -> Waits | None:
    """Tells whether a call of this name with given arguments waits; None if it always does.

    Args:
        name: The catalogue's name.
        apis: The entries of that name: the first whose conditions hold counts.
        is_method: The first argument is the object, which the catalogue does not count.
    """
    by_state = _by_state(name)
    if not any(api.unless or api.only_if for api in apis):
        return by_state

    def waits(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        counted = args[1:] if is_method else args
        for api in apis:
            if all(_holds(test, counted, kwargs) for test in api.only_if) and not any(
                _holds(test, counted, kwargs) for test in api.unless
            ):
                return api.effect == "blocks" and (by_state is None or by_state(args, kwargs))
        return False

    return waits


def _holds(test: Condition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether an argument is as a condition says. Those of constructors are told by the objects, not here."""
    if test.of == "constructor":
        return False
    is_given = True
    if test.argument is not None and test.argument in kwargs:
        value = kwargs[test.argument]
    elif test.position is not None and test.position < len(args):
        value = args[test.position]
    else:
        is_given, value = False, None
    if test.present is not None:
        return is_given == test.present
    if not is_given:
        return False
    if test.is_none is not None:
        return (value is None) == test.is_none
    if test.starts_with is not None:
        return isinstance(value, str) and value.startswith(test.starts_with)
    return test.equals is not None and isinstance(value, str | int | float) and value == test.equals


def _by_state(name: str) -> Waits | None:
    if name in _SELECTS:
        return lambda *_: not _is_the_loop(sys._getframe(2))
    if name.startswith(("socket.socket.", "ssl.SSLSocket.")):
        return (
            _waits_for_datagrams
            if name.endswith((".connect", ".connect_ex", ".send", ".sendall", ".sendmsg"))
            else _is_blocking_socket
        )
    if name in _DESCRIPTORS:
        return lambda args, kwargs: is_blocking_file(args[0] if args else kwargs.get("fd", -1))
    if name in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyname_ex"):
        return lambda args, kwargs: is_asked_for(args[0] if args else kwargs.get("host"))
    if name in ("os.waitpid", "os.wait4"):
        return lambda args, kwargs: not (args[1] if len(args) > 1 else kwargs.get("options", 0)) & os.WNOHANG
    if name == "threading.Thread.join":
        return lambda args, _: bool(args[0].is_alive())
    return None


def _is_the_loop(frame: FrameType) -> bool:
    """Whether the loop asks which of its files are ready, by its selector, from where it turns; `frame` is the wrapper's."""
    caller = frame.f_back
    turning = caller.f_back if caller is not None else None
    return (caller is not None and caller.f_code is _RUN_ONCE) or (turning is not None and turning.f_code is _RUN_ONCE)


def _is_blocking_socket(args: tuple[Any, ...], _: dict[str, Any]) -> bool:
    return bool(args[0].gettimeout() != 0)


def _waits_for_datagrams(args: tuple[Any, ...], _: dict[str, Any]) -> bool:
    """A datagram is handed to the kernel, and nobody is waited for."""
    return bool(args[0].gettimeout() != 0 and args[0].type != socket.SOCK_DGRAM)


def is_blocking_file(descriptor: object) -> bool:
    """Whether reads and writes of an open file wait; a descriptor that is none is the call's own business."""
    try:
        return os.get_blocking(descriptor)  # type: ignore[arg-type]
    except (OSError, TypeError, ValueError, OverflowError):
        return False


def is_asked_for(host: object) -> bool:
    """Whether looking up a host asks anybody: an address, or no host at all, does not."""
    if not isinstance(host, str | bytes) or not host:
        return False
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.partition("%")[0])
        except OSError:
            continue
        return False
    return True
