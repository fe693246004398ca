"""What is asked of a service, the same of the good and of the bad form."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx

from harm.conditions import REFUSED
from harm.service import Measured, Samples, Service

TEXT = b"A fox is an animal. " * 2_250_000
LANGUAGE, ENCODER = "smollm2-135m-instruct", "all-minilm-l6-v2"
COLLECTIONS = ["a", "b", "c", "d", "e"]
PATIENCE = 6.0
"""Seconds after which a client of a silent service gives up."""
REQUESTS, FILES = 5, 100
"""Requests for ingestions just before the service stops, and files of each."""
_CHAT = {"messages": [{"role": "user", "content": "Tell a long story."}]}


async def uploads(service: Service) -> Measured:
    """A client uploads texts of 45 MB, one after the other."""

    async def upload() -> None:
        (await service.client.post("/v1/files", params={"name": "fox.txt"}, content=TEXT)).raise_for_status()

    return await _over(service, 4.0, upload, clients=1)


async def pdf_uploads(service: Service) -> Measured:
    """A client uploads a PDF with a long page again and again."""
    content = _long_pdf()

    async def upload() -> None:
        (await service.client.post("/v1/files", params={"name": "fox.pdf"}, content=content)).raise_for_status()

    return await _over(service, 4.0, upload, clients=1)


async def watchers(service: Service) -> Measured:
    """Two clients watch an ingestion that waits for a worker, and two ask for it again and again."""
    entry = (await _start_ingestions(service, 1))[0]

    async def watch() -> None:
        async with service.client.stream("GET", f"/v1/ingestions/{entry}/events") as response:
            async for _ in response.aiter_lines():
                pass

    async def look() -> None:
        (await service.client.get(f"/v1/ingestions/{entry}")).raise_for_status()

    watching = [asyncio.create_task(watch()) for _ in range(2)]
    measured = await _over(service, 4.0, look, clients=2)
    for each in watching:
        each.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return measured


async def readiness(service: Service) -> Measured:
    """Four clients ask whether the service is ready; the runtime that it asks in turn answers after 0.2 s."""

    async def ready() -> None:
        assert (await service.client.get("/ready")).json()["runtime"] == "ok"  # noqa: S101

    return await _over(service, 4.0, ready, clients=4)


async def repeated_loads(service: Service) -> Measured:
    """A client wants an embedding every 0.7 s; the encoder is unloaded as soon as it is idle, so each request loads it."""
    measured = Measured()

    async def embed_now_and_then() -> None:
        for _ in range(6):
            await _embed(service)
            await asyncio.sleep(0.7)

    measured.health, _ = await asyncio.gather(service.healths(5.0), embed_now_and_then())
    return measured


async def first_requests(service: Service) -> Measured:
    """Eight clients want the first embedding at once."""
    started = time.perf_counter()
    measured = Measured()

    async def first() -> float:
        await _embed(service)
        return time.perf_counter() - started

    took = await asyncio.gather(*(first() for _ in range(8)))
    measured.answers = [(0.0, each) for each in took]
    measured.loads = round(await service.metric("farm_model_loads_total"))
    return measured


async def embeddings_during_loads(service: Service) -> Measured:
    """Two clients want embeddings of an encoder that is in memory; after half a second two language models are asked for."""
    await _embed(service)

    async def load_others() -> None:
        await asyncio.sleep(0.5)
        await asyncio.gather(*(_chat(service, name) for name in ("one", "two")))

    loading = asyncio.create_task(load_others())
    measured = await _over(service, 4.0, lambda: _embed(service), clients=2)
    await loading
    return measured


async def ingestions_before_the_end(service: Service) -> Measured:
    """Five clients start a hundred ingestions each; when all have been accepted, the service is told to stop."""
    measured = Measured()
    accepted = await asyncio.gather(*(_start_ingestions(service, FILES) for _ in range(REQUESTS)))
    await service.stop(measured)
    measured.lost = sum(map(len, accepted)) - await service.messages()
    return measured


async def ingestions_in_bad_times(service: Service) -> Measured:
    """A client starts ten ingestions while the broker refuses; what has not been published five seconds later is lost."""
    measured = Measured()
    accepted = await _start_ingestions(service, REFUSED)
    started = time.perf_counter()
    while (at := time.perf_counter() - started) < 5:
        measured.counts.append((at, await service.messages()))
        await asyncio.sleep(0.1)
    measured.lost = len(accepted) - await service.messages()
    return measured


async def nothing(service: Service) -> Measured:
    """Nothing but `/health` for a second; then the service is told to stop."""
    measured = Measured()
    measured.health = await service.healths(1.0)
    return measured


async def story(service: Service) -> Measured:
    """A client has a story of a hundred tokens streamed, by a model that is in memory."""
    await _chat(service, LANGUAGE)
    body = {"model": LANGUAGE, "max_tokens": 100, "stream": True, **_CHAT}
    started = time.perf_counter()
    measured = Measured()
    async with service.client.stream("POST", "/v1/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if '"content": "' in line:
                measured.counts.append((time.perf_counter() - started, len(measured.counts) + 1))
    measured.answers = [(0.0, measured.counts[0][0])]
    return measured


async def searches(service: Service) -> Measured:
    """Two clients ask questions about five collections, each of which takes 0.1 s to search."""

    async def ask() -> None:
        body = {"message": "What is a fox?", "collections": COLLECTIONS}
        (await service.client.post("/v1/chat", json=body)).raise_for_status()

    return await _over(service, 4.0, ask, clients=2)


async def questions_without_answer(service: Service) -> Measured:
    """Five clients ask a question; the runtime takes it and says nothing. They give up after six seconds."""
    started = time.perf_counter()

    async def ask() -> float:
        with suppress(httpx.ReadTimeout):
            body = {"message": "What is a fox?", "collections": ["a"]}
            await service.client.post("/v1/chat", json=body, timeout=PATIENCE)
        return time.perf_counter() - started

    measured = Measured()
    asking = asyncio.gather(*(ask() for _ in range(5)))
    measured.health = await service.healths(3.0)
    measured.answers = [(0.0, each) for each in await asking]
    return measured


async def ingestions_without_broker(service: Service) -> Measured:
    """A client starts an ingestion while the broker takes what comes and says nothing."""
    starting = asyncio.create_task(_start_ingestions(service, 1))
    measured = Measured()
    measured.health = await service.healths(4.0)
    await starting
    return measured


async def _over(service: Service, seconds: float, ask: Callable[[], Awaitable[None]], clients: int) -> Measured:
    answers: Samples = []
    started = time.perf_counter()

    async def client() -> None:
        while (sent := time.perf_counter() - started) < seconds:
            await ask()
            answers.append((sent, time.perf_counter() - started - sent))

    measured = Measured()
    asking = asyncio.gather(*(client() for _ in range(clients)))
    measured.health = await service.healths(seconds)
    await asking
    measured.answers, measured.seconds = sorted(answers), time.perf_counter() - started
    return measured


async def _embed(service: Service) -> None:
    body = {"model": ENCODER, "input": "A fox is an animal."}
    (await service.client.post("/v1/embeddings", json=body)).raise_for_status()


async def _chat(service: Service, model: str) -> None:
    body = {"model": model, "max_tokens": 1, **_CHAT}
    (await service.client.post("/v1/chat/completions", json=body)).raise_for_status()


async def _start_ingestions(service: Service, count: int) -> list[str]:
    stored = await service.client.post("/v1/files", params={"name": "fox.txt"}, content=b"A fox is an animal.")
    files = [{"file_id": stored.raise_for_status().json()["file_id"], "name": "fox.txt"}] * count
    started = await service.client.post("/v1/ingestions", json={"files": files})
    return [each["id"] for each in started.raise_for_status().json()["ingestions"]]


def _long_pdf() -> bytes:
    """A PDF whose only page has some thousand lines of text."""
    lines = "\n".join(f"({number} foxes are animals.) Tj T*" for number in range(4000))
    stream = f"BT /F1 12 Tf 12 TL 72 720 Td {lines} ET"
    font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources {font} >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 5\n0000000000 65535 f \n{table}{trailer}".encode()
