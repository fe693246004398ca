"""What a finding is known by survives what does not touch it."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncvet.config import Settings
from asyncvet.engine import review
from asyncvet.engine.fingerprints import unformatted

SOURCE = """\
import time
import asyncio
import requests


def fetch(address, *, depth=1):
    reply = requests.get(f"{address}/items?depth={depth}", headers={"Accept": 'text/plain'}, timeout=None)
    return reply.json()


class Shop:
    async def list(self, which):
        first = fetch("http://a.example", depth=(which + 1) * 2)
        second = fetch("http://b.example")
        for name in ["a", "b"]:
            time.sleep(0.5)
        return [first, second]

    async def save(self, text):
        with open("shop.txt", "w") as file:
            file.write(text)
        with open('log.txt', "a") as log:
            log.write(text)


async def run():
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        print("stopped")
    time.sleep(1)
    time.sleep(1)
    asyncio.create_task(run())
"""

NUMBER = st.integers(0, 10_000)


def _fillers(number: int) -> tuple[str, ...]:
    return (f"value_{number} = {number}", f"# note {number}", "", f'print("note", {number})')


@st.composite
def edits(draw: st.DrawFn) -> Callable[[str], str]:
    """A change of the text that touches no statement of it."""
    number = draw(NUMBER)
    filler = draw(st.sampled_from(_fillers(number)))
    kind = draw(st.sampled_from(("inside", "between", "behind")))

    def edited(text: str) -> str:
        lines = text.splitlines()
        if kind == "behind":
            return f"{text}\n\ndef extra_{number}():\n    return {number}\n"
        # A line of a body, or one between functions: whatever comes before a statement has its indentation.
        at = [
            index
            for index, line in enumerate(lines)
            if re.match(r"    \s*\w", line) and not re.match(r"\s*(except|elif|else)\b", line)
        ]
        if kind == "between":
            at = [index for index, line in enumerate(lines) if re.match(r"(async )?def |class ", line)]
        index = at[number % len(at)]
        indent = re.match(r"\s*", lines[index])
        lines.insert(index, f"{indent[0] if indent else ''}{filler}" if filler else "")
        return "\n".join(lines) + "\n"

    return edited


def _formatted(text: str, width: int, quotes: str) -> str:
    """The text as a formatter writes it."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        f"--line-length={width}",
        "--config",
        f"format.quote-style='{quotes}'",
    ]
    return subprocess.run([*command, "-"], input=text, capture_output=True, text=True, check=True).stdout


def _fingerprints(text: str) -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "app.py").write_text(text)
        report = review([Path(folder)], Settings(cache=False, jobs=1), root=Path(folder))
    assert report.errors == ()
    return sorted((finding.code, finding.function, finding.fingerprint) for finding in report.findings)


EXPECTED = _fingerprints(SOURCE)


def test_there_is_something_to_know_again() -> None:
    codes = {code for code, _, _ in EXPECTED}
    assert len(EXPECTED) == len({fingerprint for _, _, fingerprint in EXPECTED})
    assert {"AV101", "AV301", "AV304"} <= codes


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(edits(), min_size=1, max_size=8))
def test_edits_elsewhere_change_nothing(changes: list[Callable[[str], str]]) -> None:
    text = SOURCE
    for change in changes:
        text = change(text)
    assert _fingerprints(text) == EXPECTED


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(edits(), max_size=4), st.integers(20, 160), st.sampled_from(("single", "double")))
def test_a_formatter_changes_nothing(changes: list[Callable[[str], str]], width: int, quotes: str) -> None:
    text = SOURCE
    for change in changes:
        text = change(text)
    assert _fingerprints(_formatted(text, width, quotes)) == EXPECTED


@settings(max_examples=200)
@given(st.text(), st.text())
def test_any_text_can_be_looked_at(text: str, space: str) -> None:
    assert isinstance(unformatted(text), str)
    assert unformatted(f"f({text!r})") == unformatted(f"f( {text!r} , )")
    assert unformatted(f"f(a{''.join(char for char in space if char.isspace())})") == "f a"
