"""The command line: a module for each group of commands, imported once one of them is asked for.

It is made with argparse: a command line needs no dependency of its own.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Iterable, Sequence

from asyncvet import __version__
from asyncvet.cli.command import INTERRUPTED, UNABLE, Command
from asyncvet.config import UsageError
from asyncvet.report import harmless

COMMANDS = {
    "check": "reviewing",
    "review": "reviewing",
    "fix": "fixing",
    "baseline": "accepting",
    "why": "explaining",
    "graph": "explaining",
    "learn": "learning",
    "rule": "rule_pages",
    "init": "starting",
    "schema": "configuring",
    "monitor": "monitoring",
    "monitor-report": "observing",
    "lsp": "serving",
    "mcp": "serving",
    "completion": "completing",
}
"""The module of each command, in the order of `--help`."""


def command(name: str) -> Command:
    """One of the `COMMANDS`."""
    found: Command = importlib.import_module(f"{__name__}.{COMMANDS[name]}").COMMANDS[name]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run asyncvet and give its exit status.

    Args:
        arguments: Without the name of the program; None means those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if arguments is None else arguments
    options = parser(_asked_for(words)).parse_args(words)
    try:
        status = command(options.command).run(options)
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


def _asked_for(words: Sequence[str]) -> Iterable[str]:
    """The commands that must be known to understand the words: importing all of them takes longer than some of them run."""
    first = words[0] if words else ""
    if first == "--version":
        return ()
    return [first] if first in COMMANDS else COMMANDS


def parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """What understands the words of the command line that begin with one of these commands."""
    whole = argparse.ArgumentParser(prog="asyncvet", description="Review async Python: FastAPI and Celery services.")
    whole.add_argument("--version", action="version", version=f"asyncvet {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        known = command(name)
        known.add_arguments(
            commands.add_parser(
                name,
                help=known.summary,
                description=known.summary,
                epilog=_examples(known),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return whole


def _examples(known: Command) -> str | None:
    if not known.examples:
        return None
    width = max(map(len, known.examples))
    return "\n".join(["examples:", *(f"  {line:{width}}  {what}" for line, what in known.examples.items())])


def _complain(message: str, status: int) -> int:
    print(f"asyncvet: {harmless(message)}", file=sys.stderr)
    return status
