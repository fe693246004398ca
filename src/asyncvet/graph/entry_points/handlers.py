"""Classes whose plain methods an event loop calls: asyncio protocols, Tornado handlers.

Source: the Python documentation, "Transports and Protocols"; Tornado's, "Structure of a Tornado web application".
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.graph.entry_points import EntryPoint, View
from asyncvet.graph.scopes import Class
from asyncvet.graph.values import Symbol

_PROTOCOL = (
    "connection_made",
    "connection_lost",
    "data_received",
    "eof_received",
    "datagram_received",
    "error_received",
    "pause_writing",
    "resume_writing",
    "buffer_updated",
    "get_buffer",
    "pipe_data_received",
    "process_exited",
)
_TORNADO = ("get", "post", "put", "delete", "patch", "head", "options", "prepare", "on_message", "open", "on_close", "on_finish")
_FAMILIES = {
    "asyncio": (frozenset({"Protocol", "BufferedProtocol", "DatagramProtocol", "SubprocessProtocol", "BaseProtocol"}), _PROTOCOL),
    "tornado": (frozenset({"RequestHandler", "WebSocketHandler", "StaticFileHandler"}), _TORNADO),
}


def find(view: View) -> Iterator[EntryPoint]:
    """Methods that the loop calls."""
    for module in view.modules:
        for cls in module.classes:
            for name in _loop_methods(cls, view):
                for method in cls.methods.get(name, ()):
                    yield EntryPoint(method, "handler", "event-loop", f"{cls.name}.{name}")


def _loop_methods(cls: Class, view: View) -> tuple[str, ...]:
    for base in view.inference.members.mro(cls):
        if isinstance(base, Symbol):
            words = base.path.split(".")
            classes, methods = _FAMILIES.get(words[0], (frozenset(), ()))
            if words[-1] in classes:
                return methods
    return ()
