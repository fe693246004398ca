"""What asks or changes the entries of the file system."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from verification.observing import observe_kernel
from verification.standard_library.registry import CASES, exhausting, functions_on_disk, methods_on_disk, on_disk, resolve


def file(directory: Path) -> tuple[object, ...]:
    """The furnished file, as the only argument."""
    return (directory / "file",)


def descriptor(directory: Path) -> int:
    """The furnished file, open."""
    return os.open(directory / "file", os.O_RDWR)


def with_file(*more: object) -> Callable[[Path], tuple[object, ...]]:
    """The furnished file, and more arguments."""
    return lambda directory: (directory / "file", *more)


def with_descriptor(*more: object) -> Callable[[Path], tuple[object, ...]]:
    """The descriptor of the furnished file, and more arguments."""
    return lambda directory: (descriptor(directory), *more)


def linked(directory: Path) -> tuple[object, ...]:
    """An existing file, and a name beside it that is free."""
    return (directory / "file", directory / "new")


ATTRIBUTE = "user.verification"


def with_attribute(*more: object) -> Callable[[Path], tuple[object, ...]]:
    """The furnished file, with an extended attribute, where the file system has them; the call reaches it in either case."""

    def arguments(directory: Path) -> tuple[object, ...]:
        os.setxattr(directory / "file", ATTRIBUTE, b"value")
        return (directory / "file", ATTRIBUTE, *more)

    return arguments


functions_on_disk(
    {
        **dict.fromkeys(("os.stat", "os.lstat", "os.statvfs", "os.listxattr"), file),
        **{f"os.path.{name}": file for name in ("exists", "lexists", "isfile", "isdir", "islink", "ismount")},
        **{f"os.path.get{name}": file for name in ("size", "mtime", "atime", "ctime")},
        **dict.fromkeys(("os.fstat", "os.fstatvfs"), with_descriptor()),
        "os.access": with_file(os.R_OK),
        "os.readlink": lambda d: (d / "link",),
        "os.path.samefile": lambda d: (d / "file", d / "link"),
        "os.path.sameopenfile": lambda d: (descriptor(d), descriptor(d)),
        "shutil.disk_usage": file,
        "shutil.which": lambda d: ("program", os.F_OK, d),
        "os.listdir": lambda d: (d,),
        "os.scandir": lambda d: (d,),
        "glob.glob": lambda d: (f"{d}/*/*",),
    }
)

functions_on_disk(
    {
        "os.mkdir": lambda d: (d / "new",),
        "os.makedirs": lambda d: (d / "new" / "newer",),
        "os.unlink": file,
        "os.remove": file,
        "os.rmdir": lambda d: (d / "empty",),
        "os.removedirs": lambda d: (d / "empty",),
        **dict.fromkeys(("os.rename", "os.renames", "os.replace", "os.symlink", "os.link"), linked),
        "os.chmod": with_file(0o600),
        "os.fchmod": with_descriptor(0o600),
        "os.chown": with_file(-1, -1),
        "os.lchown": with_file(-1, -1),
        "os.fchown": with_descriptor(-1, -1),
        "os.utime": file,
        "os.mkfifo": lambda d: (d / "new",),
        "os.mknod": lambda d: (d / "new",),
        "os.setxattr": with_file(ATTRIBUTE, b"value"),
        "os.getxattr": with_attribute(),
        "os.removexattr": with_attribute(),
        "shutil.chown": lambda d: (d / "file", os.getuid()),
        "shutil.copymode": lambda d: (d / "file", d / "small"),
        "shutil.copystat": lambda d: (d / "file", d / "small"),
        "tempfile.mkstemp": lambda d: ("", "new", d),
        "tempfile.mkdtemp": lambda d: ("", "new", d),
        "tempfile.TemporaryDirectory": lambda d: ("", "new", d),
    }
)

# Generators, which do nothing before they are iterated.
for _name in ("os.walk", "os.fwalk"):
    on_disk(_name, lambda d, name=_name: exhausting(resolve(name), d))  # type: ignore[misc]
on_disk("glob.iglob", lambda d: exhausting(resolve("glob.iglob"), f"{d}/*/*"))


def entry(directory: Path) -> os.DirEntry[str]:
    """What a directory says of a link, whose target it has not seen."""
    return next(entry for entry in os.scandir(directory) if entry.name == "link")


methods_on_disk("os.DirEntry", [entry], {"stat": ()})


def temporary_directory(directory: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary directory with a file in it."""
    made = tempfile.TemporaryDirectory(dir=directory)
    Path(made.name, "file").touch()
    return made


methods_on_disk("tempfile.TemporaryDirectory", [temporary_directory], {"cleanup": (), "__exit__": ()})

PATH = "pathlib.Path"

methods_on_disk(
    PATH,
    [lambda d: d / "file"],
    {
        **{f"is_{kind}": () for kind in ("file", "dir", "symlink", "mount", "socket", "fifo", "block_device", "char_device")},
        **dict.fromkeys(("exists", "stat", "lstat", "owner", "group", "unlink", "touch", "read_text", "read_bytes"), ()),
        "samefile": lambda d: (d / "link",),
        "chmod": (0o600,),
        "rename": lambda d: (d / "new",),
        "replace": lambda d: (d / "new",),
        "write_text": ("text",),
        "write_bytes": (b"text",),
        "copy": lambda d: (d / "new",),
        "copy_into": lambda d: (d / "empty",),
        "move": lambda d: (d / "new",),
        "move_into": lambda d: (d / "empty",),
    },
)
methods_on_disk(
    PATH,
    [lambda d: d / "new"],
    {"mkdir": (), "symlink_to": lambda d: (d / "file",), "hardlink_to": lambda d: (d / "file",)},
)
methods_on_disk(PATH, [lambda d: d / "link"], {"readlink": ()})
methods_on_disk(PATH, [lambda d: d / "empty"], {"rmdir": ()})


@CASES.exercises(f"{PATH}.lchmod")
def change_the_mode_of_a_link(directory: Path) -> None:
    """Not every platform can."""
    if os.chmod not in os.supports_follow_symlinks:
        pytest.skip("this platform cannot change the mode of a link")

    def call() -> None:
        with contextlib.suppress(NotImplementedError, OSError):  # the C library asks first and refuses afterwards
            (directory / "link").lchmod(0o777)

    observe_kernel(call, at=directory)


for _name, _arguments in {"iterdir": (), "glob": ("*/*",), "rglob": ("*",), "walk": ()}.items():
    on_disk(f"{PATH}.{_name}", lambda d, name=_name, given=_arguments: exhausting(getattr(d, name), *given))  # type: ignore[misc]
