"""Which files are read."""

import os
from pathlib import Path

import pytest

from asyncvet.config import Settings, UsageError
from asyncvet.engine.discovery import SourceFile, discover, is_test
from asyncvet.model import ReadError


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def found(root: Path, *starts: str, settings: Settings | None = None) -> list[str]:
    discovery = discover([root / start for start in starts or (".",)], settings or Settings(), root)
    return [file.path for file in discovery.files]


def test_python_files_are_found_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a/z.py", "a/y.py", "a/stub.pyi", "a/notes.txt", "script")
    assert found(tmp_path) == ["a/y.py", "a/z.py", "b.py"]


def test_what_is_nobodys_own_code_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.py", ".hidden/a.py", "__pycache__/a.py", "node_modules/a.py", "lib/site-packages/a.py", "build/a.py")
    make(tmp_path, "myenv/pyvenv.cfg", "myenv/a.py", "env/a.py")
    assert found(tmp_path) == ["a.py", "build/a.py", "env/a.py"]


def test_gitignore_files_hold_from_the_top_of_the_repository_down(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "src/a.py", "src/gen_a.py", "src/keep/gen_b.py", "src/build/c.py", "src/local.py")
    (tmp_path / ".gitignore").write_text("build/\ngen_*.py\n")
    (tmp_path / "src" / "keep" / ".gitignore").write_text("!gen_b.py\n")
    (tmp_path / "src" / ".gitignore").write_text("/local.py\n")
    assert found(tmp_path) == ["src/a.py", "src/keep/gen_b.py"]
    assert found(tmp_path, "src") == ["src/a.py", "src/keep/gen_b.py"]


def test_an_ignored_folder_that_is_named_is_read(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "build/c.py", "build/deep/d.py", "a.py")
    (tmp_path / ".gitignore").write_text("build/\n")
    assert found(tmp_path, "build") == ["build/c.py", "build/deep/d.py"]
    assert found(tmp_path, "build/deep") == ["build/deep/d.py"]


def test_a_gitignore_above_the_repository_does_not_count(tmp_path: Path) -> None:
    make(tmp_path, "repository/.git/HEAD", "repository/a.py")
    (tmp_path / ".gitignore").write_text("a.py\n")
    assert found(tmp_path / "repository") == ["a.py"]


def test_excluded_files_are_left_out_unless_named(tmp_path: Path) -> None:
    make(tmp_path, "app/a.py", "app/migrations/b.py")
    settings = Settings(exclude=("migrations/",))
    assert found(tmp_path, settings=settings) == ["app/a.py"]
    assert found(tmp_path, "app", "app/migrations/b.py", settings=settings) == ["app/a.py", "app/migrations/b.py"]
    assert found(tmp_path, "app/migrations", settings=settings) == ["app/migrations/b.py"]
    relative = Settings(exclude=("/a.py",), base=tmp_path / "app")
    assert found(tmp_path, settings=relative) == ["app/migrations/b.py"]


def test_a_named_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    make(tmp_path, "script", ".hidden/tests/test_a.py")
    discovery = discover([tmp_path / "script", tmp_path / ".hidden/tests/test_a.py"], Settings(), tmp_path)
    assert discovery.files == (SourceFile(".hidden/tests/test_a.py", 0, True, True), SourceFile("script", 0, True, False))


def test_the_order_and_number_of_paths_make_no_difference(tmp_path: Path) -> None:
    make(tmp_path, "a/x.py", "b/y.py")
    assert found(tmp_path, "b", "a", ".", "a/x.py") == found(tmp_path, "a/x.py", "a", "b") == ["a/x.py", "b/y.py"]


def test_links_to_folders_are_not_followed_and_files_are_read_once(tmp_path: Path) -> None:
    make(tmp_path, "root/pkg/a.py", "outside/b.py", "outside/c.py")
    root = tmp_path / "root"
    (root / "loop").symlink_to(root)
    (root / "pkg" / "outside").symlink_to(tmp_path / "outside")
    (root / "alias.py").symlink_to(root / "pkg" / "a.py")
    (root / "b1.py").symlink_to(tmp_path / "outside" / "b.py")
    (root / "b2.py").symlink_to(tmp_path / "outside" / "b.py")
    (root / "dangling.py").symlink_to(root / "nowhere.py")
    (root / "self.py").symlink_to(root / "self.py")
    assert found(root) == ["b1.py", "pkg/a.py"]
    assert found(root, "loop") == ["loop/b1.py", "loop/pkg/a.py"]


def test_special_files_are_not_read(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert found(tmp_path) == ["a.py"]
    with pytest.raises(UsageError) as error:
        found(tmp_path, "pipe.py")
    assert str(error.value) == f"{tmp_path}/pipe.py: is neither a file nor a folder"


def test_a_path_that_is_not_there_and_a_folder_without_python_are_errors(tmp_path: Path) -> None:
    make(tmp_path, "empty/readme.txt")
    with pytest.raises(UsageError) as error:
        found(tmp_path, "nowhere")
    assert str(error.value) == f"{tmp_path}/nowhere: there is no such file or folder"
    with pytest.raises(UsageError) as error:
        found(tmp_path, "empty")
    assert str(error.value) == f"{tmp_path}/empty: there is no Python file in this folder, apart from ignored and excluded ones"


def test_file_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    make(tmp_path, name)
    assert found(tmp_path) == [name]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.py", "closed/b.py")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    discovery = discover([tmp_path], Settings(), tmp_path)
    assert discovery.files == (SourceFile("a.py", 0, False, False),)
    assert discovery.errors == (ReadError("closed", None, "this folder cannot be listed: Permission denied"),)


def test_paths_outside_the_root_are_relative_to_what_holds_them(tmp_path: Path) -> None:
    make(tmp_path, "here/a.py", "there/x/b.py", "there/c.py")
    discovery = discover([tmp_path / "there" / "x", tmp_path / "there" / "c.py"], Settings(), tmp_path / "here")
    assert discovery.base == tmp_path / "there"
    assert [file.path for file in discovery.files] == ["c.py", "x/b.py"]


def test_the_root_may_be_a_package_itself(tmp_path: Path) -> None:
    make(tmp_path, "service/__init__.py", "service/app/__init__.py", "service/app/a.py", "plain/a.py")
    packages = [discover([tmp_path / root], Settings(), tmp_path / root).package for root in ("service/app", "plain")]
    assert packages == ["service.app", ""]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/a.py", True),
        ("app/test/a.py", True),
        ("app/testing/a.py", True),
        ("test_a.py", True),
        ("app/a_test.py", True),
        ("app/conftest.py", True),
        ("app/contest.py", False),
        ("app/latest.py", False),
        ("app/attest/a.py", False),
        ("tests.py", False),
    ],
)
def test_test_files_are_known_by_name_or_folder(path: str, expected: bool) -> None:
    assert is_test(path) is expected
