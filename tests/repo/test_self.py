"""asyncvet passes itself."""

from pathlib import Path

import msgspec

from asyncvet import config
from asyncvet.engine import review

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_is_found_and_nothing_is_silenced() -> None:
    """All files of the checkout but the example, whose faults are planted, are read, tests too."""
    settings = msgspec.structs.replace(config.load(ROOT), include_tests=True)
    report = review([ROOT / folder for folder in ("src", "scripts", "tests")], settings, root=ROOT)
    named = [(finding.code, finding.span.path, finding.span.line) for finding in report.findings]
    assert (named, report.errors, report.suppressed) == ([], (), 0)
    assert settings.exclude == ("examples/", "tests/monitor/")
