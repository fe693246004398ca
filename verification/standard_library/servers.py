"""Servers on the loopback interface that speak their protocols well, and hold their answers back while a gate is shut."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""A certificate of localhost with its key, for these tests only."""

Talk = Callable[["Peer"], None]


def server_context() -> ssl.SSLContext:
    """What a server needs to encrypt."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_context() -> ssl.SSLContext:
    """What a client needs to trust whatever it reaches."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.VerifyMode.CERT_NONE
    return context


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, gate: threading.Event) -> None:
        self.socket = connection
        self._gate = gate
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)  # FTP's ABOR comes out of band
        self._file: IO[bytes] = connection.makefile("rb")

    def line(self) -> str:
        """The next line from the client; empty at the end."""
        return self._file.readline().decode("latin-1").strip("\r\n")

    def lines(self, end: str = ".") -> None:
        """Take lines up to this one."""
        while self._file.readline().strip() not in (end.encode(), b""):
            pass

    def take(self, count: int) -> None:
        """Take bytes."""
        self._file.read(count)

    def say(self, *lines: str) -> None:
        """Answer, once the gate is open."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def send(self, data: bytes) -> None:
        """Answer with bytes, once the gate is open."""
        self._gate.wait()
        self.socket.sendall(data)

    def encrypt(self) -> None:
        """Go on over TLS."""
        self._gate.wait()
        self.socket = server_context().wrap_socket(self.socket, server_side=True)
        self._file = self.socket.makefile("rb")

    def decrypt(self) -> None:
        """Go on in the clear."""
        assert isinstance(self.socket, ssl.SSLSocket)
        self.socket = self.socket.unwrap()
        self._file = self.socket.makefile("rb")


class Server:
    """Serves every connection by a talk of its own, in threads. The gate is open at first."""

    def __init__(self, talk: Talk, *, encrypted: bool = False) -> None:
        self._talk = talk
        self._encrypted = encrypted
        self.gate = threading.Event()
        self.gate.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Hold all answers back, the greeting of new connections too."""
        self.gate.clear()

    def open(self) -> None:
        """Let the answers go."""
        self.gate.set()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        peer = Peer(connection, self.gate)
        with contextlib.suppress(OSError):  # the client may be gone
            if self._encrypted:
                peer.encrypt()
            self._talk(peer)


# --- talks ---------------------------------------------------------------------------------------


def silence(peer: Peer) -> None:
    """Say nothing, take everything once the gate is open."""
    peer.send(b"")
    while peer.socket.recv(1 << 16):
        pass


def shut_server(talk: Talk = silence, *, encrypted: bool = False) -> Server:
    """A server that accepts and says nothing."""
    server = Server(talk, encrypted=encrypted)
    server.shut()
    return server


def smtp(peer: Peer) -> None:
    """A mail server that accepts every message."""
    peer.say("220 localhost ready")
    answers = {"DATA": "354 go on", "AUTH": "235 welcome", "STARTTLS": "220 encrypt", "QUIT": "221 bye", "VRFY": "250 yes"}
    while line := peer.line():
        verb = line.partition(" ")[0].upper()
        if verb in ("EHLO", "LHLO"):
            peer.say("250-localhost", "250-STARTTLS", "250 AUTH PLAIN")
            continue
        peer.say(answers.get(verb, "250 done"))
        if verb == "DATA":
            peer.lines()
            peer.say("250 taken")
        elif verb == "STARTTLS":
            peer.encrypt()


def pop3(peer: Peer) -> None:
    """A mail server that holds one message."""
    peer.say("+OK ready <1.2@localhost>")
    while line := peer.line():
        verb = line.partition(" ")[0].upper()
        peer.say("+OK 1 10")
        if verb in ("CAPA", "RETR", "TOP") or line in ("LIST", "UIDL"):
            peer.say("STLS" if verb == "CAPA" else "1 10", ".")
        elif verb == "STLS":
            peer.encrypt()


def imap(peer: Peer) -> None:
    """A mail server with one folder."""
    peer.say("* OK [CAPABILITY IMAP4REV1 STARTTLS] ready")
    while line := peer.line():
        tag, verb, *rest = [*line.upper().split(" "), ""]
        if verb == "CAPABILITY":
            peer.say("* CAPABILITY IMAP4REV1 STARTTLS AUTH=PLAIN")
        elif verb == "LOGOUT":
            peer.say("* BYE")
        elif verb == "AUTHENTICATE":
            peer.say("+ ")
            peer.line()
        elif rest and rest[-2:][0].endswith("}"):
            peer.say("+ go on")
            peer.take(int(rest[-2].strip("{}")) + 2)
        peer.say(f"{tag} OK done")
        if verb == "STARTTLS":
            peer.encrypt()


OVERVIEW = ("Subject:", "From:", "Date:", "Message-ID:", "References:", "Bytes:", "Lines:")


def nntp(peer: Peer) -> None:
    """A news server with one group."""
    peer.say("200 ready")
    codes = {"GROUP": "211 1 1 1 group", "ARTICLE": "220 1 <1>", "HEAD": "221 1 <1>", "BODY": "222 1 <1>", "STAT": "223 1 <1>"}
    codes |= {"LIST": "215 list", "NEWNEWS": "230 news", "OVER": "224 over", "XOVER": "224 over", "POST": "340 go on"}
    codes |= {"AUTHINFO": "381 more", "QUIT": "205 bye", "CAPABILITIES": "101 list"}
    while line := peer.line():
        verb = line.partition(" ")[0].upper()
        peer.say("281 welcome" if line.upper().startswith("AUTHINFO PASS") else codes.get(verb, "500 what"))
        if verb in ("ARTICLE", "HEAD", "BODY", "LIST", "NEWNEWS", "OVER", "XOVER", "CAPABILITIES"):
            listed = {"CAPABILITIES": ["VERSION 2"], "OVER": ["1\t" * 7 + "1"], "XOVER": ["1\t" * 7 + "1"]}
            peer.say(*OVERVIEW if "OVERVIEW" in line.upper() else listed.get(verb, ["group 1 1 y"]), ".")
        elif verb == "POST":
            peer.lines()
            peer.say("240 taken")


def ftp(peer: Peer) -> None:
    """A file server with one file, which takes another."""
    peer.say("220 ready")
    codes = {
        "USER": "331 password",
        "PASS": "230 welcome",
        "PWD": '257 "/"',
        "MKD": '257 "/new"',
        "SIZE": "213 10",
        "RNFR": "350 to",
    }
    codes |= {
        "AUTH": "234 encrypt",
        "QUIT": "221 bye",
        "CWD": "250 done",
        "DELE": "250 gone",
        "RMD": "250 gone",
        "RNTO": "250 done",
    }
    data: socket.socket | None = None
    while line := peer.line():
        verb = line.partition(" ")[0].strip("\xff\xf4\xf2").upper()
        if verb in ("PASV", "EPSV"):
            data = socket.create_server(("127.0.0.1", 0))
            port = data.getsockname()[1]
            numbers = f"227 at (127,0,0,1,{port // 256},{port % 256})"
            peer.say(numbers if verb == "PASV" else f"229 at (|||{port}|)")
        elif verb in ("RETR", "LIST", "NLST", "MLSD", "STOR") and data is not None:
            peer.say("150 here")
            _transfer(data, verb)
            peer.say("226 done")
        else:
            peer.say("226 aborted" if verb == "ABOR" else codes.get(verb, "200 done"))
            if verb == "AUTH":
                peer.encrypt()
            elif verb == "CCC":
                peer.decrypt()


def _transfer(data: socket.socket, verb: str) -> None:
    connection, _ = data.accept()
    with connection:
        if verb != "STOR":
            connection.sendall(b"type=file; file\r\n")
        while verb == "STOR" and connection.recv(1 << 16):
            pass


XML_ANSWER = (
    b"<?xml version='1.0'?><methodResponse><params><param><value>"
    b"<array><data></data></array></value></param></params></methodResponse>"
)


def http(peer: Peer, *, body: bytes = b"Disallow:\n") -> None:
    """A web server that gives the same answer to every request."""
    while peer.line():
        length = 0
        while header := peer.line():
            name, _, value = header.partition(":")
            length = int(value) if name.lower() == "content-length" else length
        peer.take(length)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def xml_rpc(peer: Peer) -> None:
    """A web server whose answer is an empty list."""
    http(peer, body=XML_ANSWER)


def slow_body(peer: Peer) -> None:
    """A web server whose body comes later than its head."""
    while peer.line():
        pass
    peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n")
    peer.send(b"the\nanswer\n")
