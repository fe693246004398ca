"""Processor time that a server needs for a request, under strict mode and under other tools that are meant for tests.

    python -m verification.monitor.strict_overhead asyncio|uvloop [ROUNDS]

Each tool has a server of its own; they get the same load in turns, many rounds, and the medians of the rounds' ratios to the
server without a tool are printed, with their quartiles.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import fastapi
import pydantic
import uvicorn

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "build" / "monitor" / f"peers-{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
TOOLS = ("none", "asyncvet", "blockbuster", "aiocop", "asyncio debug")
REQUESTS = 400
_PATHS = ("/items/7?q=words", "/plain", "/threaded", "/sent")


def serve(tool: str, loop: str) -> None:
    """Serve the handlers on a free port, which is printed."""
    if tool == "asyncvet":
        from asyncvet.monitor import strict

        strict(then="record").start()
    elif tool == "blockbuster":
        from blockbuster import BlockBuster

        BlockBuster().activate()
    elif tool == "aiocop":
        import aiocop

        aiocop.patch_audit_functions()
        aiocop.start_blocking_io_detection()
        aiocop.detect_slow_tasks(threshold_ms=30, on_slow_task=lambda _: None)
        aiocop.activate()
    config = uvicorn.Config(_application(tool == "asyncio debug"), port=0, loop=loop, log_level="error")
    server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_until_told(server))


async def _until_told(server: uvicorn.Server) -> None:
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


class Item(pydantic.BaseModel):
    """What is sent and answered."""

    name: str
    price: float
    tags: list[str] = []


def _application(is_debugging: bool) -> object:
    """Handlers as services have them: an answer computed, one from a thread, one that waits, a body that is validated."""

    @asynccontextmanager
    async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
        if is_debugging:
            asyncio.get_running_loop().set_debug(True)
        yield

    app = fastapi.FastAPI(lifespan=lifespan)

    @app.get("/items/{number}")
    async def item(number: int, q: str = "") -> Item:
        await asyncio.sleep(0)
        return Item(name=q, price=number, tags=[str(each) for each in range(10)])

    @app.get("/plain")
    async def plain() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/threaded")
    def threaded() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/sent")
    async def sent(item: Item) -> Item:
        return item

    return app


async def load(port: int, number: int) -> int:
    """Send a number of requests over four connections that are kept, and count those that are answered as they should be."""
    good = 0

    async def some() -> None:
        nonlocal good
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps({"name": "name", "price": 1.5, "tags": ["a", "b"]})
        for turn in range(number // 4):
            path = _PATHS[turn % len(_PATHS)]
            sent = body if path == "/sent" else ""
            method = "POST" if sent else "GET"
            head = (
                f"{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
            )
            writer.write((head + sent).encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            good += answer.startswith(b"HTTP/1.1 200")
            length = next(int(line.split(b":")[1]) for line in answer.splitlines() if line.lower().startswith(b"content-length"))
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(some() for _ in range(4)))
    return good


def processor_time(process: int) -> float:
    """Seconds that a process has run, in its own code and in the kernel."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scheduled(process: int) -> float:
    """The same, to the nanosecond, for all threads that are alive."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{process}/task").glob("*/schedstat")) / 1e9


def main() -> None:
    """Serve, or compare the tools."""
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3])
        return
    loop, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15
    tools = [tool for tool in TOOLS if tool in ("none", "asyncvet", "asyncio debug") or (PEERS / tool).is_dir()]
    spent: dict[str, list[float]] = {tool: [] for tool in tools}
    good = dict.fromkeys(tools, 0)
    with ExitStack() as stack:
        servers: dict[str, tuple[subprocess.Popen[str], int]] = {}
        for tool in tools:
            path = os.pathsep.join([str(ROOT), str(ROOT / "src"), str(PEERS / tool)])
            command = [sys.executable, "-m", "verification.monitor.strict_overhead", "serve", tool, loop]
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            servers[tool] = process, int(process.stdout.readline())
            asyncio.run(load(servers[tool][1], REQUESTS))
        for turn in range(rounds):
            for tool in tools[turn % len(tools) :] + tools[: turn % len(tools)]:
                process, port = servers[tool]
                before = scheduled(process.pid)
                good[tool] += asyncio.run(load(port, REQUESTS))
                spent[tool].append(scheduled(process.pid) - before)
    for tool in tools:
        ratios = [one / other for one, other in zip(spent[tool], spent["none"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        each = statistics.median(spent[tool]) / REQUESTS * 1e6
        share = good[tool] / (rounds * REQUESTS)
        figures = {
            "ratio": round(middle, 3),
            "quartiles": [round(low, 3), round(high, 3)],
            "µs": round(each),
            "answered": round(share, 3),
        }
        print(json.dumps({"tool": tool, "loop": loop, **figures}, ensure_ascii=False))


if __name__ == "__main__":
    main()
