"""Counts of what happens, sent on once a minute."""

import asyncio
import queue
from collections import Counter

import requests

from .settings import get_settings

PERIOD = 60

_events: queue.Queue[str] = queue.Queue()


def count(event: str) -> None:
    _events.put_nowait(event)


def drain() -> Counter[str]:
    """The events since the last time."""
    counts: Counter[str] = Counter()
    while True:
        try:
            counts[_events.get_nowait()] += 1
        except queue.Empty:
            return counts


def send(counts: Counter[str]) -> None:
    requests.post(get_settings().statistics_url, json=dict(counts), timeout=5)


class Reporter:
    """Sends the counts again and again while it is started."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PERIOD, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        counts = drain()
        if counts:
            send(counts)
        self.start()
