"""`asyncvet check --watch`: the same check again whenever something is saved."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asyncvet.cli.command import UNABLE
from asyncvet.config import BASELINE, NAMES, UsageError
from asyncvet.report import harmless

if TYPE_CHECKING:
    from watchfiles import Change

_SETTLING = 100
"""Milliseconds without a change after which a save is taken to be complete."""

_CLEAR = "\x1b[2J\x1b[3J\x1b[H"


def watch(paths: Sequence[Path], check: Callable[[], int]) -> int:
    """Check, and check again after every change below the paths, until Ctrl-C.

    A mistake in a configuration is told, and mended while it goes on. Exits with what the last check came to.

    Raises:
        UsageError: The library that watches is not installed, or a path does not exist.
    """
    try:
        import watchfiles  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise UsageError("`--watch` needs watchfiles; install it by `pip install 'asyncvet[watch]'`") from error
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
    status = 0
    try:
        status = _checked(check)
        _tell()
        for _ in watchfiles.watch(*paths, watch_filter=_matters, debounce=8 * _SETTLING, step=_SETTLING):
            status = _checked(check)
            _tell()
    except KeyboardInterrupt:
        print()
    return status


def _checked(check: Callable[[], int]) -> int:
    if sys.stdout.isatty():
        print(_CLEAR, end="")
    try:
        return check()
    except UsageError as error:
        print(f"asyncvet: error: {harmless(str(error))}", file=sys.stderr)
        return UNABLE
    finally:
        gc.collect()  # a check makes too much that refers to itself to be left to a collection at some time


def _tell() -> None:
    print("Watching; Ctrl-C ends it.", file=sys.stderr, flush=True)


def _matters(change: Change, path: str) -> bool:  # noqa: ARG001
    """Whether a file has to do with what is found."""
    *folders, name = Path(path).parts
    if any(folder in {".git", "__pycache__", "node_modules", "site-packages"} for folder in folders):
        return False
    return name.endswith(".py") or name in {*NAMES, BASELINE, ".gitignore"}
