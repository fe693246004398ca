"""HTTP clients wait while the server is silent: for the head of the response, and for the rest of its body."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import aiohttp
import httplib2
import httpx
import pytest
import requests
import requests.adapters
import urllib3

from verification.observing import observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await, observe_await_bound
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import Server

SECONDS = 0.2


@pytest.fixture
def send_rest(http: Server) -> Callable[[], object]:
    """Have the server send the rest of the bodies that it began."""
    return lambda: urllib3.request("GET", f"{http.url}/rest")


@exercises("requests.get")
def test_requests_function(paused_http: Server) -> None:
    observe_wait(lambda: requests.get(paused_http.url), paused_http.resume)


@exercises("requests.get", aspect="bound")
def test_requests_function_is_bounded(paused_http: Server) -> None:
    observe_bound(lambda: requests.get(paused_http.url, timeout=SECONDS), SECONDS, raises=requests.Timeout)


@exercises("requests.Session.get")
def test_requests_session(paused_http: Server) -> None:
    with requests.Session() as session:
        observe_wait(lambda: session.get(paused_http.url), paused_http.resume)


@exercises("requests.Session.get", aspect="bound")
def test_requests_session_is_bounded(paused_http: Server) -> None:
    with requests.Session() as session:
        observe_bound(lambda: session.get(paused_http.url, timeout=SECONDS), SECONDS, raises=requests.Timeout)


@exercises("requests.adapters.HTTPAdapter.send")
def test_requests_adapter(paused_http: Server) -> None:
    request = requests.Request("GET", paused_http.url).prepare()
    observe_wait(lambda: requests.adapters.HTTPAdapter().send(request), paused_http.resume)


@exercises("requests.adapters.HTTPAdapter.send", aspect="bound")
def test_requests_adapter_is_bounded(paused_http: Server) -> None:
    request = requests.Request("GET", paused_http.url).prepare()
    observe_bound(lambda: requests.adapters.HTTPAdapter().send(request, timeout=SECONDS), SECONDS, raises=requests.Timeout)


@exercises("requests.Response.iter_content")
def test_requests_body(http: Server, send_rest: Callable[[], object]) -> None:
    with requests.get(f"{http.url}/drip", stream=True, timeout=30) as response:
        chunks = observe_wait(lambda: list(response.iter_content(6)), send_rest)
    assert b"".join(chunks) == b"first\nsecond\n"


@exercises("requests.Response.__iter__")
def test_requests_body_by_iteration(http: Server, send_rest: Callable[[], object]) -> None:
    with requests.get(f"{http.url}/drip", stream=True, timeout=30) as response:
        assert b"".join(observe_wait(lambda: list(response), send_rest)) == b"first\nsecond\n"


@exercises("requests.session", "requests.Session.prepare_request", "requests.Session.mount", aspect=HARMLESS)
def test_requests_session_is_made_at_once(paused_http: Server) -> None:
    def make() -> requests.PreparedRequest:
        session = requests.session()
        session.mount("http://", requests.adapters.HTTPAdapter())
        return session.prepare_request(requests.Request("GET", paused_http.url))

    assert observe_no_wait(make).url == f"{paused_http.url}/"


@exercises("urllib3.request")
def test_urllib3_function(paused_http: Server) -> None:
    observe_wait(lambda: urllib3.request("GET", paused_http.url), paused_http.resume)


@exercises("urllib3.request", aspect="bound")
def test_urllib3_function_is_bounded(paused_http: Server) -> None:
    observe_bound(
        lambda: urllib3.request("GET", paused_http.url, timeout=SECONDS, retries=False),
        SECONDS,
        raises=urllib3.exceptions.HTTPError,
    )


@exercises("urllib3.PoolManager.request")
def test_urllib3_pool(paused_http: Server) -> None:
    observe_wait(lambda: urllib3.PoolManager().request("GET", paused_http.url), paused_http.resume)


@exercises("urllib3.HTTPConnectionPool.request", aspect="bound")
def test_urllib3_pool_is_bounded(paused_http: Server) -> None:
    with urllib3.HTTPConnectionPool("127.0.0.1", paused_http.port, retries=False) as pool:
        observe_bound(lambda: pool.request("GET", "/", timeout=SECONDS), SECONDS, raises=urllib3.exceptions.HTTPError)


@pytest.fixture
def urllib3_response(http: Server) -> urllib3.BaseHTTPResponse:
    """A response whose head has come."""
    return urllib3.request("GET", f"{http.url}/drip", preload_content=False)


@exercises("urllib3.HTTPResponse.read")
def test_urllib3_body(urllib3_response: urllib3.HTTPResponse, send_rest: Callable[[], object]) -> None:
    assert observe_wait(urllib3_response.read, send_rest) == b"first\nsecond\n"


@exercises("urllib3.HTTPResponse.stream")
def test_urllib3_stream(urllib3_response: urllib3.HTTPResponse, send_rest: Callable[[], object]) -> None:
    assert b"".join(observe_wait(lambda: list(urllib3_response.stream()), send_rest)) == b"first\nsecond\n"


@exercises("urllib3.HTTPResponse.readinto", "urllib3.HTTPResponse.drain_conn")
@pytest.mark.parametrize("read", [lambda response: response.readinto(bytearray(100)), lambda response: response.drain_conn()])
def test_urllib3_rest(
    read: Callable[[urllib3.HTTPResponse], object], urllib3_response: urllib3.HTTPResponse, send_rest: Callable[[], object]
) -> None:
    observe_wait(lambda: read(urllib3_response), send_rest)


@exercises("httpx.get")
def test_httpx_function(paused_http: Server) -> None:
    observe_wait(lambda: httpx.get(paused_http.url), paused_http.resume)


@exercises("httpx.get", aspect="bound")
def test_httpx_function_is_bounded(paused_http: Server) -> None:
    observe_bound(lambda: httpx.get(paused_http.url, timeout=SECONDS), SECONDS, raises=httpx.TimeoutException)


@exercises("httpx.Client.get")
def test_httpx_client(paused_http: Server) -> None:
    with httpx.Client() as client:
        observe_wait(lambda: client.get(paused_http.url), paused_http.resume)


@exercises("httpx.Client.get", aspect="bound")
def test_httpx_client_is_bounded(paused_http: Server) -> None:
    with httpx.Client() as client:
        observe_bound(lambda: client.get(paused_http.url, timeout=SECONDS), SECONDS, raises=httpx.TimeoutException)


@exercises("httpx.stream")
def test_httpx_stream(paused_http: Server, send_rest: Callable[[], object]) -> None:
    with ExitStack() as stack:
        stream = httpx.stream("GET", f"{paused_http.url}/drip")
        response = observe_wait(lambda: stack.enter_context(stream), paused_http.resume)
        assert observe_wait(response.read, send_rest) == b"first\nsecond\n"


@exercises("httpx.stream", aspect="bound")
def test_httpx_stream_is_bounded(paused_http: Server) -> None:
    stream = httpx.stream("GET", paused_http.url, timeout=SECONDS)
    observe_bound(stream.__enter__, SECONDS, raises=httpx.TimeoutException)


@exercises("httpx.HTTPTransport.handle_request")
def test_httpx_transport(paused_http: Server) -> None:
    with httpx.HTTPTransport() as transport:
        observe_wait(lambda: transport.handle_request(httpx.Request("GET", paused_http.url)), paused_http.resume)


@exercises("httpx.AsyncClient.get", aspect=AWAITS)
def test_httpx_async_client(paused_http: Server) -> None:
    async def get() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(paused_http.url)).status_code

    assert observe_await(get, paused_http.resume) == 200


@exercises("httpx.AsyncClient.get", aspect="bound")
def test_httpx_async_client_is_bounded(paused_http: Server) -> None:
    async def get() -> None:
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.TimeoutException):
                await client.get(paused_http.url, timeout=SECONDS)

    observe_await_bound(get, SECONDS)


@exercises("httpx.AsyncHTTPTransport.handle_async_request", aspect=AWAITS)
def test_httpx_async_transport(paused_http: Server) -> None:
    async def handle() -> int:
        async with httpx.AsyncHTTPTransport() as transport:
            return (await transport.handle_async_request(httpx.Request("GET", paused_http.url))).status_code

    assert observe_await(handle, paused_http.resume) == 200


@exercises("httpx.Response.aread", "httpx.Response.aclose", aspect=AWAITS)
def test_httpx_async_body(http: Server, send_rest: Callable[[], object]) -> None:
    async def read() -> bytes:
        async with httpx.AsyncClient() as client, client.stream("GET", f"{http.url}/drip") as response:
            return await response.aread()

    assert observe_await(read, send_rest) == b"first\nsecond\n"


@exercises("aiohttp.ClientSession.get", aspect=AWAITS)
def test_aiohttp_session(paused_http: Server) -> None:
    async def get() -> int:
        async with aiohttp.ClientSession() as session, session.get(paused_http.url) as response:
            return response.status

    assert observe_await(get, paused_http.resume) == 200


@exercises("aiohttp.ClientSession.get", aspect="bound")
def test_aiohttp_session_is_bounded(paused_http: Server) -> None:
    async def get() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TimeoutError):
                await session.get(paused_http.url, timeout=aiohttp.ClientTimeout(SECONDS))

    observe_await_bound(get, SECONDS)


@exercises("aiohttp.ClientResponse.read", "aiohttp.ClientResponse.text", "aiohttp.StreamReader.read", aspect=AWAITS)
@pytest.mark.parametrize("read", [lambda r: r.read(), lambda r: r.text(), lambda r: r.content.read()])
def test_aiohttp_body(
    read: Callable[[aiohttp.ClientResponse], Awaitable[object]], http: Server, send_rest: Callable[[], object]
) -> None:
    async def body() -> object:
        async with aiohttp.ClientSession() as session, session.get(f"{http.url}/drip") as response:
            return await read(response)

    assert observe_await(body, send_rest) in (b"first\nsecond\n", "first\nsecond\n")


@exercises("httplib2.Http.request")
def test_httplib2(paused_http: Server) -> None:
    observe_wait(lambda: httplib2.Http().request(paused_http.url), paused_http.resume)
