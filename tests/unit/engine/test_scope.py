"""Reviews of a change: which findings it brings about, in real repositories of git."""

import subprocess
from pathlib import Path

import pytest

from asyncvet.config import Settings, UsageError
from asyncvet.engine import git, review

ROUTES = """\
import clients


async def show(key):
    return clients.load(key)


async def listed():
    return clients.everything()
"""
CLIENTS = """\
import requests


def load(key):
    return fetch(key, timeout=3)


def everything():
    return requests.get(
        "https://example.org/",
        timeout=3,
    )


def fetch(key, timeout):
    return requests.get(key, timeout=timeout)
"""
SETTINGS = Settings(select=("AV101",))


def run(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, tagged `start`, in which two coroutines block."""
    (tmp_path / "routes.py").write_text(ROUTES)
    (tmp_path / "clients.py").write_text(CLIENTS)
    run(tmp_path, "init", "--quiet")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "--quiet", "--message", "start")
    run(tmp_path, "tag", "start")
    return tmp_path


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new))


def found(folder: Path) -> list[tuple[str, int, str | None]]:
    report = review([folder], SETTINGS, root=folder, changes=git.since("start", folder))
    assert report.unrelated == 2 + (folder / "new.py").exists() - len(report.findings)
    return [(finding.span.path, finding.span.line, finding.scope) for finding in report.findings]


def test_no_change(repository: Path) -> None:
    assert found(repository) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("routes.py", "clients.load(key)", "clients.load(key + 1)", [("routes.py", 5, "changed")]),
        ("clients.py", "requests.get(key, timeout=timeout)", "requests.get(key, timeout=1)", [("routes.py", 5, "changed")]),
        ("clients.py", "fetch(key, timeout=3)", "fetch(key, timeout=4)", [("routes.py", 5, "impact")]),
        ("clients.py", "def fetch(key, timeout):", "def fetch(key, timeout=9):", [("routes.py", 5, "impact")]),
        ("clients.py", "        timeout=3,\n", "        timeout=4,\n", [("routes.py", 9, "changed")]),
        ("clients.py", "        timeout=3,\n", "", [("routes.py", 9, "changed")]),
        ("clients.py", "import requests\n", "import requests\n\nX = 1\n", []),
        ("routes.py", "\n\nasync def listed", "\nasync def listed", []),
    ],
    ids=["own line", "sink", "step", "declaration", "line of a call", "removed line", "elsewhere", "blank line"],
)
def test_what_a_change_brings_about(
    name: str, old: str, new: str, expected: list[tuple[str, int, str]], repository: Path
) -> None:
    """Its own lines and those of sinks are changed code; findings whose chain goes through it are its impact."""
    edit(repository, name, old, new)
    assert found(repository) == expected


def test_a_function_that_becomes_a_coroutine(repository: Path) -> None:
    """No line that blocks is changed, and yet the change brings the finding about."""
    edit(repository, "routes.py", "async def show", "def show")
    run(repository, "commit", "--quiet", "--all", "--message", "sync")
    run(repository, "tag", "--force", "start")
    edit(repository, "routes.py", "def show", "async def show")
    assert found(repository) == [("routes.py", 5, "impact")]


def test_new_files_count_unless_git_ignores_them(repository: Path) -> None:
    (repository / "new.py").write_text("import clients\n\nasync def f():\n    clients.load(1)\n")
    assert found(repository) == [("new.py", 4, "changed")]
    (repository / ".git" / "info" / "exclude").write_text("new.py\n")
    assert git.since("start", repository).lines == {}


def test_only_this_branch_counts(repository: Path) -> None:
    """What the other branch did in the meantime is none of this one's changes."""
    run(repository, "checkout", "--quiet", "-b", "other")
    edit(repository, "routes.py", "clients.load(key)", "clients.load(key + 1)")
    run(repository, "commit", "--quiet", "--all", "--message", "other")
    run(repository, "checkout", "--quiet", "-b", "mine", "start")
    edit(repository, "routes.py", "clients.everything()", "list(clients.everything())")
    assert git.since("other", repository).lines == {str(repository.resolve() / "routes.py"): ((9, 9),)}


def test_nothing_but_git_itself_runs(repository: Path) -> None:
    """Neither external diff programs nor file monitors nor hooks of the repository's configuration."""
    marker = repository / "ran"
    trap = repository / ".git" / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    trap.chmod(0o755)
    for setting in ("diff.external", "diff.python.command", "diff.python.textconv", "core.fsmonitor", "core.pager"):
        run(repository, "config", setting, str(trap))
    (repository / ".git" / "info" / "attributes").write_text("*.py diff=python\n")
    (repository / ".git" / "hooks" / "post-index-change").symlink_to(trap)
    marker.unlink(missing_ok=True)
    edit(repository, "routes.py", "clients.load(key)", "clients.load(key + 1)")
    assert git.since("start", repository).lines == {str(repository.resolve() / "routes.py"): ((5, 5),)}
    assert not marker.exists()


def test_names_with_odd_characters(repository: Path) -> None:
    name = 'café "b" \t.py'
    (repository / name).write_text("x = 1\n")
    run(repository, "add", ".")
    assert git.since("start", repository).lines == {str(repository.resolve() / name): ((1, 1),)}


@pytest.mark.parametrize("revision", ["gone", "--output=x", "", "start:routes.py", "start...HEAD"])
def test_no_such_revision(revision: str, repository: Path) -> None:
    with pytest.raises(UsageError, match=r"^there is no revision `"):
        git.since(revision, repository)
    assert not (repository / "x").exists()


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        git.since("HEAD", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: git cannot tell what changed: not a git repository")


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError) as caught:
        git.since("HEAD", tmp_path)
    assert str(caught.value) == "git cannot be run: No such file or directory"


def test_evidence_is_that_of_the_change(repository: Path) -> None:
    edit(repository, "routes.py", "async def listed():\n", "async def listed():\n    await show(1)\n")
    examined = review([repository], SETTINGS, root=repository, changes=git.since("start", repository), examine=True).examined
    assert examined is not None
    first = examined.evidence[0]
    assert (examined.is_of_change, examined.rules) == (True, {"AV101": 1})
    assert ([span.line for span in first.subjects], [span.line for span in first.good]) == ([8], [9])
