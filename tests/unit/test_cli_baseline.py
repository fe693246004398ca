"""`asyncvet baseline`, and what `check` and `why` say of a baseline."""

from pathlib import Path

import pytest

from tests.unit.commands import run

SLEEPS = "import time\n\n\nasync def main():\n    time.sleep(1)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text(SLEEPS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def counts(text: str) -> str:
    """The last line of a report, without seconds and what comes before."""
    return text.splitlines()[-1].partition(" s")[2]


def test_what_stands_is_accepted_and_what_comes_is_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "baseline") == (0, "asyncvet-baseline.json: 1 finding accepted\n", "")
    status, out, _ = run(capsys, "check")
    assert (status, out.splitlines()[0], counts(out)) == (0, "No findings", "; 1 finding in the baseline")
    (project / "app.py").write_text(f"{SLEEPS}\n\nasync def other():\n    time.sleep(2)\n")
    status, out, _ = run(capsys, "check")
    assert (status, out.splitlines()[0]) == (1, "app.py:9:5: AV101 blocking-call critical")
    told = "`time.sleep(...)` blocks the event loop for up to 2 s"
    assert run(capsys, "baseline") == (
        0,
        "asyncvet-baseline.json: 1 finding accepted\n"
        "1 finding not accepted, as a baseline only shrinks; --accept-new accepts what stands now:\n"
        f"  new: app.py: AV101 in app.other: {told}\n",
        "",
    )
    accepted = "asyncvet-baseline.json: 2 findings accepted, 1 of them new\n"
    assert run(capsys, "baseline", "--accept-new", "--verbose") == (
        0,
        f"{accepted}  accepted: app.py: AV101 in app.other: {told}\n",
        "",
    )
    assert run(capsys, "check")[0] == 0
    assert run(capsys, "check", "--no-baseline")[0] == 1


def test_what_is_fixed_is_told_by_the_check_and_dropped(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "baseline")
    (project / "app.py").write_text("import time\n")
    status, out, _ = run(capsys, "check")
    told = "`time.sleep(...)` blocks the event loop for up to 1 s"
    assert status == 0
    assert out.startswith(
        f"In the baseline, and gone (`asyncvet baseline` drops it):\n  app.py: AV101 in `app.main`: {told}\n\nNo findings\n"
    )
    assert run(capsys, "baseline") == (
        0,
        f"asyncvet-baseline.json: 0 findings accepted, 1 gone and dropped\n  dropped: app.py: AV101 in app.main: {told}\n",
        "",
    )


def test_the_baseline_can_be_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "ci").mkdir()
    (project / "asyncvet.toml").write_text('baseline = "ci/known.json"\n')
    missing = f"asyncvet: error: {project}/ci/known.json: there is no such baseline; `asyncvet baseline` writes it\n"
    assert run(capsys, "check") == (2, "", missing)
    assert run(capsys, "baseline") == (0, "ci/known.json: 1 finding accepted\n", "")
    assert run(capsys, "check")[0] == 0
    assert run(capsys, "baseline", "--baseline", "other.json") == (0, "other.json: 1 finding accepted\n", "")
    assert run(capsys, "check", "--baseline", "other.json")[0] == 0
    nowhere = "asyncvet: error: nowhere.json: there is no such baseline; `asyncvet baseline` writes it\n"
    assert run(capsys, "check", "--baseline", "nowhere.json") == (2, "", nowhere)


def test_a_folder_of_a_project_uses_the_baseline_of_its_configuration(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "src").mkdir()
    (project / "app.py").rename(project / "src" / "app.py")
    (project / "pyproject.toml").write_text("[tool.asyncvet]\n")
    assert run(capsys, "baseline", "src") == (0, "asyncvet-baseline.json: 1 finding accepted\n", "")
    assert run(capsys, "check", "src")[0] == 0


@pytest.mark.usefixtures("project")
def test_why_says_that_the_baseline_accepts_it(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "baseline")
    _, out, _ = run(capsys, "why", "app.py:5")
    assert "    → in-baseline: the baseline accepts AV101 blocking-call\n" in out
    assert out.endswith(" (in the baseline): `time.sleep(...)` blocks the event loop for up to 1 s; use `asyncio.sleep`\n")


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "asyncvet.schema.json"
    assert run(capsys, "schema") == (0, page.read_text(encoding="utf-8"), "")
