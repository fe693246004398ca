"""The manual page of the command line, `man/asyncvet.1`, from what argparse knows. `make golden` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asyncvet.cli import COMMANDS, command, parser
from asyncvet.cli.command import FOUND, INTERRUPTED, UNABLE
from scripts.site_pages import arguments

PAGE = Path(__file__).resolve().parent.parent / "man" / "asyncvet.1"

STATUSES = {
    0: "Nothing was found at or above the bound of --fail-on, or --exit-zero is given.",
    FOUND: "Something was found.",
    UNABLE: "The work could not be done: a bad option, a configuration that is not valid, no such path, a rule that broke down.",
    INTERRUPTED: "It was interrupted.",
}

VARIABLES = {
    "COLUMNS": "Width of a text report that does not go to a terminal.",
    "NO_COLOR": "Not empty: no colours.",
    "FORCE_COLOR": "Not empty: colours, also where no terminal is.",
    "FORCE_HYPERLINK": "1: places are links (OSC 8) at a terminal that is not known to show them; 0: never.",
}

FILES = {
    "pyproject.toml": "The table [tool.asyncvet] is the configuration.",
    "asyncvet.toml": "The same, without the table's name.",
}


def manual() -> str:
    """The page as roff."""
    whole = parser()
    lines = [
        ".TH ASYNCVET 1",
        *_section("NAME", f"asyncvet - {_first_small(whole.description or '')}"),
        *_section("SYNOPSIS"),
        ".B asyncvet",
        "[--version] [--help] COMMAND ...",
        *_section("DESCRIPTION"),
        "The code is read, never imported or run. asyncvet COMMAND --help says what a command takes.",
        *(line for name in COMMANDS for line in _command(name)),
        *_section("EXIT STATUS"),
        *(line for status, text in STATUSES.items() for line in _item(str(status), text)),
        *_section("ENVIRONMENT"),
        *(line for name, text in VARIABLES.items() for line in _item(name, text)),
        *_section("FILES"),
        *(line for name, text in FILES.items() for line in _item(name, text)),
    ]
    return "\n".join(lines) + "\n"


def _command(name: str) -> Iterator[str]:
    known = command(name)
    yield from _section(f"asyncvet {name}", known.summary)
    for words, meaning in arguments(name):
        yield from _item(words, meaning)
    if known.examples:
        yield ".PP"
        yield "Examples:"
        for line, what in known.examples.items():
            yield from _item(line, what)


def _section(title: str, text: str = "") -> Iterator[str]:
    yield f'.SH "{_roff(title)}"'
    if text:
        yield _roff(text)


def _item(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {_roff(term)}"
    yield _roff(text)


def _roff(text: str) -> str:
    """A text that roff shows as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _first_small(text: str) -> str:
    return (text[:1].lower() + text[1:]).removesuffix(".")
