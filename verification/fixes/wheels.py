"""Fix released wheels, safe fixes first and then the unsafe ones, prove every edit, and write the table of `docs/reference/fixes.md`.

    python -m verification.fixes.wheels [FOLDER]

The wheels of `wheels.txt` are downloaded into the folder where they are missing; the default is `build/wheels`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from asyncvet import engine, rules
from asyncvet.config import Settings
from asyncvet.engine import fixing
from asyncvet.engine.replacing import replace_file
from asyncvet.report.fixes import Fixing, Left
from tests.fixes.programs import programs
from verification.fixes.page import ROOT, pins, shown, write
from verification.fixes.proofs import PROOFS, Kind, compiles, kind, misplaced_imports, proved

REASONS = 3
"""Reasons that the page gives for a rule's findings that stand."""


class Phase(NamedTuple):
    """What one run of fixes over one wheel has come to."""

    fixing: Fixing
    found: Counter[str]
    passed: list[tuple[str, ...]]


def fetched(folder: Path) -> list[Path]:
    """The wheel files, in the order of the pins; those that are missing are downloaded."""
    folder.mkdir(parents=True, exist_ok=True)
    for pin in pins("wheels.txt"):
        if _file(folder, pin) is None:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
                "-d",
                str(folder),
                pin,
            ]
            subprocess.run(command, check=True)
    return [file for pin in pins("wheels.txt") if (file := _file(folder, pin)) is not None]


def _file(folder: Path, pin: str) -> Path | None:
    name, _, version = pin.partition("==")
    return next(iter(folder.glob(f"{re.sub('[-_.]+', '_', name)}-{version}-*.whl")), None)


def settings() -> Settings:
    """All rules, preview ones too."""
    return Settings(select=("AV", *(rule.name for rule in rules.load() if rule.preview)), jobs=1)


def phase(folder: Path, *, unsafe: bool) -> Phase:
    """Fix the files below a folder and prove what was done."""
    before = engine.review([folder], settings(), root=folder).findings
    outcome = fixing.fix([folder], settings(), root=folder, unsafe=unsafe)
    paths = [file.path for file in outcome.files]
    ordered = misplaced_imports(folder, paths) if paths else Counter[str]()
    for file in outcome.files:
        replace_file(folder / file.path, file.before, file.after)
    misplaced = (misplaced_imports(folder, paths) if paths else Counter[str]()) - ordered
    after = engine.review([folder], settings(), root=folder).findings
    again = fixing.fix([folder], settings(), root=folder, unsafe=unsafe)
    counted = _counted(before), _counted(after)
    passed = list(proved(*counted, outcome, again, misplaced))
    _tell_failures(outcome, passed, counted)
    assert all(compiles(file.after) for file in outcome.files if compiles(file.before))
    return Phase(outcome, Counter(finding.code for finding in before), passed)


def _counted(findings: Iterable[object]) -> Counter[Kind]:
    return Counter(kind(finding) for finding in findings)  # type: ignore[arg-type]


def _tell_failures(outcome: Fixing, passed: list[tuple[str, ...]], counted: tuple[Counter[Kind], Counter[Kind]]) -> None:
    for each, holds in zip(outcome.applied, passed, strict=True):
        if missing := [name for name in PROOFS if name not in holds]:
            span = each.finding.span
            new = [key for key in counted[1] - counted[0] if key[0] == span.path] if "nothing new" in missing else ""
            print(f"{span.path}:{span.line}: {each.finding.code} {each.title}: not {', '.join(missing)} {new}", flush=True)


def table(phases: dict[str, tuple[Phase, Phase]]) -> str:
    """The table, rule by rule, and the reasons for what stands."""
    lines = [
        f"| rule | programs | findings | safe | unsafe | {' | '.join(PROOFS)} | left |",
        f"|---|{'---:|' * (5 + len(PROOFS))}",
    ]
    sections = []
    seen = Counter(program.rule for program in programs())
    for rule in rules.load():
        first, second = [p[0] for p in phases.values()], [p[1] for p in phases.values()]
        found = sum(p.found[rule.code] for p in first)
        passed = [
            holds
            for p in (*first, *second)
            for a, holds in zip(p.fixing.applied, p.passed, strict=True)
            if a.finding.code == rule.code
        ]
        if rule.fix == "none":
            continue
        safe, unsafe = (sum(a.finding.code == rule.code for p in group for a in p.fixing.applied) for group in (first, second))
        left = [left for p in second for left in p.fixing.left if left.finding.code == rule.code]
        shares = (f"{100 * sum(name in holds for holds in passed) / len(passed):.0f} %" if passed else "" for name in PROOFS)
        lines.append(
            f"| {rule.code} {rule.name} | {seen[rule.name]} | {found} | {safe} | {unsafe} | {' | '.join(shares)} | {len(left)} |"
        )
        reasons = Counter(_reason(each) for each in left).most_common(REASONS)
        sections += [f"- {rule.code}: " + "; ".join(f"{reason} ({number})" for reason, number in reasons)] if reasons else []
    return "\n".join([*lines, "", "What is left, with the most frequent reasons:", "", *sections])


def _reason(left: Left) -> str:
    """Why a finding stands, without the names of its code."""
    text = re.sub(r"`[^`]*`", "`...`", left.reason).split(": ", 1)[0]
    return re.sub(r"(AV\d+) in [\w.]+", r"\1", text)


def main(folder: Path) -> None:
    """Fix all wheels and write the page."""
    phases = {}
    for file in fetched(folder):
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory).resolve()
            with zipfile.ZipFile(file) as wheel:
                wheel.extractall(place, [name for name in wheel.namelist() if name.endswith((".py", ".toml"))])
            phases[file.name] = phase(place, unsafe=False), phase(place, unsafe=True)
        done = [len(each.fixing.applied) for each in phases[file.name]]
        print(f"{file.name}: {done[0]} safe fixes, {done[1]} unsafe ones", flush=True)
    text = table(phases)
    write("wheels", f"Wheels: {shown(pins('wheels.txt'))}.\n\n{text}")
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "wheels")
