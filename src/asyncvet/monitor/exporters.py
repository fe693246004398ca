"""Where observations go in production: counts, structured logs, lines of JSON, Prometheus, OpenTelemetry."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from asyncvet.monitor.observation import Observation, encode
from asyncvet.monitor.observing import cause_of
from asyncvet.monitor.watchdog import MONITOR

LOG = logging.getLogger("asyncvet.monitor")

Labels = tuple[str, str, str]
"""Cause, what was served, and the place in the user's code: ``app/routes.py:12``."""

SERIES = 1000
"""So many different labels are counted; what comes later counts as ``other``."""

LINES = 64 * 1024 * 1024
"""A file of observations is not made longer than so many bytes."""


def place(observation: Observation) -> str:
    """Path and line of the innermost of the user's frames; empty where there is none."""
    return f"{observation.stack[-1].path}:{observation.stack[-1].line}" if observation.stack else ""


class Counts:
    """Observations and their seconds by cause, request and place. Memory does not grow beyond `SERIES` of them."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count from nothing."""
        self._lock = threading.Lock()
        self._number: Counter[Labels] = Counter()
        self._seconds: dict[Labels, float] = {}
        self._victims: Counter[str] = Counter()

    def add(self, observation: Observation) -> None:
        """Count one observation."""
        labels = (cause_of(observation), observation.request, place(observation))
        with self._lock:
            if labels not in self._number and len(self._number) >= SERIES:
                labels = (labels[0], "other", "other")
            self._number[labels] += 1
            self._seconds[labels] = self._seconds.get(labels, 0.0) + (observation.seconds or 0.0)
            for victim in observation.victims:
                self._victims[victim if victim in self._victims or len(self._victims) < SERIES else "other"] += 1

    def rows(self) -> list[tuple[Labels, int, float]]:
        """Labels, number and seconds, sorted."""
        with self._lock:
            return [(labels, self._number[labels], self._seconds[labels]) for labels in sorted(self._number)]

    def victims(self) -> list[tuple[str, int]]:
        """How often each request had to wait, sorted."""
        with self._lock:
            return sorted(self._victims.items())


COUNTS = Counts()
"""What was counted since the process began."""

if hasattr(os, "register_at_fork"):
    # A lock that another thread held at that moment would stay held in the child for ever.
    os.register_at_fork(after_in_child=COUNTS.begin)


def log(observation: Observation) -> None:
    """Log an observation as a warning; the record's attribute `observation` has all of it but the samples, as a dictionary."""
    fields = dataclasses.asdict(dataclasses.replace(observation, samples=()))
    LOG.warning("%s", sentence(observation), extra={"observation": fields})


def sentence(observation: Observation) -> str:
    """The observation in words, on one line."""
    if observation.kind == "loop-misuse":
        return f"task {observation.request} {observation.primitive} ({place(observation)})"
    if observation.kind == "result-wait":
        lasted = f"{(observation.seconds or 0.0) * 1000:.0f} ms"
        return f"task {observation.request} waited {lasted} for another task in {observation.primitive} at {place(observation)}"
    lasted = "" if observation.seconds is None else f" for {observation.seconds * 1000:.0f} ms"
    cause = cause_of(observation)
    if not observation.stack:
        words = {
            "crowded": "by many short steps",
            "starved": "while other threads held the interpreter",
            "descheduled": "because the process had no processor",
            "unseen": "and no sample tells why",
        }
        what = words.get(cause, f"on {observation.primitive}")
        return f"event loop stalled{lasted}, {what}; {_waited(observation)}"
    verb = "computed in" if cause == "computing" else "waited in"
    who = observation.request or observation.callback or observation.task
    goes_on = " and goes on" if observation.kind == "hang" else ""
    return (
        f"event loop stalled{lasted}{goes_on}: {who} {verb} {observation.primitive} "
        f"at {place(observation)} {observation.stack[-1].function}; {_waited(observation)}"
    )


def _waited(observation: Observation) -> str:
    number = len(observation.victims)
    return f"{number} other request{'' if number == 1 else 's'} had to wait"


class JsonLines:
    """Adds observations to a file, one line each, so that several processes can share it."""

    def __init__(self, path: str | os.PathLike[str], most: int = LINES) -> None:
        """Open the file.

        Args:
            path: The file; it is made if it is not there.
            most: The file is not made longer than so many bytes.

        Raises:
            OSError: It cannot be opened for writing.
        """
        self._path = os.fspath(path)
        self._most = most
        self._is_full = False
        with open(self._path, "ab"):
            pass

    def __call__(self, observation: Observation) -> None:
        """Add one observation."""
        line = (encode(observation) + "\n").encode()
        with open(self._path, "ab", buffering=0) as file:
            if file.tell() + len(line) <= self._most:
                file.write(line)
                return
        if not self._is_full:
            self._is_full = True
            LOG.warning("%s: is full at %d bytes; later observations are not written", self._path, self._most)


# --- Prometheus -----------------------------------------------------------------------------------

_METRICS = {
    "stalls_total": ("counter", "Stalls by cause, request and place."),
    "stall_seconds_total": ("counter", "Seconds of these stalls."),
    "delayed_requests_total": ("counter", "Requests under way while another one stalled the loop."),
    "loop_lag_seconds": ("histogram", "How late the event loop's heartbeat was."),
}


def prometheus_text() -> str:
    """All counts in the text format of Prometheus, version 0.0.4."""
    lines: list[str] = []
    for name, (kind, text) in _METRICS.items():
        lines += [f"# HELP asyncvet_{name} {text}", f"# TYPE asyncvet_{name} {kind}", *_series(name)]
    return "\n".join(lines) + "\n"


def _series(name: str) -> Iterator[str]:
    if name == "loop_lag_seconds":
        lag = MONITOR.lag()
        for bound, count in lag.cumulative():
            yield f'asyncvet_{name}_bucket{{le="{_bound(bound)}"}} {count}'
        yield f"asyncvet_{name}_sum {lag.total}"
        yield f"asyncvet_{name}_count {lag.count}"
    elif name == "delayed_requests_total":
        yield from (f"asyncvet_{name}{_labels(request=victim)} {count}" for victim, count in COUNTS.victims())
    else:
        for (cause, request, where), number, seconds in COUNTS.rows():
            value = f"{number}" if name == "stalls_total" else f"{seconds}"
            yield f"asyncvet_{name}{_labels(cause=cause, request=request, place=where)} {value}"


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:g}"


def _labels(**labels: str) -> str:
    escaped = {key: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for key, value in labels.items()}
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped.items()) + "}"


class PrometheusCollector:
    """The same counts for the library `prometheus_client`: `REGISTRY.register(PrometheusCollector())`."""

    def collect(self) -> Iterator[Any]:
        """The families of metrics, as that library asks for them."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily  # noqa: PLC0415  # an extra

        stalls = CounterMetricFamily("asyncvet_stalls", _METRICS["stalls_total"][1], labels=["cause", "request", "place"])
        seconds = CounterMetricFamily(
            "asyncvet_stall_seconds", _METRICS["stall_seconds_total"][1], labels=["cause", "request", "place"]
        )
        for labels, number, lasted in COUNTS.rows():
            stalls.add_metric(labels, number)
            seconds.add_metric(labels, lasted)
        delayed = CounterMetricFamily("asyncvet_delayed_requests", _METRICS["delayed_requests_total"][1], labels=["request"])
        for victim, count in COUNTS.victims():
            delayed.add_metric([victim], count)
        lag = MONITOR.lag()
        histogram = HistogramMetricFamily("asyncvet_loop_lag_seconds", _METRICS["loop_lag_seconds"][1])
        histogram.add_metric([], [(_bound(bound), count) for bound, count in lag.cumulative()], lag.total)
        yield from (stalls, seconds, delayed, histogram)


# --- OpenTelemetry --------------------------------------------------------------------------------


class OpenTelemetry:
    """A sink that records stalls with a meter of OpenTelemetry.

    It imports nothing: the meter is the user's, `opentelemetry.metrics.get_meter("asyncvet")`.
    """

    def __init__(self, meter: Any) -> None:  # noqa: ANN401
        self._stalls = meter.create_histogram(
            "asyncvet.stall.duration", unit="s", description="How long the event loop stood still."
        )
        self._delayed = meter.create_counter("asyncvet.delayed_requests", description=_METRICS["delayed_requests_total"][1])

    def __call__(self, observation: Observation) -> None:
        """Record one observation."""
        labels = {"cause": cause_of(observation), "request": observation.request, "place": place(observation)}
        self._stalls.record(observation.seconds or 0.0, labels)
        for victim in observation.victims:
            self._delayed.add(1, {"request": victim})
