"""Where the time goes is told."""

import re
from pathlib import Path

import pytest

from asyncvet import rules
from asyncvet.engine.phases import Phases
from tests.unit.commands import run


def test_table() -> None:
    """Phases in their order, rules by their time."""
    phases = Phases()
    phases.seconds = {"discover": 0.25, "rules": 1.5, "render": 0.0004}
    phases.rules = {"busy-wait": 0.5, "blocking-call": 1.0}
    assert phases.table().splitlines() == [
        "  seconds  phase",
        "    0.250  discover",
        "    1.500  rules",
        "    1.000    blocking-call",
        "    0.500    busy-wait",
        "    0.000  render",
        "    1.750  in all",
    ]


def test_verbose(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command tells it on standard error, of a review and of a report that was kept."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.py").write_text("async def main():\n    pass\n")
    phases, kept = (re.findall(r"\d  (\S.*)", run(capsys, "check", "--verbose")[2]) for _ in range(2))
    stages = ["discover", "look for a kept report", "read", "link", "entry points", "rules", "report", "keep", "render", "in all"]
    assert phases == stages
    assert kept == [*stages[:2], "keep", "render", "in all"]
    (tmp_path / "main.py").write_text("async def main():\n    return\n")
    names = re.findall(r"\d    (\S+)", run(capsys, "check", "--verbose")[2])
    assert sorted(names) == sorted(rule.name for rule in rules.load() if not rule.preview)
