"""Uploads: streamed to the disk, never held in memory, kept under the hash of their content."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiofiles
import aiofiles.os

from farm.documents import HEAD_BYTES, check_head, check_name, check_whole
from farm.errors import TooLarge
from farm.server.schemas import StoredFile


async def receive_file(body: AsyncIterable[bytes], name: str, folder: Path, limit: int) -> StoredFile:
    """Write an upload to `folder`. Its name decides how it is read, never where it is kept.

    Raises:
        BadInput: the name cannot be used, or the file is empty.
        TooLarge: it has more than `limit` bytes.
        UnsupportedFile: it cannot be read, or is not what its name says.
    """
    suffix = check_name(name)
    async with _partial_file(folder) as path:
        digest, size, head = hashlib.sha256(), 0, b""
        async with aiofiles.open(path, "wb") as file:
            async for chunk in body:
                size += len(chunk)
                if size > limit:
                    raise TooLarge(f"the file is over the limit of {limit} bytes")
                head += chunk[: HEAD_BYTES - len(head)]
                digest.update(chunk)
                await file.write(chunk)
        check_head(suffix, head)
        await asyncio.to_thread(check_whole, path, suffix)
        file_id = digest.hexdigest() + suffix
        await aiofiles.os.replace(path, folder / file_id)
    return StoredFile(file_id=file_id, name=name, size=size)


@asynccontextmanager
async def _partial_file(folder: Path) -> AsyncGenerator[Path]:
    path = folder / f"{secrets.token_hex(16)}.partial"
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            await aiofiles.os.remove(path)
