"""No file of the repository is bound to the machine it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HOMES = re.compile(r"(?<![\w.~}-])/(?:home|root|Users|work|workspace)/\w")
REGISTRIES = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org|proxy\.golang\.org|crates\.io")


def texts() -> dict[str, str]:
    """Every text file of the checkout that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    found = {}
    for name in filter(None, listed.split("\0")):
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """The lines in which a pattern occurs, by place."""
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_machine_paths() -> None:
    """A path of somebody's home or of this checkout means nothing elsewhere."""
    assert lines_with(re.compile(f"{HOMES.pattern}|{re.escape(str(ROOT))}/")) == []


def test_no_registry_hosts() -> None:
    """Packages are named by name; where they come from is the reader's own setting."""
    assert lines_with(REGISTRIES) == []
