"""`asyncvet completion`."""

from __future__ import annotations

import argparse
import importlib
import sys

from asyncvet.cli.command import Command

SHELLS = ("bash", "zsh", "fish")

_FILES = frozenset({"FILE", "FILE:LINE", "PATH", "ENV"})
"""What stands for a file or a folder in the help of arguments."""


def _add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell that the script is for")


def _completion(options: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415  # of use to this command only

    parser: argparse.ArgumentParser = importlib.import_module("asyncvet.cli").parser()
    _complete_files(parser)
    sys.stdout.write(shtab.complete(parser, options.shell) + "\n")
    return 0


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Let arguments that are files be completed as such."""
    import shtab  # noqa: PLC0415

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                _complete_files(subparser)
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]


COMMANDS = {
    "completion": Command(
        "Print the script that lets a shell complete the command line.",
        _add_completion_arguments,
        _completion,
        {
            "asyncvet completion bash > ~/.local/share/bash-completion/completions/asyncvet": "for bash",
            "asyncvet completion zsh > ~/.zfunc/_asyncvet": "for zsh, if ~/.zfunc is in its fpath",
            "asyncvet completion fish > ~/.config/fish/completions/asyncvet.fish": "for fish",
        },
    )
}
