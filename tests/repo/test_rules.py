"""What holds of every rule, with no code per rule."""

import inspect
import pkgutil
import re
import sys
from pathlib import Path

import pytest

from asyncvet import fix, rules
from asyncvet.fix import drafting
from asyncvet.rules import Rule
from tests.spec.document import Case, File, parse
from tests.spec.harness import write
from tests.spec.markers import markers, unmarked
from tests.spec.review import review

SPECIFICATIONS = Path(__file__).resolve().parents[1] / "spec" / "rules"

LEAST_FLAGGED = LEAST_SILENT = 10
"""Cases that a specification has at least: of what is reported, and of what is left alone."""

every_rule = pytest.mark.parametrize("rule", rules.load(), ids=lambda rule: rule.name)


def cases(rule: Rule) -> list[Case]:
    """The cases of a rule's specification."""
    path = SPECIFICATIONS / f"{rule.name}.md"
    assert path.is_file(), f"{path} is missing"
    return parse(path, path.read_text(encoding="utf-8"))


def reported(example: str, rule: Rule, directory: Path) -> set[str]:
    """Names of the rules that report an example of a rule, which must be readable; only stable rules speak of others."""
    write([File("main.py", example, 1)], directory)
    findings, errors = review(directory)
    assert list(errors) == []
    return {finding.name for finding in findings} & {other.name for other in rules.load() if other is rule or not other.preview}


def test_codes_and_names_are_unique() -> None:
    """A code or a name stands for one rule."""
    loaded = rules.load()
    assert len({rule.code for rule in loaded}) == len({rule.name for rule in loaded}) == len(loaded)


def test_specifications_are_of_rules() -> None:
    """A specification that no rule has would run against nothing."""
    assert {path.stem for path in SPECIFICATIONS.glob("*.md")} == {rule.name for rule in rules.load()}


@every_rule
def test_identity(rule: Rule) -> None:
    """Code, name and item have their form, and the module is named after the rule."""
    assert re.fullmatch(r"AV[1-8]\d\d", rule.code)
    assert rule.item in range(1, 20)
    assert rule.check.__module__ == f"asyncvet.rules.{rule.name.replace('-', '_')}"


@every_rule
def test_page(rule: Rule) -> None:
    """The page has its fixed form and nothing is left to fill in."""
    page = rule.page
    assert [heading for heading, text in page.sections.items() if not text] == []
    assert "..." not in page.summary
    assert "..." not in [line.strip("- ") for line in page.text.splitlines()]


@every_rule
def test_references_begin_with_an_address(rule: Rule) -> None:
    """Reports that have a place for an address give the first one of the page."""
    assert re.match(r"- \[[^]]+\]\(https://[^)\s]+\)", rule.page.sections["References"])


@every_rule
def test_bad_example_is_reported(rule: Rule, tmp_path: Path) -> None:
    """The page's bad example shows this fault and no other."""
    assert reported(rule.page.bad, rule, tmp_path) == {rule.name}


@every_rule
def test_good_example_is_clean(rule: Rule, tmp_path: Path) -> None:
    """The page never recommends what another rule reports."""
    assert reported(rule.page.good, rule, tmp_path) == set()


@every_rule
def test_specification(rule: Rule) -> None:
    """The specification is large enough and has both what is reported and what is left alone."""
    flagged, silent = 0, 0
    for case in cases(rule):
        named = {marker.rule for file in case.files for marker in markers(file) if not marker.is_todo}
        flagged += rule.name in named
        silent += rule.name not in named
    assert (flagged >= LEAST_FLAGGED, silent >= LEAST_SILENT) == (True, True), f"{flagged} flagged, {silent} silent"


@every_rule
def test_fix(rule: Rule) -> None:
    """What a rule says of its fixes is so: it has a module for them, and cases that show what the gravest kind it names makes of them."""
    assert (rule.fix != "none") == (drafting(rule.name) is not None)
    changed = {
        kind
        for case in cases(rule)
        for kind, files in (("safe", case.fixed), ("unsafe", case.fixed_unsafe))
        if any(file.text != unmarked(before.text) for file in files for before in case.files if before.path == file.path)
    }
    shown = next((kind for kind in ("safe", "unsafe") if kind in changed), "none")
    assert shown == rule.fix


def test_fixes_are_of_rules() -> None:
    """A module of fixes that no rule has would never be asked."""
    known = {rule.name.replace("-", "_") for rule in rules.load()}
    assert [module.name for module in pkgutil.iter_modules(fix.rules.__path__) if module.name not in known] == []


@every_rule
def test_check_is_a_function_of_the_project(rule: Rule) -> None:
    """A rule has one way in."""
    assert list(inspect.signature(rule.check).parameters) == ["project"]
    assert sys.modules[rule.check.__module__].RULE is rule
