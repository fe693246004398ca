"""Apply the safe fixes to whole source distributions, tests included, and see that their own test suites say the same as before.

    python -m verification.fixes.suites [FOLDER]

The distributions of `suites.txt` are downloaded into the folder where they are missing; the default is `build/sdists`. What the suites
need is in `requirements-suites.txt`; a test that needs more than that fails before as after.
"""

from __future__ import annotations

import sys
from pathlib import Path

from asyncvet.config import Settings
from asyncvet.engine import fixing
from asyncvet.engine.replacing import replace_file
from verification.distributions import counted, differing, outcomes, unpacked
from verification.fixes.page import ROOT, pins, shown, write


def verify(folder: Path) -> str:
    """Fix a distribution and tell what was done, and which of its tests say otherwise than before."""
    before = outcomes(folder)
    outcome = fixing.fix([folder], Settings(jobs=1, include_tests=True), root=folder)
    for file in outcome.files:
        replace_file(folder / file.path, file.before, file.after)
    changed = differing(before, outcomes(folder))
    for line in changed:
        print(line)
    codes = counted(each.finding.code for each in outcome.applied)
    verdict = f"{len(changed)} tests say otherwise" if changed else "every test says the same"
    return f"- {folder.name}: {counted(before.values())}; fixes: {codes}; after them {verdict}."


def main(folder: Path) -> None:
    """Verify all distributions and write what came out."""
    lines = []
    for pin in pins("suites.txt"):
        with unpacked(folder, pin) as distribution:
            lines.append(verify(distribution))
        print(lines[-1], flush=True)
    write("suites", "\n".join([f"Distributions: {shown(pins('suites.txt'))}.", "", *lines]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "sdists")
