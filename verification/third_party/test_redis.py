"""A Redis client waits while the server is paused, while a list is empty and while somebody else holds the lock."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import redis.asyncio

from verification.observing import observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await, observe_await_bound
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import Server

SECONDS = 0.2


@pytest.fixture
def client(redis_server: Server) -> Iterator[redis.Redis]:
    """A client of the server, with an empty database."""
    with redis.Redis(port=redis_server.port) as client:
        client.flushdb()
        yield client


@exercises("redis.Redis.*")
@pytest.mark.parametrize("command", [lambda c: c.ping(), lambda c: c.get("key"), lambda c: c.hgetall("key"), lambda c: c.keys()])
def test_command(command: object, client: redis.Redis, paused_redis: Server) -> None:
    observe_wait(lambda: command(client), paused_redis.resume)


@exercises("redis.Redis.scan_iter")
def test_scan(client: redis.Redis, paused_redis: Server) -> None:
    assert observe_wait(lambda: list(client.scan_iter()), paused_redis.resume) == []


@exercises("redis.Redis.blpop")
def test_empty_list(client: redis.Redis, redis_server: Server) -> None:
    other = redis.Redis(port=redis_server.port)
    assert observe_wait(lambda: client.blpop(["list"]), lambda: other.rpush("list", "a")) == (b"list", b"a")


@exercises(
    "redis.Redis.from_url", "redis.from_url", "redis.Redis.pipeline", "redis.Redis.pubsub", "redis.Redis.lock",
    "redis.Redis.register_script", "redis.Redis.json", "redis.client.Pipeline.*", "redis.client.Pipeline.reset",
    "redis.ConnectionPool.from_url", aspect=HARMLESS,
)  # fmt: skip
def test_objects_are_made_at_once(paused_redis: Server) -> None:
    def make() -> None:
        url = f"redis://127.0.0.1:{paused_redis.port}/0"
        client = redis.from_url(url)
        redis.ConnectionPool.from_url(url)
        redis.Redis.from_url(url).pubsub()
        client.lock("name")
        client.register_script("return 1")
        client.json()
        pipeline = client.pipeline()
        pipeline.set("key", "value").incr("counter")
        pipeline.reset()

    observe_no_wait(make)


@exercises("redis.Redis.from_url", "redis.from_url", "redis.ConnectionPool.from_url", aspect="bound")
def test_the_client_is_bounded(paused_redis: Server) -> None:
    url = f"redis://127.0.0.1:{paused_redis.port}/0"
    pool = redis.ConnectionPool.from_url(url, socket_timeout=SECONDS)
    clients = [
        redis.from_url(url, socket_timeout=SECONDS),
        redis.Redis.from_url(url, socket_timeout=SECONDS),
        redis.Redis(connection_pool=pool),
    ]
    for client in clients:
        client.set_retry(None)
        observe_bound(client.ping, SECONDS, raises=redis.TimeoutError)


@exercises("redis.client.Pipeline.execute")
def test_pipeline(client: redis.Redis, paused_redis: Server) -> None:
    pipeline = client.pipeline().set("key", "value").get("key")
    assert observe_wait(pipeline.execute, paused_redis.resume) == [True, b"value"]


@exercises("redis.client.Pipeline.watch")
def test_watch(client: redis.Redis, paused_redis: Server) -> None:
    observe_wait(lambda: client.pipeline().watch("key"), paused_redis.resume)


@exercises("redis.commands.core.Script.__call__")
def test_script(client: redis.Redis, paused_redis: Server) -> None:
    script = client.register_script("return 7")
    assert observe_wait(script, paused_redis.resume) == 7


@exercises("redis.client.PubSub.listen")
def test_listen(client: redis.Redis, redis_server: Server) -> None:
    channel = client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("news")
    other = redis.Redis(port=redis_server.port)
    assert observe_wait(lambda: next(iter(channel.listen())), lambda: other.publish("news", "a"))["data"] == b"a"


@exercises("redis.client.PubSub.get_message")
@exercises("redis.client.PubSub.get_message", aspect="timeout present")
def test_get_message(client: redis.Redis, redis_server: Server) -> None:
    """With a timeout it waits; without one it returns at once."""
    channel = client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("news")
    channel.get_message(timeout=1)  # that of the subscription
    other = redis.Redis(port=redis_server.port)
    assert observe_wait(lambda: channel.get_message(timeout=30), lambda: other.publish("news", "a"))["data"] == b"a"
    assert observe_no_wait(channel.get_message) is None


@exercises("redis.client.PubSub.get_message", aspect="bound")
def test_get_message_is_bounded(client: redis.Redis) -> None:
    channel = client.pubsub()
    channel.subscribe("news")
    channel.get_message(timeout=1)
    assert observe_bound(lambda: channel.get_message(timeout=SECONDS), SECONDS) is None


@exercises("redis.client.PubSub.get_message", aspect="timeout=0")
def test_get_message_that_is_there(client: redis.Redis) -> None:
    channel = client.pubsub()
    channel.subscribe("news")
    channel.get_message(timeout=1)
    assert observe_no_wait(lambda: channel.get_message(timeout=0)) is None


@exercises("redis.client.PubSub.subscribe")
def test_subscribe(paused_redis: Server) -> None:
    channel = redis.Redis(port=paused_redis.port).pubsub()
    observe_wait(lambda: channel.subscribe("news"), paused_redis.resume)


@exercises("redis.client.Monitor.next_command", "redis.client.Monitor.listen")
def test_monitor(client: redis.Redis, redis_server: Server) -> None:
    other = redis.Redis(port=redis_server.port)
    other.ping()
    with client.monitor() as monitor:
        assert observe_wait(monitor.next_command, other.ping)["command"] == "PING"
        assert observe_wait(lambda: next(iter(monitor.listen())), other.ping)["command"] == "PING"


@exercises("redis.lock.Lock.acquire", "redis.lock.Lock.__enter__")
def test_held_lock(client: redis.Redis) -> None:
    for enter in (lambda: client.lock("name").acquire(), lambda: client.lock("name").__enter__()):
        client.delete("name")
        held = client.lock("name", thread_local=False)
        assert held.acquire()
        observe_wait(enter, held.release)


@exercises("redis.lock.Lock.acquire", aspect="bound")
def test_held_lock_is_bounded(client: redis.Redis) -> None:
    held = client.lock("name")
    assert held.acquire()
    assert observe_bound(lambda: client.lock("name").acquire(blocking_timeout=SECONDS), SECONDS / 2) is False


@exercises("redis.lock.Lock.release")
@pytest.mark.parametrize("method", ["release", "owned", "locked", "reacquire"])
def test_lock_methods(method: str, client: redis.Redis, redis_server: Server) -> None:
    held = client.lock("name", thread_local=False, timeout=60)
    assert held.acquire()
    with redis_server.paused():
        observe_wait(getattr(held, method), redis_server.resume)


@exercises("redis.asyncio.Redis.*", "redis.asyncio.Redis.aclose", "redis.asyncio.client.Pipeline.execute", aspect=AWAITS)
def test_async_command(paused_redis: Server) -> None:
    async def get() -> object:
        async with redis.asyncio.Redis(port=paused_redis.port) as client:
            return [await client.get("nothing"), await client.pipeline().set("key", "value").execute()]

    assert observe_await(get, paused_redis.resume) == [None, [True]]


@exercises("redis.asyncio.lock.Lock.acquire", "redis.asyncio.lock.Lock.release", aspect=AWAITS)
def test_async_lock(client: redis.Redis, redis_server: Server) -> None:
    held = client.lock("name", thread_local=False)
    assert held.acquire()

    async def acquire() -> object:
        async with redis.asyncio.Redis(port=redis_server.port) as waiting:
            lock = waiting.lock("name")
            acquired = await lock.acquire()
            await lock.release()
            return acquired

    assert observe_await(acquire, held.release) is True


@exercises("redis.asyncio.lock.Lock.acquire", aspect="bound")
def test_async_lock_is_bounded(client: redis.Redis, redis_server: Server) -> None:
    assert client.lock("name").acquire()

    async def acquire() -> object:
        async with redis.asyncio.Redis(port=redis_server.port) as waiting:
            return await waiting.lock("name").acquire(blocking_timeout=SECONDS)

    assert observe_await_bound(acquire, SECONDS / 2) is False
