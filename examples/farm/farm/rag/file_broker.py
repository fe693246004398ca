"""Messages and results in files, each of which is there whole or not at all.

Kombu's broker and Celery's results in files write a file where its reader looks for it, so that a reader that is quick finds
half of it: the message is lost and the worker ends. Here a file gets its name when it has been written.
"""

import os
import time
import uuid
from json import dumps
from pathlib import Path
from typing import Any

from celery.backends.filesystem import FilesystemBackend
from kombu.transport import TRANSPORT_ALIASES, filesystem


class FileChannel(filesystem.Channel):
    """Kombu's channel with messages that appear whole."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: object) -> None:  # type: ignore[override] # as kombu does
        _write(Path(self.data_folder_out) / f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg", dumps(payload).encode())


class FileTransport(filesystem.Transport):
    """Kombu's transport with that channel; its URL is `files://`."""

    Channel = FileChannel


class FileResults(FilesystemBackend):
    """Celery's results with files that appear whole."""

    def set(self, key: bytes, value: bytes | str) -> None:
        """Write a result."""
        _write(Path(os.fsdecode(self._filename(key))), value.encode() if isinstance(value, str) else value)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.{uuid.uuid4()}.partial")
    partial.write_bytes(content)
    partial.replace(path)


TRANSPORT_ALIASES["files"] = f"{__name__}:FileTransport"
