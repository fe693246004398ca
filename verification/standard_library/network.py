"""Sockets, name look-ups, TLS, and what waits for many, against real peers on the loopback interface."""

from __future__ import annotations

import os
import select
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from verification.observing import Call, observe_kernel_after
from verification.standard_library.registry import (
    CASES,
    KEPT,
    SECONDS,
    Setup,
    ends,
    in_memory,
    methods_on_disk,
    on_disk,
    only,
    returns,
    waits,
)
from verification.standard_library.servers import CERTIFICATE, Server, client_context, server_context, shut_server, silence

LARGE = b"x" * (1 << 24)
"""More than the buffers of two sockets hold."""

# --- socket --------------------------------------------------------------------------------------

SOCKET = "socket.socket"


def received(name: str, *arguments: object) -> Setup:
    """A connection, and something sent through it."""

    def setup(_: Path) -> tuple[Call, Call]:
        ours, theirs = socket.socketpair()
        return partial(getattr(ours, name), *arguments), partial(theirs.send, b"sent")

    return setup


def drain(connection: socket.socket) -> None:
    """Take all that comes."""
    connection.settimeout(1)
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return


def sent(name: str, make: Callable[[Path], object]) -> Setup:
    """A connection whose buffers are full, and the other side that empties them."""

    def setup(directory: Path) -> tuple[Call, Call]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            while ours.send(b"x" * 4096):
                pass
        except BlockingIOError:
            ours.setblocking(True)
        return partial(getattr(ours, name), make(directory)), partial(drain, theirs)

    return setup


def crowded(directory: Path) -> tuple[socket.socket, str]:
    """A listener at a path, with as many clients as may wait for it."""
    path = str(directory / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    _fill(lambda: socket.socket(socket.AF_UNIX), path)
    return listener, path


_CROWD: list[socket.socket] = []


def _fill(make: Callable[[], socket.socket], address: object) -> None:
    for _ in range(2):
        client = make()
        client.settimeout(0.2)
        _CROWD.append(client)
        if client.connect_ex(address) != 0:  # type: ignore[arg-type]
            return


def accept_all(listener: socket.socket) -> None:
    """Let everybody in, those too who ask again after a second."""

    def accept() -> None:
        while True:
            _CROWD.append(listener.accept()[0])

    threading.Thread(target=accept, daemon=True).start()


def connecting(name: str) -> Setup:
    """A connection to a listener that is crowded, and its acceptance."""

    def setup(directory: Path) -> tuple[Call, Call]:
        listener, path = crowded(directory)
        return partial(getattr(socket.socket(socket.AF_UNIX), name), path), partial(accept_all, listener)

    return setup


def crowded_port() -> socket.socket:
    """A listener at a port, with as many clients as may wait for it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    _fill(socket.socket, listener.getsockname())
    return listener


def reaching(make: Callable[[tuple[str, int]], Call]) -> Setup:
    """The same for what connects to a port."""

    def setup(_: Path) -> tuple[Call, Call]:
        listener = crowded_port()
        return make(listener.getsockname()), partial(accept_all, listener)

    return setup


def accepting(_: Path) -> tuple[Call, Call]:
    """A listener, and a client."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener.accept, lambda: _CROWD.append(socket.create_connection(listener.getsockname()))


waits("socket.create_connection", reaching(lambda address: partial(socket.create_connection, address)))
ends(
    "socket.create_connection",
    only(reaching(lambda address: partial(socket.create_connection, address, SECONDS))),
    raises=TimeoutError,
)
waits(f"{SOCKET}.connect", connecting("connect"))
waits(f"{SOCKET}.connect_ex", connecting("connect_ex"))
waits(f"{SOCKET}.accept", accepting)
RECEIVED: dict[str, tuple[object, ...]] = {
    "recv": (10,),
    "recv_into": (bytearray(10),),
    "recvfrom": (10,),
    "recvfrom_into": (bytearray(10),),
    "recvmsg": (10,),
    "recvmsg_into": ([bytearray(10)],),
}
for _name, _arguments in RECEIVED.items():
    waits(f"{SOCKET}.{_name}", received(_name, *_arguments))
waits(f"{SOCKET}.send", sent("send", lambda _: b"more"))
waits(f"{SOCKET}.sendall", sent("sendall", lambda _: b"more"))
waits(f"{SOCKET}.sendmsg", sent("sendmsg", lambda _: [b"more"]))
waits(f"{SOCKET}.sendfile", sent("sendfile", lambda d: (d / "file").open("rb")))

LOOKUPS: dict[str, tuple[object, ...]] = {
    "getaddrinfo": ("verification.invalid", 80),
    "gethostbyname": ("verification.invalid",),
    "gethostbyname_ex": ("verification.invalid",),
    "gethostbyaddr": ("192.0.2.1",),
    "getnameinfo": (("192.0.2.1", 80), 0),
    "getfqdn": ("192.0.2.1",),
}


def looked_up(name: str, _: Path) -> None:
    """Nobody knows the name, but the service of names has to be asked first."""
    os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"

    def call() -> None:
        try:
            getattr(socket, name)(*LOOKUPS[name])
        except OSError:
            return

    observe_kernel_after(lambda: call, through=["connect"])


for _name in LOOKUPS:
    CASES.add(f"socket.{_name}", partial(looked_up, _name))

# --- ssl -----------------------------------------------------------------------------------------

CONTEXT = "ssl.SSLContext"


def trusted(directory: Path) -> Path:
    """The certificate in the directory, as that of the system's authority."""
    path = directory / "localhost.pem"
    path.write_bytes(CERTIFICATE.read_bytes())
    os.environ["SSL_CERT_FILE"] = str(path)
    return path


def context(directory: Path) -> ssl.SSLContext:
    """A context that has read nothing."""
    trusted(directory)
    return client_context()


def create_context(directory: Path) -> Call:
    """The default context of this system."""
    trusted(directory)
    return ssl.create_default_context


def secured(call: Callable[[ssl.SSLSocket], object]) -> Setup:
    """A call of a connection whose other side has not yet shaken hands, and its handshake."""

    def setup(_: Path) -> tuple[Call, Call]:
        server = Server(silence, encrypted=True)
        server.shut()
        plain = socket.create_connection((server.host, server.port))
        return partial(call, client_context().wrap_socket(plain, do_handshake_on_connect=False)), server.open

    return setup


def agreed() -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """Both sides of a connection that has shaken hands."""
    ours, theirs = socket.socketpair()
    made: list[ssl.SSLSocket] = []
    thread = threading.Thread(target=lambda: made.append(server_context().wrap_socket(theirs, server_side=True)))
    thread.start()
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # no tickets after the handshake
    wrapped = client.wrap_socket(ours)
    thread.join()
    return wrapped, made[0]


def secured_read(_: Path) -> tuple[Call, Call]:
    """A connection, and something sent through it."""
    ours, theirs = agreed()
    return ours.read, partial(theirs.write, b"sent")


def secured_write(_: Path) -> tuple[Call, Call]:
    """A connection whose buffers are full, and the other side that empties them."""
    ours, theirs = agreed()
    return partial(ours.write, LARGE), partial(drain, theirs)


def unwrapped(_: Path) -> tuple[Call, Call]:
    """The end of the encryption, and the other side's agreement."""
    ours, theirs = agreed()
    return ours.unwrap, theirs.unwrap


def wrapped(server: Server, *arguments: Any) -> Call:  # noqa: ANN401 - of wrap_socket
    """A connection to the server that is to be encrypted."""
    plain = socket.create_connection((server.host, server.port))
    return partial(client_context().wrap_socket, plain, *arguments)


def wrapping(_: Path) -> tuple[Call, Call]:
    """A connection that is to be encrypted, and the server's handshake."""
    server = shut_server(encrypted=True)
    return wrapped(server), server.open


def certified(seconds: float = 60) -> Setup:
    """The certificate of a server that does not shake hands, and its handshake."""

    def setup(_: Path) -> tuple[Call, Call]:
        server = shut_server(encrypted=True)
        call = partial(ssl.get_server_certificate, (server.host, server.port), timeout=seconds)
        return call, server.open

    return setup


on_disk("ssl.create_default_context", create_context)
methods_on_disk(
    CONTEXT,
    [context],
    {
        "load_cert_chain": lambda d: (d / "localhost.pem",),
        "load_default_certs": (),
        "set_default_verify_paths": (),
        "load_verify_locations": lambda d: (d / "localhost.pem",),
    },
)
in_memory(
    f"{CONTEXT}.load_verify_locations",
    "cadata absent",
    lambda d: partial(context(d).load_verify_locations, cadata=ssl.PEM_cert_to_DER_cert(certificate())),
)


def certificate() -> str:
    """The certificate alone, as text."""
    text = CERTIFICATE.read_text()
    return text[text.index("-----BEGIN CERTIFICATE") :]


waits("ssl.get_server_certificate", certified())
ends("ssl.get_server_certificate", lambda d: certified(SECONDS)(d)[0], raises=TimeoutError)
waits(f"{CONTEXT}.wrap_socket", wrapping)
returns(f"{CONTEXT}.wrap_socket", "do_handshake_on_connect=False", lambda _: wrapped(shut_server(encrypted=True), False, False))
waits("ssl.SSLSocket.do_handshake", secured(lambda connection: connection.do_handshake()))
waits("ssl.SSLSocket.read", secured_read)
waits("ssl.SSLSocket.write", secured_write)
waits("ssl.SSLSocket.unwrap", unwrapped)

# --- waiting for many ----------------------------------------------------------------------------


def selecting(make: Callable[[socket.socket], Call]) -> Setup:
    """A connection to watch, and something sent through it."""

    def setup(_: Path) -> tuple[Call, Call]:
        ours, theirs = socket.socketpair()
        KEPT.append(ours)  # a watcher does not keep what it watches
        return make(ours), partial(theirs.send, b"sent")

    return setup


def registered(watcher: Any, connection: socket.socket, *kind: int) -> Any:  # noqa: ANN401 - three modules' objects
    """A watcher of the connection."""
    watcher.register(connection, *kind)
    return watcher


SELECT = "select.select"
waits(SELECT, selecting(lambda end: partial(select.select, [end], [], [])))
returns(SELECT, "#3=0", only(selecting(lambda end: partial(select.select, [end], [], [], 0))))
ends(SELECT, only(selecting(lambda end: partial(select.select, [end], [], [], SECONDS))))
waits("select.poll.poll", selecting(lambda end: registered(select.poll(), end, select.POLLIN).poll))
returns("select.poll.poll", "#0=0", only(selecting(lambda end: partial(registered(select.poll(), end, select.POLLIN).poll, 0))))
EPOLL = "select.epoll.poll"
waits(EPOLL, selecting(lambda end: registered(select.epoll(), end, select.EPOLLIN).poll))
returns(EPOLL, "timeout=0", only(selecting(lambda end: partial(registered(select.epoll(), end, select.EPOLLIN).poll, 0))))
ends(EPOLL, only(selecting(lambda end: partial(registered(select.epoll(), end, select.EPOLLIN).poll, SECONDS))))
SELECTOR = "selectors.BaseSelector.select"


def selector(*arguments: object) -> Setup:
    """The system's best selector."""
    return selecting(lambda end: partial(registered(selectors.DefaultSelector(), end, selectors.EVENT_READ).select, *arguments))


waits(SELECTOR, selector())
returns(SELECTOR, "timeout=0", only(selector(0)))
ends(SELECTOR, only(selector(SECONDS)))
