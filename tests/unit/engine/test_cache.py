"""Facts are kept by what files hold, and reports by all that they depend on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

import asyncvet
from asyncvet.config import Settings
from asyncvet.engine import Report, contents, review, reviewing
from asyncvet.engine.cache import FactsCache
from asyncvet.engine.changes import Changes
from asyncvet.engine.contents import Contents
from asyncvet.engine.store import Store, default_file
from asyncvet.facts import codec, extract
from asyncvet.model import Severity

SOURCE = b"import time\n\n\ndef wait():\n    time.sleep(1)\n"
LIBRARY = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
SERVICE = "import remote\nimport time\n\n\nasync def main():\n    remote.wait()\n    time.sleep(1)\n"


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a store of its own."""
    monkeypatch.setenv("ASYNCVET_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A service, and a package that it uses, in an environment beside it."""
    root = tmp_path / "service"
    folder = root / ".venv" / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text("")
    (folder / "remote.py").write_text(LIBRARY)
    (root / "main.py").write_text(SERVICE)
    (root / "other.py").write_text("x = 1\n")
    return root


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with each report that is made, and not taken from the store."""
    reports: list[object] = []
    answer = reviewing.answer

    def counted(*arguments: object) -> Report:
        reports.append(arguments)
        return answer(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reviewing, "answer", counted)
    return reports


def same(first: Report, *others: Report) -> bool:
    """Whether reports are the same but for what is told of this run."""
    return all(replace(other, seconds=0, cached_files=0) == replace(first, seconds=0, cached_files=0) for other in others)


def places(report: Report) -> list[tuple[str, int]]:
    """Where the findings are."""
    return [(finding.span.path, finding.span.line) for finding in report.findings]


def test_facts_are_known_by_content(tmp_path: Path) -> None:
    """A file of the same content somewhere else is known too; another content is not."""
    paths = [tmp_path / name for name in ("a.py", "b.py", "c.py")]
    for path, content in zip(paths, (SOURCE, SOURCE, SOURCE + b"x = 1\n"), strict=True):
        path.write_bytes(content)
    told = []
    for path in paths:
        cache = FactsCache(Contents(Store(default_file()), b"subject"))
        told.append((codec.encode(cache.facts(str(path))), cache.hits))
        cache.contents.close()
    right = codec.encode(extract(SOURCE))
    assert told == [(right, 0), (right, 1), (codec.encode(extract(SOURCE + b"x = 1\n")), 0)]


def test_facts_that_do_not_decode_are_made_anew(tmp_path: Path) -> None:
    """What is kept may be sound and yet no facts."""
    file = tmp_path / "a.py"
    file.write_bytes(SOURCE)
    cache = FactsCache(Contents(Store(default_file()), b"subject"))
    seen, _ = contents.look(str(file))
    cache.keep(str(file), seen, msgspec.msgpack.encode([1, 2]))
    cache.contents.close()
    cache = FactsCache(Contents(Store(default_file()), b"subject"))
    assert codec.encode(cache.facts(str(file))) == codec.encode(extract(SOURCE))
    cache.contents.close()
    assert (cache.hits, cache.contents.store.problem is not None) == (0, True)
    cache = FactsCache(Contents(Store(default_file()), b"subject"))
    cache.facts(str(file))
    assert (cache.hits, cache.contents.store.problem) == (1, None)
    cache.contents.close()


def test_an_untouched_file_is_not_read(tmp_path: Path) -> None:
    """Its stamp stands for it, unless it was written so shortly before it was read that it may have changed again."""
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    for file in (old, new):
        file.write_bytes(SOURCE)
    os.utime(old, ns=(0, 10**18))
    seen = [contents.look(str(file))[0] for file in (old, new)]
    # The time of the entry itself cannot be set, so that of reading is.
    seen[0] = replace(seen[0], is_fresh=False)
    known = Contents(Store(default_file()), b"subject")
    for file, one in zip((old, new), seen, strict=True):
        known.learn(str(file), one)
    known.close()
    known = Contents(Store(default_file()), b"subject")
    assert [one.is_fresh for one in seen] == [False, True]
    assert [known.known(str(file)) for file in (old, new)] == [contents.digest_of(SOURCE), None]
    before = old.stat()
    old.write_bytes(SOURCE.replace(b"1", b"2"))
    os.utime(old, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert known.known(str(old)) is None, "size and time of change are the same, but the entry was changed"
    known.close()


def test_a_file_is_fresh_for_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So long can a file system's clock stand still."""
    file = tmp_path / "a.py"
    file.write_bytes(SOURCE)
    written = max(file.stat().st_mtime_ns, file.stat().st_ctime_ns)
    ages = [-(10**9), 0, 1_999_999_999, 2_000_000_000, 10**10]
    fresh = []
    for age in ages:
        monkeypatch.setattr(time, "time_ns", lambda now=written + age: now)
        fresh.append(contents.look(str(file))[0].is_fresh)
    assert fresh == [True, True, True, False, False]


def test_a_second_review_takes_the_report(project: Path, made: list[object]) -> None:
    """Nothing is linked or checked; only what the run took and knew is told anew."""
    first = review([project], root=project)
    second = review([project], root=project, progress=lambda stage, done, total: pytest.fail(stage))
    assert len(made) == 1
    assert same(first, second)
    assert (first.cached_files, second.cached_files) == (0, 3)
    assert places(first) == [("main.py", 6), ("main.py", 7)]


def test_only_what_changed_is_read(project: Path, made: list[object]) -> None:
    """One file of two and a package."""
    review([project], root=project)
    (project / "main.py").write_text("# moved\n" + SERVICE)
    second = review([project], root=project)
    assert len(made) == 2
    assert second.cached_files == 2
    assert places(second) == [("main.py", 7), ("main.py", 8)]


def _edit(project: Path) -> None:
    (project / "main.py").write_text(SERVICE.replace("remote.wait()", "pass"))


def _edit_unseen(project: Path) -> None:
    before = (project / "main.py").stat()
    (project / "main.py").write_text(SERVICE.replace("(1)", "(2)"))
    os.utime(project / "main.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def _add(project: Path) -> None:
    (project / "extra.py").write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n")


def _remove(project: Path) -> None:
    (project / "other.py").unlink()


def _rename(project: Path) -> None:
    (project / "main.py").rename(project / "renamed.py")


def _packages(project: Path) -> Path:
    return project / ".venv" / "lib" / "python3.11" / "site-packages"


def _upgrade(project: Path) -> None:
    (_packages(project) / "remote.py").write_text("def wait():\n    pass\n")


def _shadow(project: Path) -> None:
    (_packages(project) / "remote").mkdir()
    (_packages(project) / "remote" / "__init__.py").write_text("def wait():\n    pass\n")


def _uninstall(project: Path) -> None:
    (_packages(project) / "remote.py").unlink()


def _leave_environment(project: Path) -> None:
    (project / ".venv" / "pyvenv.cfg").unlink()


def _ignore(project: Path) -> None:
    (project / ".gitignore").write_text("main.py\n")


def _become_package(project: Path) -> None:
    (project / "__init__.py").write_text("")


@pytest.mark.parametrize(
    "change",
    [
        _edit,
        _edit_unseen,
        _add,
        _remove,
        _rename,
        _upgrade,
        _shadow,
        _uninstall,
        _leave_environment,
        _ignore,
        _become_package,
    ],
)
def test_whatever_changes_the_report_is_made_anew(change: Callable[[Path], None], project: Path, made: list[object]) -> None:
    """As if nothing were kept; and it is kept in its turn."""
    review([project], root=project)
    change(project)
    cold = review([project], Settings(cache=False), root=project)
    changed, again = review([project], root=project), review([project], root=project)
    assert len(made) == 3
    assert same(cold, changed, again)


def test_what_is_asked_is_part_of_the_key(project: Path, made: list[object]) -> None:
    """Settings, root, paths, a change under review and the checklist's evidence each have a report of their own."""
    stated = project.parent / "ours.toml"
    stated.write_text(
        'distribution = "remote"\nversion = "1"\n\n[[api]]\nnames = ["remote.wait"]\neffect = "pure"\nwhy = "it is ours"\n'
    )
    asked: list[Callable[[], Report]] = [
        lambda: review([project], root=project),
        lambda: review([project], Settings(select=("AV2",)), root=project),
        lambda: review([project], Settings(min_severity=Severity.CRITICAL), root=project),
        lambda: review([project], Settings(catalogue=(stated,)), root=project),
        lambda: review([project], root=project.parent),
        lambda: review([project / "main.py"], root=project),
        lambda: review([project], root=project, examine=True),
        lambda: review([project], root=project, changes=Changes({})),
        lambda: review([project], root=project, changes=Changes({str(project / "main.py"): ((7, 7),)})),
    ]
    first = [ask() for ask in asked]
    second = [ask() for ask in asked]
    assert len(made) == len(asked)
    assert all(map(same, first, second))
    stated.write_text(stated.read_text() + "\n")
    asked[3]()
    assert len(made) == len(asked) + 1
    review([project], Settings(jobs=2), root=project)
    assert len(made) == len(asked) + 1, "the number of processes decides nothing"


def test_reports_of_several_states_are_kept(project: Path, made: list[object]) -> None:
    """Branches can be switched between; of too many states the oldest go."""
    texts = [f"# {number}\n{SERVICE}" for number in range(10)]
    for text in [*texts, *texts[2:]]:
        (project / "main.py").write_text(text)
        review([project], root=project)
    assert len(made) == 10
    (project / "main.py").write_text(texts[0])
    review([project], root=project)
    assert len(made) == 11


def test_what_may_be_better_next_time_is_not_kept(project: Path, made: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read now, and a file that changes while the report is made."""
    (project / "gone.py").symlink_to(project / "other.py")
    with monkeypatch.context() as broken:
        look = contents.look
        refused = str(project / "main.py")

        def refuse(file: str) -> object:
            if file == refused:
                raise PermissionError(13, "Permission denied")
            return look(file)

        broken.setattr("asyncvet.engine.contents.look", refuse)
        broken.setattr("asyncvet.engine.reading.look", refuse)
        report = review([project], root=project)
        assert [error.message for error in report.errors] == ["cannot be read: Permission denied"]
    assert places(review([project], root=project)) == [("main.py", 6), ("main.py", 7)]
    assert len(made) == 2

    def meddle(stage: str, *_: int) -> None:
        if stage == "linking":
            (project / "main.py").write_text("x = 2\n")

    (project / "main.py").write_text(SERVICE + "\n")
    review([project], root=project, progress=meddle)
    assert places(review([project], root=project)) == []


def test_a_fault_in_reading_is_not_kept(project: Path, made: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file holds was known before, and yet it could not be made sense of this time."""
    review([project], root=project)
    (project / "main.py").write_text(SERVICE + "\n")
    with monkeypatch.context() as broken:

        def fail(content: bytes) -> object:
            raise MemoryError(len(content))

        broken.setattr("asyncvet.engine.reading.extract", fail)
        faulty = review([project], root=project)
    assert [error.path for error in faulty.errors] == ["main.py"]
    assert places(review([project], root=project)) == [("main.py", 6), ("main.py", 7)]
    assert len(made) == 3


def test_a_report_that_does_not_decode_is_made_anew(project: Path, made: list[object]) -> None:
    """The values are sound for the store, but none of a report; the run says so and mends it."""
    first = review([project], root=project)
    store = Store(default_file())
    put = Store.put
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "put", lambda self, kind, key, value: put(self, kind, key, b"\xc1" if kind == "answer" else value))
        (project / "main.py").write_text(SERVICE + "\n")
        review([project], root=project)
    store.close()
    third = review([project], root=project)
    assert len(made) == 3
    assert [note.startswith(f"the cache {default_file()} held what could not be read (") for note in third.notes] == [True]
    assert same(replace(third, notes=(), lines=0), replace(first, lines=0))
    assert review([project], root=project).notes == ()


def test_a_second_review_knows_the_packages(tmp_path: Path) -> None:
    """A review of another project with the same distribution reads nothing of it again, and reports the same."""
    for name in ("first", "second"):
        folder = tmp_path / name / ".venv" / "lib" / "python3.11" / "site-packages"
        folder.mkdir(parents=True)
        (tmp_path / name / ".venv" / "pyvenv.cfg").write_text("")
        (folder / "remote.py").write_text(LIBRARY)
        (tmp_path / name / "main.py").write_text(f"# {name}\nimport remote\n\n\nasync def main():\n    remote.wait()\n")
    reports = [review([tmp_path / name], root=tmp_path / name) for name in ("first", "second")]
    uncached = review([tmp_path / "first"], Settings(cache=False), root=tmp_path / "first")
    assert [report.cached_files for report in reports] == [0, 1]
    assert reports[0].findings != ()
    assert same(reports[0], uncached)
    assert places(reports[0]) == places(reports[1])


def test_a_report_that_is_kept_needs_little_of_asyncvet(project: Path) -> None:
    """Neither the parser nor what links facts, nor a rule, is loaded to find it: that would take longer than all the rest."""
    program = """
import sys
from asyncvet.cli import main

main(["check", "--output", "report.txt"])
heavy = ("asyncvet.facts", "asyncvet.graph", "asyncvet.catalogue", "asyncvet.rules.", "asyncvet.engine.reviewing", "tree_sitter")
print(sorted(name for name in sys.modules if name.startswith(heavy)))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(asyncvet.__file__).parents[1])}
    command = [sys.executable, "-c", program]
    loaded = []
    for _ in range(2):
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=True)
        loaded.append(done.stdout)
    assert "asyncvet.graph" in loaded[0]
    assert loaded[1] == "[]\n"
