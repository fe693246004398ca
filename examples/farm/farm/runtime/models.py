"""Models as the loop sees them: everything that computes happens in a thread or in another process."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

from farm.errors import BadInput, ServiceUnavailable
from farm.processes import python_process
from farm.runtime.encoder import Encoder, Matrix
from farm.runtime.engine import LINE_LIMIT
from farm.runtime.settings import RuntimeSettings

_SOCKET_TIMEOUT = 3.0


class EncoderModel:
    """An encoder whose work is done in threads; numpy and the tokenizer release the global lock."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder: Encoder | None = encoder

    @classmethod
    async def load(cls, folder: Path) -> Self:
        """Load the encoder in `folder`."""
        return cls(await asyncio.to_thread(Encoder.load, folder))

    @property
    def is_alive(self) -> bool:
        """Whether it has not been closed."""
        return self._encoder is not None

    async def embed(self, texts: Sequence[str]) -> tuple[Matrix, int]:
        """A row for each text, and the number of tokens."""
        if self._encoder is None:
            raise ServiceUnavailable("the model has been unloaded")
        return await asyncio.to_thread(self._encoder.embed, texts)

    async def aclose(self) -> None:
        """Free the memory."""
        await asyncio.to_thread(self._drop)

    def _drop(self) -> None:
        self._encoder = None


class LanguageModel:
    """A language model in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, socket: Path, chunk_timeout: float, owned: AsyncExitStack) -> None:
        self._process = process
        self._socket = socket
        self._chunk_timeout = chunk_timeout
        self._owned = owned

    @classmethod
    async def load(cls, path: Path, settings: RuntimeSettings) -> Self:
        """Start the process and wait until it has loaded the GGUF file at `path`. Cancelled, it leaves no process behind.

        Raises:
            ChildProcessError: the process ended instead.
        """
        async with AsyncExitStack() as stack:
            folder = await stack.enter_async_context(_temporary_folder())
            socket = folder / "engine.sock"
            process = await stack.enter_async_context(_engine(path, socket, settings))
            assert process.stdout is not None  # noqa: S101
            async with asyncio.timeout(settings.model_load_timeout):
                if not await process.stdout.readline():
                    raise ChildProcessError(f"the process that was to load {path} has ended")
            return cls(process, socket, settings.chunk_timeout, stack.pop_all())

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process.returncode is None

    async def stream(self, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The chunks of an answer. Closing the generator stops the generation.

        Raises:
            BadInput: the model refuses the request, for its length for example.
            ServiceUnavailable: the process died.
            TimeoutError: the next chunk did not come in time.
        """
        async with self._connection() as (reader, writer):
            writer.write(json.dumps(request).encode() + b"\n")
            while True:
                async with asyncio.timeout(self._chunk_timeout):
                    line = await reader.readline()
                if not line.endswith(b"\n"):
                    raise ConnectionError("the stream was cut")
                chunk = json.loads(line)
                if "error" in chunk:
                    raise BadInput(chunk["error"]["message"])
                if "done" in chunk:
                    return
                yield chunk

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_SOCKET_TIMEOUT):
                    reader, writer = await asyncio.open_unix_connection(self._socket, limit=LINE_LIMIT)
                stack.callback(writer.close)
                yield reader, writer
            except (ConnectionError, FileNotFoundError) as error:
                await self._notice_death()
                raise ServiceUnavailable("the model's process died; the next request starts it again") from error

    async def _notice_death(self) -> None:
        """Wait until the operating system tells that the process is dead, so that nobody is sent to it any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SOCKET_TIMEOUT):
                await self._process.wait()

    async def aclose(self) -> None:
        """End the process and remove its socket."""
        await self._owned.aclose()


@asynccontextmanager
async def _temporary_folder() -> AsyncGenerator[Path]:
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="farm-engine-")
    try:
        yield Path(folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _engine(path: Path, socket: Path, settings: RuntimeSettings) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    numbers = {"threads": settings.model_threads, "parallel": settings.chat_parallel, "context": settings.chat_context}
    options = (f"--{name}={number}" for name, number in numbers.items())
    arguments = ("-m", "farm.runtime.engine", f"--model={path}", f"--socket={socket}", *options)
    return python_process(*arguments, output=asyncio.subprocess.PIPE, errors=None)
