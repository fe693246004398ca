"""Models that are loaded when they are first asked for, once, and unloaded when nobody has used them for a while."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from farm.errors import NotFound, ServiceUnavailable
from farm.runtime.metrics import MODEL_LOADS, MODEL_USERS, MODELS_LOADED

logger = logging.getLogger(__name__)


class Model(Protocol):
    """What the registry has to know about a model."""

    @property
    def is_alive(self) -> bool:
        """Whether it can still answer."""
        ...

    async def aclose(self) -> None:
        """Free its memory, off the loop."""
        ...


M = TypeVar("M", bound=Model)


@dataclass(eq=False)
class _Entry(Generic[M]):
    """A model's place. Only who holds the lock changes `model`; `users` may change at any time."""

    name: str
    load: Callable[[], Awaitable[M]]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    model: M | None = None
    users: int = 0
    last_used: float = 0.0

    @property
    def loaded(self) -> M | None:
        """The model if it is there and can answer."""
        return self.model if self.model is not None and self.model.is_alive else None

    def is_idle(self, seconds: float) -> bool:
        """Whether nobody has used the model for so long."""
        return self.model is not None and self.users == 0 and time.monotonic() - self.last_used >= seconds


class ModelRegistry(Generic[M]):
    """The models of one kind, by name. Each has a lock of its own: one that loads does not hold up another.

    Args:
        loaders: how to load each model.
        unload_after: idle seconds after which a model is unloaded.
        load_timeout: seconds that loading may take.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], Awaitable[M]]], unload_after: float, load_timeout: float) -> None:
        self._entries = {name: _Entry(name, load) for name, load in loaders.items()}
        self._unload_after = unload_after
        self._load_timeout = load_timeout

    @property
    def names(self) -> list[str]:
        """The models there are."""
        return sorted(self._entries)

    @property
    def loaded_names(self) -> list[str]:
        """The models in memory."""
        return sorted(name for name, entry in self._entries.items() if entry.loaded)

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncGenerator[M]:
        """A model to use within the block. It is not unloaded meanwhile, however long that takes.

        Raises:
            NotFound: there is no such model.
            ServiceUnavailable: it cannot be loaded.
            TimeoutError: it could not be loaded in time.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise NotFound(f"there is no model {name!r} of this kind; there are: {', '.join(self.names)}")
        entry.users += 1
        try:
            with MODEL_USERS.labels(name).track_inprogress():
                yield entry.loaded or await self._load(entry)
        finally:
            entry.users -= 1
            entry.last_used = time.monotonic()

    async def _load(self, entry: _Entry[M]) -> M:
        async with entry.lock:
            if entry.loaded is None:
                await self._unload(entry)  # what is left of one that died
                started = time.monotonic()
                entry.model = await self._loaded(entry)
                MODEL_LOADS.labels(entry.name).inc()
                MODELS_LOADED.labels(entry.name).set(1)
                logger.info("model loaded", extra={"model": entry.name, "seconds": round(time.monotonic() - started, 3)})
            assert entry.model is not None  # noqa: S101
            return entry.model

    async def _loaded(self, entry: _Entry[M]) -> M:
        try:
            async with asyncio.timeout(self._load_timeout):
                return await entry.load()
        except TimeoutError:
            raise
        except Exception as error:
            logger.exception("a model cannot be loaded", extra={"model": entry.name})
            raise ServiceUnavailable(f"the model {entry.name!r} cannot be loaded; the runtime's log says why") from error

    async def unload_idle(self) -> None:
        """Unload every model that is idle for too long."""
        async with asyncio.TaskGroup() as group:
            for entry in self._entries.values():
                if entry.is_idle(self._unload_after):
                    group.create_task(self._unload_if_idle(entry))

    async def _unload_if_idle(self, entry: _Entry[M]) -> None:
        async with entry.lock:
            if entry.is_idle(self._unload_after):
                await self._unload(entry)

    async def aclose(self) -> None:
        """Unload all models."""
        async with asyncio.TaskGroup() as group:
            for entry in self._entries.values():
                group.create_task(self._unload(entry))

    async def _unload(self, entry: _Entry[M]) -> None:
        model, entry.model = entry.model, None
        if model is not None:
            MODELS_LOADED.labels(entry.name).set(0)
            await model.aclose()
            logger.info("model unloaded", extra={"model": entry.name})


@asynccontextmanager
async def idle_cleaner(registries: Iterable[ModelRegistry[Any]], interval: float) -> AsyncGenerator[None]:
    """Unload idle models every `interval` seconds while the block runs."""
    cleaner = asyncio.create_task(_unload_idle_models(tuple(registries), interval))
    try:
        yield
    finally:
        cleaner.cancel()
        with suppress(asyncio.CancelledError):
            await cleaner


async def _unload_idle_models(registries: tuple[ModelRegistry[Any], ...], interval: float) -> None:
    while True:
        try:
            await asyncio.sleep(interval)
            for registry in registries:
                await registry.unload_idle()
        except asyncio.CancelledError:
            logger.info("idle cleaner stopped")
            raise
        except Exception:
            logger.exception("idle models could not be unloaded; trying again")
