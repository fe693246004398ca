"""Archives and compressed files on disk, and compression in memory."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from verification.observing import observe_computation
from verification.standard_library.metadata import file
from verification.standard_library.registry import CASES, functions_on_disk, methods_on_disk, resolve

NOISE = random.Random(0).randbytes(1 << 21)
"""Bytes that no method makes shorter, and more than any buffer holds."""


TEXT = bytes(random.Random(0).choices(b"abcd", k=len(NOISE)))
"""Bytes that are made shorter, which takes work to undo."""


def zipped(directory: Path) -> str:
    """An archive of the furnished file."""
    path = directory / "new.zip"
    with resolve("zipfile.ZipFile")(path, "w") as archive:
        archive.write(directory / "file", "file")
        archive.writestr("noise", NOISE)
    return str(path)


def tarred(directory: Path, compression: str = "") -> str:
    """The same with tar."""
    path = directory / f"new.tar{compression}"
    with resolve("tarfile.open")(path, f"w:{compression}") as archive:
        archive.add(directory / "file", "file")
        archive.add(directory / "small", "small")
    return str(path)


functions_on_disk(
    {
        "shutil.make_archive": lambda d: (str(d / "new"), "zip", d / "tree"),
        "shutil.unpack_archive": lambda d: (zipped(d), d / "unpacked"),
        "zipfile.ZipFile": lambda d: (zipped(d),),
        "zipfile.is_zipfile": lambda d: (zipped(d),),
        "tarfile.is_tarfile": lambda d: (tarred(d),),
        **dict.fromkeys(
            ("tarfile.open", "tarfile.TarFile", "tarfile.TarFile.open", "tarfile.TarFile.taropen"), lambda d: (tarred(d),)
        ),
        "tarfile.TarFile.gzopen": lambda d: (tarred(d, "gz"),),
        "tarfile.TarFile.bz2open": lambda d: (tarred(d, "bz2"),),
        "tarfile.TarFile.xzopen": lambda d: (tarred(d, "xz"),),
    }
)

# --- zipfile -------------------------------------------------------------------------------------


def archive(mode: str) -> Callable[[Path], Any]:
    """What opens the archive."""
    return lambda d: resolve("zipfile.ZipFile")(zipped(d), mode)


def member(name: str) -> Callable[[Path], Any]:
    """What opens a member of the archive."""
    return lambda d: archive("r")(d).open(name)


def zip_path(directory: Path) -> Any:  # noqa: ANN401 - zipfile's objects
    """The path of a member."""
    return resolve("zipfile.Path")(zipped(directory), "file")


methods_on_disk(
    "zipfile.ZipFile",
    [archive("r")],
    {
        "read": ("file",),
        "open": ("file",),
        "testzip": (),
        "extract": lambda d: ("file", d / "new"),
        "extractall": lambda d: (d / "new",),
    },
)
methods_on_disk("zipfile.ZipFile", [archive("a")], {"write": file, "writestr": ("new", NOISE)})
methods_on_disk(
    "zipfile.ZipExtFile",
    [member("noise")],
    {**dict.fromkeys(("read", "readline", "readlines", "__iter__"), ()), "read1": (100,)},
)
methods_on_disk("zipfile.Path", [zip_path], {"read_text": (), "read_bytes": (), "open": ()})

# --- tarfile -------------------------------------------------------------------------------------


def tar(mode: str) -> Callable[[Path], Any]:
    """What opens the archive."""
    return lambda d: resolve("tarfile.open")(tarred(d), mode)


def begun(directory: Path) -> Any:  # noqa: ANN401 - tarfile's objects
    """An archive whose first member, read when it was opened, has been taken."""
    opened = tar("r")(directory)
    opened.next()
    return opened


def described(directory: Path) -> tuple[object, ...]:
    """A member to add, and its content."""
    information = resolve("tarfile.TarInfo")("new")
    information.size = 100
    return (information, (directory / "file").open("rb"))


methods_on_disk(
    "tarfile.TarFile",
    [tar("r")],
    {
        **dict.fromkeys(("getmembers", "getnames", "list", "__iter__"), ()),
        "getmember": ("small",),
        "extractfile": ("small",),
        "extract": lambda d: ("small", d / "new"),
        "extractall": lambda d: (d / "new",),
    },
)
methods_on_disk("tarfile.TarFile", [begun], {"next": ()})
methods_on_disk("tarfile.TarFile", [tar("a")], {"add": file, "addfile": described})

# --- compressed files ----------------------------------------------------------------------------

READING = dict.fromkeys(("read", "read1", "readline", "readlines", "__iter__"), ())
WRITING: dict[str, tuple[object, ...]] = {"write": (NOISE,), "writelines": ([NOISE],)}
COMPRESSED = ("gzip.GzipFile", "bz2.BZ2File", "lzma.LZMAFile")


def reader(name: str) -> Callable[[Path], Any]:
    """What opens a compressed file that has content."""

    def setup(directory: Path) -> Any:  # noqa: ANN401 - objects of three modules
        with resolve(name)(directory / "new", "w") as written:
            written.write(NOISE)
        return resolve(name)(directory / "new")

    return setup


def writer(name: str) -> Callable[[Path], Any]:
    """What opens a compressed file to write, with something begun."""

    def setup(directory: Path) -> Any:  # noqa: ANN401 - objects of three modules
        opened = resolve(name)(directory / "new", "w")
        opened.write(b"begun")
        return opened

    return setup


for _name in COMPRESSED:
    functions_on_disk({_name: file, f"{_name.partition('.')[0]}.open": file})
    methods_on_disk(_name, [reader(_name)], READING)
    methods_on_disk(_name, [writer(_name)], WRITING)
methods_on_disk("gzip.GzipFile", [writer("gzip.GzipFile")], {"flush": ()})

# --- in memory -----------------------------------------------------------------------------------


def compresses(name: str, _: Path) -> None:
    """More bytes take longer."""
    observe_computation(lambda size: resolve(name)(NOISE[:size]), len(NOISE) // 8)


def decompresses(name: str, _: Path) -> None:
    """The same, of what was compressed."""
    module = name.partition(".")[0]
    content = {size: resolve(f"{module}.compress")(TEXT[:size]) for size in (len(NOISE) // 8, len(NOISE))}
    observe_computation(lambda size: resolve(name)(content[size]), len(NOISE) // 8)


for _name in ("zlib.compress", "gzip.compress", "bz2.compress", "lzma.compress", "compression.zstd.compress"):
    CASES.add(_name, partial(compresses, _name))
for _name in ("bz2.decompress", "lzma.decompress"):
    CASES.add(_name, partial(decompresses, _name))
