"""README.md says what is so."""

import re
from pathlib import Path

from asyncvet import rules
from asyncvet.config import PathSettings, Settings, load_file
from asyncvet.model import Severity
from scripts.golden import BLOCK, REVIEW_BLOCK, readme_block, report, review_block

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_demo() -> None:
    """The output shown is that of `make demo`. `make golden` writes it anew."""
    assert BLOCK.findall(README) == [readme_block(report("shop.txt"))]
    demo = re.findall(r"^demo:.*\n\t@\$\(BIN\)/(.+) \|\|", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert demo == ["asyncvet check examples/shop"]


def test_review() -> None:
    """The excerpt of a review is from the one over the example. `make golden` writes it anew."""
    assert REVIEW_BLOCK.findall(README) == [review_block(report("review.md"))]


def test_rules() -> None:
    """The table has every rule that runs unless told otherwise."""
    rows = re.findall(r"^\| (AV\d+) \| ([\w-]+) \| (\w+) \| \S", README, flags=re.MULTILINE)
    assert rows == [(rule.code, rule.name, rule.severity.word) for rule in rules.load() if not rule.preview]


def test_configuration(tmp_path: Path) -> None:
    """The configuration shown is valid."""
    (shown,) = re.findall(r"^```toml\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    file = tmp_path / "pyproject.toml"
    file.write_text(shown, encoding="utf-8")
    assert load_file(file) == Settings(
        ignore=("blocking-metadata-call",),
        min_severity=Severity.MEDIUM,
        severity={"missing-timeout": Severity.MEDIUM},
        exclude=("migrations/",),
        per_path=(PathSettings(pattern="scripts/", min_severity=Severity.HIGH),),
        catalogue=(tmp_path / "ci" / "our-libraries.toml",),
        python=tmp_path / ".venv",
        base=tmp_path,
        file=file,
    )


def test_links() -> None:
    """Every file that is linked to exists."""
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
