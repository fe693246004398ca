"""Which asyncvet this is: what another one has found out is not taken over."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

import asyncvet


@cache
def identity() -> bytes:
    """Changes with each file of asyncvet, its catalogue included, with the interpreter, and with the libraries that read source."""
    root = os.path.dirname(asyncvet.__file__)  # noqa: PTH120  # this runs at each start, and knows its files by their stamps
    content = (
        (asyncvet.__version__, sys.version, distributions("tree_sitter"), distributions("pathspec")),
        sorted(_stamps(root, "")),
    )
    return hashlib.blake2b(msgspec.msgpack.encode(content), digest_size=20).digest()


def distributions(package: str) -> list[str]:
    """Names and versions of the installed distributions whose name begins with that of a package, as their folders tell them."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return []
    beside = Path(spec.origin).parent.parent
    return sorted(name for name in os.listdir(beside) if name.startswith(package) and name.endswith(".dist-info"))  # noqa: PTH208


def _stamps(folder: str, within: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _stamps(entry.path, f"{within}{entry.name}/")
            else:
                found = entry.stat()
                yield within + entry.name, found.st_size, found.st_mtime_ns
