"""Fixes end faults: programs are run under load before and after, and do the same with the fault gone.

`make test` runs the first program of each rule that needs no library; `make verify-fixes` runs all.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from asyncvet import rules
from asyncvet.cli import main
from tests.fixes.programs import Program, programs
from tests.spec.review import review

FIXED = {rule.name for rule in rules.load() if rule.fix != "none"}
PROGRAMS = [program for program in programs() if program.rule in FIXED]
SHORT = {program.rule: program for program in reversed(PROGRAMS) if not program.needs}


def marked(program: Program) -> object:
    """A program as an argument of the test, left to the long run unless it is its rule's in the short one."""
    is_short = SHORT.get(program.rule) is program
    return pytest.param(program, id=str(program), marks=() if is_short else pytest.mark.thorough)


def fix(program: Program) -> None:
    """Run the command in the current folder, as people do."""
    unsafe = ["--unsafe"] if program.safety == "unsafe" else []
    assert main(["fix", "--allow-dirty", "--select", program.rule, *unsafe, "."]) in (0, 1)


def found(project: Path) -> Counter[str]:
    """How many findings of each rule there are."""
    findings, errors = review(project)
    assert errors == ()
    return Counter(finding.name for finding in findings)


def texts(project: Path) -> dict[str, bytes]:
    """The files of a project."""
    return {path.name: path.read_bytes() for path in project.rglob("*.py")}


@pytest.mark.parametrize("program", [marked(program) for program in PROGRAMS])
def test_the_fault_shows_and_is_gone(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the fix the measure is that of the fault, after it that of none, and what the program gives is the same."""
    if program.missing:
        pytest.skip(f"needs {', '.join(program.missing)}")
    project = program.write(tmp_path)
    before, findings = program.run(tmp_path), found(project)
    assert program.shows.holds(before.measured), f"{program.measures}: {before.measured}, not {program.shows}"
    monkeypatch.chdir(project)
    fix(program)
    after, left = program.run(tmp_path), found(project)
    assert program.gone.holds(after.measured), f"{program.measures}: {after.measured}, not {program.gone}"
    assert after.result == before.result
    assert findings[program.rule] > 0
    assert left <= findings - Counter({program.rule: findings[program.rule]})
    fixed = texts(project)
    fix(program)
    assert texts(project) == fixed


def test_each_rule_with_a_fix_has_a_program() -> None:
    """A fix is not believed before it was seen to end a fault."""
    assert {program.rule for program in PROGRAMS} == FIXED
