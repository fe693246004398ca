"""Clients of other protocols wait while their servers are silent: gRPC, web sockets, SSH, DNS, SMTP, MongoDB, memcached, MySQL."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import dns.asyncquery
import dns.asyncresolver
import dns.message
import dns.query
import dns.resolver
import grpc
import grpc.aio
import paramiko
import pymemcache
import pymongo
import pymongo.errors
import pymysql
import pytest
import websocket
import websockets
import websockets.sync.client

from verification.observing import observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await, observe_await_bound
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import HOST, Server, SilentListener, SilentNameServer

SECONDS = 0.2


@pytest.fixture
def channel(grpc_server: Server) -> Iterator[grpc.Channel]:
    """A connected channel."""
    with grpc.insecure_channel(f"{HOST}:{grpc_server.port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        yield channel


@exercises("grpc.UnaryUnaryMultiCallable.__call__", "grpc.UnaryStreamMultiCallable.__call__", "grpc.Future.result")
@pytest.mark.parametrize(
    "call",
    [
        lambda channel: channel.unary_unary("/echo.Echo/Say")(b"a"),
        lambda channel: next(channel.unary_stream("/echo.Echo/Repeat")(b"a")),
        lambda channel: channel.unary_unary("/echo.Echo/Say").future(b"a").result(),
    ],
    ids=["unary", "stream", "future"],
)
def test_grpc(call: Callable[[grpc.Channel], object], channel: grpc.Channel, grpc_server: Server) -> None:
    with grpc_server.paused():
        assert observe_wait(lambda: call(channel), grpc_server.resume) == b"a"


@exercises(
    "grpc.UnaryUnaryMultiCallable.__call__", "grpc.UnaryStreamMultiCallable.__call__", "grpc.Future.result", aspect="bound"
)
@pytest.mark.parametrize(
    "call",
    [
        lambda channel: channel.unary_unary("/echo.Echo/Say")(b"a", timeout=SECONDS),
        lambda channel: next(channel.unary_stream("/echo.Echo/Repeat")(b"a", timeout=SECONDS)),
        lambda channel: channel.unary_unary("/echo.Echo/Say").future(b"a").result(timeout=SECONDS),
    ],
    ids=["unary", "stream", "future"],
)
def test_grpc_is_bounded(call: Callable[[grpc.Channel], object], channel: grpc.Channel, grpc_server: Server) -> None:
    with grpc_server.paused():
        observe_bound(lambda: call(channel), SECONDS, raises=(grpc.RpcError, grpc.FutureTimeoutError))


@exercises(
    "grpc.insecure_channel",
    "grpc.Channel.unary_unary",
    "grpc.UnaryUnaryMultiCallable.future",
    "grpc.Channel.close",
    aspect=HARMLESS,
)
def test_grpc_without_the_server(grpc_server: Server) -> None:
    def use() -> None:
        channel = grpc.insecure_channel(f"{HOST}:{grpc_server.port}")
        channel.unary_unary("/echo.Echo/Say").future(b"a")
        channel.close()

    with grpc_server.paused():
        observe_no_wait(use)


@exercises("grpc.aio.UnaryUnaryMultiCallable.__call__", "grpc.aio.Channel.close", "grpc.aio.Channel.channel_ready", aspect=AWAITS)
def test_async_grpc(grpc_server: Server) -> None:
    async def call() -> object:
        channel = grpc.aio.insecure_channel(f"{HOST}:{grpc_server.port}")
        await channel.channel_ready()
        answer = await channel.unary_unary("/echo.Echo/Say")(b"a")
        await channel.close()
        return answer

    with grpc_server.paused():
        assert observe_await(call, grpc_server.resume) == b"a"


@exercises("grpc.aio.UnaryUnaryMultiCallable.__call__", aspect="bound")
def test_async_grpc_is_bounded(grpc_server: Server) -> None:
    async def call() -> None:
        async with grpc.aio.insecure_channel(f"{HOST}:{grpc_server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary("/echo.Echo/Say")(b"a", timeout=SECONDS)

    with grpc_server.paused():
        observe_await_bound(call, SECONDS)


def websocket_url(server: Server) -> str:
    """The server as clients of web sockets write it."""
    return server.url.replace("http", "ws")


@exercises("websocket.create_connection", "websocket.WebSocket.connect")
@pytest.mark.parametrize("connect", [websocket.create_connection, lambda url: websocket.WebSocket().connect(url)])
def test_websocket_client_connects(connect: Callable[[str], object], websocket_server: Server) -> None:
    with websocket_server.paused():
        observe_wait(lambda: connect(websocket_url(websocket_server)), websocket_server.resume)


@exercises("websocket.create_connection", aspect="bound")
def test_websocket_client_is_bounded(websocket_server: Server) -> None:
    with websocket_server.paused():
        observe_bound(
            lambda: websocket.create_connection(websocket_url(websocket_server), SECONDS),
            SECONDS,
            raises=websocket.WebSocketTimeoutException,
        )


@exercises("websocket.WebSocket.recv", "websocket.WebSocketApp.run_forever")
def test_websocket_client_receives(websocket_server: Server) -> None:
    client = websocket.create_connection(websocket_url(websocket_server))
    assert observe_wait(client.recv, lambda: client.send("a")) == "a"
    client.close()
    app = websocket.WebSocketApp(websocket_url(websocket_server))
    observe_wait(app.run_forever, lambda: app.sock.abort())  # noqa: PLW0108 - there is no socket yet


@exercises("websockets.sync.client.connect")
def test_websockets_connects(websocket_server: Server) -> None:
    with websocket_server.paused():
        observe_wait(lambda: websockets.sync.client.connect(websocket_url(websocket_server)), websocket_server.resume).close()


@exercises("websockets.sync.client.connect", aspect="bound")
def test_websockets_is_bounded(websocket_server: Server) -> None:
    with websocket_server.paused():
        observe_bound(
            lambda: websockets.sync.client.connect(websocket_url(websocket_server), open_timeout=SECONDS),
            SECONDS,
            raises=TimeoutError,
        )


@exercises("websockets.sync.connection.Connection.recv", "websockets.sync.connection.Connection.recv_streaming")
@exercises("websockets.sync.connection.Connection.__iter__")
@exercises("websockets.sync.connection.Connection.recv", aspect="bound")
def test_websockets_receives(websocket_server: Server) -> None:
    with websockets.sync.client.connect(websocket_url(websocket_server)) as client:
        assert observe_wait(client.recv, lambda: client.send("a")) == "a"
        assert observe_wait(lambda: list(client.recv_streaming()), lambda: client.send("b")) == ["b"]
        assert observe_wait(lambda: next(iter(client)), lambda: client.send("c")) == "c"
        observe_bound(lambda: client.recv(SECONDS), SECONDS, raises=TimeoutError)


@exercises("websockets.sync.connection.Connection.close")
def test_websockets_closes(websocket_server: Server) -> None:
    client = websockets.sync.client.connect(websocket_url(websocket_server))
    with websocket_server.paused():
        observe_wait(client.close, websocket_server.resume)


@exercises("websockets.connect", "websockets.asyncio.connection.Connection.recv", aspect=AWAITS)
def test_async_websockets(websocket_server: Server) -> None:
    async def receive() -> object:
        connection = await websockets.connect(websocket_url(websocket_server))
        await connection.send("a")
        answer = await connection.recv()
        await connection.close()
        return answer

    with websocket_server.paused():
        assert observe_await(receive, websocket_server.resume) == "a"


ACCOUNT: dict[str, Any] = {"username": "name", "password": "word", "look_for_keys": False, "allow_agent": False}


def ssh_client() -> paramiko.SSHClient:
    """A client that trusts any server."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    return client


@exercises("paramiko.SSHClient.connect")
def test_paramiko_connects(ssh_server: Server) -> None:
    client = ssh_client()
    with ssh_server.paused():
        observe_wait(lambda: client.connect(HOST, ssh_server.port, banner_timeout=60, **ACCOUNT), ssh_server.resume)
    client.close()


@exercises("paramiko.SSHClient.connect", aspect="bound")
def test_paramiko_is_bounded(silent: SilentListener) -> None:
    observe_bound(
        lambda: ssh_client().connect(HOST, silent.port, timeout=SECONDS, **ACCOUNT), SECONDS, raises=paramiko.SSHException
    )


@pytest.fixture
def ssh(ssh_server: Server) -> Iterator[paramiko.SSHClient]:
    """A client that has logged in."""
    with ssh_client() as client:
        client.connect(HOST, ssh_server.port, **ACCOUNT)
        yield client


@exercises("paramiko.SSHClient.exec_command", "paramiko.SSHClient.invoke_shell", "paramiko.SSHClient.open_sftp")
@exercises("paramiko.Transport.open_session")
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.exec_command("command"),
        lambda client: client.invoke_shell(),
        lambda client: client.open_sftp(),
        lambda client: client.get_transport().open_session(),
    ],
    ids=["exec_command", "invoke_shell", "open_sftp", "open_session"],
)
def test_paramiko(ask: Callable[[paramiko.SSHClient], object], ssh: paramiko.SSHClient, ssh_server: Server) -> None:
    with ssh_server.paused():
        observe_wait(lambda: ask(ssh), ssh_server.resume, raises=paramiko.SSHException)  # it has neither shells nor files


@exercises("paramiko.Channel.recv", "paramiko.ChannelFile.read")
@pytest.mark.parametrize(
    "read", [lambda file: file.read(), lambda file: file.channel.recv(1), lambda file: file.channel.recv_exit_status()]
)
def test_paramiko_command(read: Callable[[paramiko.ChannelFile], object], ssh: paramiko.SSHClient) -> None:
    """The server's commands say nothing and do not end."""
    _, output, _ = ssh.exec_command("command")
    observe_wait(lambda: read(output), output.channel.close)


NAME = "name.example."


@exercises("dns.resolver.resolve", "dns.resolver.Resolver.resolve", "dns.query.udp")
@exercises("dns.resolver.resolve", "dns.resolver.Resolver.resolve", "dns.query.udp", aspect="bound")
@pytest.mark.parametrize("use", ["function", "resolver", "query"])
def test_dns(use: str, name_server: SilentNameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [HOST], name_server.port
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)

    def ask(seconds: float) -> object:
        if use == "query":
            return dns.query.udp(dns.message.make_query(NAME, "A"), HOST, seconds, name_server.port)
        return (dns.resolver if use == "function" else resolver).resolve(NAME, lifetime=seconds)

    observe_bound(lambda: ask(SECONDS), SECONDS, raises=dns.exception.Timeout)
    name_server.forget()
    observe_wait(lambda: ask(30), name_server.refuse, raises=dns.resolver.NoNameservers)


@exercises("dns.asyncresolver.Resolver.resolve", "dns.asyncquery.udp", aspect=AWAITS)
@exercises("dns.asyncresolver.Resolver.resolve", "dns.asyncquery.udp", aspect="bound")
@pytest.mark.parametrize("use", ["resolver", "query"])
def test_async_dns(use: str, name_server: SilentNameServer) -> None:
    async def ask(seconds: float) -> None:
        if use == "query":
            await dns.asyncquery.udp(dns.message.make_query(NAME, "A"), HOST, seconds, name_server.port)
        else:
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers, resolver.port = [HOST], name_server.port
            await resolver.resolve(NAME, lifetime=seconds)

    async def ask_in_vain() -> None:
        with pytest.raises(dns.exception.Timeout):
            await ask(SECONDS)

    observe_await_bound(ask_in_vain, SECONDS)
    name_server.forget()
    observe_await(lambda: ask(30), name_server.refuse, raises=dns.resolver.NoNameservers)


def message() -> EmailMessage:
    """A message without a text."""
    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    return message


@exercises("aiosmtplib.send", "aiosmtplib.SMTP.connect", aspect=AWAITS)
@pytest.mark.parametrize(
    "use",
    [
        lambda port: aiosmtplib.send(message(), hostname=HOST, port=port),
        lambda port: aiosmtplib.SMTP(hostname=HOST, port=port).connect(),
    ],
    ids=["send", "connect"],
)
def test_aiosmtplib(use: Callable[[int], Any], smtp_server: Server) -> None:
    async def send() -> None:
        await use(smtp_server.port)

    with smtp_server.paused():
        observe_await(send, smtp_server.resume)


@exercises("aiosmtplib.send", "aiosmtplib.SMTP.connect", aspect="bound")
@pytest.mark.parametrize(
    "use",
    [
        lambda port: aiosmtplib.send(message(), hostname=HOST, port=port, timeout=SECONDS),
        lambda port: aiosmtplib.SMTP(hostname=HOST, port=port).connect(timeout=SECONDS),
    ],
    ids=["send", "connect"],
)
def test_aiosmtplib_is_bounded(use: Callable[[int], Any], smtp_server: Server) -> None:
    async def send() -> None:
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await use(smtp_server.port)

    with smtp_server.paused():
        observe_await_bound(send, SECONDS)


@exercises("pymongo.MongoClient.server_info", "pymongo.MongoClient.list_databases", "pymongo.MongoClient.list_database_names")
@exercises("pymongo.MongoClient.watch", "pymongo.database.Database.command", "pymongo.collection.Collection.find_one")
@exercises("pymongo.collection.Collection.insert_one", "pymongo.collection.Collection.count_documents")
@exercises(
    "pymongo.collection.Collection.distinct", "pymongo.collection.Collection.aggregate", "pymongo.collection.Collection.watch"
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.server_info(),
        lambda client: client.list_databases(),
        lambda client: client.list_database_names(),
        lambda client: client.watch(),
        lambda client: client.db.command("ping"),
        lambda client: client.db.collection.find_one({}),
        lambda client: client.db.collection.insert_one({}),
        lambda client: client.db.collection.count_documents({}),
        lambda client: client.db.collection.distinct("key"),
        lambda client: client.db.collection.aggregate([]),
        lambda client: client.db.collection.watch(),
    ],
)
def test_pymongo(ask: Callable[[pymongo.MongoClient], object], silent: SilentListener) -> None:
    client: pymongo.MongoClient = pymongo.MongoClient(HOST, silent.port)
    observe_wait(lambda: ask(client), client.close, raises=pymongo.errors.PyMongoError)


@exercises(
    "pymongo.MongoClient.start_session", "pymongo.MongoClient.close", "pymongo.collection.Collection.find", aspect=HARMLESS
)
@exercises("pymongo.MongoClient.get_database", "pymongo.cursor.Cursor.sort", aspect=HARMLESS)
def test_pymongo_without_the_server(silent: SilentListener) -> None:
    def use() -> None:
        client: pymongo.MongoClient = pymongo.MongoClient(HOST, silent.port)
        client.start_session()
        client.get_database("db").collection.find({}).sort("key")
        client.close()

    observe_no_wait(use)


@exercises("pymongo.AsyncMongoClient.server_info", "pymongo.AsyncMongoClient.close", aspect=AWAITS)
def test_async_pymongo(silent: SilentListener) -> None:
    async def ask() -> None:
        client: pymongo.AsyncMongoClient = pymongo.AsyncMongoClient(HOST, silent.port, serverSelectionTimeoutMS=2000)
        with pytest.raises(pymongo.errors.PyMongoError):
            await client.server_info()
        await client.close()

    observe_await(ask, silent.close)


@exercises("pymemcache.client.base.Client.get")
@pytest.mark.parametrize("command", [lambda c: c.get("key"), lambda c: c.set("key", 1, noreply=False), lambda c: c.version()])
def test_pymemcache(command: Callable[[pymemcache.Client], object], silent: SilentListener) -> None:
    observe_wait(lambda: command(pymemcache.Client((HOST, silent.port))), silent.close, raises=OSError)


@exercises("pymysql.connect")
def test_pymysql(silent: SilentListener) -> None:
    observe_wait(lambda: pymysql.connect(host=HOST, port=silent.port), silent.close, raises=pymysql.OperationalError)
