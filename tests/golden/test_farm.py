"""The farm is the reference: asyncvet has nothing to say of it, and finds each item of the checklist in it."""

from pathlib import Path

from asyncvet import rules
from asyncvet.engine import Settings, review
from asyncvet.report.checklist import verdicts

FARM = Path(__file__).resolve().parents[2] / "examples" / "farm" / "farm"


def test_nothing_is_found() -> None:
    """Not by any rule, those in preview included, at any severity, and with no suppression."""
    settings = Settings(select=tuple(rule.code for rule in rules.load()), cache=False)
    report = review([FARM], settings, root=FARM)
    assert ([str(finding.span) + finding.message for finding in report.findings], report.suppressed, report.errors) == ([], 0, ())


def test_every_item_passes() -> None:
    """Each of the nineteen has a place in it."""
    found = verdicts(review([FARM], Settings(cache=False), root=FARM, examine=True))
    assert [str(verdict.status) for verdict in found] == ["PASS"] * 19
