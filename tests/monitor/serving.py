"""Real servers for the tests of the monitor, and a real load on them."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


@contextlib.contextmanager
def served(application: str, loop: str = "asyncio", python: str = sys.executable, **environment: str) -> Iterator[int]:
    """The port of a uvicorn server in a process of its own.

    Args:
        application: Module and name, `service:watched`; a factory.
        loop: `asyncio` or `uvloop`.
        python: The interpreter.
        environment: Variables to set.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [python, "-m", "uvicorn", application, "--factory", "--port", str(port), "--loop", loop, "--no-access-log"]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT / "src")]), **environment}
    with subprocess.Popen(command, env=variables, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _wait_until_served(process, port)
            yield port
        finally:
            process.terminate()
            process.communicate()


def _wait_until_served(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise RuntimeError((process.stderr.read() if process.stderr else b"").decode())
        time.sleep(0.05)
    raise TimeoutError(f"no server at port {port}")


async def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def load(port: int, culprit: str, innocent: list[str]) -> list[int]:
    """Ask for what stalls while innocent requests are under way; the statuses of all."""
    others = [asyncio.create_task(get(port, path)) for path in innocent]
    await asyncio.sleep(0.15)
    answers = await asyncio.gather(get(port, culprit), *others)
    return [status for status, _ in answers]
