"""The agent that answers questions from the passages it finds."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from farm.rag.store import Passage
from farm.runtime_client import Messages, RuntimeClient
from farm.server.retrieval import Retriever
from farm.server.schemas import ChatAnswer, ChatChunk, Source, SourcesChunk, TokenChunk
from farm.server.sessions import Session
from farm.server.settings import ServerSettings

_WITH_PASSAGES = "Answer the question briefly, from the passages alone. Passages:\n"
_WITHOUT_PASSAGES = "No document speaks of the question. Say so, then answer briefly what you know."


class ChatAgent:
    """Answers within one session."""

    def __init__(self, session: Session, runtime: RuntimeClient, retriever: Retriever, settings: ServerSettings) -> None:
        self._session = session
        self._runtime = runtime
        self._retriever = retriever
        self._settings = settings

    async def run_async(self, message: str, collections: Sequence[str]) -> ChatAnswer:
        """The whole answer.

        Raises:
            FarmError, TimeoutError: it cannot be had.
        """
        sources: list[Source] = []
        problems: list[str] = []
        answer = ""
        async with aclosing(self.run_async_stream(message, collections)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, SourcesChunk):
                    sources, problems = chunk.sources, chunk.problems
                else:
                    answer += chunk.text
        return ChatAnswer(session_id=self._session.id, answer=answer, sources=sources, problems=problems)

    async def run_async_stream(self, message: str, collections: Sequence[str]) -> AsyncGenerator[ChatChunk]:
        """The answer as it comes: first its sources, then its text.

        Raises:
            FarmError, TimeoutError: it cannot be had, or not to its end.
        """
        async with self._session.lock:
            retrieved = await self._retriever.retrieve(message, collections)
            sources = [_source(number, passage) for number, passage in enumerate(retrieved.passages, 1)]
            yield SourcesChunk(session_id=self._session.id, sources=sources, problems=retrieved.problems)
            answer = ""
            prompt = self._prompt(message, sources)
            async with aclosing(self._runtime.stream_chat(prompt, self._settings.answer_tokens)) as tokens:
                async for token in tokens:
                    answer += token
                    yield TokenChunk(text=token)
            self._session.messages += [{"role": "user", "content": message}, {"role": "assistant", "content": answer}]

    def _prompt(self, message: str, sources: list[Source]) -> Messages:
        passages = "\n".join(f"[{source.number}] {source.document}: {source.text}" for source in sources)
        system = _WITH_PASSAGES + passages if sources else _WITHOUT_PASSAGES
        count = self._settings.history_messages
        history = self._session.messages[-count:] if count else []
        return [{"role": "system", "content": system}, *history, {"role": "user", "content": message}]


def _source(number: int, passage: Passage) -> Source:
    return Source(number=number, **passage.model_dump())
