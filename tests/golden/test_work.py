"""A review does no more work than it did. Seconds depend on the machine; calls do not."""

import json

from scripts.work import FILE, counted

MORE, LESS = 1.1, 0.7
"""A new rule, or another interpreter, changes the work by a few parts in a hundred; a fault that makes work repeat, by far more. Where a
review does much less than what the file says, the file guards nothing any more."""


def test_work() -> None:
    """`make golden` writes the numbers anew; look at what `git diff` says then."""
    known, now = json.loads(FILE.read_text(encoding="utf-8")), counted()
    bounds = {
        (kind, name): (int(LESS * number), number, int(MORE * number) + 1)
        for kind, numbers in known.items()
        for name, number in numbers.items()
    }
    wrong = {
        key: (now[key[0]][key[1]], bound) for key, bound in bounds.items() if not bound[0] <= now[key[0]][key[1]] <= bound[2]
    }
    assert wrong == {}
    assert {kind: list(numbers) for kind, numbers in now.items()} == {kind: list(numbers) for kind, numbers in known.items()}


def test_what_must_be() -> None:
    """Each file is parsed once, one that changed again, and where nothing changed nothing is."""
    known = json.loads(FILE.read_text(encoding="utf-8"))
    assert {kind: numbers["files parsed"] for kind, numbers in known.items()} == {
        "cold": 25,
        "one file changed": 1,
        "nothing changed": 0,
    }
