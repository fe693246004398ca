"""Which rules a review runs."""

from __future__ import annotations

from collections.abc import Sequence

from asyncvet.config import Settings, UsageError, nearest
from asyncvet.rules import Rule


def selected(rules: Sequence[Rule], settings: Settings) -> tuple[Rule, ...]:
    """The rules that the settings ask for.

    Raises:
        UsageError: A selector fits no rule.
    """
    for selector in (*settings.select, *settings.ignore):
        if not any(_fit(rule, selector) for rule in rules):
            raise UsageError(unknown_rule(selector, rules))
    return tuple(rule for rule in rules if _is_selected(rule, settings))


def unknown_rule(word: str, rules: Sequence[Rule]) -> str:
    """What to say about a word that is no code, name or prefix of one."""
    close = nearest(word, [known for rule in rules for known in (rule.code, rule.name)])
    return f"there is no rule `{word}`; {f'did you mean `{close}`?' if close else '`asyncvet rule` lists them all'}"


def _is_selected(rule: Rule, settings: Settings) -> bool:
    wanted = max((_fit(rule, selector) for selector in settings.select), default=0)
    unwanted = max((_fit(rule, selector) for selector in settings.ignore), default=0)
    return wanted > unwanted and (not rule.preview or wanted == len(rule.code))


def _fit(rule: Rule, selector: str) -> int:
    """How closely a selector fits a rule: the number of characters of the code that it fixes; 0 if it does not fit."""
    if selector == rule.name:
        return len(rule.code)
    return len(selector) if rule.code.startswith(selector.upper()) else 0
