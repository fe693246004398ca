"""`asyncvet lsp` and `asyncvet mcp`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncvet.cli.command import Command
from asyncvet.config import UsageError


def _add_lsp_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--verbose", action="store_true", help="write what is said on both sides to standard error")


def _lsp(options: argparse.Namespace) -> int:
    _refuse_people("an editor")
    try:
        from asyncvet.lsp.server import serve  # noqa: PLC0415  # its libraries are an extra
    except ModuleNotFoundError as error:
        raise _missing(error, "lsp") from error
    return serve(options.verbose)


def _add_mcp_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="the project (default: this folder)")


def _mcp(options: argparse.Namespace) -> int:
    _refuse_people("an agent")
    if not options.path.is_dir():
        raise UsageError(f"{options.path}: {'is not a folder' if options.path.exists() else 'there is no such folder'}")
    try:
        from asyncvet.mcp.server import serve  # noqa: PLC0415  # its libraries are an extra
    except ModuleNotFoundError as error:
        raise _missing(error, "mcp") from error
    return serve(options.path)


def _refuse_people(who: str) -> None:
    if sys.stdin.isatty():
        raise UsageError(f"this is started by {who}, which speaks with it over standard input; the documentation says how")


def _missing(error: ModuleNotFoundError, extra: str) -> UsageError:
    return UsageError(
        f"the library {error.name} is not installed; install asyncvet with its extra: pip install 'asyncvet[{extra}]'"
    )


COMMANDS = {
    "lsp": Command(
        "Serve an editor: findings as you type, and where functions run.",
        _add_lsp_arguments,
        _lsp,
        {"asyncvet lsp": "what an editor starts, and speaks with over standard input and output"},
    ),
    "mcp": Command(
        "Serve a coding agent: findings, reviews of diffs and explanations as tools.",
        _add_mcp_arguments,
        _mcp,
        {
            "asyncvet mcp": "what an agent starts, in the folder of the project",
            "asyncvet mcp services/api": "the same for another folder",
        },
    ),
}
