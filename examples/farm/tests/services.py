"""Real services, started as processes and stopped again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
LANGUAGE, ENCODER = "smollm2-135m-instruct", "all-minilm-l6-v2"


@dataclass
class Service:
    """A process that answers on a port of this machine."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path
    runtime_url: str

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if it is not there yet."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in httpx.get(f"{self.url}/metrics").text.splitlines():
            match = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if match and wanted <= set((match[1] or "").split(",")):
                return float(match[2])
        return 0.0


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition, seconds: float = 30.0, pause: float = 0.05):
    """The first true value of `condition()`, within so many seconds."""
    ends = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < ends, f"still not so after {seconds} s"
        time.sleep(pause)


def answers(url: str, token: object = None) -> bool:
    """Whether a GET succeeds."""
    try:
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).is_success
    except httpx.TransportError:
        return False


def environment(**settings: object) -> dict[str, str]:
    """This process's environment with the farm's settings in place of any that are set."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("FARM_", "MODEL_"))}
    return kept | {key: str(value) for key, value in settings.items()} | {"OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def started(module: str, health: str, log: Path, *arguments: str, **settings: object) -> Iterator[Service]:
    """`python -m module`, from the time that it is healthy until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(lambda: answers(health, settings.get("FARM_ACCESS_TOKEN")) or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()
        yield Service(process, health.rpartition("/")[0], log, f"http://127.0.0.1:{settings['FARM_RUNTIME_PORT']}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def runtime(folder: Path, **settings: object) -> Iterator[Service]:
    """A runtime of its own."""
    port = settings.setdefault("FARM_RUNTIME_PORT", free_port())
    url = f"http://127.0.0.1:{port}/health"
    with started("farm.runtime", url, folder / "runtime.log", FARM_DATA_DIR=folder, **settings) as service:
        yield service


@contextmanager
def farm(folder: Path, **settings: object) -> Iterator[Service]:
    """A whole farm of its own."""
    server, models = free_port(), free_port()
    settings |= {"FARM_SERVER_PORT": server, "FARM_RUNTIME_PORT": models, "FARM_DATA_DIR": folder / "data"}
    with started("farm", f"http://127.0.0.1:{server}/ready", folder / "farm.log", **settings) as service:
        yield service


def processes(*words: str) -> list[int]:
    """Processes whose command line has all these words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if command and all(word in command for word in words):
            found.append(int(path.parent.name))
    return found


def descendants(pid: int) -> list[int]:
    """All processes that this one has started, and they, and so on."""
    children = [int(each) for task in Path(f"/proc/{pid}/task").glob("*/children") for each in task.read_text().split()]
    return children + [each for child in children for each in descendants(child)]


def upload(url: str, name: str, content: bytes, **headers: str) -> httpx.Response:
    """Upload a file."""
    return httpx.post(f"{url}/v1/files", params={"name": name}, content=content, headers=headers, timeout=30)


def ingest(url: str, name: str, content: bytes, collection: str = "default") -> str:
    """Upload a file and begin to ingest it; the id of the ingestion."""
    file_id = upload(url, name, content).raise_for_status().json()["file_id"]
    body = {"collection": collection, "files": [{"file_id": file_id, "name": name}]}
    answer = httpx.post(f"{url}/v1/ingestions", json=body, timeout=30).raise_for_status()
    return str(answer.json()["ingestions"][0]["id"])


def ended(url: str, ingestion: str, seconds: float = 60.0) -> dict:
    """An ingestion that has come to an end."""

    def status() -> dict | None:
        found = httpx.get(f"{url}/v1/ingestions/{ingestion}", timeout=30).raise_for_status().json()
        return found if found["state"] in {"done", "failed"} else None

    return wait_for(status, seconds, 0.1)


def documents(url: str, collection: str = "default") -> list[dict]:
    """The documents of a collection."""
    found = httpx.get(f"{url}/v1/collections/{collection}/documents", timeout=30).raise_for_status()
    return list(found.json()["documents"])
