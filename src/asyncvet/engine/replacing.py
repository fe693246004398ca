"""Write a file in the place of another, so that whoever reads it finds the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def replace_file(path: Path, expected: bytes, data: bytes) -> None:
    """Replace the content of a file.

    A link stays a link to the file that is replaced. Mode and, where the user may set it, owner stay.

    Args:
        path: The file, or a link to it.
        expected: What it holds; if it has come to hold something else, it is left alone.
        data: What it is to hold.

    Raises:
        OSError: It cannot be written, or has changed; it is then as it was.
    """
    file = path.resolve(strict=True)
    if file.read_bytes() != expected:
        raise OSError(None, "it has changed since it was read")
    if not os.access(file, os.W_OK):
        raise PermissionError(None, "it is read-only")
    status = file.stat()
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".asyncvet")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):
                os.chown(new, status.st_uid, status.st_gid)
        new.chmod(stat.S_IMODE(status.st_mode))
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    """Have the new name of a file survive a crash; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
