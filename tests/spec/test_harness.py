"""The harness fails when it should: every way to break a specification, against a review that is given."""

from collections.abc import Collection
from pathlib import Path

import pytest

from asyncvet.model import Finding, Frame, ReadError, Severity, Span
from asyncvet.rules import Rule
from tests.spec.document import Case, parse
from tests.spec.harness import Fix, Harness, Review, SpecificationError


def rule(code: str, name: str, *, needs_loop: bool = True) -> Rule:
    """A rule that finds nothing; the review of these tests is given."""
    return Rule(code=code, name=name, severity=Severity.HIGH, item=1, check=lambda project: iter(()), needs_loop=needs_loop)


RULES = (rule("AV101", "sleeps"), rule("AV102", "other"), rule("AV801", "anywhere", needs_loop=False))


def found(name: str, line: int, message: str = "`time.sleep` stalls the loop", path: str = "main.py") -> Finding:
    """A finding with a chain of one frame, `helper(1)`."""
    return Finding(
        code="AV101",
        name=name,
        item=1,
        severity=Severity.HIGH,
        span=Span(path, line, 1, line, 2),
        function="f",
        message=message,
        chain=(Frame(path, 1, 1, "m.f", "helper(1)"),),
    )


def reviewing(*findings: Finding, errors: tuple[ReadError, ...] = ()) -> Review:
    """A review that gives this, whatever it reads."""
    return lambda directory: (findings, errors)


def unfixed(directory: Path, names: Collection[str], unsafe: bool) -> None:
    """A fixing that leaves everything as it is."""


def case(code: str, prose: str = "") -> Case:
    """A case of the specification of `sleeps` with one file."""
    (only,) = parse(Path("sleeps.md"), f"## It sleeps\n{prose}\n```python\n{code}```\n")
    return only


@pytest.mark.parametrize(
    ("code", "findings"),
    [
        ("f()\n", []),
        ("f()  # error: [sleeps]\n", [found("sleeps", 1)]),
        ('f()  # error: [sleeps] "time.sleep"\n', [found("sleeps", 1)]),
        ('f()  # error: [sleeps] "helper(1)"\n', [found("sleeps", 1)]),
        ('f()  # error: [sleeps] "main.py:1 m.f"\n', [found("sleeps", 1)]),
        ("f()  # error: [sleeps] # error: [anywhere]\n", [found("anywhere", 1), found("sleeps", 1)]),
        (
            'f()  # error: [sleeps]  # error: [sleeps] "sleep two"\n',
            [found("sleeps", 1, "sleep two"), found("sleeps", 1, "sleep one")],
        ),
        ("f()  # todo-error: [sleeps]\n", []),
        ("f()\n", [found("other", 1)]),  # a rule that the case is not about
    ],
)
def test_cases_that_hold(code: str, findings: list[Finding], tmp_path: Path) -> None:
    """Marked and found is right, and so is unmarked and silent."""
    Harness(reviewing(*findings), RULES, unfixed).check(case(code), tmp_path)


@pytest.mark.parametrize(
    ("code", "findings", "row"),
    [
        ("f()  # error: [sleeps]\n", [], "> 1 | f()  # error: [sleeps] | [sleeps] | nothing"),
        (
            "f()\n",
            [found("sleeps", 1)],
            "> 1 | f()     | nothing  | [sleeps] `time.sleep` stalls the loop > main.py:1 m.f: helper(1)",
        ),
        (
            'f()  # error: [sleeps] "urlopen"\n',
            [found("sleeps", 1)],
            '> 1 | f()  # error: [sleeps] "urlopen" | [sleeps] "urlopen" | '
            "[sleeps] `time.sleep` stalls the loop > main.py:1 m.f: helper(1)",
        ),
        (
            "f()  # todo-error: [sleeps]\n",
            [found("sleeps", 1)],
            "> 1 | f()  # todo-error: [sleeps] | known miss: [sleeps], found now: make it an error | "
            "[sleeps] `time.sleep` stalls the loop > main.py:1 m.f: helper(1)",
        ),
        ("f()  # error: [sleeps]\n", [found("sleeps", 2)], "> 1 | f()  # error: [sleeps] | [sleeps] | nothing"),
        (
            "f()  # error: [sleeps]\n",
            [found("sleeps", 2)],
            "> 2 | (no such line)         | nothing  | [sleeps] `time.sleep` stalls the loop > main.py:1 m.f: helper(1)",
        ),
        (
            "f()  # error: [sleeps]\n",
            [found("sleeps", 1), found("sleeps", 1)],
            "> 1 | f()  # error: [sleeps] | nothing  | [sleeps] `time.sleep` stalls the loop > main.py:1 m.f: helper(1)",
        ),
        (
            "f()  # error: [other]\n",
            [found("sleeps", 1)],
            "> 1 | f()  # error: [other] | [other]  | [sleeps] `time.sleep` stalls the loop > main.py:1 m.f: helper(1)",
        ),
        ("f()  # error: [sleeps]\n", [found("anywhere", 1)], "> 1 | f()  # error: [sleeps] | [sleeps] | nothing"),
    ],
)
def test_cases_that_fail(code: str, findings: list[Finding], row: str, tmp_path: Path) -> None:
    """A miss, a false alarm, other words, another line, another rule or one too many each fail and are shown in their line."""
    with pytest.raises(SpecificationError) as caught:
        Harness(reviewing(*findings), RULES, unfixed).check(case(code), tmp_path)
    assert row in str(caught.value).splitlines()


def test_failure_shows_the_whole_file(tmp_path: Path) -> None:
    """The lines that hold are shown too, in their order."""
    with pytest.raises(SpecificationError) as caught:
        Harness(reviewing(), RULES, unfixed).check(case("def f():\n    g()  # error: [sleeps]\n"), tmp_path)
    assert str(caught.value).splitlines() == [
        "sleeps.md:1: It sleeps",
        "",
        "    | main.py                    | expected | found",
        "  1 | def f():",
        "> 2 |     g()  # error: [sleeps] | [sleeps] | nothing",
    ]


def test_rules_all(tmp_path: Path) -> None:
    """A specification that says `rules: all` is about every stable rule."""
    harness = Harness(reviewing(found("other", 1)), RULES, unfixed)
    harness.check(case("f()\n"), tmp_path)
    with pytest.raises(SpecificationError):
        harness.check(case("f()\n", prose="rules: all\n"), tmp_path)


def test_rules_by_name(tmp_path: Path) -> None:
    """A specification that names rules is about these, whatever its own name is."""
    harness = Harness(reviewing(found("other", 1)), RULES, unfixed)
    harness.check(case("f()\n", prose="rules: sleeps, anywhere\n"), tmp_path)
    with pytest.raises(SpecificationError):
        harness.check(case("f()\n", prose="rules: anywhere, other\n"), tmp_path)


def test_unknown_rule(tmp_path: Path) -> None:
    """A marker for a rule that does not exist would otherwise never hold, or always."""
    with pytest.raises(SpecificationError, match=r"sleeps\.md:1: It sleeps\nno such rule: sleep$"):
        Harness(reviewing(), RULES, unfixed).check(case("f()  # todo-error: [sleep]\n"), tmp_path)


def test_marker_without_rule(tmp_path: Path) -> None:
    """A marker that is not understood is refused, not passed over."""
    with pytest.raises(ValueError, match=r"^line 4: a marker names its rule in brackets: # error: \[rule-name\]$"):
        Harness(reviewing(), RULES, unfixed).check(case("f()  # error: sleeps\n"), tmp_path)


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that asyncvet could not read proves nothing by its silence."""
    harness = Harness(reviewing(errors=(ReadError("main.py", 1, "does not parse"),)), RULES, unfixed)
    with pytest.raises(SpecificationError, match=r"> 1 \| f\(      \| nothing  \| unreadable: does not parse"):
        harness.check(case("f(\n"), tmp_path)


def test_files_are_written(tmp_path: Path) -> None:
    """The review sees the files of the case at their paths."""
    seen: list[str] = []

    def review(directory: Path) -> tuple[list[Finding], list[ReadError]]:
        seen.extend(path.relative_to(directory).as_posix() for path in sorted(directory.rglob("*.*")))
        return [], []

    text = "## A\n`a/b.py`:\n```python\n```\n`pyproject.toml`:\n```toml\n```\n"
    (only,) = parse(Path("sleeps.md"), text)
    Harness(review, RULES, unfixed).check(only, tmp_path)
    assert seen == ["a/b.py", "pyproject.toml"]


def quoting(directory: Path) -> tuple[list[Finding], list[ReadError]]:
    """Reports the first line of main.py and quotes it."""
    return [found("sleeps", 1, (directory / "main.py").read_text().splitlines()[0])], []


def test_markers_are_not_reviewed(tmp_path: Path) -> None:
    """A review that quotes the line does not find a marker's words in the marker."""
    Harness(quoting, RULES, unfixed).check(case('f()  # kept  # error: [sleeps] "f()  # kept"\n'), tmp_path)
    assert (tmp_path / "main.py").read_text() == "f()  # kept\n"
    with pytest.raises(SpecificationError):
        Harness(quoting, RULES, unfixed).check(case('f()  # error: [sleeps] "urlopen"\n'), tmp_path)


def reviewing_words(directory: Path) -> tuple[list[Finding], list[ReadError]]:
    """Reports `sleeps` and `anywhere` at each line of main.py that holds the word `blocks`."""
    lines = (directory / "main.py").read_text().splitlines()
    return [
        found(name, number) for number, line in enumerate(lines, start=1) if "blocks()" in line for name in ("sleeps", "anywhere")
    ], []


def test_sync_twin(tmp_path: Path) -> None:
    """The twin has neither async nor await, and no rule that needs a loop reports it; others may."""
    marked = "  # error: [sleeps] # error: [anywhere]\n"
    Harness(reviewing_words, RULES, unfixed).check(case(f"await blocks(){marked}"), tmp_path)
    with pytest.raises(SpecificationError, match=r"> 1 \| blocks\(\)"):
        Harness(reviewing_words, RULES, unfixed).check_sync_twin(case(f"await blocks(){marked}"), tmp_path)
    Harness(reviewing_words, RULES, unfixed).check_sync_twin(case("await f()  # error: [anywhere]\n"), tmp_path)
    Harness(reviewing(found("anywhere", 1)), RULES, unfixed).check_sync_twin(case("await f()  # error: [anywhere]\n"), tmp_path)


def test_sync_twin_that_is_reported(tmp_path: Path) -> None:
    """A case where the loop needs neither word says so, and that is checked as well."""
    loop = case("blocks()\n", prose="sync twin: reported, because the loop calls it\n")
    Harness(reviewing_words, RULES, unfixed).check_sync_twin(loop, tmp_path)
    with pytest.raises(SpecificationError, match="the sync twin is silent: take the line"):
        Harness(reviewing(), RULES, unfixed).check_sync_twin(loop, tmp_path)


def appending(text: str) -> Fix:
    """A fixing that puts a text behind the file each time; it hands unsafe fixes to another line than safe ones."""

    def fix(directory: Path, names: Collection[str], unsafe: bool) -> None:
        assert set(names) == {"sleeps"}
        with (directory / "main.py").open("a", encoding="utf-8") as file:
            file.write(f"{'unsafe' if unsafe else 'safe'} {text}\n")

    return fix


def fixed_case(*blocks: tuple[str, str]) -> Case:
    """A case with the file `f()` and blocks of these languages."""
    text = "".join(f"```{language}\n{code}```\n" for language, code in (("python", "f()\n"), *blocks))
    (only,) = parse(Path("sleeps.md"), f"## It sleeps\n{text}")
    return only


def test_fixed(tmp_path: Path) -> None:
    """What comes out as it is shown, safely and unsafely, is accepted; the blocks are no files of the case."""
    only = fixed_case(("python fixed", "f()\n"), ("python fixed unsafe", "f()\n"))
    assert [file.text for file in only.files] == ["f()\n"]
    Harness(reviewing(), RULES, unfixed).check_fixed(only, tmp_path)


@pytest.mark.parametrize(
    ("language", "shown", "said"),
    [
        ("python fixed", "g()\n", "+++ the first run"),
        ("python fixed", "f()\nsafe g()\n", "+++ a second run"),
        ("python fixed unsafe", "f()\nunsafe g()\n", "+++ a second run"),
        ("python fixed unsafe", "f()\nsafe g()\n", "+unsafe g()"),
    ],
)
def test_fixed_otherwise(language: str, shown: str, said: str, tmp_path: Path) -> None:
    """Another text than is shown is told of, and so is a second run that changes something."""
    with pytest.raises(SpecificationError) as raised:
        Harness(reviewing(), RULES, appending("g()")).check_fixed(fixed_case((language, shown)), tmp_path)
    assert said in str(raised.value)
