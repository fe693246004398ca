"""What strict mode is tried on: stalls, short blocking calls, things that are fine, and short calls by ways that are hard to see.

A case is a function that makes what it needs and gives the coroutine function to be run on the loop. Those marked `early` make it
before the monitor is switched on, the others after.
"""

from __future__ import annotations

import asyncio
import bisect
import concurrent.futures
import ctypes
import functools
import gc
import glob
import hashlib
import http.client
import io
import json
import logging
import mmap
import multiprocessing
import os
import pathlib
import posix
import queue
import re
import select
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
import warnings
import weakref
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any, NamedTuple

Coroutine = Callable[[], Awaitable[object]]
LONG = 0.15
"""Seconds that a stall lasts at least."""
SHORT = 0.002


class Case(NamedTuple):
    """A name in words, its group, what makes it, and whether that is before the monitor is switched on."""

    group: str
    name: str
    make: Callable[[Ground], Coroutine]
    early: bool


CASES: list[Case] = []


def case(group: str, name: str, early: bool = False) -> Callable[[Callable[[Ground], Coroutine]], Callable[[Ground], Coroutine]]:
    """Register a case."""

    def register(make: Callable[[Ground], Coroutine]) -> Callable[[Ground], Coroutine]:
        CASES.append(Case(group, name, make, early))
        return make

    return register


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        seconds = float(self.path.rpartition("/")[2] or 0)
        time.sleep(seconds)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


class Ground(NamedTuple):
    """Files and servers that cases share."""

    folder: pathlib.Path
    port: int

    def file(self, size: int = 1 << 16) -> pathlib.Path:
        """A new file of so many bytes."""
        descriptor, path = tempfile.mkstemp(dir=self.folder)
        with open(descriptor, "wb") as file:
            file.write(b"0123456789abcde\n" * (size // 16))
        return pathlib.Path(path)

    def url(self, seconds: float) -> str:
        """An address that answers after so many seconds."""
        return f"http://127.0.0.1:{self.port}/{seconds}"


@contextmanager
def ground() -> Iterator[Ground]:
    """A folder and a server for as long as the cases run."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        yield Ground(pathlib.Path(folder), server.server_port)
    server.shutdown()


def again(call: Callable[[], object], seconds: float = LONG) -> None:
    """Call again and again for so long."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        call()


def held(lock: Any, seconds: float) -> Callable[[], None]:  # noqa: ANN401
    """Have another thread hold a lock until so long after what is given here is called."""
    taken, called = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            called.wait()
            time.sleep(seconds)

    threading.Thread(target=hold).start()
    taken.wait()
    return called.set


def answering(seconds: float) -> socket.socket:
    """An open socket whose other side says something after so long, each time it is told something."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        while theirs.recv(100):
            time.sleep(seconds)
            theirs.sendall(b"answer")
        theirs.close()

    threading.Thread(target=answer, daemon=True).start()
    return ours


def later(call: Callable[[], object], seconds: float) -> None:
    """Have another thread make a call after so long."""
    threading.Timer(seconds, call).start()


# --- stalls --------------------------------------------------------------------------------------


@case("stall", "time.sleep")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        time.sleep(LONG)

    return run


@case("stall", "time.sleep, bound early")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        sleep(LONG)

    return run


@case("stall", "open and read")
def _(ground: Ground) -> Coroutine:
    path = ground.file()

    async def run() -> None:
        again(lambda: open(path).read())

    return run


@case("stall", "read of an open file")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(1 << 20), "rb")

    async def run() -> None:
        again(lambda: (file.seek(0), file.read()))
        file.close()

    return run


@case("stall", "lines of an open file")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(1 << 20))

    async def run() -> None:
        again(lambda: (file.seek(0), sum(1 for _ in file)))
        file.close()

    return run


@case("stall", "write and flush of an open file")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(), "w")

    async def run() -> None:
        again(lambda: (file.write("x" * 1000), file.flush()))
        file.close()

    return run


@case("stall", "os.fsync")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(), "wb", buffering=0)

    async def run() -> None:
        again(lambda: (file.write(b"x"), os.fsync(file.fileno())))
        file.close()

    return run


@case("stall", "pathlib read_bytes")
def _(ground: Ground) -> Coroutine:
    path = ground.file()

    async def run() -> None:
        again(path.read_bytes)

    return run


@case("stall", "pathlib write_text")
def _(ground: Ground) -> Coroutine:
    path = ground.file()

    async def run() -> None:
        again(lambda: path.write_text("text"))

    return run


@case("stall", "os.stat")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: os.stat(ground.folder))

    return run


@case("stall", "os.listdir")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: os.listdir(ground.folder))

    return run


@case("stall", "os.walk")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: list(os.walk(ground.folder)))

    return run


@case("stall", "glob.glob")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: glob.glob(f"{ground.folder}/*"))

    return run


@case("stall", "shutil.copyfile")
def _(ground: Ground) -> Coroutine:
    path = ground.file(1 << 20)

    async def run() -> None:
        again(lambda: shutil.copyfile(path, f"{path}.copy"))

    return run


@case("stall", "tempfile")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: tempfile.NamedTemporaryFile(dir=ground.folder).close())

    return run


@case("stall", "shutil.rmtree")
def _(ground: Ground) -> Coroutine:
    def tree() -> None:
        folder = tempfile.mkdtemp(dir=ground.folder)
        for number in range(20):
            os.mkdir(f"{folder}/{number}")
        shutil.rmtree(folder)

    async def run() -> None:
        again(tree)

    return run


@case("stall", "json.load of an open file")
def _(ground: Ground) -> Coroutine:
    path = ground.folder / "data.json"
    path.write_text(json.dumps(list(range(10_000))))
    file = open(path)

    async def run() -> None:
        again(lambda: (file.seek(0), json.load(file)))
        file.close()

    return run


@case("stall", "socket connect and recv")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        with socket.create_connection(("127.0.0.1", ground.port)) as client:
            client.sendall(f"GET /{LONG} HTTP/1.0\r\n\r\n".encode())
            client.recv(1000)

    return run


@case("stall", "recv of an open socket")
def _(_ground: Ground) -> Coroutine:
    client = answering(LONG)

    async def run() -> None:
        client.sendall(b"?")
        client.recv(100)
        client.close()

    return run


@case("stall", "makefile of an open socket")
def _(_ground: Ground) -> Coroutine:
    client = answering(LONG)
    file = client.makefile("rb")

    async def run() -> None:
        client.sendall(b"?")
        file.read(6)
        client.close()

    return run


@case("stall", "urllib.request.urlopen")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        urllib.request.urlopen(ground.url(LONG)).read()

    return run


@case("stall", "kept http.client connection")
def _(ground: Ground) -> Coroutine:
    connection = http.client.HTTPConnection("127.0.0.1", ground.port)
    connection.request("GET", "/0")
    connection.getresponse().read()

    async def run() -> None:
        connection.request("GET", f"/{LONG}")
        connection.getresponse().read()
        connection.close()

    return run


@case("stall", "requests.get")
def _(ground: Ground) -> Coroutine:
    import requests

    async def run() -> None:
        requests.get(ground.url(LONG))

    return run


@case("stall", "kept requests session")
def _(ground: Ground) -> Coroutine:
    import requests

    session = requests.Session()
    session.get(ground.url(0))

    async def run() -> None:
        session.get(ground.url(LONG))
        session.close()

    return run


@case("stall", "kept httpx client")
def _(ground: Ground) -> Coroutine:
    import httpx

    client = httpx.Client()
    client.get(ground.url(0))

    async def run() -> None:
        client.get(ground.url(LONG))
        client.close()

    return run


def _looked_up(look_up: Callable[[str], object]) -> None:
    try:
        look_up("localhost")
    except OSError:
        pass


@case("stall", "socket.getaddrinfo")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: _looked_up(lambda host: socket.getaddrinfo(host, 80)))

    return run


@case("stall", "socket.gethostbyname")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: _looked_up(socket.gethostbyname))

    return run


@case("stall", "sqlite3 connect and write")
def _(ground: Ground) -> Coroutine:
    def write() -> None:
        with sqlite3.connect(ground.folder / "a.db") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
            connection.execute("INSERT INTO t VALUES (1)")
        connection.close()

    async def run() -> None:
        again(write)

    return run


@case("stall", "sqlite3 on an open connection")
def _(ground: Ground) -> Coroutine:
    connection = sqlite3.connect(ground.folder / "b.db")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(10_000)])
    connection.commit()

    async def run() -> None:
        again(lambda: connection.execute("SELECT sum(x) FROM t").fetchall())
        connection.close()

    return run


@case("stall", "sqlite3 locked by another connection")
def _(ground: Ground) -> Coroutine:
    connection = sqlite3.connect(ground.folder / "c.db", timeout=LONG)
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
    other = sqlite3.connect(ground.folder / "c.db")
    other.execute("BEGIN EXCLUSIVE")

    async def run() -> None:
        try:
            connection.execute("INSERT INTO t VALUES (1)")
        except sqlite3.OperationalError:
            pass
        other.close()
        connection.close()

    return run


@case("stall", "thread lock held")
def _(_ground: Ground) -> Coroutine:
    lock = threading.Lock()

    async def run() -> None:
        (await asyncio.to_thread(held, lock, LONG))()
        with lock:
            pass

    return run


@case("stall", "re-entrant lock held")
def _(_ground: Ground) -> Coroutine:
    lock = threading.RLock()

    async def run() -> None:
        (await asyncio.to_thread(held, lock, LONG))()
        lock.acquire()
        lock.release()

    return run


@case("stall", "semaphore")
def _(_ground: Ground) -> Coroutine:
    semaphore = threading.Semaphore(0)

    async def run() -> None:
        later(semaphore.release, LONG)
        semaphore.acquire()

    return run


@case("stall", "Event.wait")
def _(_ground: Ground) -> Coroutine:
    event = threading.Event()

    async def run() -> None:
        later(event.set, LONG)
        event.wait()

    return run


@case("stall", "queue.Queue.get")
def _(_ground: Ground) -> Coroutine:
    items: queue.Queue[int] = queue.Queue()

    async def run() -> None:
        later(lambda: items.put(1), LONG)
        items.get()

    return run


@case("stall", "queue.SimpleQueue.get")
def _(_ground: Ground) -> Coroutine:
    items: queue.SimpleQueue[int] = queue.SimpleQueue()

    async def run() -> None:
        later(lambda: items.put(1), LONG)
        items.get()

    return run


@case("stall", "Future.result")
def _(_ground: Ground) -> Coroutine:
    pool = concurrent.futures.ThreadPoolExecutor(1)

    async def run() -> None:
        pool.submit(time.sleep, LONG).result()
        pool.shutdown()

    return run


@case("stall", "Thread.join")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        thread = threading.Thread(target=time.sleep, args=(LONG,))
        thread.start()
        thread.join()

    return run


@case("stall", "recv of a multiprocessing pipe")
def _(_ground: Ground) -> Coroutine:
    ours, theirs = multiprocessing.Pipe()

    async def run() -> None:
        later(lambda: theirs.send(1), LONG)
        ours.recv()

    return run


@case("stall", "ssl.create_default_context")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        again(ssl.create_default_context)

    return run


@case("stall", "uncached import in a handler")
def _(ground: Ground) -> Coroutine:
    folder = ground.folder / "modules"
    folder.mkdir(exist_ok=True)
    body = "".join(f"def f{number}(x): return [x + {number} for _ in range({number})]\n" for number in range(4000))
    (folder / "big_module_of_the_matrix.py").write_text(body)
    sys.path.insert(0, str(folder))

    async def run() -> None:
        import big_module_of_the_matrix  # noqa: F401

        sys.path.remove(str(folder))
        del sys.modules["big_module_of_the_matrix"]

    return run


@case("stall", "memory map")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(1 << 22), "r+b")

    def mapped() -> None:
        with mmap.mmap(file.fileno(), 0) as area:
            area[0:10] = b"0123456789"
            area.flush()

    async def run() -> None:
        again(mapped)
        file.close()

    return run


@case("stall", "subprocess.run")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        subprocess.run(["sleep", str(LONG)], check=True)

    return run


@case("stall", "os.system")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        os.system(f"sleep {LONG}")

    return run


@case("stall", "wait for an open process")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        process.wait()

    process = subprocess.Popen(["sleep", str(LONG + 0.2)])
    return run


@case("stall", "output of an open process")
def _(_ground: Ground) -> Coroutine:
    process = subprocess.Popen(["sh", "-c", f"sleep {LONG + 0.2}; echo done"], stdout=subprocess.PIPE)

    async def run() -> None:
        assert process.stdout is not None
        process.stdout.read()
        process.wait()

    return run


@case("stall", "select.select")
def _(_ground: Ground) -> Coroutine:
    ours, theirs = socket.socketpair()

    async def run() -> None:
        select.select([ours], [], [], LONG)
        ours.close()
        theirs.close()

    return run


@case("stall", "requests from a key of sorted")
def _(ground: Ground) -> Coroutine:
    def key(number: int) -> int:
        urllib.request.urlopen(ground.url(LONG / 3)).read()
        return -number

    async def run() -> None:
        sorted([1, 2, 3], key=key)

    return run


@case("stall", "time.sleep by map")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        list(map(time.sleep, [LONG]))

    return run


@case("stall", "read from a callback of re.sub")
def _(ground: Ground) -> Coroutine:
    path = ground.file(1 << 18)

    async def run() -> None:
        again(lambda: re.sub("a", lambda _: path.read_text()[:1], "banana"))

    return run


@case("stall", "a loop of Python")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        sum(number * number for number in range(4_000_000))

    return run


@case("stall", "json.dumps of much")
def _(_ground: Ground) -> Coroutine:
    data = [{"number": number, "text": "x" * 20} for number in range(400_000)]

    async def run() -> None:
        json.dumps(data)

    return run


@case("stall", "a pattern that backtracks")
def _(_ground: Ground) -> Coroutine:
    text = "a" * 24 + "b"

    async def run() -> None:
        re.match(r"(a+)+$", text)

    return run


@case("stall", "hashlib.pbkdf2_hmac")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 600_000)

    return run


@case("stall", "zlib.compress")
def _(_ground: Ground) -> Coroutine:
    data = os.urandom(1 << 20) * 12

    async def run() -> None:
        zlib.compress(data, 9)

    return run


@case("stall", "sum in C, holding the interpreter")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        sum(range(25_000_000))

    return run


@case("stall", "numpy sort")
def _(_ground: Ground) -> Coroutine:
    import numpy as np

    data = np.random.default_rng(1).random(4_000_000)

    async def run() -> None:
        np.sort(data, kind="stable")

    return run


@case("stall", "pandas group-by")
def _(_ground: Ground) -> Coroutine:
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"key": np.arange(1_500_000) % 1000, "text": ["x", "y", "z"] * 500_000})

    async def run() -> None:
        frame.groupby(["key", "text"]).size()

    return run


@case("stall", "C that sleeps, holding the interpreter")
def _(_ground: Ground) -> Coroutine:
    libc = ctypes.PyDLL(None)

    async def run() -> None:
        libc.usleep(int(LONG * 1e6))

    return run


@case("stall", "C that sleeps, letting the interpreter go")
def _(_ground: Ground) -> Coroutine:
    libc = ctypes.CDLL(None)

    async def run() -> None:
        libc.usleep(int(LONG * 1e6))

    return run


# --- short blocking calls ------------------------------------------------------------------------


@case("short", "time.sleep")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        time.sleep(SHORT)

    return run


@case("short", "open and read")
def _(ground: Ground) -> Coroutine:
    path = ground.file(64)

    async def run() -> None:
        with open(path) as file:
            file.read()

    return run


@case("short", "read of an open file")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(64))

    async def run() -> None:
        file.read()
        file.close()

    return run


@case("short", "pathlib write_text")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        (ground.folder / "short.txt").write_text("text")

    return run


@case("short", "os.stat by pathlib")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        ground.folder.exists()

    return run


@case("short", "os.listdir")
def _(ground: Ground) -> Coroutine:
    async def run() -> None:
        os.listdir(ground.folder)

    return run


@case("short", "recv of an open socket")
def _(_ground: Ground) -> Coroutine:
    client = answering(SHORT)

    async def run() -> None:
        client.sendall(b"?")
        client.recv(100)
        client.close()

    return run


@case("short", "kept requests session")
def _(ground: Ground) -> Coroutine:
    import requests

    session = requests.Session()
    session.get(ground.url(0))

    async def run() -> None:
        session.get(ground.url(0))
        session.close()

    return run


@case("short", "sqlite3 on an open connection")
def _(ground: Ground) -> Coroutine:
    connection = sqlite3.connect(ground.folder / "d.db")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")

    async def run() -> None:
        connection.execute("SELECT * FROM t").fetchall()
        connection.close()

    return run


@case("short", "lock held for 3 ms")
def _(_ground: Ground) -> Coroutine:
    lock = threading.Lock()

    async def run() -> None:
        (await asyncio.to_thread(held, lock, 0.003))()
        with lock:
            pass

    return run


@case("short", "queue.Queue.get")
def _(_ground: Ground) -> Coroutine:
    items: queue.Queue[int] = queue.Queue()

    def put() -> None:
        called.wait()
        time.sleep(SHORT)
        items.put(1)

    called = threading.Event()
    threading.Thread(target=put).start()

    async def run() -> None:
        called.set()
        items.get()

    return run


@case("short", "uncached import in a handler")
def _(ground: Ground) -> Coroutine:
    folder = ground.folder / "short_modules"
    folder.mkdir(exist_ok=True)
    (folder / "small_module_of_the_matrix.py").write_text("x = 1\n")
    sys.path.insert(0, str(folder))

    async def run() -> None:
        import small_module_of_the_matrix  # noqa: F401

        sys.path.remove(str(folder))
        del sys.modules["small_module_of_the_matrix"]

    return run


@case("short", "getaddrinfo")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        _looked_up(lambda host: socket.getaddrinfo(host, 80))

    return run


@case("short", "os.system")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        os.system("true")

    return run


@case("short", "memory map")
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(1 << 12), "r+b")

    async def run() -> None:
        mmap.mmap(file.fileno(), 0).close()
        file.close()

    return run


# --- things that are fine ------------------------------------------------------------------------


@case("fine", "asyncio.sleep")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        await asyncio.sleep(LONG)

    return run


@case("fine", "time.sleep in a thread")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        await asyncio.to_thread(time.sleep, LONG)

    return run


@case("fine", "a file read in an executor")
def _(ground: Ground) -> Coroutine:
    path = ground.file()

    async def run() -> None:
        await asyncio.get_running_loop().run_in_executor(None, path.read_bytes)

    return run


@case("fine", "a pool's first thread started")
def _(_ground: Ground) -> Coroutine:
    pool = concurrent.futures.ThreadPoolExecutor(1)

    async def run() -> None:
        await asyncio.wrap_future(pool.submit(sum, range(10)))
        pool.shutdown(wait=False)

    return run


@case("fine", "a lock that nobody holds")
def _(_ground: Ground) -> Coroutine:
    lock, again_lock = threading.Lock(), threading.RLock()

    async def run() -> None:
        for _ in range(1000):
            with lock, again_lock:
                pass

    return run


@case("fine", "a queue that has an item")
def _(_ground: Ground) -> Coroutine:
    items: queue.Queue[int] = queue.Queue()
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    items.put(1)
    simple.put(1)

    async def run() -> None:
        items.get()
        simple.get()

    return run


@case("fine", "an event that is set, a future that is done, a thread that has ended")
def _(_ground: Ground) -> Coroutine:
    event, future = threading.Event(), concurrent.futures.Future[int]()
    event.set()
    future.set_result(1)
    thread = threading.Thread(target=sum, args=([],))
    thread.start()
    thread.join()

    async def run() -> None:
        event.wait()
        future.result()
        thread.join()

    return run


@case("fine", "streams of asyncio")
def _(_ground: Ground) -> Coroutine:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"line\n")
        await reader.readline()
        writer.close()
        server.close()

    return run


@case("fine", "a process of asyncio")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        process = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.05; echo out", stdout=asyncio.subprocess.PIPE)
        await process.communicate()

    return run


@case("fine", "a name looked up by the loop")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        await asyncio.get_running_loop().getaddrinfo("localhost", 80)

    return run


@case("fine", "an address looked up")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        socket.getaddrinfo("127.0.0.1", 80)

    return run


@case("fine", "a socket that does not block")
def _(_ground: Ground) -> Coroutine:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.send(b"1")

    async def run() -> None:
        ours.recv(1)
        await asyncio.get_running_loop().sock_sendall(ours, b"2")
        ours.close()
        theirs.close()

    return run


@case("fine", "httpx.AsyncClient", early=True)
def _(ground: Ground) -> Coroutine:
    import httpx

    async def warm() -> None:
        async with httpx.AsyncClient() as other:
            await other.get(ground.url(0))

    asyncio.run(warm())  # it imports the rest of itself at its first request
    client = httpx.AsyncClient()

    async def run() -> None:
        await client.get(ground.url(0.02))
        await client.aclose()

    return run


@case("fine", "anyio files and threads", early=True)
def _(ground: Ground) -> Coroutine:
    import anyio

    path = ground.file()

    async def run() -> None:
        async with await anyio.open_file(path) as file:
            await file.read()
        await anyio.to_thread.run_sync(time.sleep, 0.05)

    asyncio.run(run())  # it imports the rest of itself when that is first used
    return run


@case("fine", "a FastAPI app that is called")
def _(_ground: Ground) -> Coroutine:
    import fastapi
    import httpx

    app = fastapi.FastAPI()

    @app.get("/items")
    def items() -> dict[str, int]:
        time.sleep(0.02)
        return {"items": 1}

    @app.get("/other")
    async def other() -> dict[str, int]:
        await asyncio.sleep(0.02)
        return {"items": 2}

    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def run() -> None:
        assert (await client.get("/items")).json() == {"items": 1}
        assert (await client.get("/other")).json() == {"items": 2}

    return run


@case("fine", "logging to a file")
def _(ground: Ground) -> Coroutine:
    logger = logging.getLogger("matrix")
    logger.propagate = False
    logger.addHandler(logging.FileHandler(ground.folder / "log.txt", delay=True))

    async def run() -> None:
        logger.warning("words")

    return run


@case("fine", "a traceback printed, a warning given")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            traceback.format_exc()
        with warnings.catch_warnings(record=True):
            warnings.warn("words", stacklevel=1)

    return run


@case("fine", "files in memory")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        io.BytesIO(b"bytes").read()
        io.StringIO("text").readline()
        tempfile.SpooledTemporaryFile(max_size=1000).write(b"bytes")

    return run


@case("fine", "a database in memory")
def _(_ground: Ground) -> Coroutine:
    connection = sqlite3.connect(":memory:")

    async def run() -> None:
        connection.execute("SELECT 1").fetchall()
        connection.close()

    return run


@case("fine", "an import that is cached")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        import json  # noqa: F401
        from time import sleep  # noqa: F401

    return run


@case("fine", "sleep of 0, select with no patience")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        time.sleep(0)
        select.select([], [], [], 0)

    return run


@case("fine", "computing for 20 ms")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        again(lambda: sum(range(100)), 0.02)

    return run


@case("fine", "ten thousand callbacks")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        for _ in range(10_000):
            await asyncio.sleep(0)

    return run


@case("fine", "threads that compute beside the loop")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        work = [asyncio.to_thread(again, lambda: sum(range(1000)), 0.4) for _ in range(2)]
        ticks = asyncio.create_task(_ticks())
        await asyncio.gather(*work)
        ticks.cancel()

    return run


async def _ticks() -> None:
    while True:
        sum(range(1000))
        await asyncio.sleep(0.001)


@case("fine", "printing")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        print("printed by the matrix", file=sys.stderr)

    return run


@case("fine", "garbage collected")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        gc.collect()

    return run


@case("fine", "a process asked whether it has ended")
def _(_ground: Ground) -> Coroutine:
    process = subprocess.Popen(["sleep", "0.3"])

    async def run() -> None:
        process.poll()
        await asyncio.sleep(0.35)
        process.poll()

    return run


# --- short calls by ways that are hard to see ----------------------------------------------------


def _short(group_name: str, call: Callable[[], object], early: bool = False) -> None:
    def make(_ground: Ground) -> Coroutine:
        async def run() -> None:
            call()

        return run

    CASES.append(Case("evasive", group_name, make, early))


def _by_default(wait: Callable[[float], object] = sleep) -> None:
    wait(SHORT)


class _Waiter:
    wait = time.sleep


class _Holder:
    def __init__(self) -> None:
        self.wait = time.sleep


class _Slotted:
    __slots__ = ("wait",)

    def __init__(self) -> None:
        self.wait = time.sleep


def _closed_over() -> Callable[[], None]:
    wait = time.sleep
    return lambda: wait(SHORT)


_PARTIAL = functools.partial(time.sleep, SHORT)
_TABLE = {"wait": time.sleep}
_LIST = [time.sleep]
_HOLDER, _SLOTTED, _CLOSURE = _Holder(), _Slotted(), _closed_over()
_EARLY_LOCK = threading.Lock()

_short("a default of a parameter", _by_default)
_short("a partial function", _PARTIAL)
_short("an attribute of a class", lambda: _Waiter.wait(SHORT))
_short("an attribute of an object", lambda: _HOLDER.wait(SHORT))
_short("a slot of an object", lambda: _SLOTTED.wait(SHORT))
_short("a table of functions", lambda: _TABLE["wait"](SHORT))
_short("a list of functions", lambda: _LIST[0](SHORT))
_short("a variable of a closure", _CLOSURE)
_short("code that is evaluated", lambda: eval("__import__('time').sleep(0.002)"))
_short("the module beneath os", lambda: posix.stat("/"))
_short("io.FileIO", lambda: io.FileIO("/etc/hostname").readall())
_short("a key of bisect", lambda: bisect.bisect([1], 2, key=lambda number: time.sleep(SHORT) or number))


def _swallowed() -> None:
    try:
        time.sleep(SHORT)
    except BaseException:
        pass


_short("inside `except BaseException`", _swallowed)


class _Dying:
    def __del__(self) -> None:
        time.sleep(SHORT)


_short("a finalizer", _Dying)
_short("a weak reference's callback", lambda: weakref.finalize(_Holder(), time.sleep, SHORT))


@case("evasive", "the loop's own callback")
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        asyncio.get_running_loop().call_soon(time.sleep, SHORT)
        await asyncio.sleep(0.01)

    return run


@case("evasive", "a function in C that sleeps")
def _(_ground: Ground) -> Coroutine:
    libc = ctypes.CDLL(None)

    async def run() -> None:
        libc.usleep(int(SHORT * 1e6))

    return run


@case("evasive", "a lock made before", early=True)
def _(_ground: Ground) -> Coroutine:
    async def run() -> None:
        (await asyncio.to_thread(held, _EARLY_LOCK, 0.003))()
        with _EARLY_LOCK:
            pass

    return run


@case("evasive", "a file opened before", early=True)
def _(ground: Ground) -> Coroutine:
    file = open(ground.file(64))

    async def run() -> None:
        file.read()
        file.close()

    return run


@case("evasive", "a method bound before", early=True)
def _(_ground: Ground) -> Coroutine:
    client = answering(SHORT)
    receive = client.recv

    async def run() -> None:
        await asyncio.to_thread(client.sendall, b"?")
        receive(100)
        client.close()

    return run
