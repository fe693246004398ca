"""Models: loaded once, side by side, kept while used, unloaded when idle."""

import asyncio
import json
import os
import signal
import time

import httpx

from farm.runtime.settings import runtime_settings
from tests.services import ENCODER, LANGUAGE, Service, descendants, processes, runtime, wait_for

TWO_MODELS = json.dumps({name: str(runtime_settings().language_models[LANGUAGE]) for name in ("one", "two")})


def chat(model: str = LANGUAGE, tokens: int = 1, **more: object) -> dict:
    return {"model": model, "max_tokens": tokens, "messages": [{"role": "user", "content": "Tell a long story."}], **more}


async def test_200_first_requests_load_a_model_once(tmp_path):
    """200 requests that find no model have it loaded once, and all are answered; both kinds of model."""
    with runtime(tmp_path) as service:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=service.url, timeout=120, limits=limits) as client:
            started = time.monotonic()
            body = {"model": ENCODER, "input": "a short text"}
            embedded = await asyncio.gather(*(client.post("/v1/embeddings", json=body) for _ in range(200)))
            embedded_after = time.monotonic() - started
            chatted = await asyncio.gather(*(client.post("/v1/chat/completions", json=chat()) for _ in range(200)))
            chatted_after = time.monotonic() - started
        print(f"first requests: 200 embeddings done after {embedded_after:.1f} s, and 200 chats after {chatted_after:.1f} s")
        assert {answer.status_code for answer in [*embedded, *chatted]} == {200}
        assert service.metric("farm_model_loads_total", model=ENCODER) == 1
        assert service.metric("farm_model_loads_total", model=LANGUAGE) == 1


async def test_two_models_load_side_by_side(tmp_path):
    """While one model loads, another begins to: both engines are there before either answers."""
    with runtime(tmp_path, FARM_LANGUAGE_MODELS=TWO_MODELS) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            requests = [asyncio.create_task(client.post("/v1/chat/completions", json=chat(name))) for name in ("one", "two")]
            most = 0
            while not any(request.done() for request in requests):
                most = max(most, len(descendants(service.process.pid)))
                loaded = (await client.get("/health")).json()["loaded"]
                if most == 2 and not loaded:
                    break
                await asyncio.sleep(0.005)
            assert (most, loaded) == (2, [])
            assert [(await request).status_code for request in requests] == [200, 200]


async def test_a_model_that_streams_longer_than_the_idle_time_stays(tmp_path):
    """A stream of some seconds is not cut by an idle time of one; the model goes after it."""
    with runtime(tmp_path, MODEL_UNLOAD_TIMEOUT=0.5, FARM_MODEL_CHECK_INTERVAL=0.1) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            # Several streams share the one thread, so that each lasts long enough.
            streams = [client.post("/v1/chat/completions", json=chat(tokens=120, stream=True)) for _ in range(3)]
            started = time.monotonic()
            answers = await asyncio.gather(*streams)
            lasted = time.monotonic() - started
        assert lasted > 2
        assert [answer.text.endswith("data: [DONE]\n\n") and '{"error"' not in answer.text for answer in answers] == [True] * 3
        assert service.metric("farm_model_loads_total", model=LANGUAGE) == 1
        wait_for(lambda: service.metric("farm_models_loaded", model=LANGUAGE) == 0, 5)
        wait_for(lambda: descendants(service.process.pid) == [], 5)
        assert httpx.post(f"{service.url}/v1/chat/completions", json=chat(), timeout=60).status_code == 200


async def test_cancelling_a_load_leaves_no_lock_and_no_process(tmp_path):
    """A client that leaves while its model loads ends the load; the next request loads it."""
    with runtime(tmp_path) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            request = asyncio.create_task(client.post("/v1/chat/completions", json=chat()))
            while not descendants(service.process.pid):
                await asyncio.sleep(0.005)
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
            wait_for(lambda: not descendants(service.process.pid), 5)
            assert service.metric("farm_model_loads_total", model=LANGUAGE) == 0
            assert (await client.post("/v1/chat/completions", json=chat())).status_code == 200
        assert service.metric("farm_model_loads_total", model=LANGUAGE) == 1


async def test_a_killed_engine_is_started_again(tmp_path):
    """Kill -9 of a model's process: the stream tells it, the runtime lives, the next request loads the model anew."""
    with runtime(tmp_path) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            text = ""
            async with client.stream("POST", "/v1/chat/completions", json=chat(tokens=500, stream=True)) as response:
                async for line in response.aiter_lines():
                    text += line
                    if text.count("data:") == 3:
                        os.kill(descendants(service.process.pid)[0], signal.SIGKILL)
            assert "the model's process died; the next request starts it again" in text
            assert (await client.post("/v1/chat/completions", json=chat())).status_code == 200
        assert service.metric("farm_model_loads_total", model=LANGUAGE) == 2


async def test_a_client_that_leaves_frees_its_generation_within_a_second(a_runtime: Service):
    """Both in a stream and while a whole answer is awaited."""
    for stream in (True, False):
        async with httpx.AsyncClient(base_url=a_runtime.url, timeout=60) as client:
            await client.post("/v1/chat/completions", json=chat())
            body = chat(tokens=1500, stream=stream)
            request = asyncio.create_task(client.post("/v1/chat/completions", json=body))
            await asyncio.sleep(0.5)
            assert a_runtime.metric("farm_generating", model=LANGUAGE) == 1
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
            left = time.monotonic()
        while a_runtime.metric("farm_generating", model=LANGUAGE):
            assert time.monotonic() - left < 1
        print(f"client gone, stream {stream}: generation over within {(time.monotonic() - left) * 1000:.0f} ms")
        tokens = a_runtime.metric("farm_tokens_total", model=LANGUAGE)
        time.sleep(0.3)
        assert a_runtime.metric("farm_tokens_total", model=LANGUAGE) == tokens


async def test_a_full_queue_turns_requests_away(tmp_path):
    """One request works, one waits, and the others are told at once to come back."""
    with runtime(tmp_path, FARM_CHAT_PARALLEL=1, FARM_MAX_WAITING=1) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=chat(tokens=20)) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503, 503]
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["message"] == "1 requests wait already; try again later"


async def test_waits_are_bounded(tmp_path):
    """Whose turn does not come in time, and whose model does not load in time, gets a 504."""
    with runtime(tmp_path, FARM_CHAT_PARALLEL=1, FARM_MAX_WAIT=0.2, FARM_MODEL_LOAD_TIMEOUT=0.05) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            answer = await client.post("/v1/chat/completions", json=chat())
            assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")
        wait_for(lambda: not descendants(service.process.pid), 5)


def test_nothing_outlives_the_runtime(tmp_path):
    """Engines end with the runtime, also when that is killed."""
    with runtime(tmp_path) as service:
        httpx.post(f"{service.url}/v1/chat/completions", json=chat(), timeout=60).raise_for_status()
        engines = descendants(service.process.pid)
        assert len(engines) == 1
        service.process.kill()
        wait_for(lambda: engines[0] not in processes("farm.runtime.engine"), 5)


def test_a_model_that_cannot_be_loaded_is_told(tmp_path):
    """A file that is no model is a 502 with a reason each time, and no process is left; other models work."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(1000))
    models = {"broken": str(broken), LANGUAGE: str(runtime_settings().language_models[LANGUAGE])}
    encoders = json.dumps({"missing": str(tmp_path / "missing")})
    with runtime(tmp_path, FARM_LANGUAGE_MODELS=json.dumps(models), FARM_ENCODER_MODELS=encoders) as service:
        for _ in range(2):
            chatted = httpx.post(f"{service.url}/v1/chat/completions", json=chat("broken"), timeout=60)
            embedded = httpx.post(f"{service.url}/v1/embeddings", json={"model": "missing", "input": "text"}, timeout=60)
            for answer, name in ((chatted, "broken"), (embedded, "missing")):
                reason = f"the model {name!r} cannot be loaded; the runtime's log says why"
                assert (answer.status_code, answer.json()["error"]["message"]) == (502, reason)
        assert descendants(service.process.pid) == []
        assert httpx.post(f"{service.url}/v1/chat/completions", json=chat(), timeout=60).status_code == 200
