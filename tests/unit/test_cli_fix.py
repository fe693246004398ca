"""`asyncvet fix`: what it writes, what it refuses, what it exits with and what it says."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.commands import run

SOURCE = "import time\n\nimport requests\n\n\nasync def main(url):\n    time.sleep(1)\n    requests.get(url, timeout=1)\n"
SAFE = SOURCE.replace("import time", "import asyncio").replace("time.sleep", "await asyncio.sleep")
ALL = SAFE.replace("requests.get(url", "await asyncio.to_thread(requests.get, url")
Git = Callable[..., None]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: one file."""
    (tmp_path / "app.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def git(project: Path) -> Git:
    """Runs git in the project, which becomes a repository."""
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]

    def call(*arguments: str) -> None:
        subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)

    call("init", "-q")
    return call


def test_committed_files_are_fixed(project: Path, git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    git("add", "app.py")
    git("commit", "-qm", "x")
    assert run(capsys, "fix") == (
        0,
        "app.py:7:5: AV101 fixed: write `await asyncio.sleep(...)`\n"
        "1 AV101 blocking-call with an unsafe fix; --unsafe applies it\n"
        "fixed 1 finding in 1 file; 1 unsafe\n",
        "",
    )
    assert (project / "app.py").read_text() == SAFE
    git("commit", "-qam", "y")
    assert run(capsys, "fix", "--unsafe")[0] == 0
    assert (project / "app.py").read_text() == ALL


DIRTY = "it has changes that are not committed; commit them, or use --allow-dirty"
OUTSIDE = "it is in no git repository; --allow-dirty edits it all the same"


@pytest.mark.parametrize("state", ["unknown", "added", "changed", "outside"])
def test_what_git_could_not_give_back_stays(
    state: str, project: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    if state != "outside":
        git: Git = request.getfixturevalue("git")
        if state == "changed":
            (project / "app.py").write_text("")
            git("add", "app.py")
            git("commit", "-qm", "x")
            (project / "app.py").write_text(SOURCE)
        elif state == "added":
            git("add", "app.py")
    reason = OUTSIDE if state == "outside" else DIRTY
    assert run(capsys, "fix") == (
        1,
        f"app.py:7:5: AV101 not applied: {reason}\n"
        "1 AV101 blocking-call with an unsafe fix; --unsafe applies it\n"
        "fixed 0 findings in 0 files; 1 not applied; 1 unsafe\n",
        "",
    )
    assert (project / "app.py").read_text() == SOURCE
    assert run(capsys, "fix", "--allow-dirty")[0] == 0
    assert (project / "app.py").read_text() == SAFE


def test_a_diff_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no clean files; the edits go to standard output alone, so that a pipe gets a diff."""
    status, out, err = run(capsys, "fix", "--diff")
    assert (status, (project / "app.py").read_text()) == (1, SOURCE)
    assert out == (
        "--- app.py\n+++ app.py\n@@ -1,8 +1,8 @@\n-import time\n+import asyncio\n \n import requests\n \n \n async def main(url):\n"
        "-    time.sleep(1)\n+    await asyncio.sleep(1)\n     requests.get(url, timeout=1)\n"
    )
    assert err.splitlines()[-1] == "would fix 1 finding in 1 file; 1 unsafe"
    (project / "fix.diff").write_text(out)
    subprocess.run(["git", "apply", "-p0", "fix.diff"], cwd=project, check=True)
    assert (project / "app.py").read_text() == SAFE
    assert run(capsys, "fix", "--diff")[:2] == (0, "")


def test_a_selection(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is selected is fixed; what has no fix is counted with the reason, or told one by one."""
    (project / "app.py").write_text(
        "import time\n\n\nasync def main():\n    return [f for f in map(time.sleep, [1])]\n\n\nasync def gen():\n    yield 1\n"
    )
    assert run(capsys, "fix", "--select", "AV401", "--allow-dirty")[1].splitlines() == [
        "app.py:8:1: AV401 fixed: annotate `-> AsyncGenerator[int, None]`",
        "fixed 1 finding in 1 file",
    ]
    assert run(capsys, "fix", "--select", "AV803", "--allow-dirty") == (0, "fixed 0 findings in 0 files\n", "")


def test_verbose_names_what_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "fix", "--diff", "--verbose")[2].splitlines() == [
        "app.py:7:5: AV101 fixed: write `await asyncio.sleep(...)`",
        "app.py:8:5: AV101 with an unsafe fix; --unsafe applies it: run `requests.get` in a thread",
        "would fix 1 finding in 1 file; 1 unsafe",
    ]


def test_a_file_that_cannot_be_written(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    assert run(capsys, "fix", "--allow-dirty") == (
        2,
        "app.py: could not be written: No space left on device\n"
        "1 AV101 blocking-call with an unsafe fix; --unsafe applies it\n"
        "fixed 0 findings in 0 files; 1 unsafe\n",
        "",
    )
    assert (project / "app.py").read_text() == SOURCE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["--select", "AV999"], "there is no rule `AV999`"),
    ],
)
def test_bad_input(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "fix", *arguments)
    assert (status, out, err.startswith(f"asyncvet: error: {message}")) == (2, "", True)
