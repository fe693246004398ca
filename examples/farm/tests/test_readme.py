"""The README points to what it names."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
LINK = re.compile(r"\[`(\w+)`\]\(([\w/.]+)#L(\d+)\)")
ITEM = re.compile(r"^\| (\d+)\. .*\| .*\[`", re.MULTILINE)


def test_links():
    """Each link to a line leads to the definition of what it is called after."""
    wrong = [
        (name, path, line)
        for name, path, line in LINK.findall(README)
        if not re.search(rf"(def|class) {name}\b", (ROOT / path).read_text().splitlines()[int(line) - 1])
    ]
    assert wrong == []


def test_items():
    """All nineteen items have a place."""
    assert [int(number) for number in ITEM.findall(README)] == list(range(1, 20))
