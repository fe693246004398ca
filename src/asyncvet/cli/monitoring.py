"""`asyncvet monitor`: run a command and report what blocks its event loops."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from asyncvet.cli.command import Command
from asyncvet.config import UsageError
from asyncvet.monitor.allowing import Allowance, AllowError
from asyncvet.monitor.observation import read_observations
from asyncvet.monitor.programs import recording_environment
from asyncvet.monitor.reporting import described
from asyncvet.report import harmless


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "asyncvet monitor [options] -- COMMAND [ARGUMENT...]"
    parser.add_argument(
        "command_line",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="a Python script, `-m MODULE`, or a program with its arguments; what it starts is watched, too",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write what is seen into this file, one line of JSON each")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="RULE",
        help="leave calls alone: `CALL` or `CALL in PLACE`; can be repeated",
    )
    parser.add_argument(
        "--callback-bound",
        type=_seconds,
        default=0.1,
        metavar="SECONDS",
        help="how long one callback of the loop may compute (default: 0.1)",
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of seconds above 0")
    return value


def _monitor(options: argparse.Namespace) -> int:
    command = _command(options.command_line)
    try:
        for rule in options.allow:
            Allowance(rule)
    except AllowError as error:
        raise UsageError(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="asyncvet-") as folder:
        output = options.output or Path(folder, "observations.jsonl")
        seen = Path(folder, "processes")
        seen.mkdir()
        try:
            output.write_bytes(b"")
        except OSError as error:
            raise UsageError(f"{output}: cannot be written: {error.strerror}") from error
        status = _run(command, output, seen, options)
        _report(output, len(list(seen.iterdir())), options.output)
    return status


def _command(words: Sequence[str]) -> list[str]:
    """The command to run: a script and a module are run by this interpreter.

    Raises:
        UsageError: There is no such command.
    """
    words = list(words[1:] if words[:1] == ["--"] else words)
    if not words:
        raise UsageError("nothing to run: write `asyncvet monitor -- COMMAND`")
    if words[0] == "-m":
        if len(words) == 1:
            raise UsageError("`-m` needs the name of a module")
        return [sys.executable, *words]
    if words[0].endswith(".py"):
        if not Path(words[0]).is_file():
            raise UsageError(f"{words[0]}: no such file")
        return [sys.executable, *words]
    program = shutil.which(words[0])
    if program is None:
        raise UsageError(f"{words[0]}: command not found")
    return [program, *words[1:]]


def _run(command: list[str], output: Path, seen: Path, options: argparse.Namespace) -> int:
    """Run it to its end, and give its exit status: 128 and the signal's number if a signal ended it."""
    environment = recording_environment(os.environ, str(output), str(seen), options.allow, options.callback_bound)
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise UsageError(f"{command[0]}: cannot be run: {error.strerror}") from error
    with _signals_for(process):
        status = process.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _signals_for(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave Ctrl-C to the command, which gets it as well, and hand on what asks this process to end."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number)),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(output: Path, processes: int, kept: Path | None) -> None:
    """Say on the error stream what was seen: the command's own output stays what it is."""
    observations, faults = read_observations(output)
    if processes == 0:
        lines = [
            "asyncvet monitor: no Python process was watched: run a command of the environment in which asyncvet is installed"
        ]
    elif not observations:
        lines = [f"asyncvet monitor: nothing blocked an event loop in {_counted(processes, 'process', 'processes')}"]
    else:
        calls = sum(each.calls for each in observations)
        lines = [described(observations), f"asyncvet monitor: {_counted(calls, 'call', 'calls')} blocked an event loop"]
    if observations and kept is not None:
        lines.append(f"asyncvet monitor: {kept} holds {_counted(len(observations), 'observation', 'observations')}")
    lines += [f"asyncvet monitor: {output}: {fault}" for fault in faults]
    for line in "\n".join(lines).splitlines():
        print(harmless(line), file=sys.stderr)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


COMMANDS = {
    "monitor": Command(
        "Run a command, and report each call that blocked an event loop in it. Its exit status is that of the command.",
        _add_arguments,
        _monitor,
        {
            "asyncvet monitor -- app.py": "a script, and what it starts",
            "asyncvet monitor --output observations.jsonl -- -m uvicorn app:app": "kept for `asyncvet check --observations`",
        },
    ),
}
