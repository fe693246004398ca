"""The bad patterns, each with its good form, its load, and what it shows."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from farm.runtime.settings import runtime_settings
from harm import loads
from harm.conditions import REFUSED
from harm.service import Answer, Measured, Samples, Service, silent, slow_runtime

_MODEL = str(runtime_settings().language_models[loads.LANGUAGE])
_TWO_MODELS = json.dumps({"one": _MODEL, "two": _MODEL})

Plot = Literal["health", "answers", "tokens", "tasks", "answer", "loads", "lost", "shutdown"]


@dataclass(frozen=True)
class Pattern:
    """A bad pattern beside its good form.

    Attributes:
        name: of the variant.
        rule: name of the rule that it belongs to.
        service: of the farm.
        bad: what the bad form does.
        good: where the good form is, a path below the farm and a function.
        load: what is asked of both.
        plot: what the plot shows.
        says: what the figures say, in a sentence.
        settings: of the service.
        condition: what both forms have to live with.
        other: what another service that it talks to does, and the setting that says where that is.
    """

    name: str
    title: str
    rule: str
    service: str
    bad: str
    good: str
    load: Callable[[Service], Awaitable[Measured]]
    plot: Plot
    says: Callable[[Measured, Measured], str]
    settings: Mapping[str, object] = field(default_factory=dict)
    condition: str | None = None
    other: tuple[Answer, str, str] | None = None

    @property
    def anchor(self) -> str:
        """Where on the page it is."""
        return self.title.lower().replace(" ", "-")


def percentile(samples: Samples, percent: float) -> float:
    """The value that so many of a hundred do not exceed."""
    return sorted(took for _, took in samples)[math.ceil(len(samples) * percent / 100) - 1]


def shown(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def _health(measured: Measured) -> str:
    return shown(percentile(measured.health, 99))


def _worst(measured: Measured) -> str:
    return shown(percentile(measured.answers, 100))


def _stalls(what: str) -> Callable[[Measured, Measured], str]:
    def says(bad: Measured, good: Measured) -> str:
        stalls = f"the loop stands still for up to {shown(bad.stall or 0)}" if bad.stall else "the loop stands still"
        return f"{what}, {stalls} and `/health` takes {_health(bad)} at p99, against {_health(good)} in the good form"

    return says


def _loads(bad: Measured, good: Measured) -> str:
    return (
        f"eight first requests at once load the model {bad.loads} times and the last is answered after {_worst(bad)}; "
        f"in the good form it is {good.loads} load and {_worst(good)}"
    )


def _global_lock(bad: Measured, good: Measured) -> str:
    return (
        f"while two other models load, an embedding takes up to {_worst(bad)} though its model is in memory, "
        f"against {_worst(good)} in the good form"
    )


def _lost(bad: Measured, good: Measured) -> str:
    accepted = loads.REQUESTS * loads.FILES
    return f"of {accepted} tasks accepted just before the service stops, {bad.lost} are lost; {good.lost} in the good form"


def _died(bad: Measured, good: Measured) -> str:
    return (
        f"one passing error ends the loop, and {bad.lost} of {REFUSED} tasks that it was to publish again are lost; "
        f"{good.lost} in the good form"
    )


def _shutdown(bad: Measured, good: Measured) -> str:
    how = (
        f"still runs {shown(bad.shutdown)} after SIGTERM and has to be killed"
        if bad.killed
        else f"stops after {shown(bad.shutdown)}"
    )
    return f"the service {how}, where the good form stops after {shown(good.shutdown)}"


def _first_token(bad: Measured, good: Measured) -> str:
    return (
        f"the first of {len(bad.counts)} tokens comes after {shown(bad.answers[0][1])}, when the last has been generated, "
        f"against {shown(good.answers[0][1])} in the good form"
    )


def _sequential(bad: Measured, good: Measured) -> str:
    return (
        f"with five searches of 0.1 s and a model of 0.2 s, an answer takes {shown(percentile(bad.answers, 50))} (median), "
        f"against {shown(percentile(good.answers, 50))} in the good form"
    )


def _silent(bad: Measured, good: Measured) -> str:
    return (
        f"with a silent service behind it, a request still hangs when its client gives up after {_worst(bad)}; "
        f"in the good form it is answered with a 504 after {_worst(good)}"
    )


PATTERNS = (
    Pattern(
        "blocking-open",
        "Blocking open",
        "blocking-call",
        "server",
        "`open` and `write` on the loop, for an upload of 45 MB",
        "farm/server/uploads.py receive_file",
        loads.uploads,
        "health",
        _stalls("with files written on the loop"),
    ),
    Pattern(
        "sleep-in-a-handler",
        "Sleep in a handler",
        "blocking-call",
        "server",
        "`time.sleep(0.2)` between two looks at an ingestion, in place of `asyncio.sleep`",
        "farm/server/ingestions.py watch",
        loads.watchers,
        "health",
        _stalls("with a `time.sleep` of 0.2 s in a stream that two clients watch"),
    ),
    Pattern(
        "requests-in-a-handler",
        "requests in a handler",
        "blocking-call",
        "server",
        "`requests.get` in place of httpx's asynchronous client",
        "farm/runtime_client.py check",
        loads.readiness,
        "health",
        _stalls("with `requests.get` in a handler that four clients call, and 0.2 s for its answer"),
        {"FARM_CONNECT_TIMEOUT": 0.3},
        other=(slow_runtime, "FARM_RUNTIME_URL", "http://127.0.0.1:{port}"),
    ),
    Pattern(
        "load-on-the-loop",
        "Model load on the loop",
        "blocking-call",
        "runtime",
        "the encoder's files are read and its matrices built on the loop",
        "farm/runtime/models.py load",
        loads.repeated_loads,
        "health",
        _stalls("with an encoder of 90 MB loaded on the loop"),
        {"MODEL_UNLOAD_TIMEOUT": 0.1, "FARM_MODEL_CHECK_INTERVAL": 0.1},
    ),
    Pattern(
        "parsing-on-the-loop",
        "Parsing on the loop",
        "cpu-bound-call",
        "server",
        "a PDF is opened on the loop",
        "farm/server/uploads.py receive_file",
        loads.pdf_uploads,
        "health",
        _stalls("with the text of a PDF's page extracted on the loop"),
    ),
    Pattern(
        "no-lock-on-load",
        "No lock on load",
        "unguarded-lazy-init",
        "runtime",
        "who finds no model loads it, without a lock",
        "farm/runtime/registry.py _load",
        loads.first_requests,
        "loads",
        _loads,
        {"FARM_EMBEDDING_PARALLEL": 8},
    ),
    Pattern(
        "no-second-look",
        "No second look under the lock",
        "lock-without-recheck",
        "runtime",
        "who finds no model takes the lock and loads it, without looking again",
        "farm/runtime/registry.py _load",
        loads.first_requests,
        "loads",
        _loads,
        {"FARM_EMBEDDING_PARALLEL": 8},
    ),
    Pattern(
        "one-global-lock",
        "One global lock",
        "global-lock-contention",
        "runtime",
        "one lock for all models, held while one is looked for and loaded",
        "farm/runtime/registry.py lease",
        loads.embeddings_during_loads,
        "answers",
        _global_lock,
        {"FARM_LANGUAGE_MODELS": _TWO_MODELS},
    ),
    Pattern(
        "dropped-task",
        "Dropped task",
        "dropped-task",
        "server",
        "the task that publishes an ingestion is neither kept nor awaited",
        "farm/server/ingestions.py start_ingestion",
        loads.ingestions_before_the_end,
        "lost",
        _lost,
    ),
    Pattern(
        "swallowed-cancellation",
        "Swallowed cancellation",
        "swallowed-cancellation",
        "runtime",
        "the idle cleaner catches `BaseException`, logs it and goes on",
        "farm/runtime/registry.py _unload_idle_models",
        loads.nothing,
        "shutdown",
        _shutdown,
    ),
    Pattern(
        "fragile-loop",
        "Fragile loop",
        "fragile-background-loop",
        "server",
        "the loop that publishes again what nobody works on catches nothing",
        "farm/server/ingestions.py _publish_due_forever",
        loads.ingestions_in_bad_times,
        "tasks",
        _died,
        {"FARM_REPUBLISH_INTERVAL": 0.3},
        condition="passing-faults",
    ),
    Pattern(
        "collected-stream",
        "Collected stream",
        "collected-stream",
        "runtime",
        "all chunks are collected before the first is sent",
        "farm/runtime/chat.py chat_events",
        loads.story,
        "tokens",
        _first_token,
    ),
    Pattern(
        "sequential-awaits",
        "Sequential awaits",
        "sequential-awaits",
        "server",
        "collections are searched one after the other",
        "farm/server/retrieval.py retrieve",
        loads.searches,
        "answer",
        _sequential,
        condition="slow-search",
        other=(slow_runtime, "FARM_RUNTIME_URL", "http://127.0.0.1:{port}"),
    ),
    Pattern(
        "no-timeout",
        "No timeout",
        "missing-timeout",
        "server",
        "the client of the runtime has `timeout=None`; in the good form it is 1 s",
        "farm/runtime_client.py open",
        loads.questions_without_answer,
        "answer",
        _silent,
        {"FARM_REQUEST_TIMEOUT": 1},
        condition="slow-search",
        other=(silent, "FARM_RUNTIME_URL", "http://127.0.0.1:{port}"),
    ),
    Pattern(
        "publish-on-the-loop",
        "Publish with the broker away",
        "publish-on-loop",
        "server",
        "`apply_async` on the loop; its operations have the good form's bound of 1 s",
        "farm/server/workers.py publish",
        loads.ingestions_without_broker,
        "health",
        _stalls("with `apply_async` on the loop and a broker that says nothing"),
        {"FARM_BROKER_TIMEOUT": 1},
        other=(silent, "FARM_BROKER_URL", "redis://127.0.0.1:{port}/0"),
    ),
)
