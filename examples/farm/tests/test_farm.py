"""The whole farm: files go in, answers with their sources come out, and what dies is recovered from."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.pdf import pdf
from tests.services import ROOT, Service, documents, ended, environment, farm, free_port, ingest, processes, upload, wait_for

FACTS = {
    "barn.md": "# Barn\n\nThe barn of the farm is painted green and was built in 1907.\n\n# Roof\n\nThe roof is made of slate.\n",
    "goat.txt": "The goat of the farm is called Margarete. She eats clover.\n",
    "well.html": "<html><style>p {}</style><h1>Well</h1><p>The well is 42 metres deep.</p><script>hidden()</script></html>",
}


def long_text(sentences: int, word: str = "sheep") -> bytes:
    return "".join(
        f"Sentence {number} tells how the {word} number {number} walked over the hill.\n\n" for number in range(sentences)
    ).encode()


def ask(url: str, message: str, collection: str, **more: object) -> dict:
    body = {"message": message, "collections": [collection], **more}
    return httpx.post(f"{url}/v1/chat", json=body, timeout=60).raise_for_status().json()


def test_from_files_to_answers(a_farm: Service):
    """Four kinds of file are ingested; each question finds the right one, with its place, first."""
    files = {name: text.encode() for name, text in FACTS.items()} | {
        "tractor.pdf": pdf("Nothing.", "The tractor has 90 horsepower.")
    }
    for entry in [ingest(a_farm.url, name, content, "facts") for name, content in files.items()]:
        status = ended(a_farm.url, entry)
        assert (status["state"], status["stage"], status["reason"]) == ("done", "stored", None)
    assert [each["name"] for each in documents(a_farm.url, "facts")] == ["barn.md", "goat.txt", "tractor.pdf", "well.html"]
    found = {
        question: (lambda source: (source["document"], source["place"]))(ask(a_farm.url, question, "facts")["sources"][0])
        for question in (
            "How deep is the well?",
            "What is the goat's name?",
            "What is the roof made of?",
            "How strong is the tractor?",
        )
    }
    assert [*found.values()] == [("well.html", ""), ("goat.txt", ""), ("barn.md", "Roof"), ("tractor.pdf", "page 2")]


def test_a_talk_goes_on(a_farm: Service):
    """A session keeps what was said; a streamed answer has sources first, then tokens, then its end."""
    ended(a_farm.url, ingest(a_farm.url, "goat.txt", FACTS["goat.txt"].encode(), "talk"))
    first = ask(a_farm.url, "What is the goat's name?", "talk")
    assert "Margarete" in first["answer"]
    body = {"message": "And what does the goat eat?", "collections": ["talk"], "session_id": first["session_id"], "stream": True}
    names, arrivals = [], []
    with httpx.stream("POST", f"{a_farm.url}/v1/chat", json=body, timeout=60) as response:
        for line in response.iter_lines():
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
                arrivals.append(time.monotonic())
    assert names == ["sources", *["token"] * (len(names) - 2), "done"]
    assert len(names) > 4
    assert arrivals[-1] > arrivals[1]
    missing = httpx.post(f"{a_farm.url}/v1/chat", json={**body, "session_id": "0" * 32})
    assert missing.status_code == 404


def test_several_collections_are_searched(a_farm: Service):
    """What one collection lacks another may have."""
    ended(a_farm.url, ingest(a_farm.url, "well.html", FACTS["well.html"].encode(), "wells"))
    body = {"message": "How deep is the well?", "collections": ["nothing-here", "wells"]}
    answer = httpx.post(f"{a_farm.url}/v1/chat", json=body, timeout=60).json()
    assert ([each["document"] for each in answer["sources"]], answer["problems"]) == (["well.html"], [])


def test_the_same_content_is_stored_once(a_farm: Service):
    """Under another name, too; a second time nothing is embedded."""
    entries = [ingest(a_farm.url, name, FACTS["goat.txt"].encode(), "once") for name in ("goat.txt", "again.txt")]
    assert [ended(a_farm.url, entry)["state"] for entry in entries] == ["done", "done"]
    assert len(documents(a_farm.url, "once")) == 1


def test_a_document_is_deleted(a_farm: Service):
    """It is not found any more; a second deletion finds nothing."""
    ended(a_farm.url, ingest(a_farm.url, "goat.txt", FACTS["goat.txt"].encode(), "deleted"))
    (document,) = documents(a_farm.url, "deleted")
    url = f"{a_farm.url}/v1/collections/deleted/documents/{document['id']}"
    assert [httpx.delete(url, timeout=30).status_code for _ in range(2)] == [204, 404]
    assert documents(a_farm.url, "deleted") == []
    assert ask(a_farm.url, "What is the goat's name?", "deleted")["sources"] == []


def test_progress_is_streamed(a_farm: Service):
    """The events of an ingestion rise to its end."""
    entry = ingest(a_farm.url, "long.txt", long_text(300), "progress")
    with httpx.stream("GET", f"{a_farm.url}/v1/ingestions/{entry}/events", timeout=60) as response:
        seen = [json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line.startswith("data: ")]
    progress = [each["progress"] for each in seen]
    assert progress == sorted(progress)
    assert (seen[-1]["state"], seen[-1]["progress"]) == ("done", 1.0)
    assert any(each["stage"].startswith("embedding ") for each in seen)


def test_a_failure_stays_a_failure(a_farm: Service):
    """A file without text fails with a reason; Celery's own result is FAILURE as well."""
    status = ended(a_farm.url, ingest(a_farm.url, "blank.html", b"<html><script>only code</script></html>", "failures"))
    assert (status["state"], status["reason"], status["attempts"]) == ("failed", "there is no text in the file", 1)
    results = [json.loads(path.read_text()) for path in (a_farm.log.parent / "data" / "results").iterdir()]
    assert [each["status"] for each in results if "there is no text" in str(each["result"])] == ["FAILURE"]


@pytest.fixture
def quick_farm(tmp_path):
    with farm(tmp_path, FARM_LEASE_SECONDS=3, FARM_REPUBLISH_SECONDS=3, FARM_REPUBLISH_INTERVAL=0.5) as service:
        yield service


def worker(service: Service, queue: str) -> list[int]:
    """The processes of this farm that work on a queue."""
    group = [pid for pid in processes("farm.rag", queue) if _data_dir(pid) == str(service.log.parent / "data")]
    assert group
    return group


def _data_dir(pid: int) -> str:
    try:
        variables = dict(each.partition("=")[::2] for each in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    except OSError:
        return ""
    return variables.get("FARM_DATA_DIR", "")


def in_the_middle(url: str, entry: str) -> None:
    wait_for(lambda: httpx.get(f"{url}/v1/ingestions/{entry}").json()["stage"].startswith("embedding "), 30, 0.02)


@pytest.mark.parametrize("whole", [True, False], ids=["worker", "its child"])
def test_a_killed_worker_loses_nothing(quick_farm: Service, whole: bool):
    """Kill -9 in the middle of an ingestion: others wait, both are done in the end, once each."""
    entries = [ingest(quick_farm.url, name, long_text(600, name)) for name in ("one.txt", "two.txt")]
    in_the_middle(quick_farm.url, entries[0])
    victims = worker(quick_farm, "ingest")
    for pid in victims if whole else [max(victims)]:
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    assert httpx.get(f"{quick_farm.url}/health").is_success
    statuses = [ended(quick_farm.url, entry, 90) for entry in entries]
    assert [(status["state"], status["reason"]) for status in statuses] == [("done", None)] * 2
    assert statuses[0]["attempts"] == 2
    print(f"worker killed: both files stored {time.monotonic() - killed:.1f} s later")
    assert [(each["name"], each["chunks"]) for each in documents(quick_farm.url)] == [
        ("one.txt", statuses[0]["chunks"]),
        ("two.txt", statuses[1]["chunks"]),
    ]


def test_a_killed_runtime_loses_nothing(quick_farm: Service):
    """Kill -9 of the runtime in the middle of an ingestion: it is tried again, and chats are told what is the matter."""
    entry = ingest(quick_farm.url, "one.txt", long_text(600))
    in_the_middle(quick_farm.url, entry)
    for pid in processes("farm.runtime"):
        if _data_dir(pid) == str(quick_farm.log.parent / "data"):
            os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    answer = httpx.post(f"{quick_farm.url}/v1/chat", json={"message": "hello"}, timeout=60)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "service_unavailable_error")
    status = ended(quick_farm.url, entry, 90)
    assert (status["state"], status["reason"]) == ("done", None)
    print(f"runtime killed: the file stored {time.monotonic() - killed:.1f} s later")
    assert [(each["name"], each["chunks"]) for each in documents(quick_farm.url)] == [("one.txt", status["chunks"])]
    assert httpx.post(f"{quick_farm.url}/v1/chat", json={"message": "hello"}, timeout=60).status_code == 200


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    """Ctrl-C, twice even, ends every process that the farm has started."""
    with farm(tmp_path) as service:
        upload(service.url, "goat.txt", b"text")
        httpx.post(f"{service.url}/v1/chat", json={"message": "hello"}, timeout=60).raise_for_status()
        ours = [pid for pid in processes("farm") if _data_dir(pid) == str(tmp_path / "data")]
        assert len(ours) >= 7
        service.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        service.process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert service.process.wait(20) == 0
        print(f"stopped {len(ours)} processes in {time.monotonic() - started:.1f} s")
        assert [pid for pid in processes("farm") if _data_dir(pid) == str(tmp_path / "data")] == []
        assert service.log.read_text().endswith("Stopped.\n")


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        (
            "FARM_HOST",
            "0.0.0.0",
            "set FARM_ACCESS_TOKEN to listen on 0.0.0.0: without a token the farm listens on 127.0.0.1 only",
        ),
        ("FARM_SERVER_PORT", "1000000", "server_port"),
        (
            "FARM_RUNTIME_PORT",
            "taken",
            "cannot listen on 127.0.0.1:{port} (Address already in use); FARM_RUNTIME_PORT sets another port",
        ),
    ],
)
def test_bad_settings_are_told_in_a_sentence(tmp_path, setting: str, value: str, words: str):
    """No token for a host that others reach, a port that is none, a port that is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = {"FARM_DATA_DIR": tmp_path, "FARM_SERVER_PORT": free_port(), setting: port if value == "taken" else value}
        command = [sys.executable, "-m", "farm"]
        done = subprocess.run(command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert words.format(port=port) in done.stderr
    assert "Traceback" not in done.stderr
