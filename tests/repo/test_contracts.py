"""Each import contract catches the import that it forbids: every one is broken on purpose in a copy of the source."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Contract, what breaks it (a module under asyncvet, made if it is not there, and the line put at its end), what the tool says.
BREACHES = [
    ("layers", {"model.py": "import asyncvet.engine"}, "asyncvet.model -> asyncvet.engine"),
    ("layers", {"stray.py": "import asyncvet.model"}, "asyncvet.stray"),
    (
        "rules",
        {"rules/one_rule.py": "from asyncvet.rules import two_rule", "rules/two_rule.py": "RULE = None"},
        "asyncvet.rules.one_rule -> asyncvet.rules.two_rule",
    ),
    (
        "fixes",
        {"fix/rules/one_rule.py": "from asyncvet.fix.rules import two_rule", "fix/rules/two_rule.py": ""},
        "asyncvet.fix.rules.one_rule -> asyncvet.fix.rules.two_rule",
    ),
    ("parser", {"engine/__init__.py": "import tree_sitter"}, "asyncvet.engine -> tree_sitter"),
    ("editor", {"engine/__init__.py": "import pygls"}, "asyncvet.engine -> pygls"),
    ("agents", {"report/__init__.py": "import pydantic"}, "asyncvet.report -> pydantic"),
    ("reviewed", {"catalogue/__init__.py": "import fastapi"}, "asyncvet.catalogue -> fastapi"),
    ("monitor", {"monitor/observation.py": "import asyncvet.report"}, "asyncvet.monitor.observation -> asyncvet.report"),
    ("interpreter", {"facts/__init__.py": "import ast"}, "asyncvet.facts -> ast"),
]


def lint(directory: Path, *contracts: str) -> tuple[int, str]:
    """Exit status and output of lint-imports over the copy in a directory."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    command += [word for contract in contracts for word in ("--contract", contract)]
    environment = {**os.environ, "PYTHONPATH": str(directory / "src"), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the contracts speak of."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_unbroken(copy: Path) -> None:
    """All contracts hold for the source as it is; otherwise the next test would prove nothing."""
    status, output = lint(copy)
    assert (status, "0 broken" in output) == (0, True), output


@pytest.mark.parametrize(("contract", "breach", "said"), BREACHES)
def test_broken_on_purpose(contract: str, breach: dict[str, str], said: str, copy: Path) -> None:
    """The contract is reported as broken, by the import that breaks it."""
    for path, line in breach.items():
        with (copy / "src" / "asyncvet" / path).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    status, output = lint(copy, contract)
    assert (status, said in output) == (1, True), output


def test_every_contract_is_broken_once() -> None:
    """A contract that no test breaks may be one that holds of nothing."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["id"] for contract in configuration["tool"]["importlinter"]["contracts"]}
    assert contracts == {contract for contract, _, _ in BREACHES}
