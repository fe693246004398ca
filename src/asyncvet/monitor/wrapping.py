"""Puts watching calls in the place of the catalogue's blocking calls, wherever they are bound, and takes them away again.

Only what waits in C is wrapped: a function written in Python comes down to such calls, and is blocking when they are. The few of
the standard library that hide the call in which they wait are named here.
"""

from __future__ import annotations

import functools
import sys
from asyncio.events import _get_running_loop
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from asyncvet.catalogue import Api, Catalogue
from asyncvet.monitor.rebinding import Pair, rebind
from asyncvet.monitor.recording import RECORDER, Primitive
from asyncvet.monitor.waiting import may_wait

# Written in Python, and waiting where nothing else can be seen: for a lock of their own making, or in C by another name.
_HIDDEN_WAITS = frozenset({
    "threading.Condition.wait", "threading.Thread.join", "socket.getaddrinfo", "socket.socket.accept", "signal.sigwait",
    "ssl.SSLSocket.do_handshake", "ssl.SSLSocket.read", "ssl.SSLSocket.write", "ssl.SSLSocket.unwrap",
    "multiprocessing.connection.Connection.recv", "multiprocessing.connection.Connection.recv_bytes",
    "multiprocessing.connection.Connection.recv_bytes_into", "multiprocessing.connection.Connection.send",
    "multiprocessing.connection.Connection.send_bytes", "multiprocessing.Process.start", "subprocess.Popen",
})  # fmt: skip
# The entry is called by its class's name, and the interpreter keeps it elsewhere.
_HOMES = {
    "subprocess.Popen": "subprocess.Popen.__init__",
    "multiprocessing.Process.start": "multiprocessing.process.BaseProcess.start",
}
# Stood in for by classes of `standins`.
_STOOD_IN = (
    "builtins.open",
    "io.open",
    "io.FileIO",
    "sqlite3.",
    "threading.Lock",
    "threading.RLock",
    "mmap.mmap",
    "queue.SimpleQueue",
)

Undo = Callable[[], None]


def _unbound() -> None: ...


def watched(name: str, apis: tuple[Api, ...], original: Callable[..., Any], is_method: bool) -> Callable[..., Any]:
    """A function that does what `original` does, and is recorded where it waits on a thread whose loop is running."""
    blocking = next(api for api in apis if api.effect == "blocks")
    primitive = Primitive(name, blocking.category or "")
    waits = may_wait(name, apis, is_method)
    watch = RECORDER.watch
    running_loop = _get_running_loop

    if waits is None:

        def wrapper(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if running_loop() is None:
                return original(*args, **kwargs)
            return watch(primitive, original, args, kwargs)

    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if running_loop() is None or not waits(args, kwargs):
                return original(*args, **kwargs)
            return watch(primitive, original, args, kwargs)

    return functools.update_wrapper(wrapper, original)


class Wrapping:
    """All that is wrapped, and how to undo it."""

    def __init__(self) -> None:
        self._pairs: dict[int, Pair] = {}
        self._to_bind: list[Pair] = []
        self._undo: list[Undo] = []
        self._modules: set[str] = set()
        self._done: set[str] = set()
        self._catalogue = Catalogue.bundled()
        self._entries: dict[str, list[tuple[str, tuple[Api, ...]]]] = {}
        # Bound nowhere else, so that it tells how many references the wrapping itself holds.
        self._unbound = Pair(_unbound, watched("unbound", (Api(names=("unbound",), effect="blocks"),), _unbound, is_method=False))

    def wrap_loaded(self) -> None:
        """Wrap what the modules that are loaded now have, and has not been wrapped yet; rebind what was bound before."""
        new = {name for name, module in list(sys.modules.items()) if name not in self._modules and not _is_being_loaded(module)}
        self._modules |= new
        for root in sorted({name.partition(".")[0] for name in new}):
            if self._catalogue.is_known_root(root):
                self._wrap_package(root)
        if self._to_bind:
            rebind(self._to_bind, self._unbound)
            self._to_bind.clear()

    def replace(self, holder: Any, attribute: str, replacement: Any) -> None:  # noqa: ANN401
        """Set an attribute of a module or class, to be set back at the end."""
        has_own = attribute in vars(holder)
        original = vars(holder).get(attribute)
        setattr(holder, attribute, replacement)
        self._undo.append(lambda: setattr(holder, attribute, original) if has_own else delattr(holder, attribute))

    def stand_in(self, original: Any, replacement: Any) -> None:  # noqa: ANN401
        """Have `replacement` found wherever `original` is bound, from the next `wrap_loaded` on."""
        pair = self._pairs[id(original)] = Pair(original, replacement)
        self._to_bind.append(pair)

    def undo(self) -> None:
        """Leave every name as it was, those too that were bound to a stand-in meanwhile."""
        rebind([pair.reversed() for pair in self._pairs.values()], self._unbound.reversed())
        while self._undo:
            self._undo.pop()()
        self._pairs.clear()
        self._done.clear()

    def _wrap_package(self, root: str) -> None:
        if root not in self._entries:
            self._entries[root] = self._catalogue.entries_of(root)
        for name, apis in self._entries[root]:
            if name in self._done or not any(api.effect == "blocks" and not api.is_async for api in apis):
                continue
            if name.startswith(_STOOD_IN):
                continue
            found = _resolved(_HOMES.get(name, name))
            if found is None:
                continue
            self._done.add(name)
            holder, attribute, original = found
            if isinstance(holder, ModuleType):
                self._wrap_function(name, apis, original)
            else:
                self._wrap_method(name, apis, holder, attribute, original)

    def _wrap_function(self, name: str, apis: tuple[Api, ...], original: Any) -> None:  # noqa: ANN401
        is_python = isinstance(original, FunctionType)
        if isinstance(original, type) or (is_python and name not in _HIDDEN_WAITS) or id(original) in self._pairs:
            return
        self.stand_in(original, watched(name, apis, original, is_method=False))

    def _wrap_method(self, name: str, apis: tuple[Api, ...], holder: type, attribute: str, original: Any) -> None:  # noqa: ANN401
        if (isinstance(original, FunctionType) and name not in _HIDDEN_WAITS) or not callable(original):
            return
        try:
            self.replace(holder, attribute, watched(name, apis, original, is_method=True))
        except TypeError:
            return  # a class in C that cannot be changed


def _is_being_loaded(module: object) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _resolved(name: str) -> tuple[Any, str, Any] | None:
    """Module or class, attribute and object of a dotted name, if its module is loaded."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        holder: Any = sys.modules.get(".".join(parts[:end]))
        if holder is None:
            continue
        for part in parts[end:-1]:
            holder = vars(holder).get(part) if isinstance(holder, ModuleType) else getattr(holder, part, None)
            if not isinstance(holder, type):
                return None
        if isinstance(holder, type):
            found = next((vars(base)[parts[-1]] for base in holder.__mro__ if parts[-1] in vars(base)), None)
        else:
            found = vars(holder).get(parts[-1])
        return None if found is None else (holder, parts[-1], found)
    return None
