"""Ingestions: started, watched, and published again when nobody works on them."""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

from farm.documents import check_name
from farm.errors import BadInput, NotFound, ServiceUnavailable
from farm.rag.ledger import Ingestion, Ledger
from farm.rag.tasks import ingest_file_with_rag_task
from farm.server.schemas import FileToIngest
from farm.server.settings import ServerSettings
from farm.server.workers import Workers

logger = logging.getLogger(__name__)


class Ingestions:
    """Ingestions as the server sees them: entries of the ledger, and tasks that are published for them."""

    def __init__(self, ledger: Ledger, workers: Workers, settings: ServerSettings) -> None:
        self._ledger = ledger
        self._workers = workers
        self._settings = settings

    @classmethod
    @asynccontextmanager
    async def running(cls, workers: Workers, settings: ServerSettings) -> AsyncGenerator[Self]:
        """Ingestions whose lost tasks are published again while the block runs."""
        ingestions = cls(await asyncio.to_thread(Ledger.open, settings), workers, settings)
        republisher = asyncio.create_task(ingestions._publish_due_forever())
        try:
            yield ingestions
        finally:
            republisher.cancel()
            with suppress(asyncio.CancelledError):
                await republisher

    async def start_ingestion(self, collection: str, files: Sequence[FileToIngest]) -> list[Ingestion]:
        """Write files into the ledger, and publish a task for each. With the broker away they stay queued until it is back.

        Raises:
            BadInput: a name cannot be used.
            NotFound: a file has not been uploaded.
        """
        entries = await asyncio.to_thread(self._add, collection, files)
        async with asyncio.TaskGroup() as group:
            for entry in entries:
                group.create_task(self._publish(entry))
        return await asyncio.to_thread(self._ledger.get_all, [entry.id for entry in entries])

    async def get(self, entry_id: str) -> Ingestion:
        """An ingestion.

        Raises:
            NotFound: there is no such one.
        """
        entry = await asyncio.to_thread(self._ledger.get, entry_id)
        if entry is None:
            raise NotFound(f"there is no ingestion {entry_id!r}")
        return entry

    async def recent(self, collection: str) -> list[Ingestion]:
        """The latest ingestions into a collection."""
        return await asyncio.to_thread(self._ledger.recent, collection)

    async def watch(self, entry_id: str) -> AsyncGenerator[Ingestion]:
        """An ingestion each time that it has changed, until it has come to an end.

        Raises:
            NotFound: there is no such one.
        """
        seen = None
        ends = asyncio.get_running_loop().time() + self._settings.status_timeout
        while asyncio.get_running_loop().time() < ends:
            entry = await self.get(entry_id)
            if entry != seen:
                yield entry
            if entry.state.is_final:
                return
            seen = entry
            await asyncio.sleep(self._settings.status_interval)

    def _add(self, collection: str, files: Sequence[FileToIngest]) -> list[Ingestion]:
        entries = [self._entry(collection, each) for each in files]
        self._ledger.add(entries)
        return entries

    def _entry(self, collection: str, file: FileToIngest) -> Ingestion:
        path = (self._settings.files_dir / file.file_id).resolve()
        if check_name(file.name) != path.suffix:
            raise BadInput(f"{file.name!r} must end in {path.suffix!r} as the file that was uploaded")
        if not path.is_file():
            raise NotFound(f"there is no file {file.file_id!r}; upload it first")
        return Ingestion(id=uuid.uuid4().hex, collection=collection, name=file.name, path=path, content_hash=path.stem)

    async def _publish(self, entry: Ingestion) -> bool:
        try:
            await self._workers.publish(ingest_file_with_rag_task, entry.id)
        except (ServiceUnavailable, TimeoutError) as error:
            logger.warning("a task cannot be published; trying again", extra={"ingestion": entry.id, "error": repr(error)})
            await asyncio.to_thread(
                self._ledger.postpone, entry.id, "the broker does not answer; the task will be published again"
            )
            return False
        await asyncio.to_thread(self._ledger.published, entry.id)
        return True

    async def _publish_due_forever(self) -> None:
        while True:
            try:
                await asyncio.sleep(self._settings.republish_interval)
                await self._publish_due()
            except Exception:
                logger.exception("tasks could not be published again; trying once more")

    async def _publish_due(self) -> None:
        for entry in await asyncio.to_thread(self._ledger.due):
            logger.info("publishing a task again", extra={"ingestion": entry.id, "state": entry.state})
            if not await self._publish(entry):
                return
