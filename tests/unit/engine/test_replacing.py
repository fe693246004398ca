"""Files are replaced whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from asyncvet.engine.replacing import replace_file


def test_content_and_mode(tmp_path: Path) -> None:
    """The mode stays, and nothing else is left in the folder."""
    file = tmp_path / "app.py"
    file.write_bytes(b"old")
    file.chmod(0o754)
    replace_file(file, b"old", b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o754)
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.py", tmp_path / "app.py"
    file.write_bytes(b"old")
    link.symlink_to(file.name)
    replace_file(link, b"old", b"new")
    assert (link.is_symlink(), file.read_bytes()) == (True, b"new")


def test_what_has_changed_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"somebody's")
    with pytest.raises(OSError, match="changed since it was read"):
        replace_file(file, b"old", b"new")
    assert file.read_bytes() == b"somebody's"


def test_nothing_is_lost_if_it_cannot_be_put_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stands, and the new one is taken away."""
    file = tmp_path / "app.py"
    file.write_bytes(b"old")

    def fail(self: Path, target: Path) -> Path:
        assert (self.read_bytes(), self.parent, target) == (b"new", tmp_path, file)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"old", b"new")
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"old", [file])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_read_only_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"old")
    file.chmod(0o444)
    with pytest.raises(PermissionError, match="read-only"):
        replace_file(file, b"old", b"new")
    assert file.read_bytes() == b"old"
