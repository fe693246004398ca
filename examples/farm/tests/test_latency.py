"""The loop stays free: what `/health` takes while a model loads and while chats stream."""

import asyncio
import math
import time

import httpx

from tests.services import ENCODER, LANGUAGE, Service, runtime

BOUND = 0.050
CHAT = {"model": LANGUAGE, "messages": [{"role": "user", "content": "Tell a long story."}]}


def percentile(values: list[float], percent: float) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


async def healths_during(client: httpx.AsyncClient, work: asyncio.Task, least: int = 0) -> list[float]:
    """Seconds that each request for `/health` took until the work was done."""
    seconds = []
    while not work.done() or len(seconds) < least:
        started = time.perf_counter()
        (await client.get("/health")).raise_for_status()
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(0.005)
    return seconds


def report(what: str, seconds: list[float], service: Service) -> None:
    worst = service.metric("farm_loop_worst_stall_seconds")
    p50, p99 = (percentile(seconds, each) * 1000 for each in (50, 99))
    print(f"{what}: {len(seconds)} x /health, p50 {p50:.1f} ms, p99 {p99:.1f} ms; worst stall of the loop {worst * 1000:.0f} ms")


async def test_health_while_models_load(tmp_path):
    """p99 under 50 ms while a language model and an encoder load; asked over a connection of its own."""
    seconds: list[float] = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        with runtime(folder) as service:
            async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
                await healths_during(client, asyncio.create_task(asyncio.sleep(0.3)))
                requests = [
                    client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 1}),
                    client.post("/v1/embeddings", json={"model": ENCODER, "input": "a text"}),
                ]
                work = asyncio.create_task(asyncio.wait([asyncio.create_task(each) for each in requests]))
                seconds += await healths_during(client, work)
            report("loading", seconds, service)
    assert percentile(seconds, 99) < BOUND


async def test_health_while_eight_chats_stream(tmp_path):
    """p99 under 50 ms while eight answers are generated and streamed at once."""
    with runtime(tmp_path) as service:
        async with (
            httpx.AsyncClient(base_url=service.url, timeout=120) as client,
            httpx.AsyncClient(base_url=service.url) as other,
        ):
            await client.post("/v1/chat/completions", json={**CHAT, "max_tokens": 1})
            body = {**CHAT, "max_tokens": 60, "stream": True}
            streams = asyncio.gather(*(client.post("/v1/chat/completions", json=body) for _ in range(8)))
            seconds = await healths_during(other, streams)
            # How long an answer is, the model decides.
            assert [answer.text.rstrip().endswith("data: [DONE]") for answer in await streams] == [True] * 8
        report("8 streams", seconds, service)
    assert percentile(seconds, 99) < BOUND
