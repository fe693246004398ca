"""A FastAPI service with eight routes that stall its event loop and four kinds of routes that do not."""

import asyncio
import hashlib
import os
import re
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio._backends._asyncio  # noqa: F401  # the first route in a thread imports it on the loop: that request would be a culprit
from fastapi import FastAPI

from asyncvet.monitor import MonitorMiddleware

LOCK = threading.Lock()
SILENT = socket.create_server(("127.0.0.1", 0))
"""Takes connections and answers nothing."""


def hold_lock(seconds: float) -> None:
    """Hold the lock in a thread of its own."""
    with LOCK:
        time.sleep(seconds)


async def sleeping() -> None:
    """Wait in a call of C."""
    time.sleep(0.3)


async def network() -> None:
    """Wait for a server that is silent."""
    with socket.create_connection(SILENT.getsockname()) as connection, suppress(TimeoutError):
        connection.settimeout(0.3)
        connection.recv(1)


async def lock() -> None:
    """Wait for a lock that a thread holds."""
    threading.Thread(target=hold_lock, args=(0.4,)).start()
    await asyncio.sleep(0.05)
    with LOCK:
        pass


async def computing() -> None:
    """Compute in Python."""
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        sum(range(1000))


async def expression() -> None:
    """Compute in C, holding the interpreter: no other thread gets a turn."""
    re.match(r"(a+)+$", "a" * 23 + "b")


async def process() -> None:
    """Wait for a process."""
    subprocess.run(["sleep", "0.3"], check=True)


async def subtask() -> None:
    """Wait in a task of the request's own."""

    async def inner() -> None:
        await asyncio.sleep(0.01)
        time.sleep(0.3)

    async with asyncio.TaskGroup() as group:
        group.create_task(inner())
        group.create_task(asyncio.sleep(0.1))


async def queries() -> None:
    """Wait for many short things, one after the other."""
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("pause", 0, lambda: time.sleep(0.003))
        for _ in range(100):
            connection.execute("select pause()").fetchall()


CULPRITS: dict[str, Callable[[], Any]] = {
    f.__name__: f for f in (sleeping, network, lock, computing, expression, process, subtask, queries)
}


async def waits() -> None:
    """Await, often."""
    for _ in range(20):
        await asyncio.sleep(0.02)


async def short_steps() -> None:
    """Compute a little between awaits."""
    for _ in range(20):
        sum(range(20_000))
        await asyncio.sleep(0.02)


async def offloads() -> None:
    """Hand what blocks to a thread."""
    await asyncio.to_thread(time.sleep, 0.4)


def in_thread() -> None:
    """A route that FastAPI runs in a thread."""
    hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 100_000)
    time.sleep(0.3)


INNOCENT: dict[str, Callable[[], Any]] = {f.__name__: f for f in (waits, short_steps, offloads, in_thread)}


def application() -> FastAPI:
    """The service, without any monitor."""
    app = FastAPI()
    for name, handler in CULPRITS.items():
        app.get(f"/culprit/{name}/{{number}}")(handler)
    for name, handler in INNOCENT.items():
        app.get(f"/innocent/{name}/{{number}}")(handler)
    return app


def watched() -> FastAPI:
    """The service under the middleware, which writes to the file that the environment names."""
    app = application()
    app.add_middleware(MonitorMiddleware, output=os.environ["OBSERVATIONS"])
    return app
