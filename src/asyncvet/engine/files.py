"""Text files of the user that asyncvet writes."""

from __future__ import annotations

from pathlib import Path

from asyncvet.config import UsageError
from asyncvet.engine.replacing import replace_file


def write_text(file: Path, text: str) -> None:
    """Write a new file, or put one in the place of an old one.

    Raises:
        UsageError: It cannot be written; what was there is still there.
    """
    data = text.encode("utf-8")
    try:
        if file.exists():
            replace_file(file, file.read_bytes(), data)
        else:
            file.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from error
