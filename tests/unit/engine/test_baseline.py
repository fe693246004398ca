"""The baseline: its file, what it accepts, what drops out of it."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from asyncvet.config import Settings, UsageError
from asyncvet.engine import review
from asyncvet.engine.accepting import Acceptance, accept
from asyncvet.engine.baseline import Baseline, Entry, read, write
from asyncvet.model import ReadError, Severity
from asyncvet.report import Report

MAIN = """\
import time
from app import files


async def first():
    time.sleep(1)


async def second():
    files.load("a")
    files.load("a")
"""
FILES = """\
def load(path):
    return open(path).read()


class Store:
    async def put(self, path):
        open(path, "w").write("")
"""
SETTINGS = Settings(select=("AV101",), cache=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    for name, text in {"__init__": "", "main": MAIN, "files": FILES}.items():
        (tmp_path / "app" / f"{name}.py").write_text(text)
    return tmp_path


def accepted(project: Path, *paths: str, with_new: bool = False, settings: Settings = SETTINGS) -> Acceptance:
    starts = [project / path for path in paths or (".",)]
    return accept(starts, settings, project / "baseline.json", root=project, with_new=with_new)


def checked(project: Path, *paths: str, settings: Settings = SETTINGS) -> Report:
    starts = [project / path for path in paths or (".",)]
    return review(starts, replace(settings, baseline=project / "baseline.json"), root=project)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def places(report: Report) -> list[tuple[str, int]]:
    return [(finding.span.path, finding.span.line) for finding in report.findings]


def test_the_file_has_one_finding_a_line_in_the_order_of_places(project: Path) -> None:
    outcome = accepted(project)
    assert (outcome.entries, len(outcome.added), outcome.gone, outcome.refused) == (4, 4, (), ())
    first, *lines, version, last = (project / "baseline.json").read_text().splitlines()
    assert (first, version, last) == ("{", '"version": 1', "}")
    assert all(line.endswith("},") for line in lines)
    entries = [next(iter(json.loads(f"{{{line.removesuffix(',')}}}").values())) for line in lines]
    assert entries == [
        {
            "code": "AV101",
            "path": "app/files.py",
            "function": "app.files.Store.put",
            "message": "`open(...)` blocks the event loop; use `await asyncio.to_thread(open, ...)`",
        },
        {
            "code": "AV101",
            "path": "app/main.py",
            "function": "app.main.first",
            "message": "`time.sleep(...)` blocks the event loop for up to 1 s; use `asyncio.sleep`",
        },
        *[
            {
                "code": "AV101",
                "path": "app/main.py",
                "function": "app.main.second",
                "message": "`files.load(...)` blocks the event loop: it reaches `builtins.open`; "
                "use `await asyncio.to_thread(files.load, ...)`",
            }
        ]
        * 2,
    ]


def test_what_is_accepted_is_counted_and_not_reported(project: Path) -> None:
    accepted(project)
    report = checked(project)
    assert (report.findings, report.in_baseline, report.errors) == ((), 4, ())


def test_a_baseline_is_the_same_from_wherever_it_is_asked_for(project: Path) -> None:
    accepted(project)
    inner = review([project / "app"], replace(SETTINGS, baseline=project / "baseline.json"), root=project / "app")
    assert (inner.findings, inner.in_baseline) == ((), 4)


def test_new_findings_need_to_be_accepted_in_so_many_words(project: Path) -> None:
    accepted(project)
    edit(project / "app" / "main.py", "    time.sleep(1)\n", "    time.sleep(1)\n    time.sleep(1)\n")
    assert places(checked(project)) == [("app/main.py", 7)]
    outcome = accepted(project)
    assert (outcome.entries, outcome.added, [entry.function for entry in outcome.refused]) == (4, (), ["app.main.first"])
    assert places(checked(project)) == [("app/main.py", 7)]
    outcome = accepted(project, with_new=True)
    assert (outcome.entries, [entry.function for entry in outcome.added], outcome.refused) == (5, ["app.main.first"], ())
    assert places(checked(project)) == []


def test_what_is_fixed_is_told_and_drops_out(project: Path) -> None:
    accepted(project)
    edit(project / "app" / "main.py", "    time.sleep(1)\n", "    pass\n")
    message = "AV101 in `app.main.first`: `time.sleep(...)` blocks the event loop for up to 1 s"
    report = checked(project)
    assert (report.in_baseline, report.errors) == (3, (ReadError("app/main.py", None, message, "baseline"),))
    outcome = accepted(project)
    assert (outcome.entries, [entry.function for entry in outcome.gone]) == (3, ["app.main.first"])
    assert checked(project).errors == ()
    edit(project / "app" / "main.py", "    pass\n", "    time.sleep(1)\n")
    assert places(checked(project)) == [("app/main.py", 6)], "what came back is new"


def test_a_part_of_the_program_tells_nothing_about_the_rest(project: Path) -> None:
    accepted(project)
    for paths in (["app/files.py"], ["app/main.py", "app/files.py"]):
        edit(project / "app" / "files.py", 'open(path, "w")', 'other(path, "w")')
        assert checked(project, *paths).errors == ()
        assert accepted(project, *paths).entries == 4
        edit(project / "app" / "files.py", 'other(path, "w")', 'open(path, "w")')
    only = replace(SETTINGS, select=("AV801",))
    assert (checked(project, settings=only).errors, accepted(project, settings=only).entries) == ((), 4)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("app/files.py", "app/disk.py", "from app import disk as files"),
        ("app/main.py", "app/start.py", "from app import files"),
        ("app", "src/app", "from app import files"),
        ("app", "shop", "from shop import files"),
    ],
)
def test_what_is_moved_or_renamed_is_known_again(old: str, new: str, line: str, project: Path) -> None:
    accepted(project)
    edit(project / "app" / "main.py", "from app import files", line)
    (project / new).parent.mkdir(exist_ok=True)
    (project / old).rename(project / new)
    report = checked(project)
    assert (report.findings, report.in_baseline, report.errors) == ((), 4, ())
    outcome = accepted(project)
    assert (outcome.entries, outcome.added, outcome.gone) == (4, (), ())
    assert all((project / entry.path).is_file() for entry in read(project / "baseline.json").entries)


def test_a_copy_is_not_a_move(project: Path) -> None:
    accepted(project)
    (project / "app" / "copy.py").write_text(FILES)
    assert places(checked(project)) == [("app/copy.py", 7)]


def test_a_comment_goes_before_the_baseline(project: Path) -> None:
    accepted(project)
    edit(project / "app" / "main.py", "time.sleep(1)\n", "time.sleep(1)  # asyncvet: ignore[AV101] short\n")
    report = checked(project)
    assert (report.suppressed, report.in_baseline, len(report.errors)) == (1, 3, 1)


def test_light_findings_are_not_written_and_not_gone(project: Path) -> None:
    accepted(project)
    heavy = replace(SETTINGS, severity={"AV101": Severity.MEDIUM}, min_severity=Severity.HIGH)
    report = checked(project, settings=heavy)
    assert (report.findings, report.in_baseline, report.errors) == ((), 0, ())
    (project / "baseline.json").unlink()
    assert accepted(project, settings=heavy).entries == 0


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    entries = (Entry("a.py", "a.f", "AV101", "1f", "blöcks \udc80 \n"), Entry("a.py", "a.f", "AV101", "2f", ""))
    write(Baseline(tmp_path / "b.json", (*reversed(entries), entries[0])))
    assert read(tmp_path / "b.json") == Baseline(tmp_path / "b.json", entries)


def test_two_branches_merge_line_by_line(tmp_path: Path) -> None:
    """Lines of both sides, in whatever order and twice, are a baseline."""
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    write(Baseline(ours, (Entry("a.py", "a.f", "AV101", "1f"), Entry("b.py", "b.f", "AV101", "2f"))))
    write(Baseline(theirs, (Entry("b.py", "b.f", "AV101", "2f"), Entry("c.py", "c.f", "AV101", "3f"))))
    first, *mine, end, last = ours.read_text().splitlines()
    both = [first, *mine, *theirs.read_text().splitlines()[1:-2], end, last]
    ours.write_text("\n".join(both))
    assert [entry.fingerprint for entry in read(ours).entries] == ["1f", "2f", "3f"]


VALID = '{\n"1f": {"code": "AV101", "path": "a.py", "function": "a.f", "message": ""},\n"version": 1\n}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, ": there is no such baseline; `asyncvet baseline` writes it"),
        (
            VALID.replace('"1f"', '<<<<<<< HEAD\n"1f"'),
            ":2: has a conflict of a merge in it; keep the lines of both sides, take the markers away, and let "
            "`asyncvet baseline` drop what is fixed",
        ),
        (
            VALID.replace("1\n}", "2\n}"),
            ": is a baseline of version 2, and this asyncvet reads version 1; take the release that wrote it, or move the file "
            "away and write another by `asyncvet baseline`",
        ),
        ("[]", ": is no baseline of asyncvet: there is no `version` in it"),
        ("{}", ": is no baseline of asyncvet: there is no `version` in it"),
        ("", ":1:1: is not JSON, so no baseline of asyncvet: Expecting value"),
        ("[" * 100_000, ": is not JSON, so no baseline of asyncvet: it is nested too deeply"),
        ("{\n'a'", ":2:1: is not JSON, so no baseline of asyncvet: Expecting property name enclosed in double quotes"),
        (b"\xff", ": is not UTF-8 text, so no baseline of asyncvet"),
        ('{"1f": 3, "version": 1}', ": the entry `1f` is not one of a baseline: Expected `object`, got `int`"),
        ('{"1f": {}, "version": 1}', ": the entry `1f` is not one of a baseline: Object missing required field `path`"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_told(content: str | bytes | None, message: str, project: Path) -> None:
    file = project / "baseline.json"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as error:
        checked(project)
    assert str(error.value) == f"{file}{message}"
    if content is not None:
        with pytest.raises(UsageError) as error:
            accepted(project)
        assert str(error.value) == f"{file}{message}"
        assert file.read_bytes() == (content if isinstance(content, bytes) else content.encode()), "nothing is lost"


def test_a_baseline_that_cannot_be_written_is_told(project: Path) -> None:
    file = project / "no" / "baseline.json"
    with pytest.raises(UsageError) as error:
        accept([project], SETTINGS, file, root=project)
    assert str(error.value) == f"{file}: cannot be written: No such file or directory"


def test_a_link_to_a_baseline_stays_a_link(project: Path) -> None:
    accepted(project)
    (project / "ci").mkdir()
    (project / "baseline.json").rename(project / "ci" / "real.json")
    (project / "baseline.json").symlink_to("ci/real.json")
    edit(project / "app" / "main.py", "    time.sleep(1)\n", "    pass\n")
    assert accepted(project).entries == 3
    assert (project / "baseline.json").is_symlink()
    assert len(read(project / "ci" / "real.json").entries) == 3
