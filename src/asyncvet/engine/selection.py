"""Which rules run, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from asyncvet.config import PathSettings, Settings, UsageError, nearest

if TYPE_CHECKING:
    from asyncvet.rules import Rule


def selected(rules: Sequence[Rule], settings: Settings) -> tuple[Rule, ...]:
    """The rules that the settings ask for, in whatever files.

    Raises:
        UsageError: A selector fits no rule.
    """
    check(rules, settings)
    return tuple(
        rule
        for rule in rules
        if is_selected(rule, settings) or any(is_selected(rule, settings, (one,)) for one in settings.per_path)
    )


def check(rules: Sequence[Rule], settings: Settings) -> None:
    """See that the settings name rules that exist.

    Raises:
        UsageError: They do not.
    """
    words = [*settings.select, *settings.ignore]
    words += [word for one in settings.per_path for word in (*one.select, *one.ignore)]
    place = f"{settings.file}: " if settings.file is not None else ""
    for word in words:
        if not any(_fit(rule, word) for rule in rules):
            raise UsageError(f"{place}{unknown_rule(word, rules)}")
    for word in settings.severity:
        if not any(word in (rule.code, rule.name) for rule in rules):
            raise UsageError(f"{place}`severity`: {unknown_rule(word, rules)}")


def unknown_rule(word: str, rules: Sequence[Rule]) -> str:
    """What to say about a word that is no code, name or prefix of one."""
    close = nearest(word, [known for rule in rules for known in (rule.code, rule.name)])
    return f"there is no rule `{word}`; {f'did you mean `{close}`?' if close else '`asyncvet rule` lists them all'}"


def is_selected(rule: Rule, settings: Settings, overrides: Sequence[PathSettings] = ()) -> bool:
    """Whether a rule runs on a file. Of what is said for its path, the last that speaks of the rule decides."""
    layers: tuple[PathSettings | Settings, ...] = (*reversed(overrides), settings)
    for layer in layers:
        wanted = max((_fit(rule, selector) for selector in layer.select), default=0)
        unwanted = max((_fit(rule, selector) for selector in layer.ignore), default=0)
        if rule.preview and wanted < len(rule.code):
            wanted = 0
        if wanted or unwanted:
            return wanted > unwanted
    return False


def fits(rule: Rule, selectors: Iterable[str]) -> bool:
    """Whether one of some words is the code or name of a rule, or a prefix of its code."""
    return any(_fit(rule, selector) for selector in selectors)


def _fit(rule: Rule, selector: str) -> int:
    """How closely a selector fits a rule: the number of characters of the code that it fixes; 0 if it does not fit."""
    if selector == rule.name:
        return len(rule.code)
    return len(selector) if rule.code.startswith(selector.upper()) else 0
