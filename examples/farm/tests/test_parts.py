"""Parts on their own: what files hold, how text is cut, the ledger, the stores."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from celery import Celery
from kombu import Connection
from qdrant_client import QdrantClient

from farm.documents import Section, sections
from farm.rag.chunks import Chunk, chunked
from farm.rag.file_broker import FileResults
from farm.rag.ledger import Ingestion, Ledger, State, SupersededError
from farm.rag.qdrant_store import QdrantStore
from farm.rag.sqlite_store import SqliteStore
from farm.rag.store import Document, StoredDocument, VectorStore
from tests.pdf import pdf


def read(folder: Path, name: str, content: bytes) -> list[Section]:
    path = folder / name
    path.write_bytes(content)
    return list(sections(path, path.suffix))


def test_sections(tmp_path):
    """Headings and pages say where a text stands; what a page does not show is left out."""
    assert read(tmp_path, "a.md", b"before\n# One #\nfirst\n## Two\nsecond") == [
        Section("before\n"),
        Section("\nfirst\n", "One"),
        Section("\nsecond", "Two"),
    ]
    assert read(tmp_path, "a.pdf", pdf("first", "second")) == [Section("first", "page 1"), Section("second", "page 2")]
    (page,) = read(tmp_path, "a.html", b"<h1>A &amp; B</h1><script>x<y</script><p>text</p>")
    assert page.text.split() == ["A", "&", "B", "text"]
    assert read(tmp_path, "a.txt", b"\xef\xbb\xbftext") == [Section("text")]


def test_chunks():
    """Whole sentences, no longer than the limit, nothing lost; sections are kept apart."""
    text = "One is first. Two is second! " + "x" * 25 + "\n\nThree."
    chunks = list(chunked([Section(text, "here"), Section("Four.", "there"), Section(" \n ")], 20))
    assert [(chunk.text, chunk.place) for chunk in chunks] == [
        ("One is first.", "here"),
        ("Two is second!", "here"),
        ("x" * 20, "here"),
        ("xxxxx Three.", "here"),
        ("Four.", "there"),
    ]


def entry(number: int) -> Ingestion:
    return Ingestion(id=str(number), collection="c", name=f"{number}.txt", path=Path("/x"), content_hash="0" * 64)


def test_an_entry_is_claimed_once(tmp_path):
    """By whoever comes first; again only when that worker has shown no sign of life for too long, and then it must stop."""
    ledger = Ledger(tmp_path / "ledger", lease=0.3, republish=60, max_attempts=2)
    ledger.add([entry(1)])
    first = ledger.claim("1")
    assert first is not None
    assert ledger.claim("1") is None
    with ledger.kept(first):
        time.sleep(0.5)
        assert (ledger.claim("1"), ledger.due()) == (None, [])
    time.sleep(0.4)
    assert [each.id for each in ledger.due()] == ["1"]
    second = ledger.claim("1")
    assert second is not None
    with pytest.raises(SupersededError):
        ledger.show_progress(first, "storing", 0.9)
    time.sleep(0.4)
    assert ledger.claim("1") is None
    found = ledger.get("1")
    assert found is not None
    assert (found.state, found.reason) == (State.FAILED, "given up after 2 attempts")


def test_a_published_entry_is_due_later_each_time(tmp_path):
    """So that a long queue does not fill with copies."""
    ledger = Ledger(tmp_path / "ledger", lease=60, republish=0.2, max_attempts=2)
    ledger.add([entry(1), entry(2)])
    ledger.published("1")
    ledger.published("2")
    ledger.published("2")
    time.sleep(0.25)
    assert [each.id for each in ledger.due()] == ["1"]
    ledger.fail("1", "why")
    ledger.published("1")
    time.sleep(0.2)
    assert [each.id for each in ledger.due()] == ["2"]


@pytest.mark.parametrize("kind", ["sqlite", "qdrant"])
def test_stores(tmp_path, kind: str):
    """Both stores do the same: put, replace, find the nearest of one collection, list, delete."""
    store: VectorStore = SqliteStore(tmp_path / "db") if kind == "sqlite" else QdrantStore(QdrantClient(":memory:"))
    vectors = np.eye(4, dtype=np.float32)
    one, other = Document("1" * 64, "c", "one.txt"), Document("1" * 64, "d", "other.txt")
    assert (store.has(one), store.search("c", vectors[0], 3), store.documents("c"), store.delete("c", one.id)) == (
        False,
        [],
        [],
        False,
    )
    for _ in range(2):
        store.put(one, [Chunk("first", "page 1"), Chunk("second", "page 2")], vectors[:2])
    store.put(other, [Chunk("elsewhere", "")], vectors[:1])
    near = (vectors[0] * 3 + vectors[1] * 4) / 5
    found = [(each.document, each.place, each.text, round(each.score, 5)) for each in store.search("c", near, 3)]
    assert found == [("one.txt", "page 2", "second", 0.8), ("one.txt", "page 1", "first", 0.6)]
    assert [each.text for each in store.search("c", near, 1)] == ["second"]
    assert (store.has(one), store.documents("c")) == (True, [StoredDocument(id="1" * 64, name="one.txt", chunks=2)])
    assert (store.delete("c", one.id), store.has(one), store.has(other)) == (True, False, True)
    assert store.search("c", near, 3) == []


def test_a_message_and_a_result_appear_whole(tmp_path):
    """A reader that asks all the time never finds half of one: 2000 messages of 20 KB come out as they went in."""
    folders = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "control")}
    text = "x" * 20_000
    sent = [f"{number} {text}" for number in range(2000)]

    def connection() -> Connection:
        return Connection("files://", transport_options={**folders, "polling_interval": 0.0001})

    def send() -> None:
        with connection() as sending, sending.SimpleQueue("q") as queue:
            for each in sent:
                queue.put(each)

    sender = threading.Thread(target=send)
    with connection() as receiving, receiving.SimpleQueue("q") as queue:
        sender.start()
        received = []
        for _ in sent:
            message = queue.get(timeout=30)
            received.append(message.payload)
            message.ack()
    sender.join()
    assert received == sent
    results = FileResults(url=f"file://{tmp_path}", app=Celery())
    results.set(b"key", "value")
    assert (results.get(b"key"), list(tmp_path.glob("*.partial"))) == (b"value", [])
