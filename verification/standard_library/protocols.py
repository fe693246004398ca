"""Clients of mail, file and news servers, each against a server that speaks its protocol and holds its answer back."""

from __future__ import annotations

import ftplib
import imaplib
import io
import os
import poplib
import smtplib
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from verification.observing import Call
from verification.standard_library.network import reaching
from verification.standard_library.registry import SECONDS, Setup, ends, in_memory, method, on_disk, only, resolve, waits
from verification.standard_library.servers import Server, Talk, client_context, ftp, imap, nntp, pop3, silence, smtp

Arguments = tuple[object, ...]
Connect = Callable[[Server], Any]

TALKS: dict[str, Talk] = {"smtplib": smtp, "ftplib": ftp, "imaplib": imap, "poplib": pop3, "nntplib": nntp, "telnetlib": silence}


def answered(talk: Talk, connect: Connect, name: str, *arguments: object) -> Setup:
    """A call of a client that is connected, and the answer to it."""

    def setup(_: Path) -> tuple[Call, Call]:
        server = Server(talk)
        client = connect(server)
        server.shut()
        return method(client, name, *arguments), server.open

    return setup


def commands(owner: str, connect: Connect, table: dict[str, Arguments]) -> None:
    """A case for each method of a client, made when it is connected."""
    for name, arguments in table.items():
        waits(f"{owner}.{name}", answered(TALKS[owner.partition(".")[0]], connect, name, *arguments))


def greeted(name: str, call: Callable[..., object], *, encrypted: bool = False) -> None:
    """The cases of a client's constructor: it waits for the greeting, and for no longer than it is told."""
    talk = TALKS[name.partition(".")[0]]

    def shut(**more: float) -> tuple[Call, Call]:
        server = Server(talk, encrypted=encrypted)
        server.shut()
        return partial(call, server, **more), server.open

    waits(name, lambda _: shut())
    ends(name, lambda _: shut(timeout=SECONDS)[0], raises=OSError)


def clear(name: str) -> Callable[..., object]:
    """A constructor that takes host and port."""
    return lambda server, **more: resolve(name)(server.host, server.port, **more)


def secure(name: str, key: str) -> Callable[..., object]:
    """The same with TLS, and with the argument that takes what the client trusts."""
    return lambda server, **more: resolve(name)(server.host, server.port, **{key: client_context()}, **more)


# --- mail: smtplib -------------------------------------------------------------------------------


def smtp_client(server: Server) -> smtplib.SMTP:
    """A client that has introduced itself."""
    client = smtplib.SMTP(server.host, server.port, local_hostname="localhost")
    client.ehlo()
    return client


def named(name: str, **fixed: Any) -> Callable[..., object]:  # noqa: ANN401 - of three constructors
    """A client that need not look up its own name."""
    return lambda server, **more: resolve(name)(server.host, server.port, local_hostname="localhost", **fixed, **more)


def unconnected(name: str, condition: str, **more: object) -> None:
    """A client without a host connects to nobody, and asks for no name."""
    in_memory(name, condition, lambda _: partial(resolve(name), **more))


SMTP = "smtplib.SMTP"
MESSAGE = "Subject: text\r\n\r\nbody\r\n"
MAIL: Arguments = ("a@localhost", ["b@localhost"], MESSAGE)
greeted(SMTP, named(SMTP))
greeted("smtplib.LMTP", lambda server, **more: smtplib.LMTP(server.host, server.port, "localhost", **more))
greeted("smtplib.SMTP_SSL", named("smtplib.SMTP_SSL", context=client_context()), encrypted=True)
for _name in (SMTP, "smtplib.SMTP_SSL", "smtplib.LMTP"):
    # Without a host it still waits, for the name of this machine: the condition tells two entries apart.
    on_disk(_name, lambda _, name=_name: resolve(name), aspect="host present", through=["connect"])  # type: ignore[misc]
    unconnected(_name, "local_hostname present", local_hostname="localhost")
commands(
    SMTP,
    smtp_client,
    {
        **dict.fromkeys(("ehlo", "noop", "rset", "quit", "__exit__"), ()),
        "helo": (),
        "login": ("user", "password"),
        "sendmail": MAIL,
        "send_message": (resolve("email.message_from_string")(f"From: a@localhost\r\nTo: b@localhost\r\n{MESSAGE}"),),
        "verify": ("b@localhost",),
        "mail": ("a@localhost",),
        "rcpt": ("b@localhost",),
        "data": (MESSAGE,),
        "docmd": ("NOOP",),
    },
)


def new_client(server: Server) -> smtplib.SMTP:
    """A client that has been greeted only."""
    return smtplib.SMTP(server.host, server.port, local_hostname="localhost")


commands(SMTP, new_client, {"ehlo_or_helo_if_needed": ()})


def connecting(make: Callable[[], Any], name: str, talk: Talk) -> Setup:
    """The connection of a client that has none, and the server's greeting."""

    def setup(_: Path) -> tuple[Call, Call]:
        server = Server(talk)
        server.shut()
        return partial(getattr(make(), name), server.host, server.port), server.open

    return setup


def starting_tls(_: Path) -> tuple[Call, Call]:
    """The client is told what to trust."""
    server = Server(smtp)
    client = smtp_client(server)
    server.shut()
    return partial(client.starttls, context=client_context()), server.open


waits(f"{SMTP}.connect", connecting(lambda: smtplib.SMTP(local_hostname="localhost"), "connect", smtp))
waits(f"{SMTP}.starttls", starting_tls)

# --- mail: imaplib, poplib -----------------------------------------------------------------------


def imap_client(state: str) -> Connect:
    """A client in a state of its protocol."""

    def connect(server: Server) -> imaplib.IMAP4:
        client = imaplib.IMAP4(server.host, server.port)
        if state != "NONAUTH":
            client.login("user", "password")
        if state == "SELECTED":
            client.select()
        return client

    return connect


IMAP, IMAP_TLS = "imaplib.IMAP4", "imaplib.IMAP4_SSL"
greeted(IMAP, clear(IMAP))
greeted(IMAP_TLS, secure(IMAP_TLS, "ssl_context"), encrypted=True)
commands(
    IMAP,
    imap_client("NONAUTH"),
    {"login": ("user", "password"), "authenticate": ("PLAIN", lambda _: b"word"), "starttls": (client_context(),)},
)
commands(
    IMAP,
    imap_client("AUTH"),
    {
        **dict.fromkeys(("list", "logout", "noop", "select", "__exit__"), ()),
        "append": (None, None, None, b"message"),
        "create": ("folder",),
        "delete": ("folder",),
        "rename": ("folder", "other"),
        "status": ("folder", "(MESSAGES)"),
        "subscribe": ("folder",),
        "unsubscribe": ("folder",),
        "xatom": ("NOOP",),
    },
)
commands(
    IMAP,
    imap_client("SELECTED"),
    {
        **dict.fromkeys(("check", "close", "expunge"), ()),
        "copy": ("1", "folder"),
        "fetch": ("1", "(RFC822)"),
        "search": (None, "ALL"),
        "sort": ("DATE", "UTF-8", "ALL"),
        "store": ("1", "+FLAGS", "seen"),
        "thread": ("ORDEREDSUBJECT", "UTF-8", "ALL"),
        "uid": ("FETCH", "1", "(FLAGS)"),
    },
)

POP, POP_TLS = "poplib.POP3", "poplib.POP3_SSL"
greeted(POP, clear(POP))
greeted(POP_TLS, secure(POP_TLS, "context"), encrypted=True)
commands(
    POP,
    lambda server: poplib.POP3(server.host, server.port),
    {
        **dict.fromkeys(("capa", "list", "noop", "quit", "rset", "stat", "uidl"), ()),
        "apop": ("user", "password"),
        "dele": (1,),
        "retr": (1,),
        "top": (1, 1),
        "user": ("user",),
        "pass_": ("password",),
        "stls": (client_context(),),
    },
)

# --- files: ftplib -------------------------------------------------------------------------------

FTP, FTP_TLS = "ftplib.FTP", "ftplib.FTP_TLS"


def ftp_client(server: Server) -> ftplib.FTP:
    """A client that has logged in."""
    client = ftplib.FTP()
    client.connect(server.host, server.port)
    client.login()
    return client


def ftp_tls_client(server: Server) -> ftplib.FTP_TLS:
    """A client that has been greeted."""
    client = ftplib.FTP_TLS(context=client_context())
    client.connect(server.host, server.port)
    return client


def ftp_encrypted_client(server: Server) -> ftplib.FTP_TLS:
    """A client that talks over TLS."""
    client = ftp_tls_client(server)
    client.auth()
    return client


def at_default_port(name: str) -> Callable[..., object]:
    """The constructor takes no port, so it is told through the class."""

    def make(server: Server, **more: float) -> object:
        kind = type(name.rpartition(".")[2], (resolve(name),), {"port": server.port})
        return kind(server.host, **more)

    return make


greeted(FTP, at_default_port(FTP))
greeted(FTP_TLS, at_default_port(FTP_TLS))
waits(f"{FTP}.connect", connecting(ftplib.FTP, "connect", ftp))
commands(
    FTP,
    ftp_client,
    {
        **dict.fromkeys(("login", "abort", "nlst", "dir", "pwd", "quit", "__exit__"), ()),
        "sendcmd": ("NOOP",),
        "voidcmd": ("NOOP",),
        "transfercmd": ("RETR file",),
        "ntransfercmd": ("RETR file",),
        "retrbinary": ("RETR file", len),
        "retrlines": ("RETR file", len),
        "storbinary": ("STOR file", io.BytesIO(b"content")),
        "storlines": ("STOR file", io.BytesIO(b"content\n")),
        "rename": ("file", "other"),
        "delete": ("file",),
        "cwd": ("folder",),
        "mkd": ("folder",),
        "rmd": ("folder",),
        "size": ("file",),
    },
)
commands(FTP_TLS, ftp_tls_client, {"auth": ()})
commands(FTP_TLS, ftp_encrypted_client, {"prot_p": (), "prot_c": (), "ccc": ()})


def machine_list(_: Path) -> tuple[Call, Call]:
    """A generator: the loop over it waits."""
    server = Server(ftp)
    client = ftp_client(server)
    server.shut()
    return lambda: list(client.mlsd()), server.open


waits(f"{FTP}.mlsd", machine_list)
unconnected(FTP, "host present")
unconnected(FTP_TLS, "host present", context=client_context())

# --- news and terminals --------------------------------------------------------------------------


def nntp_client(server: Server) -> Any:  # noqa: ANN401 - a module that newer versions lack
    """A client that has been greeted, and chosen its group."""
    client = resolve("nntplib.NNTP")(server.host, server.port)
    client.group("group")
    return client


NNTP, NNTP_TLS = "nntplib.NNTP", "nntplib.NNTP_SSL"
greeted(NNTP, clear(NNTP))
greeted(NNTP_TLS, secure(NNTP_TLS, "ssl_context"), encrypted=True)
commands(
    NNTP,
    nntp_client,
    {
        **dict.fromkeys(("article", "body", "head", "stat", "list", "quit"), ()),
        "group": ("group",),
        "login": ("user", "password", False),
        "newnews": ("group", resolve("datetime.datetime")(2020, 1, 1)),
        "over": ((1, 1),),
        "post": ([b"Subject: text", b"", b"body"],),
    },
)

TELNET = "telnetlib.Telnet"


def telnet_client(server: Server) -> Any:  # noqa: ANN401 - a module that newer versions lack
    """A client that is connected."""
    return resolve(TELNET)(server.host, server.port)


def talked(name: str, *arguments: object) -> Setup:
    """A call of a client to which nobody talks, and what is said then."""

    def setup(_: Path) -> tuple[Call, Call]:
        connected = threading.Event()
        may_talk = threading.Event()

        def talk(peer: Any) -> None:  # noqa: ANN401 - a peer
            connected.set()
            may_talk.wait()
            peer.socket.sendall(b"text\n")
            peer.socket.close()
            peer._file.close()

        server = Server(talk)
        sys.stdin = os.fdopen(os.pipe()[0])  # `interact` listens to it as well
        return partial(getattr(telnet_client(server), name), *arguments), may_talk.set

    return setup


def telnet_write(_: Path) -> tuple[Call, Call]:
    """More than the buffers hold, and the server that takes it."""
    server = Server(silence)
    server.shut()
    return partial(telnet_client(server).write, b"x" * (1 << 24)), server.open


waits(TELNET, reaching(lambda address: partial(resolve(TELNET), *address)))
ends(TELNET, only(reaching(lambda address: partial(resolve(TELNET), *address, SECONDS))), raises=TimeoutError)
waits(f"{TELNET}.open", reaching(lambda address: partial(resolve(TELNET)().open, *address)))
for _name, _arguments in {"read_all": (), "read_some": (), "read_until": (b"\n",), "expect": ([b"\n"],), "interact": ()}.items():
    waits(f"{TELNET}.{_name}", talked(_name, *_arguments))
waits(f"{TELNET}.write", telnet_write)
unconnected(TELNET, "host present")
