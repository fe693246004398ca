"""`asyncvet review`, and `--since` and `--diff` of both commands: what they exit with and what they say about bad input."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.commands import run

SOURCE = "import time\n\n\nasync def main():\n    time.sleep(1)\n\n\nasync def other():\n    time.sleep(2)\n"
DIFF = "--- a/app.py\n+++ b/app.py\n@@ -5 +5 @@\n-    time.sleep(3)\n+    time.sleep(1)\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: one file."""
    (tmp_path / "app.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 1),
        (["--exit-zero"], 0),
        (["--ignore", "AV1"], 0),
        (["--select", "AV101", "--fail-on", "critical"], 1),
    ],
)
def test_the_exit_status(arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "review", *arguments)[0] == status


def test_lighter_findings_than_high_do_not_fail_a_review(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "app.py").write_text("import os\n\n\nasync def main(path):\n    os.stat(path)\n")
    assert [run(capsys, command)[0] for command in ("check", "review")] == [1, 0]
    assert run(capsys, "review", "--fail-on", "low")[0] == 1


def test_left_out_findings_still_fail_their_item(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "app.py").write_text("import os\n\n\nasync def main(path):\n    os.stat(path)\n")
    status, out, _ = run(capsys, "review", "--min-severity", "high", "--format", "json")
    first = json.loads(out)["items"][0]
    assert (status, first["status"], first["left_out"], first["findings"]) == (0, "FAIL", 1, [])


def test_what_was_not_selected_is_not_judged(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "review", "--select", "AV101", "--format", "json")
    assert {item["number"]: item["status"] for item in json.loads(out)["items"]} == {
        number: "FAIL" if number == 1 else "NOT CHECKED" for number in range(1, 20)
    }


@pytest.mark.parametrize("command", ["check", "review"])
def test_a_diff(command: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file or standard input, also from a folder below that of the repository."""
    (project / "change.diff").write_text(DIFF)

    def shown(*arguments: str) -> list[tuple[int, str]]:
        content = json.loads(run(capsys, command, "--format", "json", *arguments)[1])
        found = content["findings"] if command == "check" else content["items"][0]["findings"]
        return [(finding["line"], finding["scope"]) for finding in found]

    assert shown("--diff", "change.diff") == [(5, "changed")]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(DIFF.encode())))
    assert shown("--diff", "-") == [(5, "changed")]
    (project / ".git").mkdir()
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")
    assert shown("--diff", "../change.diff", "..") == [(5, "changed")]


def test_a_revision(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is left out is counted."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "start"]):
        subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)
    assert run(capsys, "check", "--since", "HEAD")[0] == 0
    (project / "app.py").write_text(SOURCE.replace("time.sleep(2)", "time.sleep(4)"))
    status, out, err = run(capsys, "check", "--since", "HEAD", "app.py")
    assert (status, out.splitlines()[0], err) == (1, "app.py:9:5: AV101 blocking-call critical", "")
    assert "; 1 finding not brought about by the change" in out


def test_the_report_can_go_to_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "review", "--format", "html", "--output", "review.html") == (1, "", "")
    assert (project / "review.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "HEAD"], "{cwd}: git cannot tell what changed: not a git repository"),
        (["--since", "HEAD", "--diff", "x"], "argument --diff: not allowed with argument --since"),
        (["--diff", "gone.diff"], "error: gone.diff: cannot be read: No such file or directory"),
        (["--diff", "app.py"], "error: app.py: is not a unified diff"),
        (["--diff", "old.diff"], "error: old.diff: does not fit app.py as it is now: line 5 is another one; is the change made?"),
        (["--diff", "other.diff"], "error: other.diff: does not fit the files here: there is no gone.py"),
        (["--select", "XY9"], "error: there is no rule `XY9`; `asyncvet rule` lists them all"),
        (["--ignore", "XY9"], "error: there is no rule `XY9`; `asyncvet rule` lists them all"),
        (["nowhere"], "error: nowhere: there is no such file or folder"),
    ],
)
@pytest.mark.parametrize("command", ["check", "review"])
def test_bad_input(command: str, arguments: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "old.diff").write_text(DIFF.replace("sleep(1)", "sleep(8)"))
    (project / "other.diff").write_text(DIFF.replace("app.py", "gone.py"))
    status, out, err = run(capsys, command, *arguments)
    assert (status, out, said.format(cwd=project) in err) == (2, "", True), err


def test_a_review_has_formats_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "review", "--format", "jsonl")
    assert (status, out, "argument --format: invalid choice: 'jsonl'" in err) == (2, "", True)
