"""Which rules run."""

from collections.abc import Iterator

import pytest

from asyncvet.config import Settings, UsageError
from asyncvet.engine.selection import selected
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: object) -> Iterator[Finding]:
    raise NotImplementedError


def rule(code: str, name: str, preview: bool = False) -> Rule:
    return Rule(code=code, name=name, severity=Severity.HIGH, item=1, check=check, preview=preview)


RULES = (
    rule("AV101", "blocking-call"),
    rule("AV102", "blocking-metadata-call"),
    rule("AV201", "unguarded-lazy-init"),
    rule("AV308", "unshielded-cleanup", preview=True),
)


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        ((), (), ["AV101", "AV102", "AV201"]),
        (("AV1",), (), ["AV101", "AV102"]),
        (("av1",), (), ["AV101", "AV102"]),
        (("blocking-call", "AV201"), (), ["AV101", "AV201"]),
        ((), ("AV1",), ["AV201"]),
        ((), ("blocking-metadata-call",), ["AV101", "AV201"]),
        (("AV101",), ("AV1",), ["AV101"]),
        (("AV1",), ("AV1",), []),
        (("AV3",), (), []),
        (("AV308",), (), ["AV308"]),
        (("AV", "unshielded-cleanup"), ("AV1",), ["AV201", "AV308"]),
    ],
)
def test_the_closer_selector_decides(select: tuple[str, ...], ignore: tuple[str, ...], expected: list[str]) -> None:
    settings = Settings(select=select or Settings().select, ignore=ignore)
    assert [rule.code for rule in selected(RULES, settings)] == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(select=("AV103",)), "there is no rule `AV103`; did you mean `AV102`?"),
        (Settings(ignore=("blocking-cal",)), "there is no rule `blocking-cal`; did you mean `blocking-call`?"),
        (Settings(select=("E501",)), "there is no rule `E501`; `asyncvet rule` lists them all"),
        (Settings(select=("",)), "there is no rule ``; `asyncvet rule` lists them all"),
    ],
)
def test_a_selector_that_fits_no_rule_is_an_error(settings: Settings, message: str) -> None:
    with pytest.raises(UsageError) as error:
        selected(RULES, settings)
    assert str(error.value) == message
