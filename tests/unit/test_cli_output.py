"""Where reports of `check` go, and what the terminal is taken to show."""

import json
from pathlib import Path

import pytest

from asyncvet.cli.terminal import shows_links
from tests.unit.commands import run

SOURCE = "import time\n\n\nasync def main():\n    time.sleep(1)\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_run_writes_several_reports(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "check", "--format", "github", "--report", "json=a.json", "--report", "gitlab=b.json")
    assert (status, err, out.splitlines()[-1]) == (1, "", "1 finding from 1 root cause: 1 critical")
    (finding,) = json.loads((project / "a.json").read_text())["findings"]
    (issue,) = json.loads((project / "b.json").read_text())
    assert issue["fingerprint"] == finding["fingerprint"]


def test_a_review_writes_several_reports_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "review", "--report", "json=a.json")
    assert len(json.loads((project / "a.json").read_text())["items"]) == 19


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["check", "--report", "sariv=a"],
            "asyncvet: error: --report sariv=a: there is no format `sariv`; did you mean `sarif`?",
        ),
        (
            ["review", "--report", "junit=a"],
            "asyncvet: error: --report junit=a: there is no format `junit`; known are html, json, markdown, text",
        ),
        (
            ["check", "--report", "a.sarif"],
            "asyncvet check: error: argument --report: `a.sarif` is not a format, an equals sign and a file",
        ),
        (["check", "--report", "json=no/a"], "asyncvet: error: no/a: cannot be written: No such file or directory"),
        (
            ["check", "--statistics", "--format", "junit"],
            "asyncvet: error: --statistics can be written as json or text, not as junit",
        ),
    ],
)
def test_bad_input(arguments: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is found before the work, where it can be; nothing is written then."""
    status, out, err = run(capsys, *arguments)
    assert (status, out, err.splitlines()[-1]) == (2, "", said)
    assert [path.name for path in project.iterdir()] == ["app.py"]


def test_statistics(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", "--statistics") == (
        1,
        "findings  causes  fixable  code   rule           severity\n"
        "       1       1        1  AV101  blocking-call  critical\n\n"
        "1 finding from 1 root cause: 1 critical\n",
        "",
    )


def test_colours_where_they_are_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in run(capsys, "check")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(capsys, "check")[1].splitlines()[0] == "\x1b[1mapp.py:5:5\x1b[0m: \x1b[1;31mAV101 blocking-call critical\x1b[0m"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "vscode"}, False),
        ({"VTE_VERSION": "4602"}, False),
        ({"VTE_VERSION": "7200"}, True),
        ({"WT_SESSION": "1"}, True),
        ({"WT_SESSION": "1", "TMUX": "/tmp/x"}, False),
        ({"TERM": "screen", "VTE_VERSION": "7200"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"FORCE_HYPERLINK": "0", "TERM": "xterm-kitty"}, False),
    ],
)
def test_terminals_that_show_links(environment: dict[str, str], expected: bool) -> None:
    assert shows_links(environment) == expected
