"""A language model in a process of its own, which the runtime asks over a Unix socket.

llama.cpp holds Python's global lock while it loads, so a thread would stop the runtime's loop for as long; a process does not.
It also gives all memory back when it ends, and takes nobody with it when it crashes.

One connection is one generation: a line of JSON with the request, then a line of JSON for each chunk. Closing it stops
the generation.
"""

import argparse
import asyncio
import json
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import xllamacpp

Chunk = dict[str, Any]
DONE: Chunk = {"done": True}
LINE_LIMIT = 8_000_000


class Engine:
    """Generates for several clients at once."""

    def __init__(self, model: xllamacpp.Server, parallel: int) -> None:
        self._model = model
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="generation")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: its generation stops when the client closes it."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[Chunk] = asyncio.Queue()  # holds no more than the tokens of one answer
        stop = threading.Event()

        def hand_over(chunk: Chunk) -> bool:
            """Give a chunk to the loop, from the generation's thread, without waiting; true stops the generation."""
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return stop.is_set()

        async with asyncio.timeout(10):
            request = json.loads(await reader.readline())
        client_leaves = asyncio.create_task(reader.read())
        client_leaves.add_done_callback(lambda _: stop.set())
        generation = loop.run_in_executor(self._threads, self._generate, request, hand_over)
        try:
            with suppress(ConnectionError):
                await _send(chunks, writer)
        finally:
            client_leaves.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await client_leaves
            await generation
            writer.close()

    def _generate(self, request: Chunk, hand_over: Callable[[Chunk], bool]) -> None:
        try:
            self._model.handle_chat_completions(request, hand_over)
        except (ValueError, RuntimeError) as error:
            hand_over({"error": {"code": 400, "message": str(error)}})
        finally:
            hand_over(DONE)


async def _send(chunks: asyncio.Queue[Chunk], writer: asyncio.StreamWriter) -> None:
    while True:
        chunk = await chunks.get()
        writer.write(json.dumps(chunk).encode() + b"\n")
        await writer.drain()
        if chunk is DONE:
            return


def load(path: str, threads: int, parallel: int, context: int) -> xllamacpp.Server:
    """Load a GGUF file. Takes seconds, and holds the global lock meanwhile."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_parallel = parallel
    params.n_ctx = parallel * context
    params.n_batch = params.n_ubatch = 128  # progress is told, and a stop noticed, once a batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = params.fit_params = False
    params.verbosity = -1
    params.api_keys = [secrets.token_hex(32)]  # it also listens on a port, which nobody is to use
    return xllamacpp.Server(params)


async def serve(engine: Engine, socket: str) -> None:
    """Answer on `socket` until the parent process is gone."""
    async with await asyncio.start_unix_server(engine.answer, socket, limit=LINE_LIMIT):
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201
        await _parent_gone()


async def _parent_gone() -> None:
    """Return when standard input ends, as it does when the process at its other end dies, however that happens."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    """Load the model, then serve it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--socket", required=True)
    for number in ("--threads", "--parallel", "--context"):
        parser.add_argument(number, type=int, required=True)
    options = parser.parse_args()
    model = load(options.model, options.threads, options.parallel, options.context)
    asyncio.run(serve(Engine(model, options.parallel), options.socket))


if __name__ == "__main__":
    main()
