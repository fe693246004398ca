"""Whatever is sent, the answer is a 4xx with a reason."""

import json

import httpx
import pytest

from tests.pdf import pdf
from tests.services import ENCODER, LANGUAGE, Service, ended, ingest, upload

MESSAGE = [{"role": "user", "content": "hello"}]
BROKEN_PDF = b"%PDF-1.4\n" + b"1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 3


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("empty.txt", b"", 400, "the file is empty"),
        ("blank.md", b" \n\t\n", 400, "the file is empty"),
        ("program.exe", b"MZ", 415, "'program.exe': only files with these suffixes can be read: .txt, .md, .html, .htm, .pdf"),
        ("no suffix", b"text", 415, "'no suffix': only files with these suffixes can be read: .txt, .md, .html, .htm, .pdf"),
        ("binary.txt", bytes(range(256)), 415, "the file is called .txt but is no text in UTF-8"),
        ("latin.txt", "Käse".encode("latin-1"), 415, "the file is called .txt but is no text in UTF-8"),
        ("text.pdf", b"just text", 415, "the file is called .pdf but is no PDF"),
        ("pdf.txt", pdf("text")[:40] + b"\0", 415, "the file is called .txt but is no text in UTF-8"),
        (
            "../../etc/passwd.txt",
            b"text",
            400,
            "a file's name has 1 to 200 characters, and neither slashes nor control characters",
        ),
        ("..\\up.txt", b"text", 400, "a file's name has 1 to 200 characters, and neither slashes nor control characters"),
        ("nul\0.txt", b"text", 400, "a file's name has 1 to 200 characters, and neither slashes nor control characters"),
        ("a" * 300 + ".txt", b"text", 422, "query.name: String should have at most 200 characters"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_files(a_farm: Service, name: str, content: bytes, status: int, words: str):
    """Files that cannot be used are refused at once."""
    assert reason(upload(a_farm.url, name, content)) == (status, words)


@pytest.mark.parametrize("content", [BROKEN_PDF, pdf("text")[:300], b"%PDF-1.7\n%%EOF"], ids=["objects", "cut", "empty"])
def test_broken_pdfs(a_farm: Service, content: bytes):
    """A broken PDF is refused, with what is wrong with it."""
    status, words = reason(upload(a_farm.url, "broken.pdf", content))
    assert (status, words[:19]) == (415, "the PDF is broken: ")


def test_a_file_over_the_limit(a_farm: Service):
    """Refused when its length is announced, and when it is not; nothing of it stays."""

    def pieces():
        for _ in range(60):
            yield b"x" * 1_000_000

    url, query = f"{a_farm.url}/v1/files", {"name": "huge.txt"}
    assert httpx.post(url, params=query, content=b"x" * 60_000_000, timeout=60).status_code == 413
    assert httpx.post(url, params=query, content=pieces(), timeout=60).status_code == 413
    files = a_farm.log.parent / "data" / "files"
    assert [path.name for path in files.glob("*.partial")] == []


def test_text_that_turns_bad_late(a_farm: Service):
    """What only shows when the whole file is read ends as a failure with a reason."""
    status = ended(a_farm.url, ingest(a_farm.url, "late.txt", b"good text. " * 1000 + b"\xff\xfe"))
    assert (status["state"], status["reason"]) == ("failed", "the file is no text in UTF-8")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"files": []}, 422, "body.files: List should have at least 1 item after validation, not 0"),
        ({"files": [{"file_id": "../x.txt", "name": "x.txt"}]}, 422, "body.files.0.file_id: String should match pattern"),
        ({"files": [{"file_id": "0" * 64 + ".txt", "name": "x.txt"}]}, 404, "there is no file"),
        ({"files": [{"file_id": "0" * 64 + ".txt", "name": "x.pdf"}]}, 400, "'x.pdf' must end in '.txt'"),
        (
            {"collection": "../up", "files": [{"file_id": "0" * 64 + ".txt", "name": "x.txt"}]},
            422,
            "body.collection: String should",
        ),
    ],
)
def test_ingestions(a_farm: Service, body: dict, status: int, words: str):
    """Requests for ingestions that cannot be."""
    answer = reason(httpx.post(f"{a_farm.url}/v1/ingestions", json=body))
    assert (answer[0], answer[1][: len(words)]) == (status, words)


def test_what_is_not_there(a_farm: Service):
    """Unknown things are 404s."""
    for method, path in (
        ("GET", "/v1/ingestions/none"),
        ("GET", "/v1/ingestions/none/events"),
        ("DELETE", f"/v1/collections/default/documents/{'0' * 64}"),
        ("GET", "/nowhere"),
        ("GET", "/page/..%2f..%2froutes.py"),
    ):
        assert (path, httpx.request(method, a_farm.url + path, timeout=30).status_code) == (path, 404)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (
            "chat/completions",
            {"model": "none", "messages": MESSAGE},
            404,
            "there is no model 'none' of this kind; there are: smollm2-135m",
        ),
        ("chat/completions", {"model": ENCODER, "messages": MESSAGE}, 404, f"there is no model '{ENCODER}' of this kind"),
        ("chat/completions", {"model": LANGUAGE, "messages": []}, 422, "body.messages: List should have at least 1 item"),
        (
            "chat/completions",
            {"model": LANGUAGE, "messages": [{"role": "x", "content": ""}]},
            422,
            "body.messages.0.role: Input should be",
        ),
        (
            "chat/completions",
            {"model": LANGUAGE, "messages": MESSAGE, "max_tokens": 0},
            422,
            "body.max_tokens: Input should be greater",
        ),
        (
            "chat/completions",
            {"model": LANGUAGE, "messages": MESSAGE, "temperature": "hot"},
            422,
            "body.temperature: Input should be a",
        ),
        ("chat/completions", {"model": LANGUAGE, "messages": MESSAGE, "n": 3}, 422, "body.n: Input should be 1"),
        ("embeddings", {"model": LANGUAGE, "input": "x"}, 404, f"there is no model '{LANGUAGE}' of this kind"),
        ("embeddings", {"model": ENCODER, "input": []}, 422, "body.input.constrained-str: Input should be a valid string"),
        ("embeddings", {"model": ENCODER, "input": ["x"] * 300}, 422, "body.input."),
        ("embeddings", {"model": ENCODER, "input": "word " * 600}, 400, "a text has 602 tokens, over the limit of 512; split it"),
    ],
)
def test_runtime(a_runtime: Service, path: str, body: dict, status: int, words: str):
    """Requests that the runtime cannot answer."""
    answer = reason(httpx.post(f"{a_runtime.url}/v1/{path}", json=body, timeout=60))
    assert (answer[0], answer[1][: len(words)]) == (status, words)


@pytest.mark.parametrize("stream", [True, False])
def test_over_long_prompts(a_runtime: Service, stream: bool):
    """A prompt that the model's context does not hold is a 400, streamed or not."""
    body = {"model": LANGUAGE, "messages": [{"role": "user", "content": "word " * 9000}], "stream": stream}
    status, words = reason(httpx.post(f"{a_runtime.url}/v1/chat/completions", json=body, timeout=60))
    assert (status, words[:55]) == (400, "request (9031 tokens) exceeds the available context size"[:55])


def test_malformed_json(a_runtime: Service, a_farm: Service):
    """JSON that is none, lone surrogates, wrong encodings, deep nesting."""
    for content in (b"{", b"\xff\xfe", b'{"model": "\\ud800"}', b"[" * 100_000, b"null", b""):
        for url in (f"{a_runtime.url}/v1/chat/completions", f"{a_farm.url}/v1/chat"):
            answer = httpx.post(url, content=content, headers={"Content-Type": "application/json"}, timeout=30)
            assert (content[:9], answer.status_code) in {(content[:9], 400), (content[:9], 422)}
            assert answer.json()["error"]["message"]


def test_bodies_over_the_limit(a_runtime: Service, a_farm: Service):
    """Whether the length is announced or not."""

    def pieces():
        for _ in range(200):
            yield b" " * 10_000

    for url in (f"{a_runtime.url}/v1/chat/completions", f"{a_farm.url}/v1/chat"):
        for content in (json.dumps({"model": "x" * 2_000_000}).encode(), pieces()):
            assert httpx.post(url, content=content, headers={"Content-Type": "application/json"}).status_code == 413


def test_questions(a_farm: Service):
    """Questions that are none, or too long."""
    for message in ("", "   ", "x" * 3000):
        answer = httpx.post(f"{a_farm.url}/v1/chat", json={"message": message})
        assert (answer.status_code, answer.json()["error"]["message"][:14]) == (422, "body.message: ")
