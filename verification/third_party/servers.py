"""Servers on loopback for the calls to wait for: real ones that can be paused, and sockets that never say a word."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from verification.observing import die_with_parent

HOST = "127.0.0.1"
_START = 60.0
"""Seconds that a server may take to answer first."""


class Server:
    """A server process with its children."""

    def __init__(self, command: Sequence[str | Path], port: int, *, user: str | None = None, folder: Path | None = None) -> None:
        """Start it, and return when it takes connections on `port`.

        Raises:
            RuntimeError: It ended, or took no connection in time; the text holds what it printed.
        """
        self.port = port
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the server
        self._process = psutil.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            user=user,
            cwd=folder,
            preexec_fn=die_with_parent,
        )
        try:
            _wait_until(self._takes_connections, f"{command[0]} to take connections on port {port}")
        except RuntimeError as error:
            self._log.seek(0)
            printed = self._log.read().decode(errors="replace")
            self.stop()
            raise RuntimeError(f"{error}\n{printed}") from error

    @property
    def url(self) -> str:
        """Its address for clients that speak HTTP."""
        return f"http://{HOST}:{self.port}"

    def pause(self) -> None:
        """Keep it from running: connections are taken by the kernel, and nobody reads what comes over them."""
        _wait_until(self._is_stopped, "the server to stop")

    def resume(self) -> None:
        """Let it run again; nothing happens if it does."""
        for process in self.processes():
            _signal(process.resume)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause it for the block, or until it is resumed."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def stop(self) -> None:
        """End it and all its children."""
        processes = self.processes() if self._process.is_running() else []
        for process in processes:
            _signal(process.kill)
        psutil.wait_procs(processes)
        self._log.close()

    def processes(self) -> list[psutil.Process]:
        """Its process and all its children, the parent first."""
        return [self._process, *self._process.children(recursive=True)]

    def _is_stopped(self) -> bool:
        for process in (processes := self.processes()):
            _signal(process.suspend)  # also a child that was started just before its parent stopped
        return all(map(_stands_still, processes))

    def _takes_connections(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._process.args[0]} ended with status {self._process.returncode}")
        with socket.socket() as client:
            return client.connect_ex((HOST, self.port)) == 0


def _signal(send: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):  # a server's child that has just ended
        send()


def _stands_still(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _START
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {_START:.0f} s in vain for {what}")
        time.sleep(0.01)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def program(name: str, package: str) -> Path:
    """The path of a program that Debian's `package` brings.

    Raises:
        RuntimeError: It is not installed.
    """
    found = shutil.which(name) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None)
    if found is None:
        raise RuntimeError(f"{name} is not installed: apt-get install {package}")
    return Path(found)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, ended at last."""
    try:
        yield server
    finally:
        server.stop()


def start_python(script: str) -> Server:
    """A server of this folder, `script`, which takes the port as its argument."""
    port = free_port()
    return Server([sys.executable, Path(__file__).with_name(script), str(port)], port)


def start_redis() -> Server:
    """A Redis server that writes nothing to disk."""
    port = free_port()
    return Server(
        [
            program("redis-server", "redis-server"),
            "--bind",
            HOST,
            "--port",
            str(port),
            "--save",
            "",
            "--dir",
            tempfile.gettempdir(),
        ],
        port,
    )


def start_smtp() -> Server:
    """A mail server that throws away what it gets."""
    port = free_port()
    return Server([sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{port}", "-c", "aiosmtpd.handlers.Sink"], port)


@contextmanager
def running_postgresql() -> Iterator[Server]:
    """A PostgreSQL server with a database of its own, run by an ordinary user: it refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="verification-") as name:
        folder = Path(name)
        data = folder / "data"
        owner = ["--username", "postgres", "--auth", "trust", "--no-sync", "--no-locale", "--encoding", "UTF8"]
        initdb: list[str | Path] = [program("initdb", "postgresql"), "--pgdata", data, *owner]
        if user:
            shutil.chown(folder, user)
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
        port = free_port()
        settings = ["-c", "fsync=off", "-c", "autovacuum=off", "-c", "max_connections=40"]
        command: list[str | Path] = [
            program("postgres", "postgresql"),
            "-D",
            data,
            "-h",
            HOST,
            "-p",
            str(port),
            "-k",
            folder,
            *settings,
        ]
        with running(Server(command, port, user=user, folder=folder)) as server:
            is_ready: list[str | Path] = [program("pg_isready", "postgresql"), "-q", "-h", HOST, "-p", str(port)]
            _wait_until(lambda: subprocess.run(is_ready, check=False).returncode == 0, "PostgreSQL to be ready")
            yield server


class SilentListener:
    """A listener on `port`: the kernel takes connections, and nobody ever reads from them or writes to them."""

    def __init__(self) -> None:
        self._server = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"

    def close(self) -> None:
        """Reset all connections that it took."""
        self._server.close()


class FullListener:
    """A listener on `port` whose queue is full: the next connection is neither taken nor refused."""

    def __init__(self) -> None:
        self._server = socket.create_server((HOST, 0), backlog=0)
        self.port: int = self._server.getsockname()[1]
        self._waiting = [socket.socket() for _ in range(2)]
        for client in self._waiting:
            client.setblocking(False)
            client.connect_ex((HOST, self.port))

    def close(self) -> None:
        """Refuse the connections that were neither taken nor refused."""
        for part in (self._server, *self._waiting):
            part.close()


class SilentNameServer:
    """A datagram socket on `port` that answers nothing."""

    def __init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]

    def forget(self) -> None:
        """Drop what has come."""
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(4096)
        self._socket.setblocking(True)

    def refuse(self) -> None:
        """Answer what came with "refused" (the query's own bytes, marked as an answer with code 5)."""
        query, client = self._socket.recvfrom(4096)
        self._socket.sendto(query[:2] + bytes([query[2] | 0x80, query[3] & 0xF0 | 5]) + query[4:], client)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
