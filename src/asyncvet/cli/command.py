"""What the commands have in common: their form, exit statuses, and the kinds of their arguments."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from asyncvet.config import UsageError, severity
from asyncvet.model import Severity

FOUND, UNABLE, INTERRUPTED = 1, 2, 130
"""Exit statuses beside 0: findings at or above the bound; the tool could not do its work; Ctrl-C."""


class Command(NamedTuple):
    """A subcommand: what `--help` says about it, its arguments, and what it does and exits with.

    Attributes:
        examples: What each does, by the whole command line.
    """

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    examples: Mapping[str, str] = MappingProxyType({})


def common_folder(paths: Sequence[Path]) -> Path:
    """The folder whose configuration counts: the one that holds all of the paths."""
    return Path(os.path.commonpath([path.absolute() for path in paths]))


def write(text: str, file: Path) -> None:
    """Write what a command gives into the file that it was told.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error


def selectors(text: str) -> list[str]:
    """The rules that an argument names: codes, names or prefixes of codes, separated by commas."""
    return [selector.strip() for selector in text.split(",") if selector.strip()]


def level(text: str) -> Severity:
    """The severity that an argument names."""
    try:
        return severity(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def whole_number(text: str) -> int:
    """The number that an argument gives, from 1."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number above 0")
    return int(text)
