"""A workspace: what it reports follows the disk and unsaved texts, and equals what a review from the start finds."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from asyncvet.config import UsageError
from asyncvet.engine import review
from asyncvet.engine.drift import Drift, drift
from asyncvet.engine.workspace import Workspace
from asyncvet.model import ReadError

CLEAN = "import asyncio\n\n\nasync def main():\n    await asyncio.sleep(1)\n"
CALLER = "from helper import wait\n\n\nasync def main():\n    wait()\n"
WAITS = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
HARMLESS = "def wait():\n    pass\n"


def project(folder: Path, **files: str) -> Workspace:
    """A workspace over a folder with these modules."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return Workspace(folder)


def found(workspace: Workspace) -> list[tuple[str, str, int]]:
    """Code, path and line of each finding."""
    return [(finding.code, finding.span.path, finding.span.line) for finding in workspace.report().findings]


def test_same_as_a_review(tmp_path: Path) -> None:
    """Without unsaved texts the report is that of a review, its time and what was kept from others apart."""
    workspace = project(tmp_path, app=CALLER, helper=WAITS)
    report = replace(workspace.report(), cached_files=0, seconds=0.0)
    assert report == replace(review([tmp_path], root=tmp_path), cached_files=0, seconds=0.0)


def test_unsaved_text(tmp_path: Path) -> None:
    """An unsaved text of one file changes what is found in another; closed without saving, it is forgotten."""
    workspace = project(tmp_path, app=CALLER, helper=HARMLESS)
    assert found(workspace) == []
    for text, expected in ((WAITS, [("AV101", "app.py", 5)]), (HARMLESS, []), (WAITS, [("AV101", "app.py", 5)]), (None, [])):
        workspace.update(tmp_path / "helper.py", text)
        assert found(workspace) == expected


def test_excerpts_are_of_the_unsaved_text(tmp_path: Path) -> None:
    """The chain shows what the editor shows."""
    workspace = project(tmp_path, app=CALLER, helper=HARMLESS)
    workspace.update(tmp_path / "helper.py", WAITS.replace("sleep(1)", "sleep(77)"))
    assert [frame.text for frame in workspace.report().findings[0].chain] == ["wait()", "time.sleep(77)"]


def test_nothing_changed(tmp_path: Path) -> None:
    """The same text again is no reason to link again."""
    workspace = project(tmp_path, app=CALLER, helper=WAITS)
    before = workspace.report(), workspace.project()
    for text in (CALLER, CALLER, None):
        workspace.update(tmp_path / "app.py", text)
        assert (workspace.report() is before[0], workspace.project() is before[1]) == (True, True)


def test_broken_code_keeps_its_last_good_findings(tmp_path: Path) -> None:
    """While a text does not parse, the one before it stands for it, and its lines are found in the new one."""
    workspace = project(tmp_path, app=CALLER, helper=HARMLESS)
    helper, app = tmp_path / "helper.py", tmp_path / "app.py"
    workspace.update(helper, WAITS)
    workspace.update(app, CALLER)
    assert found(workspace) == [("AV101", "app.py", 5)]
    workspace.update(app, "import (\n\n" + CALLER)
    assert found(workspace) == [("AV101", "app.py", 5)]
    assert workspace.report().errors == (ReadError("app.py", 1, "'(' was never closed"),)
    assert workspace.drift("app.py").now(5) == 7
    assert workspace.lines("app.py")[6] == "    wait()"


def test_broken_from_the_start(tmp_path: Path) -> None:
    """What was saved stands for a text that never parsed; with nothing that parses, what can be read of it does."""
    workspace = project(tmp_path, app=CALLER, helper=WAITS)
    broken = f"{CALLER}\n\ndef broken(:\n"
    workspace.update(tmp_path / "app.py", f"\n{broken}")
    assert (found(workspace), workspace.drift("app.py").now(5)) == ([("AV101", "app.py", 5)], 6)
    workspace = project(tmp_path, app=broken)
    workspace.update(tmp_path / "app.py", f"\n{broken}")
    assert (found(workspace), workspace.drift("app.py")) == ([("AV101", "app.py", 6)], Drift())


def test_disk(tmp_path: Path) -> None:
    """Files that come, change and go count once the workspace is told to look."""
    workspace = project(tmp_path, app=CALLER, helper=HARMLESS)
    assert found(workspace) == []
    project(tmp_path, helper=WAITS, more="import time\n\n\nasync def more():\n    time.sleep(2)\n")
    assert found(workspace) == []
    workspace.refresh()
    assert found(workspace) == [("AV101", "app.py", 5), ("AV101", "more.py", 5)]
    (tmp_path / "helper.py").unlink()
    workspace.refresh()
    assert found(workspace) == [("AV101", "more.py", 5)]


def test_configuration(tmp_path: Path) -> None:
    """A change of the configuration counts from the next look on; one that is not right says so, and mends itself."""
    workspace = project(tmp_path, app=CALLER, helper=WAITS)
    assert found(workspace) == [("AV101", "app.py", 5)]
    file = tmp_path / "asyncvet.toml"
    file.write_text("ignores = ['AV101']\n", encoding="utf-8")
    workspace.refresh()
    with pytest.raises(UsageError) as caught:
        workspace.report()
    assert str(caught.value) == f"{file}: there is no setting `ignores`; did you mean `ignore`?"
    file.write_text("ignore = ['AV101']\n", encoding="utf-8")
    workspace.refresh()
    assert found(workspace) == []


def test_interrupted(tmp_path: Path) -> None:
    """What the listener raises ends a review; the next one is whole."""
    workspace = project(tmp_path, app=CALLER, helper=WAITS)
    workspace.update(tmp_path / "app.py", CALLER + "\n")

    def stop(stage: str, done: int, total: int) -> None:  # noqa: ARG001
        if (stage, done) == ("checking", 3):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        workspace.report(stop)
    assert found(workspace) == [("AV101", "app.py", 5)]


def test_declared_encoding(tmp_path: Path) -> None:
    """A text is read as the editor shows it, whatever encoding it declares for the disk."""
    text = "# -*- coding: latin-1 -*-\nimport time\n\n\nasync def main():\n    'é€'; time.sleep(1)\n"
    workspace = project(tmp_path, app=CLEAN)
    workspace.update(tmp_path / "app.py", text)
    assert [(f.span.line, f.span.column) for f in workspace.report().findings] == [(6, 11)]
    assert workspace.report().errors == ()


def test_one_file(tmp_path: Path) -> None:
    """A file can be a project by itself, where it is called by its name."""
    project(tmp_path, app=CALLER, helper=WAITS, own="import time\n\n\nasync def own():\n    time.sleep(2)\n")
    workspace = Workspace(tmp_path / "own.py")
    assert found(workspace) == [("AV101", "own.py", 5)]
    assert workspace.module(tmp_path / "app.py") is None


def test_not_of_the_project(tmp_path: Path) -> None:
    """The text of a file that is not read changes nothing."""
    (tmp_path / "asyncvet.toml").write_text("exclude = ['left_out.py']\n", encoding="utf-8")
    workspace = project(tmp_path, app=CLEAN, left_out=CLEAN)
    workspace.update(tmp_path / "left_out.py", WAITS.replace("def", "async def"))
    assert (found(workspace), workspace.module(tmp_path / "left_out.py")) == ([], None)


@pytest.mark.parametrize(
    ("then", "now", "where"),
    [
        ("abc", "abc", [1, 2, 3]),
        ("abc", "axyc", [1, 2, 4]),
        ("abc", "ac", [1, 1, 2]),
        ("abc", "", [1, 1, 1]),
        ("abcd", "xabcdy", [2, 3, 4, 5]),
        ("abcd", "xacyd", [2, 2, 3, 5]),
    ],
)
def test_drift(then: str, now: str, where: list[int]) -> None:
    """Each line that is still there is found; one that is gone is near where it was."""
    moved = drift(list(then), list(now))
    assert [moved.now(line) for line in range(1, len(then) + 1)] == where
    kept = [(line, moved.now(line)) for line in range(1, len(then) + 1) if now[moved.now(line) - 1 :][:1] == then[line - 1]]
    assert [moved.then(line) for _, line in kept] == [line for line, _ in kept]


def test_look_again(tmp_path: Path) -> None:
    """A look at a disk that is the same, or where an unsaved text was saved, is no reason to link again."""
    workspace = project(tmp_path, app=CALLER, helper=HARMLESS)
    workspace.update(tmp_path / "helper.py", WAITS)
    before = workspace.report()
    project(tmp_path, helper=WAITS)
    workspace.refresh()
    assert workspace.report() is before
