"""What the commands do with files of observations that are not as they should be."""

from pathlib import Path

import pytest

from tests.unit.commands import run


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file whose only line has another version, in the current folder beside a file of Python."""
    monkeypatch.chdir(tmp_path)
    Path("seen").write_text('{"version": 9}\n')
    Path("app.py").write_text("")
    return "seen"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", ".", "--observations", "none"), "none: cannot be read: No such file or directory"),
        (("check", ".", "--observations", "."), ".: cannot be read: Is a directory"),
        (("check", ".", "--learn-edges"), "--learn-edges learns from observations: give --observations FILE"),
        (
            ("check", ".", "--observations", "seen"),
            "seen: holds no observation that can be read: line 1: version 9, and only 1 can be read",
        ),
        (("monitor-report", "seen"), "seen: holds no observation that can be read: line 1: version 9, and only 1 can be read"),
        (("monitor-report", "app.py", "--output", "no/page.html"), "no/page.html: cannot be written: No such file or directory"),
    ],
)
def test_bad_input(file: str, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A message that says what is wrong, and exit status 2."""
    assert file
    assert run(capsys, *arguments) == (2, "", f"asyncvet: error: {said}\n")


def test_nothing_observed(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file is no fault."""
    Path(file).write_text("")
    assert run(capsys, "monitor-report", file) == (0, "0 observations\n", "")
