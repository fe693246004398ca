"""What observes awaited calls fails when it should."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from verification.observing import NotObservedError
from verification.third_party import awaiting
from verification.third_party.awaiting import observe_await


def test_a_call_that_waits() -> None:
    """It gives what the call gave after its release."""
    released = threading.Event()

    async def call() -> str:
        while not released.is_set():
            await asyncio.sleep(0.001)
        return "answer"

    assert observe_await(call, released.set) == "answer"


def test_a_call_that_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that holds the loop is found out, though it is a coroutine."""

    async def call() -> None:
        time.sleep(2)

    monkeypatch.setattr(awaiting, "PATIENCE", 0.5)
    with pytest.raises(NotObservedError, match="kept the loop from serving others"):
        observe_await(call, lambda: None)


def test_a_call_that_does_not_wait() -> None:
    """A call that ends at once waits for nobody."""
    with pytest.raises(NotObservedError, match="ended before anybody answered: None"):
        observe_await(lambda: asyncio.sleep(0), lambda: None)


def test_a_call_that_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """The release must be what ends the call."""
    monkeypatch.setattr(awaiting, "PATIENCE", 0.5)
    with pytest.raises(NotObservedError, match="did not end after its release"):
        observe_await(lambda: asyncio.sleep(2), lambda: None)


def test_a_call_that_fails() -> None:
    """An error that is expected is given, another one is raised."""
    released = threading.Event()

    async def call() -> None:
        while not released.is_set():
            await asyncio.sleep(0.001)
        raise ConnectionResetError

    assert isinstance(observe_await(call, released.set, raises=OSError), ConnectionResetError)
    with pytest.raises(ConnectionResetError):
        observe_await(call, released.set)
