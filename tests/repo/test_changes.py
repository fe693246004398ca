"""News fragments can be gathered by their names."""

from pathlib import Path

CHANGES = Path(__file__).resolve().parents[2] / "changes"
KINDS = {"added", "changed", "fixed", "removed"}


def test_names() -> None:
    """Every fragment is named `<topic>.<kind>.md`."""
    names = [path.name.split(".") for path in CHANGES.iterdir() if path.name != "README.md"]
    assert [name for name in names if len(name) != 3 or name[1] not in KINDS or name[2] != "md"] == []
