"""The bad forms of the harm lab give the same answers as the good ones, when nothing goes wrong."""

import re
from dataclasses import replace

import pytest

from harm.__main__ import running_form
from harm.loads import ENCODER, LANGUAGE
from harm.patterns import PATTERNS, Pattern
from harm.service import Measured, Service, slow_runtime
from harm.variants import VARIANTS
from tests.pdf import pdf

EMBEDDING = "POST", "/v1/embeddings", {"model": ENCODER, "input": ["A fox is an animal.", "Ein Fuchs."]}
QUESTION = "POST", "/v1/chat", {"message": "What is a fox?", "collections": ["a", "b"]}
STORY = {"messages": [{"role": "user", "content": "Tell a story."}], "max_tokens": 20, "temperature": 0, "stream": True}
TELL = "POST", "/v1/chat/completions", {"model": LANGUAGE, **STORY}
UPLOADS = {"blocking-open": ("fox.txt", b"A fox is an animal."), "parsing-on-the-loop": ("fox.pdf", pdf("A fox."))}
REQUESTS = {
    "requests-in-a-handler": ("GET", "/ready", None),
    "load-on-the-loop": EMBEDDING,
    "no-lock-on-load": EMBEDDING,
    "no-second-look": EMBEDDING,
    "one-global-lock": EMBEDDING,
    "swallowed-cancellation": ("GET", "/health", None),
    "collected-stream": TELL,
    "sequential-awaits": QUESTION,
    "no-timeout": QUESTION,
}
CHANGING = re.compile(r'"(?:id|session_id|created)": ?("[^"]*"|\d+)')


def answering(pattern: Pattern) -> Pattern:
    """The pattern with what lets the bad form answer, too, and soon."""
    if pattern.name == "no-timeout":
        return replace(pattern, other=(slow_runtime, *pattern.other[1:]))
    return replace(pattern, settings={**pattern.settings, "FARM_STATUS_TIMEOUT": 0.5})


async def answer(name: str, service: Service) -> tuple[int, str]:
    """Status and text of an answer, without what differs each time."""
    if name in UPLOADS:
        file, content = UPLOADS[name]
        got = await service.client.post("/v1/files", params={"name": file}, content=content)
    elif name in REQUESTS:
        method, path, body = REQUESTS[name]
        got = await service.client.request(method, path, json=body)
    else:
        stored = (await service.client.post("/v1/files", params={"name": "fox.txt"}, content=b"A fox.")).json()
        files = [{"file_id": stored["file_id"], "name": "fox.txt"}] * 2
        got = await service.client.post("/v1/ingestions", json={"files": files})
        if name == "sleep-in-a-handler":
            entry = got.json()["ingestions"][0]["id"]
            got = await service.client.get(f"/v1/ingestions/{entry}/events")
    return got.status_code, CHANGING.sub("", got.text)


def test_variants():
    """Each pattern has its bad form."""
    assert [pattern.name for pattern in PATTERNS] == list(VARIANTS)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
async def test_same_answers(pattern: Pattern):
    """A request is answered alike by both forms."""
    answers = []
    for is_bad in (True, False):
        async with running_form(answering(pattern), is_bad) as service:
            answers.append(await answer(pattern.name, service))
            await service.stop(Measured())
    assert answers[0] == answers[1]
    assert answers[0][0] in (200, 201, 202, 503 if pattern.name == "requests-in-a-handler" else 200)
