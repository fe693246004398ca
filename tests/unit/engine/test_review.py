"""A review as a whole, with rules of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from asyncvet import rules
from asyncvet.config import Settings, UsageError
from asyncvet.engine import review
from asyncvet.model import Finding, Frame, ReadError, Severity, Span
from asyncvet.report import Report, RuleText
from asyncvet.rules import Rule

SOURCE = "async def main():\n    one()\n    two()  # asyncvet: ignore[AV101] known\n"


def finding(path: str, line: int, severity: Severity = Severity.HIGH, name: str = "bad") -> Finding:
    code = {"bad": "AV101", "rare": "AV308"}[name]
    function = f"{path.removesuffix('.py').replace('/', '.')}.main"
    return Finding(
        code=code,
        name=name,
        item=1,
        severity=severity,
        span=Span(path, line, 5, line, 10),
        function=function,
        message="bad",
        chain=(Frame(path, line, 5, function),),
        root_cause="cause",
    )


def use(monkeypatch: pytest.MonkeyPatch, *findings: Finding, failing: bool = False) -> None:
    """Let the one rule there is report these."""

    def check(_: object) -> Iterator[Finding]:
        yield from findings
        if failing:
            raise LookupError("nowhere")

    known = (
        Rule(code="AV101", name="bad", severity=Severity.HIGH, item=1, check=check),
        Rule(code="AV308", name="rare", severity=Severity.LOW, item=7, check=lambda project: iter(()), preview=True),
    )
    monkeypatch.setattr(rules, "load", lambda: known)


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(SOURCE)


def places(report: Report) -> list[tuple[str, int]]:
    return [(finding.span.path, finding.span.line) for finding in report.findings]


def test_a_report_holds_findings_with_text_and_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "app/a.py", "app/b.py")
    found = finding("app/a.py", 2)
    use(monkeypatch, found)
    report = review([tmp_path], root=tmp_path)
    expected = replace(
        found, chain=(replace(found.chain[0], text="one()"),), fingerprint=report.findings[0].fingerprint, root_cause="cause"
    )
    assert report == Report(
        findings=(expected,),
        errors=tuple(
            ReadError(f"app/{name}.py", 3, "this comment accepts nothing; take it away", "suppression") for name in "ab"
        ),
        files=2,
        lines=report.lines,
        seconds=report.seconds,
        unresolved_calls=report.unresolved_calls,
        statistics=report.statistics,
        excerpts={("app/a.py", 2, 5): "one()"},
        marks={("app/a.py", 2, 5): (0, 5)},
        rules=(RuleText("AV101", "bad", Severity.HIGH, "A review as a whole, with rules of its own."),),
    )
    assert len(expected.fingerprint) == 16
    assert report.seconds > 0


def test_suppressed_findings_are_counted_and_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.py")
    use(monkeypatch, finding("a.py", 2), finding("a.py", 3), finding("a.py", 3))
    report = review([tmp_path], root=tmp_path)
    assert (places(report), report.suppressed) == ([("a.py", 2)], 1)
    assert [(each.span.line, each.chain[0].text) for each in report.accepted] == [(3, "two()")]


@pytest.mark.parametrize(
    ("paths", "include_tests", "expected", "skipped"),
    [
        ((".",), False, ["app/a.py"], 2),
        ((".",), True, ["app/a.py", "app/test_a.py", "tests/b.py"], 0),
        ((".", "tests/b.py"), False, ["app/a.py", "tests/b.py"], 1),
    ],
)
def test_findings_in_test_files_need_to_be_asked_for(
    paths: tuple[str, ...],
    include_tests: bool,
    expected: list[str],
    skipped: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = ["app/a.py", "app/test_a.py", "tests/b.py"]
    make(tmp_path, *every)
    use(monkeypatch, *(finding(path, 2) for path in every))
    report = review([tmp_path / path for path in paths], Settings(include_tests=include_tests), root=tmp_path)
    assert ([path for path, _ in places(report)], report.files, report.test_files_skipped) == (expected, 3, skipped)


def test_problems_of_suppressions_in_test_files_need_to_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)
    for path in ("a.py", "test_a.py"):
        (tmp_path / path).write_text("call()  # asyncvet: ignore[]\n")
    message = "this comment silences nothing: the brackets are empty"
    every = [ReadError(path, 1, message, "suppression") for path in ("a.py", "test_a.py")]
    assert list(review([tmp_path], root=tmp_path).errors) == every[:1]
    assert list(review([tmp_path], Settings(include_tests=True), root=tmp_path).errors) == every


def test_light_findings_are_left_out_below_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.py")
    use(monkeypatch, finding("a.py", 1, Severity.LOW), finding("a.py", 2, Severity.MEDIUM))
    assert places(review([tmp_path], Settings(min_severity=Severity.MEDIUM), root=tmp_path)) == [("a.py", 2)]


def test_a_rule_that_fails_is_told_and_the_review_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.py")
    use(monkeypatch, finding("a.py", 2), failing=True)
    report = review([tmp_path], root=tmp_path)
    line = use.__code__.co_firstlineno + 6
    message = f"rule AV101 bad failed, which is a fault of asyncvet: LookupError: nowhere (test_review.py:{line})"
    assert (places(report), report.failed_rules, report.errors) == (
        [("a.py", 2)],
        ("AV101",),
        (ReadError("", None, message, "rule"),),
    )


def test_paths_outside_the_root_are_shown_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "there/a.py", "here/main.py")
    (tmp_path / "there" / "broken.py").write_text("def (:\n")
    use(monkeypatch, finding("a.py", 2))
    report = review([tmp_path / "there"], root=tmp_path / "here")
    assert places(report) == [("../there/a.py", 2)]
    assert report.findings[0].chain[0].path == "../there/a.py"
    assert {error.path for error in report.errors} == {"../there/a.py", "../there/broken.py"}
    assert report.excerpts == {("../there/a.py", 2, 5): "one()"}
    assert report.marks == {("../there/a.py", 2, 5): (0, 5)}


def test_progress_tells_every_stage_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.py", "b.py")
    use(monkeypatch)
    told: list[tuple[str, int, int]] = []
    review([tmp_path], root=tmp_path, progress=lambda *step: told.append(step))
    assert told == [("reading", 1, 2), ("reading", 2, 2), ("linking", 0, 1), ("checking", 0, 1)]


@pytest.mark.parametrize(
    ("prepare", "settings", "message"),
    [
        (lambda root: None, Settings(), "{root}: there is no Python file in this folder, apart from ignored and excluded ones"),
        (
            lambda root: make(root, "a.py"),
            Settings(select=("worse",)),
            "there is no rule `worse`; `asyncvet rule` lists them all",
        ),
        (
            lambda root: make(root, "a.py"),
            Settings(catalogue=(Path("/nowhere.toml"),)),
            "/nowhere.toml: cannot be read: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_reviewed_is_an_error(
    prepare: Callable[[Path], None], settings: Settings, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    prepare(tmp_path)
    with pytest.raises(UsageError) as error:
        review([tmp_path], settings, root=tmp_path)
    assert str(error.value) == message.format(root=tmp_path)
