"""Observations on their way out: counts with bounded memory, logs, files, Prometheus, OpenTelemetry."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from asyncvet.monitor import OpenTelemetry, PrometheusCollector, prometheus_text
from asyncvet.monitor import exporters as module
from asyncvet.monitor.exporters import Counts, JsonLines, log, sentence
from asyncvet.monitor.observation import Observation, StackFrame, read_observations
from asyncvet.monitor.watchdog import Monitor

SLEEP = Observation(
    kind="stall",
    primitive="time.sleep",
    category="",
    stack=(StackFrame("app/routes.py", 12, "items"),),
    seconds=0.25,
    request="GET /items",
    victims=("GET /", "GET /health"),
)
HOSTILE = dataclasses.replace(SLEEP, request='GET /"\\\n{x="y"} 1\n# TYPE x counter', victims=())


@pytest.fixture(autouse=True)
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    fresh = Counts()
    monkeypatch.setattr(module, "COUNTS", fresh)
    monkeypatch.setattr(module, "MONITOR", Monitor())
    return fresh


def test_prometheus(counts: Counts) -> None:
    """The text is what the official library reads and writes, hostile names too."""
    for observation in (SLEEP, SLEEP, HOSTILE):
        counts.add(observation)
    registry = CollectorRegistry()
    registry.register(PrometheusCollector())

    def samples(text: str) -> set[tuple[str, tuple[tuple[str, str], ...], float]]:
        families = text_string_to_metric_families(text)
        return {(s.name, tuple(sorted(s.labels.items())), s.value) for family in families for s in family.samples}

    assert samples(prometheus_text()) == samples(generate_latest(registry).decode())
    labels = (("cause", "blocked"), ("place", "app/routes.py:12"))
    assert {sample for sample in samples(prometheus_text()) if not sample[0].startswith("asyncvet_loop_lag_seconds_bucket")} == {
        ("asyncvet_stalls_total", (*labels, ("request", "GET /items")), 2.0),
        ("asyncvet_stall_seconds_total", (*labels, ("request", "GET /items")), 0.5),
        ("asyncvet_stalls_total", (*labels, ("request", HOSTILE.request)), 1.0),
        ("asyncvet_stall_seconds_total", (*labels, ("request", HOSTILE.request)), 0.25),
        ("asyncvet_delayed_requests_total", (("request", "GET /"),), 2.0),
        ("asyncvet_delayed_requests_total", (("request", "GET /health"),), 2.0),
        ("asyncvet_loop_lag_seconds_sum", (), 0.0),
        ("asyncvet_loop_lag_seconds_count", (), 0.0),
    }


def test_bounded(counts: Counts) -> None:
    """However many requests there are, so many are told apart, and none is lost."""
    for number in range(module.SERIES + 500):
        counts.add(dataclasses.replace(SLEEP, request=f"GET /{number}", victims=(f"GET /victim/{number}",)))
    rows = counts.rows()
    assert len(rows) == module.SERIES + 1
    assert sum(number for _, number, _ in rows) == module.SERIES + 500
    assert (("blocked", "other", "other"), 500, 125.0) in rows
    assert dict(counts.victims())["other"] == 500


def test_opentelemetry() -> None:
    """A stall is recorded with its labels, and those that waited are counted."""
    reader = InMemoryMetricReader()
    OpenTelemetry(MeterProvider([reader]).get_meter("asyncvet"))(SLEEP)
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    points = {metric.name: [_value(point) for point in metric.data.data_points] for metric in metrics}
    assert points == {
        "asyncvet.stall.duration": [({"cause": "blocked", "request": "GET /items", "place": "app/routes.py:12"}, 0.25)],
        "asyncvet.delayed_requests": [({"request": "GET /"}, 1), ({"request": "GET /health"}, 1)],
    }


def _value(point: Any) -> tuple[dict[str, object], float]:
    """Labels and value of a counter's point, or labels and sum of a histogram's."""
    return dict(point.attributes), point.sum if hasattr(point, "sum") else point.value


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "event loop stalled for 250 ms: GET /items waited in time.sleep at app/routes.py:12 items; 2 other requests had to wait",
        ),
        (
            {"category": "cpu", "kind": "hang", "victims": ("GET /",)},
            "event loop stalled for 250 ms and goes on: GET /items computed in time.sleep at app/routes.py:12 items; "
            "1 other request had to wait",
        ),
        (
            {"category": "descheduled", "stack": (), "primitive": ""},
            "event loop stalled for 250 ms, because the process had no processor; 2 other requests had to wait",
        ),
        (
            {"kind": "result-wait", "request": "shop.pay", "primitive": "celery.result.AsyncResult.get"},
            "task shop.pay waited 250 ms for another task in celery.result.AsyncResult.get at app/routes.py:12",
        ),
    ],
)
def test_sentence(changes: dict[str, Any], said: str) -> None:
    """An observation in words."""
    assert sentence(dataclasses.replace(SLEEP, **changes)) == said


def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """A log record has the words, and all fields but the samples."""
    with caplog.at_level(logging.WARNING, "asyncvet.monitor"):
        log(SLEEP)
    (record,) = caplog.records
    assert (record.getMessage(), record.levelname) == (sentence(SLEEP), "WARNING")
    assert record.__dict__["observation"] == dataclasses.asdict(SLEEP)


def test_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Lines are added to the file until it is full; that is said once, and no line is cut."""
    path = tmp_path / "observations"
    sink = JsonLines(path, most=1000)
    for _ in range(10):
        sink(SLEEP)
    found, faults = read_observations(path)
    assert (set(found), faults) == ({SLEEP}, [])
    assert 0 < len(found) < 10
    assert path.stat().st_size <= 1000
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: is full at 1000 bytes; later observations are not written"
    ]


def test_no_file(tmp_path: Path) -> None:
    """A file that cannot be written is told of at once."""
    with pytest.raises(FileNotFoundError):
        JsonLines(tmp_path / "no folder" / "observations")
