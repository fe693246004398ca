"""What the light monitor sees and what it costs, measured on real servers, and written into its page.

    python -m verification.monitor.production [INTERPRETER...]

Attribution: with each interpreter and loop, each of eight culprits stalls a server with forty innocent requests under way.
Cost: processor time of a server for a request, under each monitor. The servers run side by side and get their load in turns, many
times over; what is compared are the medians. Switched off and on is the same server.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from asyncvet.monitor.observation import read_observations
from tests.monitor.service import CULPRITS, INNOCENT
from tests.monitor.serving import load, served

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "monitor-in-production.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

REPEATS = 3
"""How often each culprit stalls each server."""

MONITORS = ("none", "asyncvet", "asynclens", "loopguard", "loopsentry")
OFF = "asyncvet, off"
ROUNDS, REQUESTS, CONNECTIONS = 25, 800, 8
"""Rounds of load for each server, requests of a round, and connections that send them."""


class Attribution(NamedTuple):
    """How it went with one interpreter and loop: stalls, those whose culprit was named, and how often an innocent request was blamed."""

    python: str
    loop: str
    stalls: int
    named: int
    innocent_blamed: int
    innocent: int


def attribution(python: str, loop: str, folder: Path) -> Attribution:
    """Let culprits stall a server, and see whom the monitor blames."""
    innocent = [f"/innocent/{name}/{number}" for name in INNOCENT for number in range(10)]
    named = blamed = 0
    with served("service:watched", loop, python, OBSERVATIONS=str(folder / "observations")) as port:
        seen = 0
        for _ in range(REPEATS):
            for name in CULPRITS:
                asyncio.run(load(port, f"/culprit/{name}/1", innocent))
                observations, _ = read_observations(folder / "observations")
                requests = [each.request for each in observations[seen:]]
                seen = len(observations)
                named += f"GET /culprit/{name}/{{number}}" in requests
                blamed += sum("/innocent/" in request for request in requests)
    (folder / "observations").unlink()
    stalls = REPEATS * len(CULPRITS)
    found = Attribution(version(python), loop, stalls, named, blamed, stalls * len(innocent))
    print(found, file=sys.stderr)
    return found


def version(python: str) -> str:
    """The version of an interpreter."""
    done = subprocess.run(
        [python, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def costs(python: str, loop: str, folder: Path) -> dict[str, float]:
    """Processor time for a request under each monitor, in microseconds."""
    spent: dict[str, list[float]] = {monitor: [] for monitor in (*MONITORS, OFF)}
    with contextlib.ExitStack() as stack:
        servers = {monitor: stack.enter_context(_server(monitor, python, loop, folder)) for monitor in MONITORS}
        for port, process in servers.values():
            spent_in_round(port, process)  # warms up
        for _ in range(ROUNDS):
            for monitor, (port, process) in servers.items():
                spent[monitor].append(spent_in_round(port, process))
                if monitor == "asyncvet":
                    os.kill(process, signal.SIGUSR2)
                    spent[OFF].append(spent_in_round(port, process))
                    os.kill(process, signal.SIGUSR2)
    medians = {monitor: statistics.median(times) for monitor, times in spent.items()}
    print(loop, medians, file=sys.stderr)
    return medians


def spent_in_round(port: int, process: int) -> float:
    """Processor time of a server for one request, in microseconds, over one round of load."""
    time.sleep(0.1)
    asyncio.run(requests(port, REQUESTS // 4))  # caches are warm then, whoever had the processor before
    before = processor_time(process)
    asyncio.run(requests(port, REQUESTS))
    return (processor_time(process) - before) / REQUESTS * 1e6


@contextlib.contextmanager
def _server(monitor: str, python: str, loop: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Port and process id of a server under a monitor."""
    name = monitor.replace(", ", "-")
    variables = {
        "MONITOR": monitor,
        "OBSERVATIONS": str(folder / name),
        "ASYNCVET_MONITOR": "off" if monitor.endswith("off") else "on",
    }
    with served("verification.monitor.production_service:service", loop, python, **variables) as port:
        found = subprocess.run(["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
        yield port, int(found.partition("pid=")[2].partition(",")[0])


def processor_time(process: int) -> float:
    """What all threads of a process have used, in seconds."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


async def requests(port: int, number: int) -> None:
    """Send so many requests over kept connections."""

    async def some() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for each in range(number // CONNECTIONS):
            writer.write(f"GET /items/{each}?q=a HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*[some() for _ in range(CONNECTIONS)])


def report(pythons: list[str]) -> str:
    """The tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        attributions = [attribution(python, loop, folder) for python in pythons for loop in ("asyncio", "uvloop")]
        measured = [
            (version(python), loop, costs(python, loop, folder)) for python in pythons[-1:] for loop in ("asyncio", "uvloop")
        ]
    lines = ["| Python | loop | culprits named | innocent requests blamed |", "|---|---|---|---|"]
    lines += [f"| {a.python} | {a.loop} | {a.named} of {a.stalls} | {a.innocent_blamed} of {a.innocent} |" for a in attributions]
    for python, loop, times in measured:
        lines += [
            "",
            f"Processor time for a request, Python {python}, {loop}, median of {ROUNDS} rounds of {REQUESTS} requests:",
            "",
        ]
        lines += ["| monitor | microseconds | of none |", "|---|---|---|"]
        lines += [f"| {monitor} | {times[monitor]:.0f} | {times[monitor] / times['none']:.3f} |" for monitor in times]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page's tables anew."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    before = os.getloadavg()[0]
    tables = report(sys.argv[1:] or [sys.executable])
    machine = (
        f"Measured on Linux {platform.machine()} with {os.cpu_count()} processors. Load average before and after: {before:.0f} and "
        f"{os.getloadavg()[0]:.0f}; a processor that has other work to do makes what runs by the clock, as the watchdog does, look dearer."
    )
    PAGE.write_text(f"{head}{BEGIN}\n{machine}\n\n{tables}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
