"""Allow rules: what strict mode is told to leave alone, and which of the rules nothing needed."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


class AllowError(ValueError):
    """A rule that cannot be read. The text says what is wrong with it."""


class Allowance:
    """One rule, written ``CALL`` or ``CALL in PLACE``; in both, ``*`` stands for anything.

    `CALL` is the name of a primitive (``os.stat``), of what the code called (``requests.api.get``), or a category (``metadata``).
    `PLACE` is a path, or the dotted name of a function, of the frame that made the call: the innermost of the user's, or a
    library's between that and the primitive.

    Attributes:
        text: The rule as it was written.
        is_used: Whether something was left alone because of it.
    """

    def __init__(self, text: str) -> None:
        """Read a rule.

        Raises:
            AllowError: It has no call, or nothing after its `in`.
        """
        call, separator, place = (part.strip() for part in text.partition(" in "))
        if not call or (separator and not place) or " " in call:
            raise AllowError(f'allow rule "{text}": write CALL or CALL in PLACE, for example "os.stat in app.settings.*"')
        self.text = f"{call} in {place}" if place else call
        self.is_used = False
        self._call = call
        self._place = place

    def allows(self, names: Iterable[str], places: Iterable[str]) -> bool:
        """Whether a call of these names, made in these places, is to be left alone; notes that the rule was needed."""
        if not any(fnmatchcase(name, self._call) for name in names):
            return False
        if self._place and not any(fnmatchcase(place, self._place) for place in places):
            return False
        self.is_used = True
        return True
