"""The bad forms: each replaces one function of the farm by what the checklist warns of, and by nothing else.

Do not copy from here. `asyncvet check examples/farm --select AV,AV707` reports all but the fragile loop and the searches in turn.
"""

import asyncio
import hashlib
import importlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import requests
from celery import Task
from celery.result import AsyncResult
from pypdf import PdfReader

from farm.documents import HEAD_BYTES, check_head, check_name
from farm.errors import ServiceUnavailable, TooLarge
from farm.rag.ledger import Ingestion, Ledger
from farm.rag.store import Passage
from farm.runtime.chat import Chunk
from farm.runtime.encoder import Encoder
from farm.runtime.metrics import MODEL_LOADS
from farm.runtime.models import EncoderModel
from farm.runtime.registry import ModelRegistry, _Entry
from farm.runtime_client import RuntimeClient
from farm.server.ingestions import Ingestions
from farm.server.retrieval import Retrieved, Retriever
from farm.server.schemas import FileToIngest, StoredFile
from farm.server.settings import ServerSettings
from farm.server.workers import Workers
from farm.settings import FarmSettings
from farm.streams import event

logger = logging.getLogger(__name__)


async def blocking_open(body: AsyncIterable[bytes], name: str, folder: Path, limit: int) -> StoredFile:
    """`receive_file` that opens, writes and reads on the loop."""
    suffix = check_name(name)
    data = b"".join([chunk async for chunk in body])
    if len(data) > limit:
        raise TooLarge(f"the file is over the limit of {limit} bytes")
    check_head(suffix, data[:HEAD_BYTES])
    file_id = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest() + suffix
    with open(folder / file_id, "wb") as file:
        file.write(data)
    return StoredFile(file_id=file_id, name=name, size=len(data))


class SleepingIngestions(Ingestions):
    """`watch` that sleeps on the loop between two looks."""

    async def watch(self, entry_id: str) -> AsyncGenerator[Ingestion]:
        seen = None
        ends = asyncio.get_running_loop().time() + self._settings.status_timeout
        while asyncio.get_running_loop().time() < ends:
            entry = await self.get(entry_id)
            if entry != seen:
                yield entry
            if entry.state.is_final:
                return
            seen = entry
            time.sleep(self._settings.status_interval)


class RequestsClient(RuntimeClient):
    """`check` that asks with requests."""

    async def check(self) -> None:
        url = f"{self._settings.runtime_address}/health"
        requests.get(url, timeout=self._settings.request_timeout).raise_for_status()


class LoopLoadedEncoder(EncoderModel):
    """`load` that reads the model on the loop."""

    @classmethod
    async def load(cls, folder: Path) -> Self:
        return cls(Encoder.load(folder))


async def parsing_on_the_loop(body: AsyncIterable[bytes], name: str, folder: Path, limit: int) -> StoredFile:
    """`receive_file` that opens a PDF on the loop to see whether it is one."""
    suffix = check_name(name)
    data = b"".join([chunk async for chunk in body])
    if len(data) > limit:
        raise TooLarge(f"the file is over the limit of {limit} bytes")
    check_head(suffix, data[:HEAD_BYTES])
    file_id = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest() + suffix
    await asyncio.to_thread((folder / file_id).write_bytes, data)
    if suffix == ".pdf":
        PdfReader(folder / file_id).pages[0].extract_text()
    return StoredFile(file_id=file_id, name=name, size=len(data))


_LOCK = asyncio.Lock()
_MODELS: dict[str, Any] = {}


class UnlockedRegistry(ModelRegistry[Any]):
    """`_load` without a lock: whoever finds no model loads it."""

    async def _load(self, entry: _Entry[Any]) -> Any:  # noqa: ANN401
        if entry.name not in _MODELS:
            _MODELS[entry.name] = await self._loaded(entry)
            MODEL_LOADS.labels(entry.name).inc()
        entry.model = _MODELS[entry.name]
        return entry.model


class UncheckedRegistry(ModelRegistry[Any]):
    """`_load` that takes the lock and does not look again."""

    async def _load(self, entry: _Entry[Any]) -> Any:  # noqa: ANN401
        if entry.name not in _MODELS:
            async with _LOCK:
                _MODELS[entry.name] = await self._loaded(entry)
                MODEL_LOADS.labels(entry.name).inc()
        entry.model = _MODELS[entry.name]
        return entry.model


class GlobalLockRegistry(ModelRegistry[Any]):
    """`lease` that looks for every model, and loads it, under one lock."""

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncGenerator[Any]:
        entry = self._entries[name]
        entry.users += 1
        try:
            async with _LOCK:
                model = entry.loaded or await self._load(entry)
            yield model
        finally:
            entry.users -= 1
            entry.last_used = time.monotonic()


class DroppingIngestions(Ingestions):
    """`start_ingestion` that starts the publishing and keeps no task of it."""

    async def start_ingestion(self, collection: str, files: Sequence[FileToIngest]) -> list[Ingestion]:
        entries = await asyncio.to_thread(self._add, collection, files)
        for entry in entries:
            asyncio.create_task(self._publish(entry))
        return await asyncio.to_thread(self._ledger.get_all, [entry.id for entry in entries])


async def swallowed_cancellation(registries: tuple[ModelRegistry[Any], ...], interval: float) -> None:
    """`_unload_idle_models` that takes its cancellation for an error."""
    while True:
        try:
            await asyncio.sleep(interval)
            for registry in registries:
                await registry.unload_idle()
        except BaseException:
            logger.exception("idle models could not be unloaded; trying again")


class FragileIngestions(Ingestions):
    """`running` whose loop ends with its first error."""

    @classmethod
    @asynccontextmanager
    async def running(cls, workers: Workers, settings: ServerSettings) -> AsyncGenerator[Self]:
        ingestions = cls(await asyncio.to_thread(Ledger.open, settings), workers, settings)
        republisher = asyncio.create_task(_publish_due_forever(ingestions, settings.republish_interval))
        try:
            yield ingestions
        finally:
            republisher.cancel()
            with suppress(asyncio.CancelledError):
                await republisher


async def _publish_due_forever(ingestions: Ingestions, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        await ingestions._publish_due()


async def collected_stream(chunks: AsyncGenerator[Chunk], include_usage: bool) -> AsyncGenerator[str]:
    """`chat_events` that sends the first token when it has the last."""
    collected = [chunk async for chunk in chunks]
    for chunk in collected:
        if chunk["choices"] or include_usage:
            yield event(chunk)
    yield "data: [DONE]\n\n"


class SequentialRetriever(Retriever):
    """`retrieve` that searches one collection after the other."""

    async def retrieve(self, question: str, collections: Sequence[str]) -> Retrieved:
        passages: list[Passage] = []
        for collection in collections:
            found = await self._search(question, collection)
            passages += found
        passages.sort(key=lambda passage: -passage.score)
        return Retrieved(passages[: self._settings.passages], [])


class UnboundedClient(RuntimeClient):
    """`open` whose client waits for ever."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: FarmSettings) -> AsyncGenerator[Self]:
        async with await asyncio.to_thread(UnboundedClient._made, settings) as client:
            yield cls(client, settings)

    @staticmethod
    def _made(settings: FarmSettings) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=settings.runtime_address, timeout=None, headers=settings.authorization)


class LoopWorkers(Workers):
    """`publish` that waits for the broker on the loop."""

    async def publish(self, task: Task, *args: object, expires: float | None = None) -> AsyncResult:
        try:
            return task.apply_async(args=args, expires=expires)
        except Exception as error:
            raise ServiceUnavailable("the broker does not answer") from error


@dataclass(frozen=True)
class Variant:
    """A bad form, and what it takes the place of.

    Attributes:
        owner: the module or class, as `module:name` or `module`.
        name: the function there.
        function: the bad form.
    """

    owner: str
    name: str
    function: Any

    def put_in(self) -> None:
        """Replace the good form in this process."""
        module, _, attribute = self.owner.partition(":")
        owner = importlib.import_module(module)
        setattr(getattr(owner, attribute) if attribute else owner, self.name, self.function)


_REGISTRY = "farm.runtime.registry"
VARIANTS = {
    "blocking-open": Variant("farm.server.routes", "receive_file", blocking_open),
    "sleep-in-a-handler": Variant("farm.server.ingestions:Ingestions", "watch", SleepingIngestions.watch),
    "requests-in-a-handler": Variant("farm.runtime_client:RuntimeClient", "check", RequestsClient.check),
    "load-on-the-loop": Variant("farm.runtime.models:EncoderModel", "load", LoopLoadedEncoder.__dict__["load"]),
    "parsing-on-the-loop": Variant("farm.server.routes", "receive_file", parsing_on_the_loop),
    "no-lock-on-load": Variant(f"{_REGISTRY}:ModelRegistry", "_load", UnlockedRegistry._load),
    "no-second-look": Variant(f"{_REGISTRY}:ModelRegistry", "_load", UncheckedRegistry._load),
    "one-global-lock": Variant(f"{_REGISTRY}:ModelRegistry", "lease", GlobalLockRegistry.lease),
    "dropped-task": Variant("farm.server.ingestions:Ingestions", "start_ingestion", DroppingIngestions.start_ingestion),
    "swallowed-cancellation": Variant(_REGISTRY, "_unload_idle_models", swallowed_cancellation),
    "fragile-loop": Variant("farm.server.ingestions:Ingestions", "running", FragileIngestions.__dict__["running"]),
    "collected-stream": Variant("farm.runtime.routes", "chat_events", collected_stream),
    "sequential-awaits": Variant("farm.server.retrieval:Retriever", "retrieve", SequentialRetriever.retrieve),
    "no-timeout": Variant("farm.runtime_client:RuntimeClient", "open", UnboundedClient.__dict__["open"]),
    "publish-on-the-loop": Variant("farm.server.workers:Workers", "publish", LoopWorkers.publish),
}
