"""Source distributions whose own test suites are run: where they come from, and what their tests say."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_RANK = ("passed", "skipped", "failed")


@contextmanager
def unpacked(folder: Path, pin: str) -> Iterator[Path]:
    """A copy of a source distribution, `name==version`, that is gone afterwards. Downloaded into the folder if it is missing there."""
    file = folder / f"{pin.replace('==', '-')}.tar.gz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", str(folder), pin]
        subprocess.run(pip, check=True)
    with tempfile.TemporaryDirectory() as directory, tarfile.open(file) as archive:
        archive.extractall(directory, filter="data")
        yield Path(directory).resolve() / pin.replace("==", "-")


def outcomes(
    folder: Path, options: Iterable[str] = (), environment: Mapping[str, str] | None = None, limit: float | None = None
) -> dict[str, str]:
    """What the tests of an unpacked distribution say, by name: passed, failed, or skipped.

    Args:
        folder: Where it was unpacked.
        options: More options of pytest; those of the distribution's own `addopts` are left out.
        environment: Variables to set beside those of this process.
        limit: Seconds after which the run is ended.

    Raises:
        subprocess.TimeoutExpired: The run did not end within its limit.
    """
    report = folder / "report.xml"
    said = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--continue-on-collection-errors", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *said, *options, "tests"]
    variables = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
    subprocess.run(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, timeout=limit, check=False)
    found: dict[str, str] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        found[name] = max(found.get(name, "passed"), _outcome(case), key=_RANK.index)  # a test that fails at its teardown has two
    report.unlink()
    return found


def _outcome(case: ET.Element) -> str:
    said = {child.tag for child in case} & {"failure", "error", "skipped"}
    return "passed" if not said else "skipped" if said == {"skipped"} else "failed"


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The tests that say otherwise, or are in one of the runs only, each with both outcomes."""
    names = sorted(before.keys() | after.keys())
    return [f"{name}: {before.get(name)}, then {after.get(name)}" for name in names if before.get(name) != after.get(name)]


def counted(words: Iterable[str]) -> str:
    """How often each word occurs, in a sentence."""
    return ", ".join(f"{word} {number}" for word, number in sorted(Counter(words).items()))
