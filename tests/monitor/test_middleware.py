"""The middleware refuses what is no ASGI application, and is not there for one while the monitor is off."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from asyncvet import monitor
from asyncvet.monitor import MonitorMiddleware
from asyncvet.monitor.attribution import CURRENT, UNDER_WAY


def wsgi(environ: dict[str, str], start_response: Callable[..., Any]) -> list[bytes]:
    """An application of another kind."""
    return []


@pytest.mark.parametrize(
    ("application", "message"),
    [
        (42, "MonitorMiddleware wraps an ASGI application, a callable with (scope, receive, send), not 42"),
        (re, f"MonitorMiddleware wraps an ASGI application, a callable with (scope, receive, send), not {re!r}"),
        (
            wsgi,
            f"MonitorMiddleware wraps an ASGI application, called with (scope, receive, send): {wsgi!r}: too many positional arguments; "
            "this looks like a WSGI application",
        ),
    ],
)
def test_no_application(application: Any, message: str) -> None:
    """What is no ASGI application is refused when it is wrapped, not at the first request."""
    with pytest.raises(TypeError) as raised:
        MonitorMiddleware(application)
    assert str(raised.value) == message


def test_no_setting() -> None:
    """A setting that there is not is refused as well."""

    async def application(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(TypeError, match="unexpected keyword argument 'bonud'"):
        MonitorMiddleware(application, bonud=0.2)


@pytest.mark.parametrize("is_on", [True, False])
def test_work(is_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is on, a request is known while it is served, by the route that the application chose; then it is let go, errors too."""
    monkeypatch.setenv("ASYNCVET_MONITOR", "on" if is_on else "off")
    names: list[str | None] = []

    class Route:
        path = "/items/{number}"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        work = CURRENT.get()
        names.append(work.name if work else None)
        scope["route"] = Route()
        names.append(work.name if work else None)
        raise LookupError(scope["path"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None: ...

    async def main() -> None:
        with pytest.raises(LookupError, match="/items/3"):
            await MonitorMiddleware(application)({"type": "http", "method": "GET", "path": "/items/3"}, receive, send)
        assert CURRENT.get() is None

    asyncio.run(main())
    monitor.stop()
    assert names == (["GET /items/3", "GET /items/{number}"] if is_on else [None, None])
    assert set() == UNDER_WAY
