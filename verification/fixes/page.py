"""The parts of `docs/reference/fixes.md` that scripts write, and the lists of what they are written about."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "reference" / "fixes.md"


def pins(name: str) -> list[str]:
    """The distributions of one of the lists, as `name==version`."""
    return [line for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def shown(pinned: list[str]) -> str:
    """The distributions with their versions, in a sentence."""
    return ", ".join(pin.replace("==", " ") for pin in pinned)


def write(part: str, text: str) -> None:
    """Put a text between the marks of a part of the page."""
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(begin)
    PAGE.write_text(f"{head}{begin}{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")
