"""`make new-rule` writes a rule that needs only filling in, and refuses what could not become one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.new_rule import write_rule
from tests.spec.document import parse

ROOT = Path(__file__).resolve().parents[2]

NO_NAME = "is not a name: two or more lower-case words joined by hyphens, such as busy-wait"
NO_CODE = "is not a code: AV and three digits, the first a category from 1 to 8, such as AV109"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """An empty project with one rule."""
    (tmp_path / "src" / "asyncvet" / "rules").mkdir(parents=True)
    (tmp_path / "tests" / "spec" / "rules").mkdir(parents=True)
    write_rule(tmp_path, "blocking-call", "AV101")
    return tmp_path


def test_files(checkout: Path) -> None:
    """Two files, named after the rule."""
    assert write_rule(checkout, "busy-wait", "AV109") == (
        checkout / "src/asyncvet/rules/busy_wait.py",
        checkout / "tests/spec/rules/busy-wait.md",
    )


def test_module_is_clean(checkout: Path) -> None:
    """The module passes the project's own style but for what is to be filled in."""
    module, _ = write_rule(checkout, "busy-wait", "AV109")
    shutil.copy(ROOT / "pyproject.toml", checkout)
    for command in (["format", "--check"], ["check", "--ignore", "ARG001"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(module)], capture_output=True, text=True, check=False, cwd=checkout
        )
        assert done.returncode == 0, done.stdout


def test_specification_is_read(checkout: Path) -> None:
    """The specification has a case that must be reported and one that must not."""
    _, specification = write_rule(checkout, "busy-wait", "AV109")
    cases = parse(specification, specification.read_text())
    assert [(case.title, "error: [busy-wait]" in case.files[0].text) for case in cases] == [
        ("What it reports", True),
        ("What it leaves alone", False),
    ]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("", "AV109", f"NAME='' {NO_NAME}"),
        (
            "busy_wait",
            "AV109",
            f"NAME='busy_wait' {NO_NAME}",
        ),
        (
            "../busy-wait",
            "AV109",
            f"NAME='../busy-wait' {NO_NAME}",
        ),
        (
            "busy-wait",
            "AV909",
            f"CODE='AV909' {NO_CODE}",
        ),
        ("busy-wait", "AV101", "the code AV101 is taken by src/asyncvet/rules/blocking_call.py"),
        ("blocking-call", "AV109", "the name blocking-call is taken: src/asyncvet/rules/blocking_call.py exists"),
    ],
)
def test_refused(name: str, code: str, message: str, checkout: Path) -> None:
    """Nothing is written, and the message says what would do."""
    before = sorted(checkout.rglob("*"))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        write_rule(checkout, name, code)
    assert sorted(checkout.rglob("*")) == before
