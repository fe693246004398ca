"""`asyncvet init`: what it sees of a project, what it writes, and what it leaves alone."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from asyncvet.cli.starting import configuration
from asyncvet.config import load_file
from asyncvet.engine.survey import Survey, survey
from tests.unit.commands import run

NEXT = (
    "Next: `asyncvet check`. Where that finds much, `asyncvet baseline` accepts what stands: only what is new is reported then.\n"
)

PLAIN = """\
# Made for 1 file, 1 line, with FastAPI.

# Rules to run: all but those in preview. `asyncvet rule` lists them.
select = ["AV"]
ignore = []

# Leave out lighter findings: low, medium, high or critical.
min-severity = "low"

# What not to read, beside what .gitignore files leave out; patterns as there.
exclude = []

# Report findings in test files too; 0 of them are read, as they show how the code is used.
include-tests = false

# A comment that accepts a finding has to say why: `# asyncvet: ignore[AV101] runs before the app serves`.
require-reason = true

# The virtual environment whose packages are read, to know what their functions do.
# python = ".venv"  # where there is one

# `asyncvet baseline` writes what stands into asyncvet-baseline.json, beside this file; only what is new is reported then.
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "app.py").write_text("from fastapi import FastAPI\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


MONOREPO = {
    "services/shop/src/shop/__init__.py": "",
    "services/shop/src/shop/main.py": "import fastapi\nfrom celery import Celery\n",
    "services/shop/pyproject.toml": "[project]\nname = 'shop'\n",
    "services/shop/src/shop/migrations/one.py": "import django.db\n",
    "services/shop/tests/test_main.py": "",
    "scripts/load.py": "from aiohttp import web\n",
    "lib/vendor/x/scripts/deep.py": "",
    "gen/made.py": "",
    "pyproject.toml": '[tool.ruff]\nextend-exclude = ["gen", 3]\n[tool.ruff.lint]\nselect = ["E", "ASYNC1"]\n',
    "setup.cfg": "[flake8]\nasync200-blocking-calls =\n    acme.fetch -> acme.afetch,\n    acme.*->x\n    acme.send->asyncio.to_thread\n",
    "env/pyvenv.cfg": "",
    "env/lib/python3.12/site-packages/p.py": "",
}


def make(root: Path) -> None:
    for name, text in MONOREPO.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_what_is_seen_of_a_project(project: Path) -> None:
    make(project)
    assert survey(project) == Survey(
        files=8,
        lines=5,
        roots=("services/shop/src", ".", "gen", "lib/vendor/x/scripts", "scripts", "services/shop/tests"),
        frameworks=("FastAPI", "aiohttp", "Django", "Celery"),
        tests=1,
        migrations=("services/shop/src/shop/migrations/",),
        vendored=("lib/vendor/",),
        aside=("scripts/",),
        excluded=("gen",),
        members=("services/shop/",),
        environment="env",
        is_found=False,
        linters=("ruff", "flake8-async"),
        blocking=(("acme.fetch", "acme.afetch"), ("acme.send", "asyncio.to_thread")),
    )


@pytest.mark.parametrize("table", ["", "tool.asyncvet"])
def test_what_is_written_can_be_read_and_says_what_was_seen(table: str, project: Path) -> None:
    make(project)
    file = project / ("pyproject.toml" if table else "asyncvet.toml")
    file.write_text(configuration(survey(project), table))
    settings = load_file(file)
    assert settings.exclude == ("gen", "services/shop/src/shop/migrations/")
    assert settings.python == project / "env"
    assert [(one.pattern, one.ignore) for one in settings.per_path] == [("scripts/", ()), ("lib/vendor/", ("AV",))]
    assert settings.entries is not None
    assert [(api.names, api.replacement) for api in settings.entries.api] == [
        (("acme.fetch",), "acme.afetch"),
        (("acme.send",), "asyncio.to_thread"),
    ]


def test_without_a_pyproject_it_is_a_file_of_its_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = "Found 1 file, 1 line, with FastAPI.\n"
    assert run(capsys, "init") == (0, f"{found}Wrote asyncvet.toml.\n{NEXT}", "")
    assert (project / "asyncvet.toml").read_text() == PLAIN


@pytest.mark.parametrize(
    ("before", "gap"), [("", ""), ("[project]\nname = 'x'\n", "\n"), ("[project]\nname = 'x'", "\n\n"), ("a = 1\r\n", "\r\n")]
)
def test_a_pyproject_gets_a_table_at_its_end(before: str, gap: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "pyproject.toml"
    file.write_bytes(before.encode())
    file.chmod(0o640)
    status, out, _ = run(capsys, "init")
    table = f"[tool.asyncvet]\n{PLAIN}".replace("\n", "\r\n" if "\r" in before else "\n")
    assert (status, out.splitlines()[1]) == (0, "Wrote [tool.asyncvet] into pyproject.toml.")
    assert file.read_bytes().decode() == f"{before}{gap}{table}"
    assert file.stat().st_mode & 0o777 == 0o640
    assert run(capsys, "check")[0] == 0


def test_a_pyproject_that_can_take_no_table_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("tool = {other = {}}\n")
    assert run(capsys, "init")[1].splitlines()[1] == "Wrote asyncvet.toml."
    assert (project / "pyproject.toml").read_text() == "tool = {other = {}}\n"
    assert (project / "asyncvet.toml").read_text() == PLAIN


def test_a_difference_can_be_applied_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "pyproject.toml"
    file.write_text("[project]\nname = 'x'")
    status, difference, _ = run(capsys, "init", "--diff")
    assert (status, file.read_text()) == (0, "[project]\nname = 'x'")
    subprocess.run(["git", "apply", "-p0", "-"], input=difference, text=True, check=True, cwd=project)
    applied = file.read_text()
    file.write_text("[project]\nname = 'x'")
    run(capsys, "init")
    assert file.read_text() == applied
    assert "asyncvet" in tomllib.loads(applied)["tool"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("asyncvet.toml", "", "asyncvet.toml: there is a configuration of asyncvet already, and it stays as it is"),
        (
            "pyproject.toml",
            "[tool.asyncvet]\n",
            "pyproject.toml: there is a configuration of asyncvet already, and it stays as it is",
        ),
        ("pyproject.toml", "[tool\n", "pyproject.toml:1:6: not valid TOML: Expected ']' at the end of a table declaration"),
    ],
)
def test_what_is_there_is_never_overwritten(
    name: str, text: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / name).write_text(text)
    assert run(capsys, "init") == (2, "", f"asyncvet: error: {message}\n")
    assert ((project / name).read_text(), sorted(path.name for path in project.iterdir())) == (
        text,
        sorted([".git", "app.py", name]),
    )


def test_a_folder_without_python_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "init", str(tmp_path / "no")) == (2, "", f"asyncvet: error: {tmp_path}/no: there is no such folder\n")
    message = f"{tmp_path}: there is no Python file in this folder, apart from ignored and excluded ones"
    assert run(capsys, "init", str(tmp_path)) == (2, "", f"asyncvet: error: {message}\n")
