"""What the programs measure themselves with: real servers, files and workers that are slow, and how long the loop stands still."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import selectors
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROUNDS = 2
FAST = 15
"""Seconds of a loop under `run_fast` in one of the world around it."""


def tell(measured: float, result: object) -> None:
    """Say what was measured and what the program gave."""
    print(json.dumps({"measured": measured, "result": result}))  # noqa: T201 - this is how a program speaks


async def stall(call: Callable[[], Awaitable[Any]], seconds: float | None = None) -> tuple[float, Any]:
    """The longest time for which the loop stood still during a call, as a share of the seconds that the call takes.

    It is the least of some rounds, as a busy machine holds up the loop as well; a call that blocks does so in each. Where the seconds are
    not known, they are those that the call took in this round.

    Returns:
        The share, and what the call gave.
    """
    shares: list[float] = []
    result = None
    while len(shares) < ROUNDS and min(shares, default=1.0) > 0.4:
        async with _longest_gap() as gap:
            start = time.monotonic()
            result = await call()
            took = time.monotonic() - start
        shares.append(gap() / (seconds or took))
    return min(shares), result


@asynccontextmanager
async def _longest_gap() -> AsyncIterator[Callable[[], float]]:
    seen = [time.monotonic()]

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.005)
            seen.append(time.monotonic())

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    try:
        yield lambda: max(later - earlier for earlier, later in zip(seen, [*seen[1:], time.monotonic()], strict=True))
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker


@contextmanager
def slow_server(seconds: float) -> Iterator[str]:
    """A server on the loopback interface that answers each request after some seconds, with the path that it was asked for.

    Yields:
        Its address, with a slash at the end.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(seconds)
            body = json.dumps(self.path).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def slow_file(text: str, seconds: float) -> Iterator[str]:
    """A file that can be opened after some seconds only, again and again: a pipe whose other end comes late.

    Yields:
        Its path.
    """
    path = Path("slow-file")
    os.mkfifo(path)

    def write() -> None:
        for _ in range(ROUNDS):
            with path.open("w", encoding="utf-8") as file:  # waits for a reader, who is let wait in turn
                time.sleep(seconds)
                file.write(text)
            time.sleep(0.05)

    threading.Thread(target=write, daemon=True).start()
    try:
        yield str(path)
    finally:
        path.unlink()


@asynccontextmanager
async def lines_after(seconds: float) -> AsyncIterator[int]:
    """A server that sends each client one line, after some seconds.

    Yields:
        Its port.
    """

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        with suppress(ConnectionError):
            writer.write(b"done\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:  # noqa: ANN401 - an application of whichever framework
    """An ASGI application, served by uvicorn in this loop, from its start-up to its shutdown.

    Yields:
        Its address, with a slash at the end.
    """
    uvicorn = importlib.import_module("uvicorn")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        if serving.done():
            await serving
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        await serving


class _FastSelector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout and timeout / FAST)


class _FastLoop(asyncio.SelectorEventLoop):
    def time(self) -> float:
        return super().time() * FAST


def run_fast(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine while time runs faster for its loop and for the timeouts of sockets, so that nobody waits for them."""
    settimeout = socket.socket.settimeout

    def set_short(self: socket.socket, seconds: float | None) -> None:
        settimeout(self, seconds and seconds / FAST)

    socket.socket.settimeout = set_short  # type: ignore[method-assign, assignment]
    with asyncio.Runner(loop_factory=lambda: _FastLoop(_FastSelector())) as runner:
        runner.run(coroutine)


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that accepts connections and says nothing, until it is closed.

    Yields:
        Its port.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in kept:
            connection.close()
