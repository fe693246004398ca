"""What files hold, by a digest of it: known without reading a file that has not been touched since it was read last."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import msgspec

from asyncvet.engine.store import Store

_GRAIN = 2_000_000_000
"""Nanoseconds, the coarsest step of a file system's clock. What was written so shortly before it was read may have been written
again in the same step, with the same time stamp: it is read again."""

Stamp = tuple[int, int, int, int]
"""Size, times of the last change of the content and of the file's entry in nanoseconds, and number of the file."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was when it was read.

    Attributes:
        stamp: What it had before.
        digest: What stands for its content.
        is_fresh: It may have been written again since, and have this very stamp.
    """

    stamp: Stamp
    digest: bytes
    is_fresh: bool


_DECODER = msgspec.msgpack.Decoder(dict[str, Seen])


def digest_of(content: bytes) -> bytes:
    """What stands for a content."""
    return hashlib.blake2b(content, digest_size=20).digest()


def stamp_of(file: str) -> Stamp:
    """What changes when a file is touched.

    Raises:
        OSError: There is no such file, or it cannot be asked for.
    """
    found = os.stat(file)  # noqa: PTH116  # asked thousands of times, and a Path takes longer to make
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def look(file: str) -> tuple[Seen, bytes]:
    """Read a file.

    Raises:
        OSError: It cannot be read.
    """
    stamp = stamp_of(file)
    is_fresh = max(stamp[1], stamp[2]) + _GRAIN > time.time_ns()
    content = Path(file).read_bytes()
    return Seen(stamp, digest_of(content), is_fresh), content


class Contents:
    """The digests of the files that a review reads.

    Attributes:
        store: Where they are kept.
        subject: What tells this review's files from those of others: one record is kept for each.
    """

    def __init__(self, store: Store, subject: bytes) -> None:
        self.store = store
        self.subject = subject
        self._before = self._recorded()
        self._now: dict[str, Seen] = {}

    def digest(self, file: str) -> bytes | None:
        """What stands for the content of a file as it is now; None if it cannot be read."""
        try:
            known = self.known(file)
            if known is None:
                seen, _ = look(file)
                self.learn(file, seen)
                known = seen.digest
        except OSError:
            return None
        return known

    def known(self, file: str) -> bytes | None:
        """The same without reading the file; None if it was touched since it was read last.

        Raises:
            OSError: It cannot be asked for.
        """
        found = self._now.get(file) or self._before.get(file)
        if found is None or found.stamp != stamp_of(file):
            return None
        self._now[file] = found
        return found.digest

    def learn(self, file: str, seen: Seen) -> None:
        """Note what was just read."""
        self._now[file] = seen

    def seen(self, file: str) -> bytes | None:
        """What stands for the content of a file when this review looked at it last; None if it could not be read."""
        return self._now[file].digest if file in self._now else None

    def stand(self) -> bool:
        """Whether all files are still as they were when they were read."""
        try:
            return all(stamp_of(file) == seen.stamp for file, seen in self._now.items())
        except OSError:
            return False

    def save(self) -> None:
        """Keep what is known of the files that this review asked for."""
        record = {file: seen for file, seen in self._now.items() if not seen.is_fresh}
        if record != self._before:
            self._write(record)

    def close(self) -> None:
        """Write what is new and let go of the store."""
        self.save()
        self.store.close()

    def _recorded(self) -> dict[str, Seen]:
        content = self.store.get("contents", self.subject)
        if content is not None:
            try:
                return _DECODER.decode(content)
            except msgspec.DecodeError as error:
                self.store.spoilt("contents", self.subject, str(error))
        return {}

    def _write(self, record: dict[str, Seen]) -> None:
        try:
            self.store.put("contents", self.subject, msgspec.msgpack.encode(record))
        except UnicodeEncodeError:  # a file whose name is no text: read each time
            self._write({file: seen for file, seen in record.items() if file.isprintable()})
