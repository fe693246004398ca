"""Apply the safe fixes to whole source distributions, tests included, and see that their own test suites say the same as before.

    python -m verification.fixes.suites [FOLDER]

The distributions of `suites.txt` are downloaded into the folder where they are missing; the default is `build/sdists`. What the suites
need is in `requirements-suites.txt`; a test that needs more than that fails before as after.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from asyncvet.config import Settings
from asyncvet.engine import fixing
from asyncvet.engine.replacing import replace_file
from verification.fixes.page import ROOT, pins, shown, write


def fetched(folder: Path, pin: str) -> Path:
    """The file of a source distribution; downloaded if it is missing."""
    file = folder / f"{pin.replace('==', '-')}.tar.gz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            str(folder),
            pin,
        ]
        subprocess.run(command, check=True)
    return file


def outcomes(folder: Path) -> dict[str, str]:
    """What the tests of a distribution say, by name: passed, failed, or skipped."""
    report = folder / "report.xml"
    options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--continue-on-collection-errors", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *options, "tests"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    cases = ET.parse(report).getroot().iter("testcase")
    report.unlink()
    return {f"{case.get('classname')}.{case.get('name')}": _outcome(case) for case in cases}


def _outcome(case: ET.Element) -> str:
    said = {child.tag for child in case} & {"failure", "error", "skipped"}
    return "passed" if not said else "skipped" if said == {"skipped"} else "failed"


def verify(folder: Path) -> str:
    """Fix a distribution and tell what was done, and which of its tests say otherwise than before."""
    before = outcomes(folder)
    outcome = fixing.fix([folder], Settings(jobs=1, include_tests=True), root=folder)
    for file in outcome.files:
        replace_file(folder / file.path, file.before, file.after)
    after = outcomes(folder)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    for name in changed:
        print(f"{name}: {before.get(name)} before, {after.get(name)} after")
    codes = _counted(each.finding.code for each in outcome.applied)
    verdict = f"{len(changed)} tests say otherwise" if changed else "every test says the same"
    return f"- {folder.name}: {_counted(before.values())}; fixes: {codes}; after them {verdict}."


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {number}" for word, number in sorted(Counter(words).items()))


def main(folder: Path) -> None:
    """Verify all distributions and write what came out."""
    lines = []
    for pin in pins("suites.txt"):
        with tempfile.TemporaryDirectory() as directory, tarfile.open(fetched(folder, pin)) as archive:
            archive.extractall(directory, filter="data")
            lines.append(verify(Path(directory).resolve() / pin.replace("==", "-")))
            print(lines[-1], flush=True)
    write("suites", "\n".join([f"Distributions: {shown(pins('suites.txt'))}.", "", *lines]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "sdists")
