"""A service of the farm in a process of its own, with the good or the bad form, and others that it talks to."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 10.0
_START_SECONDS = 30.0
Samples = list[tuple[float, float]]


@dataclass
class Measured:
    """What one form of a pattern did.

    Attributes:
        health: when each `/health` was sent and how long it took, in seconds.
        answers: the same of the load's own requests; of a stream, of its first token.
        counts: how many tokens came, or tasks were published, after so many seconds.
        seconds: how long the load lasted, if its answers are to be counted by the second.
        stall: the loop's worst stall, in seconds.
        loads: times that a model was loaded.
        lost: tasks that were accepted and never published.
        shutdown: seconds from SIGTERM to the end; `killed` if it had to be killed then.
    """

    health: Samples = field(default_factory=list)
    answers: Samples = field(default_factory=list)
    counts: Samples = field(default_factory=list)
    seconds: float | None = None
    stall: float | None = None
    loads: int | None = None
    lost: int | None = None
    shutdown: float = 0.0
    killed: bool = False


class Service:
    """A running service."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, data_dir: Path, client: httpx.AsyncClient) -> None:
        self._process = process
        self.url = url
        self.data_dir = data_dir
        self.client = client

    async def healths(self, seconds: float) -> Samples:
        """Ask for `/health` over so many seconds, from another process."""
        command = (sys.executable, "-m", "harm.health", f"{self.url}/health", str(seconds))
        asking = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        output, _ = await asyncio.wait_for(asking.communicate(), seconds + 40)
        return [(sent, took) for sent, took in json.loads(output.splitlines()[-1])]

    async def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        text = (await self.client.get("/metrics")).text
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

    async def messages(self) -> int:
        """How many tasks the broker has."""
        return len(await asyncio.to_thread(os.listdir, self.data_dir / "broker" / "messages"))

    async def stop(self, measured: Measured) -> None:
        """Tell it to stop; kill it if it does not."""
        started = time.perf_counter()
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            measured.killed = True
        measured.shutdown = time.perf_counter() - started
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def running(service: str, arguments: Sequence[str], **settings: object) -> AsyncGenerator[Service]:
    """A service from the time that it is healthy; who uses it stops it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with _temporary_folder() as folder:
        settings = {f"FARM_{service.upper()}_PORT": port, "FARM_DATA_DIR": folder, "FARM_LOG_LEVEL": "CRITICAL", **settings}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("FARM_", "MODEL_"))}
        environment = kept | {key: str(value) for key, value in settings.items()}
        command = (sys.executable, "-m", "harm.serve", service, *arguments)
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            async with httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=None)) as client:
                await _healthy(client, process)
                yield Service(process, url, folder, client)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()


@asynccontextmanager
async def _temporary_folder() -> AsyncGenerator[Path]:
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="farm-harm-")
    try:
        yield Path(folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _healthy(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    ends = time.monotonic() + _START_SECONDS
    while process.returncode is None and time.monotonic() < ends:
        try:
            if (await client.get("/health")).is_success:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise RuntimeError("the service did not start; its last lines above say why")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def upstream(answer: Answer) -> AsyncGenerator[int]:
    """Something on a port, whose number it gives, that treats connections so."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what comes and say nothing."""
    await reader.read()
    writer.close()


async def slow_runtime(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A runtime whose every answer takes 0.2 s; a chat's is one token."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        await asyncio.sleep(0.2)
        body = b'data: {"choices": [{"delta": {"content": "Yes."}}]}\n\ndata: [DONE]\n\n' if head.startswith("POST") else b"{}"
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
    writer.close()
