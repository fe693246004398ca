"""A review says the same cold, warm and after edits, with one process and with several, and in whatever order files are found."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from asyncvet import report
from asyncvet.engine import Settings, UsageError, contents, reading, review
from asyncvet.report import Output
from tests.spec.document import parse

SPECIFICATIONS = Path(__file__).parents[1] / "spec"
CASES = [
    [(file.path, file.text) for file in case.files if file.path.endswith(".py")]
    for document in sorted(SPECIFICATIONS.glob("*/*.md"))
    for case in parse(document, document.read_text(encoding="utf-8"))
    if case.files
]
FOLDERS = ("a", "b/c", "d")
LINES = (
    "",
    "    pass",
    "import time",
    "time.sleep(1)",
    "async def f():",
    "    time.sleep(1)",
    "# asyncvet: ignore",
    "x = (",
    '"""',
)
JSON = report.load("json")

Edit = tuple[str, int, int]
EDITS = st.tuples(
    st.sampled_from(("insert", "delete", "change", "rename", "add", "remove")), st.integers(0, 10**6), st.integers(0, 10**6)
)


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use processes for small files too."""
    monkeypatch.setattr(reading, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(reading, "CHUNK", 500)


def write(file: Path, text: str) -> None:
    """Write a file so that its stamp is another one than before."""
    time.sleep(0.005)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def lay_out(root: Path, case: int, folder: str) -> None:
    """The files of a specification's case, in a folder."""
    for path, text in CASES[case % len(CASES)]:
        write(root / folder / path, text)


def edit(root: Path, change: Edit) -> None:
    """Change a file or a line of it, or some files."""
    kind, where, what = change
    files = sorted(root.rglob("*.py"))
    if kind == "add" or not files:
        lay_out(root, what, FOLDERS[where % len(FOLDERS)])
        return
    file = files[where % len(files)]
    if kind == "remove":
        file.unlink()
    elif kind == "rename":
        time.sleep(0.005)
        file.rename(file.with_name(f"renamed{what % 3}.py"))
    else:
        lines = file.read_text(encoding="utf-8").split("\n")
        at = what % len(lines)
        lines[at : at + (kind != "insert")] = [] if kind == "delete" else [LINES[what % len(LINES)]]
        write(file, "\n".join(lines))


def said(root: Path, options: Settings, starts: tuple[str, ...] = (".",)) -> str:
    """The report as JSON, without what is told of this run alone; or why there is none."""
    try:
        found = review([root / start for start in starts], options, root=root)
    except UsageError as error:
        return str(error)
    return JSON(replace(found, seconds=0, cached_files=0), Output())


def ways(root: Path) -> Iterator[str]:
    """What is reported in each way."""
    yield said(root, Settings(cache=False, jobs=1))
    yield said(root, Settings(cache=False, jobs=2))
    yield said(root, Settings(jobs=1))
    yield said(root, Settings(jobs=2))
    starts = tuple(entry.name for entry in sorted(root.iterdir(), reverse=True) if any(entry.rglob("*.py")))
    yield said(root, Settings(cache=False, jobs=1), starts or (".",))
    yield said(root, Settings(jobs=1), starts or (".",))


@pytest.mark.filterwarnings("ignore:The recursion limit will not be reset")  # a review raises it for good
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink an example takes hundreds of reviews
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=5), st.lists(EDITS, min_size=1, max_size=4), st.booleans())
def test_every_way_says_the_same(cases: list[int], edits: list[Edit], trusted: bool) -> None:
    """After each edit; with stamps that are believed as those of old files are, and with such that are not."""
    with pytest.MonkeyPatch.context() as patch:
        root = Path(os.environ["ASYNCVET_CACHE_DIR"], f"project{time.monotonic_ns()}")
        patch.setenv("ASYNCVET_CACHE_DIR", str(root.parent / f"{root.name}-cache"))
        if trusted:
            patch.setattr(contents, "_GRAIN", 0)
        for number, case in enumerate(cases):
            lay_out(root, case, FOLDERS[number % len(FOLDERS)])
        for change in [None, *edits]:
            if change is not None:
                edit(root, change)
            assert len(set(ways(root))) == 1
