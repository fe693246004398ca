"""Classes whose methods a framework calls: asyncio protocols, handlers of Tornado, views of Sanic, namespaces of Socket.IO, gRPC servicers.

The event loop calls plain methods of all but servicers, for which a server of `grpc.aio` has a thread pool, as `grpc.server` has for all.
Source: the Python documentation, "Transports and Protocols"; Tornado's, "Structure of a Tornado web application"; Sanic's guide,
"Class Based Views"; python-socketio's, "Class-Based Namespaces"; gRPC's for Python, "AsyncIO API", "Mixing sync and async".
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.graph.entry_points import EntryPoint, View, Where
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
_HTTP = ("get", "post", "put", "delete", "patch", "head", "options")
_TORNADO = (*_HTTP, "prepare", "on_message", "open", "on_close", "on_finish")
_FAMILIES = {
    "asyncio": (frozenset({"Protocol", "BufferedProtocol", "DatagramProtocol", "SubprocessProtocol", "BaseProtocol"}), _PROTOCOL),
    "tornado": (frozenset({"RequestHandler", "WebSocketHandler", "StaticFileHandler"}), _TORNADO),
    "sanic": (frozenset({"HTTPMethodView"}), _HTTP),
    "socketio": (frozenset({"AsyncNamespace", "AsyncClientNamespace"}), ("on_",)),
}


def find(view: View) -> Iterator[EntryPoint]:
    """Methods that a framework calls."""
    for module in view.modules:
        for cls in module.classes:
            for name in _loop_methods(cls, view):
                for method in cls.methods.get(name, ()):
                    yield EntryPoint(method, "handler", "event-loop", f"{cls.name}.{name}")
            if _is_servicer(cls, view):
                for name, methods in cls.methods.items():
                    where: Where = "event-loop" if methods[-1].is_async else "worker-thread"
                    if not name.startswith("_"):
                        yield EntryPoint(methods[-1], "handler", where, f"gRPC {cls.name}.{name}")


def _loop_methods(cls: Class, view: View) -> tuple[str, ...]:
    for base in view.inference.members.mro(cls):
        if isinstance(base, Symbol):
            words = base.path.split(".")
            classes, methods = _FAMILIES.get(words[0], (frozenset(), ()))
            if words[-1] in classes:
                return tuple(name for name in cls.methods if name in methods or (name.startswith("on_") and "on_" in methods))
    return ()


def _is_servicer(cls: Class, view: View) -> bool:
    """Whether a class is below one that the gRPC compiler wrote."""
    below = view.inference.members.mro(cls)[1:]
    return any(
        (base.path if isinstance(base, Symbol) else base.qualname).rpartition(".")[2].endswith("Servicer")
        and "_pb2_grpc" in (base.path if isinstance(base, Symbol) else base.module.name)
        for base in below
    )
