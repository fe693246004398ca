"""Passages from several collections, searched at once."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from farm.errors import ServiceUnavailable
from farm.rag.store import Passage
from farm.rag.tasks import search_with_rag_task
from farm.server.settings import ServerSettings
from farm.server.workers import Workers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retrieved:
    """The nearest passages, nearest first, and what could not be searched."""

    passages: list[Passage]
    problems: list[str]


class Retriever:
    """Searches collections through the workers."""

    def __init__(self, workers: Workers, settings: ServerSettings) -> None:
        self._workers = workers
        self._settings = settings

    async def retrieve(self, question: str, collections: Sequence[str]) -> Retrieved:
        """Search all collections at once. One that cannot be searched is a problem that the answer tells; the others count.

        Raises:
            ServiceUnavailable: none can be searched.
        """
        results = await asyncio.gather(*(self._search(question, each) for each in collections), return_exceptions=True)
        passages: list[Passage] = []
        problems: list[str] = []
        for collection, result in zip(collections, results, strict=True):
            if isinstance(result, BaseException):
                logger.error("a collection cannot be searched", extra={"collection": collection, "error": repr(result)})
                problems.append(f"the collection {collection!r} cannot be searched now")
            else:
                passages += result
        if len(problems) == len(collections):
            raise ServiceUnavailable("; ".join(problems))
        passages.sort(key=lambda passage: -passage.score)
        return Retrieved(passages[: self._settings.passages], problems)

    async def _search(self, question: str, collection: str) -> list[Passage]:
        arguments = (collection, question, self._settings.passages)
        found = await self._workers.call(search_with_rag_task, *arguments, timeout=self._settings.search_timeout)
        passages = [Passage.model_validate(each) for each in found]
        return [each for each in passages if each.score >= self._settings.min_score]
