"""What publishes to a broker, consumes from it or asks for results waits while the broker is silent and while nothing comes."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import celery
import kombu
import paho.mqtt.client
import paho.mqtt.publish
import paho.mqtt.subscribe
import pika
import pika.exceptions
import pytest
import zmq
import zmq.asyncio

from verification.observing import observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import HOST, FullListener, Server, SilentListener

SECONDS = 0.2


@pytest.fixture
def url(redis_server: Server) -> str:
    """The Redis server as a broker."""
    return f"redis://{HOST}:{redis_server.port}/0"


@pytest.fixture
def app(url: str) -> Iterator[celery.Celery]:
    """An application without workers, whose broker and result backend are Redis."""
    app = celery.Celery(broker=url, backend=url, set_as_current=False)
    yield app
    app.control.purge()
    app.close()


@pytest.fixture
def task(app: celery.Celery) -> celery.Task:
    """A task that no worker runs."""

    @app.task(name="task")
    def task() -> None: ...

    return task


@exercises("celery.Task.delay", "celery.Celery.send_task", "celery.canvas.Signature.delay", "celery.chain.__call__")
@exercises("celery.group.__call__", "celery.group.delay")
@pytest.mark.parametrize(
    "publish",
    [
        lambda task: task.delay(),
        lambda task: task.apply_async(),
        lambda task: task.app.send_task("task"),
        lambda task: task.s().delay(),
        lambda task: celery.chain(task.si(), task.si())(),
        lambda task: celery.group([task.s()])(),
        lambda task: celery.group([task.s()]).delay(),
    ],
    ids=["delay", "apply_async", "send_task", "signature", "chain", "group", "group_delay"],
)
def test_celery_publishes(publish: Callable[[Any], object], task: celery.Task, redis_server: Server) -> None:
    with redis_server.paused():
        observe_wait(lambda: publish(task), redis_server.resume)


@exercises(
    "celery.Celery.AsyncResult", "celery.Celery.signature", "celery.Task.s", "celery.canvas.Signature.clone", aspect=HARMLESS
)
@exercises("celery.Task.AsyncResult", "celery.app.control.Control.inspect", aspect=HARMLESS)
def test_celery_without_the_broker(task: celery.Task, app: celery.Celery, redis_server: Server) -> None:
    def use() -> None:
        app.AsyncResult("id")
        app.signature("task").clone()
        task.s().clone()
        task.AsyncResult("id")
        app.control.inspect()

    with redis_server.paused():
        observe_no_wait(use)


@exercises("celery.result.AsyncResult.get", "celery.result.AsyncResult.collect", "celery.result.AsyncResult.get_leaf")
@pytest.mark.parametrize(
    "wait",
    [lambda r: r.get(), lambda r: r.wait(), lambda r: list(r.collect(intermediate=True)), lambda r: r.get_leaf()],
    ids=["get", "wait", "collect", "get_leaf"],
)
def test_celery_result(wait: Callable[[Any], object], task: celery.Task, app: celery.Celery) -> None:
    result = task.delay()
    observe_wait(lambda: wait(result), lambda: app.backend.store_result(result.id, 7, "SUCCESS"))


@exercises("celery.result.AsyncResult.get", aspect="bound")
def test_celery_result_is_bounded(task: celery.Task) -> None:
    observe_bound(lambda: task.delay().get(timeout=SECONDS), SECONDS, raises=celery.exceptions.TimeoutError)


@exercises("celery.result.ResultSet.get")
def test_celery_results(task: celery.Task, app: celery.Celery) -> None:
    names = ["first", "second"]

    def finish() -> None:
        for name in names:
            app.backend.store_result(name, 7, "SUCCESS")

    # A result backend belongs to its thread, so what asks it must have published too.
    group = celery.group([task.s().set(task_id=name) for name in names])
    assert observe_wait(lambda: group.delay().get(), finish) == [7, 7]
    for name in names:
        app.backend.forget(name)


@exercises("celery.result.ResultSet.get", aspect="bound")
def test_celery_results_are_bounded(task: celery.Task) -> None:
    results = celery.group([task.s(), task.s()]).delay()
    observe_bound(lambda: results.get(timeout=SECONDS), SECONDS, raises=celery.exceptions.TimeoutError)


@exercises("celery.result.AsyncResult.forget", "celery.Task.update_state", "celery.result.AsyncResult.revoke")
@exercises("celery.app.control.Control.broadcast")
@pytest.mark.parametrize(
    "speak",
    [
        lambda task: task.AsyncResult("id").forget(),
        lambda task: task.update_state(task_id="id", state="STARTED"),
        lambda task: task.AsyncResult("id").revoke(),
        lambda task: task.app.control.broadcast("ping"),
    ],
    ids=["forget", "update_state", "revoke", "broadcast"],
)
def test_celery_speaks(speak: Callable[[Any], object], task: celery.Task, redis_server: Server) -> None:
    with redis_server.paused():
        observe_wait(lambda: speak(task), redis_server.resume)


@exercises("celery.app.control.Inspect.ping", "celery.app.control.Control.ping")
@exercises("celery.app.control.Control.ping", aspect="bound")
@pytest.mark.parametrize("ask", [lambda c: c.inspect(timeout=SECONDS).ping(), lambda c: c.ping(timeout=SECONDS)])
def test_celery_asks_workers(ask: Callable[[Any], object], app: celery.Celery) -> None:
    """Nobody answers, and that takes as long as the timeout says."""
    observe_bound(lambda: ask(app.control), SECONDS)


@exercises("kombu.Connection.connect", "kombu.Connection.Consumer", "kombu.Connection.SimpleQueue", "kombu.Producer.publish")
@exercises("kombu.Consumer.consume", "kombu.simple.SimpleQueue.put")
@pytest.mark.parametrize(
    "speak",
    [
        lambda connection: connection.connect(),
        lambda connection: connection.ensure_connection(max_retries=1),
        lambda connection: connection.channel(),
        lambda connection: connection.Consumer([kombu.Queue("queue")]),
        lambda connection: connection.Consumer([kombu.Queue("queue")]).consume(),
        lambda connection: connection.SimpleQueue("queue"),
        lambda connection: connection.SimpleBuffer("queue"),
        lambda connection: connection.SimpleQueue("queue").put({}),
        lambda connection: connection.Producer().publish({}, routing_key="queue"),
    ],
    ids=["connect", "ensure_connection", "channel", "Consumer", "consume", "SimpleQueue", "SimpleBuffer", "put", "publish"],
)
def test_kombu(speak: Callable[[kombu.Connection], object], url: str, redis_server: Server) -> None:
    with redis_server.paused():
        observe_wait(lambda: speak(kombu.Connection(url)), redis_server.resume)


@exercises("kombu.Connection.Producer", "kombu.Connection.release", aspect=HARMLESS)
def test_kombu_without_the_broker(silent: SilentListener) -> None:
    def use() -> None:
        connection = kombu.Connection(f"amqp://{HOST}:{silent.port}")
        connection.Producer()
        connection.release()

    observe_no_wait(use)


@exercises("kombu.Connection.drain_events")
@exercises("kombu.Connection.drain_events", aspect="bound")
def test_kombu_events(url: str) -> None:
    received: list[object] = []
    with (
        kombu.Connection(url) as connection,
        kombu.Connection(url) as other,
        connection.Consumer([kombu.Queue("events")], callbacks=[lambda body, _: received.append(body)]) as consumer,
    ):
        consumer.purge()
        observe_bound(lambda: connection.drain_events(timeout=1), 1, raises=TimeoutError)
        observe_wait(connection.drain_events, lambda: other.SimpleQueue("events").put("a"))
    assert received == ["a"]


@exercises("kombu.simple.SimpleQueue.get")
@exercises("kombu.simple.SimpleQueue.get", aspect="bound")
@exercises("kombu.simple.SimpleQueue.get", aspect="block=False")
def test_kombu_queue(url: str) -> None:
    with kombu.Connection(url) as connection, kombu.Connection(url) as other:
        queue = connection.SimpleQueue("simple")
        queue.clear()
        observe_bound(lambda: queue.get(timeout=1), 1, raises=queue.Empty)
        observe_no_wait(lambda: queue.get(block=False), raises=queue.Empty)
        observe_wait(queue.get, lambda: other.SimpleQueue("simple").put("a"))


@exercises("kombu.Connection.connect")
def test_kombu_over_amqp(silent: SilentListener) -> None:
    connection = kombu.Connection(f"amqp://{HOST}:{silent.port}")
    observe_wait(connection.connect, silent.close, raises=OSError)


@exercises("pika.BlockingConnection")
def test_pika(silent: SilentListener) -> None:
    parameters = pika.ConnectionParameters(HOST, silent.port)
    observe_wait(lambda: pika.BlockingConnection(parameters), silent.close, raises=pika.exceptions.AMQPError)


def mqtt_client() -> paho.mqtt.client.Client:
    """A client of MQTT."""
    return paho.mqtt.client.Client(paho.mqtt.client.CallbackAPIVersion.VERSION2)


@exercises("paho.mqtt.client.Client.connect")
def test_paho_connects(full: FullListener) -> None:
    observe_wait(lambda: mqtt_client().connect(HOST, full.port), full.close, raises=OSError)


@exercises("paho.mqtt.client.Client.loop")
def test_paho_serves(silent: SilentListener) -> None:
    client = mqtt_client()
    client.connect(HOST, silent.port)
    observe_wait(lambda: client.loop(60), silent.close)


@exercises("paho.mqtt.client.MQTTMessageInfo.wait_for_publish")
@exercises("paho.mqtt.client.MQTTMessageInfo.wait_for_publish", aspect="bound")
@exercises("paho.mqtt.client.Client.publish", "paho.mqtt.client.Client.subscribe", aspect=HARMLESS)
def test_paho_publishes(silent: SilentListener) -> None:
    """Publishing puts the message into a queue; it is the wait for it that takes until the broker has it."""
    client = mqtt_client()
    client.connect(HOST, silent.port)
    observe_no_wait(lambda: client.subscribe("topic"))
    message = observe_no_wait(lambda: client.publish("topic", qos=1))
    observe_bound(lambda: message.wait_for_publish(SECONDS), SECONDS)
    observe_wait(message.wait_for_publish, message._set_as_published)  # as the client does when the broker says so


@exercises("paho.mqtt.publish.single", "paho.mqtt.subscribe.simple")
@pytest.mark.parametrize("use", [paho.mqtt.publish.single, paho.mqtt.subscribe.simple])
def test_paho_functions(use: Callable[..., object], full: FullListener) -> None:
    observe_wait(lambda: use("topic", hostname=HOST, port=full.port), full.close, raises=OSError)


@pytest.fixture
def sockets() -> Iterator[tuple[zmq.Socket, zmq.Socket]]:
    """Two connected sockets: the first pulls what the second pushes."""
    with zmq.Context() as context, context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
        pull.bind("inproc://name")
        push.connect("inproc://name")
        yield pull, push


@exercises("zmq.Socket.recv", "zmq.Socket.poll", "zmq.Poller.poll")
def test_zmq(sockets: tuple[zmq.Socket, zmq.Socket]) -> None:
    pull, push = sockets
    poller = zmq.Poller()
    poller.register(pull)
    assert observe_wait(pull.recv, lambda: push.send(b"a")) == b"a"
    assert observe_wait(pull.poll, lambda: push.send(b"b")) == zmq.POLLIN
    assert pull.recv() == b"b"
    assert observe_wait(poller.poll, lambda: push.send(b"c")) == [(pull, zmq.POLLIN)]


@exercises("zmq.Socket.recv", aspect="flags present")
@exercises("zmq.Socket.poll", "zmq.Poller.poll", aspect="timeout=0")
def test_zmq_without_a_wait(sockets: tuple[zmq.Socket, zmq.Socket]) -> None:
    pull, _ = sockets
    poller = zmq.Poller()
    poller.register(pull)
    observe_no_wait(lambda: pull.recv(flags=zmq.NOBLOCK), raises=zmq.Again)
    assert observe_no_wait(lambda: pull.poll(timeout=0)) == 0
    assert observe_no_wait(lambda: poller.poll(timeout=0)) == []


@exercises("zmq.asyncio.Socket.recv", "zmq.asyncio.Poller.poll", aspect=AWAITS)
def test_async_zmq() -> None:
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.bind("inproc://name")

        async def receive() -> object:
            with zmq.asyncio.Context(context).socket(zmq.PULL) as pull:
                pull.connect("inproc://name")
                poller = zmq.asyncio.Poller()
                poller.register(pull)
                return [len(await poller.poll()), await pull.recv()]

        assert observe_await(receive, lambda: push.send(b"a")) == [1, b"a"]
