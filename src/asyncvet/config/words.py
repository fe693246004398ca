"""What is said to users about a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from asyncvet.model import Severity


class UsageError(Exception):
    """The tool cannot do its work with what it was given; the message is one for the user."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like another one; empty if none is like it."""
    by_lower = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else ""


def hint(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known one that was meant, else all of them."""
    names = sorted(known)
    close = nearest(word, names)
    return f"did you mean `{close}`?" if close else f"known are {', '.join(names)}"


def severity(word: str) -> Severity:
    """The severity that a word names.

    Raises:
        UsageError: There is no such severity.
    """
    known = {level.word: level for level in Severity}
    if word.lower() not in known:
        words = ", ".join(known)
        raise UsageError(f"there is no severity `{word}`; the severities are {words}")
    return known[word.lower()]
