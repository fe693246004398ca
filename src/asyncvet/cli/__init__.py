"""The command line: a module for each group of commands.

It is made with argparse: a command line needs no dependency of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from asyncvet import __version__, report
from asyncvet.cli import explaining, fixing, learning, reviewing, rule_pages
from asyncvet.cli.command import INTERRUPTED, UNABLE
from asyncvet.config import UsageError

COMMANDS = {**reviewing.COMMANDS, **fixing.COMMANDS, **explaining.COMMANDS, **learning.COMMANDS, **rule_pages.COMMANDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run asyncvet and give its exit status.

    Args:
        arguments: Without the name of the program; None means those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        status = COMMANDS[options.command].run(options)
        sys.stdout.flush()
    except UsageError as error:
        return _complain(f"error: {error}", UNABLE)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has seen enough. What the interpreter flushes at its end must not find the pipe closed once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # people get a sentence; --verbose is for who mends it
        if getattr(options, "verbose", False):
            traceback.print_exc()
        return _complain(f"this is a fault of asyncvet: {type(error).__name__}: {error}; --verbose shows where", UNABLE)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asyncvet", description="Review async Python: FastAPI and Celery services.")
    parser.add_argument("--version", action="version", version=f"asyncvet {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.summary, description=command.summary))
    return parser


def _complain(message: str, status: int) -> int:
    print(f"asyncvet: {report.harmless(message)}", file=sys.stderr)
    return status
