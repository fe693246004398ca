"""The command line, run in this process."""

import pytest

from asyncvet.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = int(str(stop.code))
    return (status, *capsys.readouterr())
