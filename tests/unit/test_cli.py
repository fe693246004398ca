"""The command line: exit statuses, options, and what is said about bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asyncvet import __version__, rules
from asyncvet.cli import main, reviewing
from asyncvet.model import Finding, Severity, Span
from asyncvet.rules import Rule

ENVIRONMENT = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}


def run(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the real command."""
    command = [sys.executable, "-m", "asyncvet", *arguments]
    result = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file, which is the current one; two rules that report a line of it each."""

    def check(code: str, name: str, line: int, severity: Severity) -> Rule:
        found = Finding(
            code=code,
            name=name,
            item=1,
            severity=severity,
            span=Span("app.py", line, 1, line, 5),
            function="app",
            message=f"{name} here",
        )

        def report(_: object) -> Iterator[Finding]:
            yield found

        return Rule(code=code, name=name, severity=severity, item=1, check=report, preview=code == "AV308")

    known = (
        check("AV101", "blocking-call", 1, Severity.CRITICAL),
        check("AV203", "shared-state-race", 2, Severity.MEDIUM),
        check("AV308", "unshielded-cleanup", 3, Severity.LOW),
    )
    monkeypatch.setattr(rules, "load", lambda: known)
    (tmp_path / "app.py").write_text("a()\nb()\nc()\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main(["check", "--format", "json", *arguments])
    return [finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]]


@pytest.mark.usefixtures("project")
def test_the_text_report_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    report = capsys.readouterr()
    *lines, last = report.out.splitlines()
    assert lines == [
        "app.py:1:1: AV101 blocking-call critical",
        "  blocking-call here",
        "  │ a()",
        "",
        "app.py:2:1: AV203 shared-state-race medium",
        "  shared-state-race here",
        "  │ b()",
        "",
        "2 findings from 2 root causes: 1 critical, 1 medium",
    ]
    assert last.startswith("1 file, 3 lines, ")
    assert report.err == ""


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 1),
        (["--fail-on", "critical"], 1),
        (["--ignore", "AV1", "--fail-on", "high"], 0),
        (["--ignore", "AV"], 0),
        (["--min-severity", "CRITICAL", "--ignore", "AV101"], 0),
        (["--exit-zero"], 0),
        (["app.py"], 1),
    ],
)
def test_the_exit_status_says_whether_something_was_found(arguments: list[str], status: int) -> None:
    assert main(["check", *arguments]) == status


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["AV203"]),
        (["--select", "AV101,AV308"], ["AV101", "AV308"]),
        (["--select", "AV", "--select", "AV308"], ["AV203", "AV308"]),
        (["--ignore", "AV203"], []),
        (["--config", "other.toml"], ["AV101"]),
    ],
)
def test_the_command_line_goes_before_the_configuration(
    arguments: list[str], expected: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "asyncvet.toml").write_text('ignore = ["AV101"]\n')
    (project / "other.toml").write_text('select = ["blocking-call"]\n')
    assert codes(capsys, *arguments) == expected


def test_the_report_can_go_to_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--format", "json", "--output", "report.json"]) == 1
    assert json.loads((project / "report.json").read_text())["summary"]["findings"] == 2
    assert capsys.readouterr() == ("", "")


def test_a_broken_rule_is_a_failure_of_the_tool(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> Iterator[Finding]:
        raise LookupError

    broken = Rule(code="AV101", name="blocking-call", severity=Severity.LOW, item=1, check=fail)
    monkeypatch.setattr(rules, "load", lambda: (broken,))
    assert main(["check", str(project), "--exit-zero"]) == 2


@pytest.mark.usefixtures("project")
def test_a_fault_of_the_tool_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("nowhere")

    monkeypatch.setattr(reviewing, "review", fail)
    assert main(["check"]) == 2
    assert capsys.readouterr().err == "asyncvet: this is a fault of asyncvet: LookupError: nowhere; --verbose shows where\n"
    assert main(["check", "--verbose"]) == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):\n")


@pytest.mark.usefixtures("project")
def test_an_interrupt_is_one_word(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reviewing, "review", interrupt)
    assert (main(["check"]), capsys.readouterr()) == (130, ("", "asyncvet: interrupted\n"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "error: nowhere: there is no such file or folder"),
        (["check", "empty"], "error: empty: there is no Python file in this folder, apart from ignored and excluded ones"),
        (["check", "--select", "XY9"], "error: there is no rule `XY9`; `asyncvet rule` lists them all"),
        (["check", "--config", "no.toml"], "error: no.toml: cannot be read: No such file or directory"),
        (["check", "--output", "no/report.txt"], "error: no/report.txt: cannot be written: No such file or directory"),
        (["check", "configured"], "error: {cwd}/configured/asyncvet.toml: there is no setting `jbos`; did you mean `jobs`?"),
        (["rule", "zzz"], "error: there is no rule `zzz`; `asyncvet rule` lists them all"),
    ],
)
def test_bad_input_gets_one_clear_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    for folder in ("empty", "configured"):
        (tmp_path / folder).mkdir()
    (tmp_path / "app.py").touch()
    if "configured" in arguments:
        (tmp_path / "configured" / "asyncvet.toml").write_text("jbos = 1\n")
    assert run(*arguments, cwd=tmp_path) == (2, "", f"asyncvet: {message.format(cwd=tmp_path)}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "asyncvet: error: the following arguments are required: COMMAND"),
        (
            ["check", "--fail-on", "hi"],
            "asyncvet check: error: argument --fail-on: there is no severity `hi`; "
            "the severities are low, medium, high, critical",
        ),
        (["check", "--jobs", "0"], "asyncvet check: error: argument --jobs: `0` is not a whole number above 0"),
        (["check", "--no-such-option"], "asyncvet: error: unrecognized arguments: --no-such-option"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], message: str, tmp_path: Path) -> None:
    status, out, err = run(*arguments, cwd=tmp_path)
    assert (status, out, err.splitlines()[-1]) == (2, "", message)


def test_the_version(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path) == (0, f"asyncvet {__version__}\n", "")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    command = [sys.executable, "-m", "asyncvet", "check"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "asyncvet", "check"]
        result = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, check=False)
    message = b"asyncvet: error: the report: cannot be written: No space left on device\n"
    assert (result.returncode, result.stderr) == (2, message)


def test_findings_of_the_real_rules(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import time\n\n\ndef pause():\n    time.sleep(1)\n\n\nasync def main():\n    pause()\n")
    status, out, err = run("check", "--select", "AV101", cwd=tmp_path)
    lines = out.splitlines()
    assert (status, err, lines[0]) == (1, "", "app.py:9:5: AV101 blocking-call critical")
    assert lines[3:7] == [
        "  │ app.py:9  main   pause()",
        "  ╰ app.py:5  pause  time.sleep(1)",
        "                     ^^^^^^^^^^^^^ blocks: sleep, at most 1 s",
        "  runs in: event-loop: async def main",
    ]


def test_the_report_suits_the_width_and_the_encoding_of_its_stream(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import time\n\n\nasync def main():\n    time.sleep(1.234567890)\n")
    command = [sys.executable, "-m", "asyncvet", "check", "--select", "AV101"]
    environment = {**ENVIRONMENT, "COLUMNS": "45", "PYTHONIOENCODING": "latin-1"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    lines = result.stdout.decode("latin-1").splitlines()
    assert (result.returncode, result.stderr, lines[:7]) == (
        1,
        b"",
        [
            "app.py:5:5: AV101 blocking-call critical",
            "  `time.sleep(...)` blocks the event loop for",
            "    up to 1.23457 s",
            "  use `asyncio.sleep`",
            "  | time.sleep(1.234567890)",
            "  | ^^^^^^^^^^^^^^^^^^^^^^^",
            "  | blocks: sleep, at most 1.23457 s",
        ],
    )


def test_an_interrupt_from_the_keyboard_ends_it_quietly(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"m{number}.py").write_text("def f(x):\n    return [x, {'a': x}, x + 1]\n" * 3000)
    command = [sys.executable, "-m", "asyncvet", "check", "--jobs", "2"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text() and process.poll() is None:  # until it reads
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"asyncvet: interrupted\n")


@pytest.mark.usefixtures("project")
def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule"]) == 0
    assert capsys.readouterr().out == (
        "AV101  critical  blocking-call\n"
        "AV203  medium    shared-state-race\n"
        "AV308  low       unshielded-cleanup  (only if selected by name)\n"
    )


def test_a_rule_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    rule = rules.load()[0]
    assert main(["rule", rule.code.lower()]) == 0
    by_code = capsys.readouterr().out
    assert main(["rule", rule.name]) == 0
    assert capsys.readouterr().out == by_code == f"# {rule.name} ({rule.code}, {rule.severity.word})\n\n{rule.page.text}\n"


@pytest.mark.parametrize("selector", ["AV102", "blocking-metadata-call"])
def test_what_is_selected_by_name_is_not_ignored_by_code(tmp_path: Path, selector: str) -> None:
    """A rule asked for on the command line runs though the configuration ignores it, whichever of its names either uses."""
    (tmp_path / "asyncvet.toml").write_text('ignore = ["AV102"]\n')
    (tmp_path / "app.py").write_text("import os\n\n\nasync def look(path):\n    return os.stat(path)\n")
    status, output, _ = run("check", "--select", selector, cwd=tmp_path)
    assert (status, output.splitlines()[0]) == (1, "app.py:5:12: AV102 blocking-metadata-call low")
