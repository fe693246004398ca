"""Passes: what is applied together, what is taken back, what is left and why."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncvet import fix as fixes
from asyncvet.config import Settings
from asyncvet.engine import fixing, review
from asyncvet.fix import Draft, compatible
from asyncvet.fix.code import Code
from asyncvet.fix.text import Change
from asyncvet.model import Finding
from asyncvet.report.fixes import Fixing

SLEEPS = "import time\n\n\nasync def main():\n    time.sleep(1)\n\n\nasync def other():\n    time.sleep(2)\n"
SLEPT = "import asyncio\n\n\nasync def main():\n    await asyncio.sleep(1)\n\n\nasync def other():\n    await asyncio.sleep(2)\n"


def fix(folder: Path, *select: str, unsafe: bool = False, **files: str) -> Fixing:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return fixing.fix([folder], Settings(select=select or ("AV",), jobs=1), root=folder, unsafe=unsafe)


def told(outcome: Fixing) -> list[tuple[str, int, str, str]]:
    """What stands: rule, line, kind, reason."""
    return [(left.finding.code, left.finding.span.line, left.kind, left.reason) for left in outcome.left]


def drafted(monkeypatch: pytest.MonkeyPatch, draft: Callable[[Finding, Code], Draft | str]) -> None:
    """Have all fixes of `blocking-call` drafted by a function."""
    monkeypatch.setattr(fixes, "drafting", lambda rule: draft if rule == "blocking-call" else None)


def test_several_in_one_file(tmp_path: Path) -> None:
    """They are applied together, with one import for both, and the file itself is left to the caller."""
    outcome = fix(tmp_path, app=SLEEPS)
    assert [(file.path, file.after.decode()) for file in outcome.files] == [("app.py", SLEPT)]
    assert [(each.finding.span.line, each.safety, each.title) for each in outcome.applied] == [
        (5, "safe", "write `await asyncio.sleep(...)`"),
        (9, "safe", "write `await asyncio.sleep(...)`"),
    ]
    assert (outcome.left, outcome.passes, (tmp_path / "app.py").read_text()) == ((), 2, SLEEPS)


def test_overlapping_ones_wait_for_another_pass(tmp_path: Path) -> None:
    """The outer call takes the inner one into its arguments, which changes the same text."""
    source = "import requests as r\n\n\nasync def main(url):\n    return r.get(r.get(url).text)\n"
    outcome = fix(tmp_path, "AV101", unsafe=True, app=source)
    assert [file.after.decode().splitlines()[-1] for file in outcome.files] == [
        "    return await asyncio.to_thread(r.get, (await asyncio.to_thread(r.get, url)).text)"
    ]
    assert outcome.passes == 3
    assert told(outcome) == []


def test_unsafe_ones_are_asked_for(tmp_path: Path) -> None:
    source = "import requests\n\n\nasync def main(url):\n    requests.get(url, timeout=1)\n"
    outcome = fix(tmp_path, app=source)
    assert told(outcome) == [("AV101", 5, "unsafe", "run `requests.get` in a thread")]
    assert outcome.files == ()


def test_one_that_ends_nothing_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafted(monkeypatch, lambda finding, code: Draft("safe", "say so", (Change(0, 0, "# so\n"),)))
    outcome = fix(tmp_path, "AV101", app=SLEEPS.partition("\n\n\nasync def other")[0] + "\n")
    assert told(outcome) == [("AV101", 5, "refused", "the finding would stand all the same")]
    assert (outcome.files, outcome.applied) == ((), ())


def test_one_that_brings_about_another_finding_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other fixes of the same file stay."""

    def draft(finding: Finding, code: Code) -> Draft:
        start, end = code.start(finding.span), code.end(finding.span)
        text = "main" if finding.span.line == 5 else "None"
        return Draft("safe", "mend", (Change(start, end, f"{text}()" if text == "main" else text),))

    drafted(monkeypatch, draft)
    outcome = fix(tmp_path, "AV101", app=SLEEPS)
    assert told(outcome) == [("AV101", 5, "refused", "it would bring about AV106 in app.main")]
    assert [file.after.decode() for file in outcome.files] == [SLEEPS.replace("time.sleep(2)", "None")]


@pytest.mark.parametrize("text", ["(", "main"])
def test_one_of_many_is_found(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the file then does not parse or another finding comes up: the others are applied, in fewer passes than there are."""

    def draft(finding: Finding, code: Code) -> Draft:
        written = f"{text}()" if finding.span.line == 8 else "None"
        return Draft("safe", "mend", (Change(code.start(finding.span), code.end(finding.span), written),))

    drafted(monkeypatch, draft)
    source = "import time\n\n\nasync def main():\n" + "    time.sleep(1)\n" * 16
    outcome = fix(tmp_path, "AV101", app=source)
    assert [(line, kind) for _, line, kind, _ in told(outcome)] == [(8, "refused")]
    assert (len(outcome.applied), outcome.passes < 16) == (15, True)


@pytest.mark.parametrize(
    "text", ["(", "yield from x", "return"], ids=["unreadable", "not in a coroutine", "not in an expression"]
)
def test_one_that_would_not_parse_is_left(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the grammar nor by the interpreter."""
    source = SLEEPS.partition("\n\n\nasync def other")[0].replace("    time.sleep(1)", "    x = time.sleep(1)") + "\n"
    drafted(
        monkeypatch, lambda finding, code: Draft("safe", "x", (Change(code.start(finding.span), code.end(finding.span), text),))
    )
    outcome = fix(tmp_path, "AV101", app=source)
    assert (told(outcome), outcome.files) == ([("AV101", 5, "refused", "the file would not parse")], ())


def test_passes_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each pass finds anew is deferred when the passes are used up."""
    monkeypatch.setattr(fixing, "PASSES", 1)
    assert told(fix(tmp_path, "AV101", app=SLEEPS)) == [
        ("AV101", 5, "deferred", "write `await asyncio.sleep(...)`"),
        ("AV101", 9, "deferred", "write `await asyncio.sleep(...)`"),
    ]


def test_protected_files_stay(tmp_path: Path) -> None:
    """They are asked about before anything changes, once, and only those with findings."""
    (tmp_path / "app.py").write_text(SLEEPS)
    (tmp_path / "main.py").write_text("x = 1\n")
    asked: list[Sequence[Path]] = []

    def protect(files: Sequence[Path]) -> dict[Path, str]:
        asked.append(files)
        return dict.fromkeys(files, "hands off")

    outcome = fixing.fix([tmp_path], Settings(jobs=1), root=tmp_path, protect=protect)
    assert asked == [[tmp_path / "app.py"]]
    assert (told(outcome), outcome.files) == ([("AV101", 5, "refused", "hands off"), ("AV101", 9, "refused", "hands off")], ())


def test_suppressed_findings_and_tests_stay(tmp_path: Path) -> None:
    silenced = SLEEPS.replace("sleep(1)", "sleep(1)  # asyncvet: ignore[AV101]").replace("sleep(2)", "sleep(2)  # noqa: AV101")
    outcome = fix(tmp_path, app=silenced, test_app=SLEEPS)
    assert (outcome.files, outcome.left) == ((), ())


def test_a_file_that_cannot_be_edited_says_so(tmp_path: Path) -> None:
    """A broken one is reviewed as far as it can be read, and left."""
    outcome = fix(tmp_path, app=SLEEPS + "def (\n")
    reason = "the file cannot be edited: it is broken, or not in the encoding it names"
    assert told(outcome) == [("AV101", 5, "no-edit", reason), ("AV101", 9, "no-edit", reason)]


@pytest.mark.parametrize(
    ("source", "after"),
    [
        (SLEEPS.replace("\n", "\r\n").encode(), SLEPT.replace("\n", "\r\n").encode()),
        (b"\xef\xbb\xbf" + SLEEPS.encode(), b"\xef\xbb\xbf" + SLEPT.encode()),
        (f"# coding: latin-1\n# ä\n{SLEEPS}".encode("latin-1"), f"# coding: latin-1\n# ä\n{SLEPT}".encode("latin-1")),
        (SLEEPS.replace("    ", "\t").encode(), SLEPT.replace("    ", "\t").encode()),
        (SLEEPS.replace("\n\n\n", "\n\f\n").encode(), SLEPT.replace("\n\n\n", "\n\f\n").encode()),
        (SLEEPS.rstrip().encode(), SLEPT.rstrip().encode()),
    ],
    ids=["carriage returns", "byte order mark", "latin-1", "tabs", "form feeds", "no last line feed"],
)
def test_the_form_of_a_file_stays(source: bytes, after: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(source)
    outcome = fixing.fix([tmp_path], Settings(jobs=1), root=tmp_path)
    assert [file.after for file in outcome.files] == [after]


def test_reports_carry_the_edits(tmp_path: Path) -> None:
    """Applying the edits of one finding by hand gives what a run gives."""
    source = SLEEPS.partition("\n\n\nasync def other")[0] + "\n"
    (tmp_path / "app.py").write_text(source)
    (finding,) = review([tmp_path], Settings(jobs=1), root=tmp_path).findings
    assert finding.fix is not None
    lines = source.splitlines(keepends=True)
    for edit in reversed(finding.fix.edits):
        start, end = edit.span.line - 1, edit.span.end_line - 1
        rest = lines[end][edit.span.end_column - 1 :] if end < len(lines) else ""
        lines[start : end + 1] = [lines[start][: edit.span.column - 1] + edit.text + rest]
    assert "".join(lines) == SLEPT.partition("\n\n\nasync def other")[0] + "\n"
    assert (finding.fix.safety, finding.fix.title) == ("safe", "write `await asyncio.sleep(...)`")


pieces = st.tuples(st.integers(0, 12), st.integers(0, 3), st.sampled_from(["", "a", "b"]))


def draft_of(found: list[tuple[int, int, str]]) -> Draft:
    """A draft that changes these pieces, each some way behind the one before."""
    changes, place = [], 0
    for gap, length, text in found:
        changes.append(Change(place + gap, place + gap + length, text))
        place += gap + length + 1
    return Draft("safe", "x", tuple(changes))


drafts = st.lists(st.lists(pieces, min_size=1, max_size=2).map(draft_of), max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drafts)
def test_compatible_drafts_never_overlap(found: list[Draft]) -> None:
    """The first stays; no two of different changes touch the same text."""
    kept = compatible(found)
    assert kept[:1] == found[:1]
    spans = sorted({change[:2] for draft in {draft.changes for draft in kept} for change in draft})
    assert all(one[1] <= other[0] and one[0] < other[0] for one, other in pairwise(spans))


def test_a_letter_that_the_encoding_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = f"# coding: ascii\n{SLEEPS.partition(chr(10) * 3 + 'async def other')[0]}\n"
    drafted(
        monkeypatch, lambda finding, code: Draft("safe", "x", (Change(code.start(finding.span), code.end(finding.span), "'ä'"),))
    )
    assert told(fix(tmp_path, "AV101", app=source)) == [("AV101", 6, "refused", "the file would not parse")]
