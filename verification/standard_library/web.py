"""The web clients of the standard library and its servers."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from verification.observing import Call
from verification.standard_library.network import LARGE, reaching
from verification.standard_library.registry import KEPT, SECONDS, Setup, ends, method, only, resolve, waits
from verification.standard_library.servers import http, shut_server, slow_body, xml_rpc


def asking(make: Callable[[str], Call], talk: Callable[[Any], None] = http) -> Setup:
    """What asks a web server that holds its answer back, and the answer."""

    def setup(_: Path) -> tuple[Call, Call]:
        os.environ.pop("http_proxy", None)
        server = shut_server(talk)
        return make(f"{server.host}:{server.port}"), server.open

    return setup


def robots(host: str) -> Call:
    """The reader of a site's robots.txt."""
    return resolve("urllib.robotparser.RobotFileParser")(f"http://{host}/robots.txt").read  # type: ignore[no-any-return]


def opener() -> Any:  # noqa: ANN401 - urllib's objects
    """An opener without proxies."""
    return resolve("urllib.request.build_opener")(resolve("urllib.request.ProxyHandler")({}))


URLLIB: dict[str, Callable[[], Callable[..., object]]] = {
    "urllib.request.urlopen": lambda: resolve("urllib.request.urlopen"),
    "urllib.request.OpenerDirector.open": lambda: opener().open,
}
for _name, _open in URLLIB.items():
    waits(_name, asking(lambda host, make=_open: partial(make(), f"http://{host}/")))  # type: ignore[misc]
    ends(
        _name,
        only(asking(lambda host, make=_open: partial(make(), f"http://{host}/", timeout=SECONDS))),  # type: ignore[misc]
        raises=OSError,
    )
waits("urllib.request.urlretrieve", asking(lambda host: partial(resolve("urllib.request.urlretrieve"), f"http://{host}/")))
waits("urllib.robotparser.RobotFileParser.read", asking(robots))

HTTP = "http.client.HTTPConnection"


def uploading(call: Callable[[HTTPConnection], object]) -> Setup:
    """A request that is larger than the buffers, and the server that takes it."""

    def setup(_: Path) -> tuple[Call, Call]:
        server = shut_server()
        return partial(call, HTTPConnection(server.host, server.port)), server.open

    return setup


def end_headers(connection: HTTPConnection) -> None:
    """A request in steps."""
    connection.putrequest("POST", "/")
    connection.endheaders(LARGE)


def requested(name: str, talk: Callable[[Any], None]) -> Setup:
    """A request that is sent, and the answer to it."""

    def setup(_: Path) -> tuple[Call, Call]:
        server = shut_server(talk)
        connection = HTTPConnection(server.host, server.port)
        connection.request("GET", "/")
        KEPT.append(connection)
        if name == "getresponse":
            return connection.getresponse, server.open
        given = (bytearray(11),) if name == "readinto" else ()
        return method(connection.getresponse(), name, *given), server.open

    return setup


waits(f"{HTTP}.connect", reaching(lambda address: HTTPConnection(*address).connect))
waits(f"{HTTP}.request", uploading(lambda connection: connection.request("POST", "/", LARGE)))
waits(f"{HTTP}.endheaders", uploading(end_headers))
waits(f"{HTTP}.send", uploading(lambda connection: connection.send(LARGE)))
waits(f"{HTTP}.getresponse", requested("getresponse", http))
for _name in ("read", "read1", "readinto", "readline", "readlines", "peek", "__iter__"):
    waits(f"http.client.HTTPResponse.{_name}", requested(_name, slow_body))


def remote_call(host: str) -> Call:
    """A call of a procedure on the server."""
    body = resolve("xmlrpc.client.dumps")((), "procedure").encode()
    return partial(resolve("xmlrpc.client.Transport")().request, host, "/", body)


def remote_calls(host: str) -> Call:
    """Several calls at once."""
    calls = resolve("xmlrpc.client.MultiCall")(resolve("xmlrpc.client.ServerProxy")(f"http://{host}/"))
    calls.procedure()
    return calls  # type: ignore[no-any-return]


waits("xmlrpc.client.Transport.request", asking(remote_call, xml_rpc))
waits("xmlrpc.client.MultiCall.__call__", asking(remote_calls, xml_rpc))

# --- servers -------------------------------------------------------------------------------------


def tcp_server() -> socketserver.TCPServer:
    """A server that does nothing with its requests."""
    return socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler)


def serving(_: Path) -> tuple[Call, Call]:
    """A server, and its end."""
    server = tcp_server()
    return server.serve_forever, server.shutdown


def handling(_: Path) -> tuple[Call, Call]:
    """A server, and a request."""
    server = tcp_server()
    return server.handle_request, lambda: KEPT.append(socket.create_connection(server.server_address))  # type: ignore[arg-type]


def shutting_down(_: Path) -> tuple[Call, Call]:
    """A server that handles a request, and the end of that."""
    may_end, has_begun = threading.Event(), threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            has_begun.set()
            may_end.wait()

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    KEPT.append(socket.create_connection(server.server_address))  # type: ignore[arg-type]
    has_begun.wait()
    return server.shutdown, may_end.set


def dispatching(_: Path) -> tuple[Call, Call]:
    """A channel, and its end."""
    ours, theirs = socket.socketpair()
    dispatcher = resolve("asyncore.dispatcher")(ours)
    dispatcher.writable = lambda: False
    dispatcher.handle_read = lambda: dispatcher.recv(10)
    dispatcher.handle_close = dispatcher.close
    return resolve("asyncore.loop"), theirs.close


waits("socketserver.BaseServer.serve_forever", serving)
waits("socketserver.BaseServer.handle_request", handling)
waits("socketserver.BaseServer.shutdown", shutting_down)
waits("asyncore.loop", dispatching)
