"""With Redis as broker, and with Redis away, silent, killed."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.services import Service, answers, documents, ended, farm, free_port, ingest, wait_for
from tests.test_farm import in_the_middle, long_text

REDIS = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(REDIS is None, reason="no redis-server here; Debian's package redis-server has it")


@contextmanager
def redis(port: int, folder):
    """A Redis of its own, that keeps what it is told when it is killed."""
    command = [REDIS, "--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port))
        yield process
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def redis_farm(folder, port: int):
    url = f"redis://127.0.0.1:{port}"
    quick = {"FARM_LEASE_SECONDS": 3, "FARM_REPUBLISH_SECONDS": 3, "FARM_REPUBLISH_INTERVAL": 0.5, "FARM_BROKER_TIMEOUT": 1}
    return farm(folder, FARM_BROKER_URL=f"{url}/0", FARM_RESULT_BACKEND=f"{url}/1", **quick)


def worst_health(service: Service, during: threading.Thread) -> float:
    worst = 0.0
    with httpx.Client(base_url=service.url, timeout=60) as client:
        while during.is_alive():
            started = time.perf_counter()
            client.get("/health").raise_for_status()
            worst = max(worst, time.perf_counter() - started)
            time.sleep(0.01)
    return worst


def test_redis_dies_and_comes_back(tmp_path):
    """Killed in the middle of an ingestion: nothing is lost or done twice; a new ingestion waits and says for what."""
    port = free_port()
    with redis(port, tmp_path) as process, redis_farm(tmp_path, port) as service:
        first = ingest(service.url, "one.txt", long_text(600, "one"))
        in_the_middle(service.url, first)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found: dict[str, object] = {}

        def use() -> None:
            started = time.monotonic()
            found["second"] = ingest(service.url, "two.txt", long_text(50, "two"))
            found["ingest seconds"] = time.monotonic() - started
            found["chat"] = httpx.post(f"{service.url}/v1/chat", json={"message": "hello"}, timeout=60).status_code

        using = threading.Thread(target=use)
        using.start()
        worst = worst_health(service, using)
        print(f"Redis refuses: an ingestion is accepted in {found['ingest seconds']:.1f} s, worst /health {worst * 1000:.0f} ms")
        assert (found["chat"], worst < 0.5) == (502, True)
        status = httpx.get(f"{service.url}/v1/ingestions/{found['second']}").json()
        assert (status["state"], status["reason"]) == ("queued", "the broker does not answer; the task will be published again")
        with redis(port, tmp_path):
            statuses = [ended(service.url, entry, 90) for entry in (first, str(found["second"]))]
            assert [(status["state"], status["reason"]) for status in statuses] == [("done", None)] * 2
            wait_for(lambda: answers(f"{service.url}/ready"), 30)
            assert [each["name"] for each in documents(service.url)] == ["one.txt", "two.txt"]
            assert httpx.post(f"{service.url}/v1/chat", json={"message": "hello"}, timeout=60).status_code == 200


def test_redis_says_nothing(tmp_path):
    """A Redis that is stopped and holds its connections: every request comes back within the bound."""
    port = free_port()
    with redis(port, tmp_path) as process, redis_farm(tmp_path, port) as service:
        process.send_signal(signal.SIGSTOP)
        found: dict[str, object] = {}

        def use() -> None:
            started = time.monotonic()
            found["entry"] = ingest(service.url, "one.txt", long_text(20, "one"))
            found["ingest seconds"] = time.monotonic() - started
            answer = httpx.post(f"{service.url}/v1/chat", json={"message": "hello"}, timeout=60)
            found["chat"] = answer.status_code

        using = threading.Thread(target=use)
        using.start()
        worst = worst_health(service, using)
        print(
            f"Redis is silent: an ingestion is accepted in {found['ingest seconds']:.1f} s, worst /health {worst * 1000:.0f} ms"
        )
        assert (found["chat"] in {502, 504}, worst < 0.5, found["ingest seconds"] < 10) == (True, True, True)
        process.send_signal(signal.SIGCONT)
        assert ended(service.url, str(found["entry"]), 60)["state"] == "done"
