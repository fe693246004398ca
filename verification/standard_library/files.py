"""The content of files, and the readers of the standard library that read for their caller."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

from verification.observing import observe_kernel
from verification.standard_library.metadata import descriptor, file, with_descriptor, with_file
from verification.standard_library.registry import (
    CASES,
    exhausting,
    functions_on_disk,
    in_memory,
    method,
    methods_on_disk,
    on_disk,
    resolve,
)

MUCH = 1 << 20
"""Bytes that fill any buffer."""


def opened(mode: str, buffering: int = -1, name: str = "file") -> Callable[[Path], IO[Any]]:
    """What opens a furnished file."""
    return lambda directory: open(directory / name, mode, buffering)


def begun(mode: str, data: str | bytes) -> Callable[[Path], IO[Any]]:
    """What opens the furnished file and writes something that stays in the buffer."""

    def setup(directory: Path) -> IO[Any]:
        opened_file = open(directory / "file", mode)
        opened_file.write(data)
        return opened_file

    return setup


# --- open ----------------------------------------------------------------------------------------

functions_on_disk(
    {
        **dict.fromkeys(("builtins.open", "io.open", "io.FileIO", "codecs.open", "tokenize.open"), file),
        "io.open_code": lambda d: (str(d / "file"),),
        "os.open": with_file(os.O_RDONLY),
    }
)
methods_on_disk("pathlib.Path", [lambda d: d / "file"], {"open": ()})
on_disk("os.openpty", lambda _: os.openpty, at=lambda _: Path("/dev/ptmx"))

RESULTS: dict[str, type] = {"rb": io.BufferedReader, "wb": io.BufferedWriter, "ab": io.BufferedWriter}


def gives_in_mode(name: str, mode: str, directory: Path) -> None:
    """The condition on the mode decides between entries that all block: it says only what type the result has."""
    call = resolve(name)
    assert type(call(directory / "file", mode)) is RESULTS[mode]
    assert type(call(directory / "file", mode.removesuffix("b"))) is io.TextIOWrapper
    observe_kernel(partial(call, directory / "file", mode), at=directory)


for _name in ("builtins.open", "io.open", "pathlib.Path.open"):
    for _mode in RESULTS:
        CASES.add(_name, partial(gives_in_mode, _name, _mode), f"mode^={_mode}")

# --- file objects --------------------------------------------------------------------------------

RAW = opened("r+b", 0, "small")  # every byte of a line is a system call
BUFFERED = (opened("rb"), opened("r+b"))
WRITTEN = (opened("wb"), opened("r+b"))
READ = (RAW, *BUFFERED, opened("r"))
BEGUN = (begun("wb", b"begun"), begun("r+b", b"begun"), begun("w", "begun"))

methods_on_disk("io.IOBase", READ, {"readline": (), "readlines": (), "__iter__": (), "__next__": ()})
methods_on_disk("io.RawIOBase", [RAW], {"read": (), "readall": (), "readinto": (bytearray(10),), "write": (b"bytes",)})
methods_on_disk("io.FileIO", [RAW], {"readall": ()})
methods_on_disk(
    "io.BufferedIOBase", BUFFERED, {"read": (), "read1": (), "readinto": (bytearray(10),), "readinto1": (bytearray(10),)}
)
methods_on_disk("io.BufferedIOBase", WRITTEN, {"write": (b"\n" * MUCH,)})
methods_on_disk("io.BufferedReader", BUFFERED, {"peek": ()})
methods_on_disk("io.TextIOBase", [opened("r")], {"read": ()})
methods_on_disk("io.TextIOBase", [opened("w")], {"write": ("\n" * MUCH,)})
methods_on_disk("io.IOBase", BEGUN, {"flush": (), "truncate": ()})


@CASES.exercises("io.IOBase.writelines")
def write_lines(directory: Path) -> None:
    """Lines of bytes and of text."""
    for mode, line in (("wb", b"\n"), ("w", "\n")):
        observe_kernel(partial(opened(mode)(directory).writelines, [line * MUCH] * 2), at=directory)


# --- descriptors ---------------------------------------------------------------------------------


def two_descriptors(*more: object) -> Callable[[Path], tuple[object, ...]]:
    """A descriptor to write to, one to read from, and more arguments."""
    return lambda d: (os.open(d / "small", os.O_RDWR), descriptor(d), *more)


def to_a_pipe(directory: Path) -> tuple[object, ...]:
    """From the furnished file to a pipe."""
    return (descriptor(directory), os.pipe()[1], 100)


functions_on_disk(
    {
        "os.read": with_descriptor(10),
        "os.pread": with_descriptor(10, 0),
        "os.readv": with_descriptor([bytearray(10)]),
        "os.preadv": with_descriptor([bytearray(10)], 0),
        "os.write": with_descriptor(b"bytes"),
        "os.pwrite": with_descriptor(b"bytes", 0),
        "os.writev": with_descriptor([b"bytes"]),
        "os.pwritev": with_descriptor([b"bytes"], 0),
        "os.fsync": with_descriptor(),
        "os.fdatasync": with_descriptor(),
        "os.truncate": with_file(10),
        "os.ftruncate": with_descriptor(10),
        "os.posix_fallocate": with_descriptor(0, 100),
        "os.sendfile": two_descriptors(0, 100),
        "os.copy_file_range": lambda d: (*reversed(two_descriptors()(d)), 100),
        "os.splice": to_a_pipe,
    }
)
on_disk("os.sync", lambda _: os.sync, through=["sync"])


def mapped(directory: Path) -> mmap.mmap:
    """The furnished file in memory, changed."""
    area = mmap.mmap(descriptor(directory), 0)
    area[:5] = b"begun"
    return area


on_disk("mmap.mmap.flush", lambda d: mapped(d).flush, through=["msync"])

# --- copies and trees ----------------------------------------------------------------------------

functions_on_disk(
    {
        **{f"shutil.{name}": lambda d: (d / "file", d / "new") for name in ("copy", "copy2", "copyfile", "move")},
        "shutil.copyfileobj": lambda d: (opened("rb")(d), open(d / "new", "wb")),
        "shutil.copytree": lambda d: (d / "tree", d / "new"),
        "shutil.rmtree": lambda d: (d / "tree",),
        "filecmp.cmp": lambda d: (d / "file", d / "link"),
        "filecmp.cmpfiles": lambda d: (d, d / "tree", ["file", "small"]),
    }
)


def compared(directory: Path) -> Any:  # noqa: ANN401 - filecmp's objects
    """Two directories to compare."""
    return resolve("filecmp.dircmp")(directory / "tree", directory)


for _name in ("report", "report_full_closure"):
    on_disk(f"filecmp.dircmp.{_name}", lambda d, name=_name: quietly(getattr(compared(d), name)))  # type: ignore[misc]


def quietly(call: Callable[[], object]) -> Callable[[], object]:
    """The call, without what it prints."""

    def made() -> object:
        with contextlib.redirect_stdout(io.StringIO()):
            return call()

    return made


# --- temporary files -----------------------------------------------------------------------------

for _name in ("tempfile.NamedTemporaryFile", "tempfile.TemporaryFile"):
    on_disk(_name, lambda d, name=_name: partial(resolve(name), dir=d))  # type: ignore[misc]

SPOOLED = "tempfile.SpooledTemporaryFile"
SPOOLED_CALLS: dict[str, tuple[object, ...]] = {
    "read": (),
    "readline": (),
    "readlines": (),
    "__iter__": (),
    "write": (b"\n" * MUCH,),
    "writelines": ([b"\n" * MUCH],),
    "rollover": (),
}


def spooled(directory: Path, **arguments: int) -> tempfile.SpooledTemporaryFile[bytes]:
    """A file in memory that holds more than a byte."""
    made = tempfile.SpooledTemporaryFile(dir=directory, **arguments)  # type: ignore[call-overload]
    made.write(b"lines\n" * 2000)
    made.seek(0)
    return made  # type: ignore[no-any-return]


methods_on_disk(
    SPOOLED, [partial(spooled, max_size=1)], {name: given for name, given in SPOOLED_CALLS.items() if name != "rollover"}
)
methods_on_disk(SPOOLED, [spooled], {"rollover": ()})
for _name, _arguments in SPOOLED_CALLS.items():
    for _aspect, _given in {" absent": {}, "=0": {"max_size": 0}}.items():
        if _name != "rollover":
            _call = lambda d, name=_name, to=_arguments, given=_given: method(spooled(d, **given), name, *to)  # noqa: E731
            in_memory(f"{SPOOLED}.{_name}", f"constructor max_size{_aspect}", _call)

# --- readers and writers of whole files ----------------------------------------------------------


def holding(name: str, content: str | bytes) -> Callable[[Path], tuple[object, ...]]:
    """A file with this content, open as its type asks for."""

    def arguments(directory: Path) -> tuple[object, ...]:
        path = directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return (path.open("r" if isinstance(content, str) else "rb"),)

    return arguments


def at_path(name: str, content: str) -> Callable[[Path], tuple[object, ...]]:
    """The path of a file with this content."""

    def arguments(directory: Path) -> tuple[object, ...]:
        (directory / name).write_text(content)
        return (str(directory / name),)

    return arguments


def into(mode: str, content: object) -> Callable[[Path], tuple[object, ...]]:
    """Something to write, and a file to write it to."""
    return lambda directory: (content, open(directory / "new", mode))


LARGE = ["text" * 10] * 50_000
PLIST = b'<?xml version="1.0"?><plist version="1.0"><string>text</string></plist>'
XML = "<root><leaf/></root>"
MAIL = "Subject: text\n\nbody\n"
CONFIGURATION = "[section]\nkey = value\n"
LOGGING = (
    "[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=\n[logger_root]\nhandlers=h\n"
    "[handler_h]\nclass=NullHandler\nargs=()\n"
)
WAVE = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\0\0\0"

functions_on_disk(
    {
        "json.load": holding("new", '"text"'),
        "pickle.load": holding("new", pickle.dumps("text")),
        "marshal.load": holding("new", resolve("marshal.dumps")("text")),
        "tomllib.load": holding("new", b'key = "text"'),
        "plistlib.load": holding("new", PLIST),
        "json.dump": into("w", LARGE),
        "pickle.dump": into("wb", list(map(str, range(MUCH)))),
        "marshal.dump": into("wb", list(map(str, range(MUCH)))),
        "plistlib.dump": into("wb", LARGE),
        "xml.etree.ElementTree.parse": at_path("new", XML),
        "xml.etree.ElementTree.iterparse": at_path("new", XML),
        "xml.dom.pulldom.parse": at_path("new", XML),
        "xml.dom.minidom.parse": at_path("new", XML),
        "xml.sax.parse": lambda d: (*at_path("new", XML)(d), resolve("xml.sax.ContentHandler")()),
        "logging.config.fileConfig": at_path("new", LOGGING),
        "netrc.netrc": at_path("new", "machine localhost login user password secret\n"),
        "email.message_from_file": holding("new", MAIL),
        "email.message_from_binary_file": holding("new", MAIL.encode()),
        "wave.open": lambda d: (holding("new", WAVE)(d)[0].name,),  # type: ignore[attr-defined]
        "hashlib.file_digest": lambda d: (opened("rb")(d), "sha256"),
    }
)


methods_on_disk("pickle.Unpickler", [lambda d: pickle.Unpickler(*holding("new", pickle.dumps("text"))(d))], {"load": ()})  # type: ignore[arg-type]
methods_on_disk("pickle.Pickler", [lambda d: pickle.Pickler(open(d / "new", "wb"))], {"dump": (list(map(str, range(MUCH))),)})


def tree(_: Path) -> Any:  # noqa: ANN401 - an element tree
    """A document in memory."""
    elements = resolve("xml.etree.ElementTree")
    return elements.ElementTree(elements.fromstring(XML))


methods_on_disk("xml.etree.ElementTree.ElementTree", [tree], {"parse": at_path("new", XML), "write": lambda d: (d / "new",)})


def configuration(_: Path) -> Any:  # noqa: ANN401 - a parser
    """A configuration that is large when it is written."""
    parser = resolve("configparser.RawConfigParser")()
    parser["large"] = {"key": "text" * MUCH}
    return parser


methods_on_disk(
    "configparser.RawConfigParser",
    [configuration],
    {
        "read": at_path("new", CONFIGURATION),
        "read_file": holding("new", CONFIGURATION),
        "write": lambda d: (open(d / "new", "w"),),
    },
)


def lines(directory: Path) -> Any:  # noqa: ANN401 - fileinput's objects
    """The lines of the furnished file."""
    return resolve("fileinput.FileInput")(str(directory / "file"))


methods_on_disk("fileinput.FileInput", [lines], {"readline": (), "__next__": (), "__iter__": ()})

# --- source and packaged files -------------------------------------------------------------------


def package(directory: Path) -> str:
    """An importable package with a function and a data file in it, and metadata beside it; gives its name."""
    home = directory / "packaged"
    home.mkdir()
    (home / "__init__.py").write_text("def function():\n    return 1\n")
    (home / "data.txt").write_text("data\n")
    information = directory / "packaged-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: packaged\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[group]\nname = packaged:function\n")
    (information / "RECORD").write_text("packaged/__init__.py,,\n")
    sys.path.insert(0, str(directory))
    return "packaged"


def of_package(*more: object) -> Callable[[Path], tuple[object, ...]]:
    """The package's name, imported, and more arguments."""

    def arguments(directory: Path) -> tuple[object, ...]:
        name = package(directory)
        resolve(name)
        return (name, *more)

    return arguments


def installed(directory: Path) -> tuple[object, ...]:
    """No arguments: what is called looks at all that is installed, the package too."""
    package(directory)
    return ()


def function_of_package(directory: Path) -> tuple[object, ...]:
    """A function whose source is in the directory."""
    return (resolve(f"{package(directory)}.function"),)


def known_lines(directory: Path) -> tuple[object, ...]:
    """A source file that `linecache` has read already."""
    resolve("linecache.getlines")(str(directory / "small"))
    return (str(directory / "small"),)


functions_on_disk(
    {
        "linecache.getline": lambda d: (str(d / "small"), 1),
        "linecache.getlines": lambda d: (str(d / "small"),),
        "linecache.updatecache": lambda d: (str(d / "small"),),
        "linecache.checkcache": known_lines,
        **dict.fromkeys(("inspect.getsource", "inspect.getsourcelines", "inspect.findsource"), function_of_package),
        "pkgutil.get_data": of_package("data.txt"),
        **{
            f"importlib.resources.{name}": of_package("data.txt")
            for name in ("read_text", "read_binary", "open_text", "open_binary")
        },
        **{f"importlib.metadata.{name}": installed for name in ("entry_points", "packages_distributions")},
    }
)


def resource(*parts: str) -> Callable[[Path], Any]:
    """What gives a packaged file or folder."""
    return lambda d: resolve("importlib.resources.files")(*of_package()(d)).joinpath(*parts)


TRAVERSABLE = "importlib.resources.abc.Traversable"
methods_on_disk(TRAVERSABLE, [resource("data.txt")], dict.fromkeys(("read_text", "read_bytes", "open", "is_file", "is_dir"), ()))
on_disk(f"{TRAVERSABLE}.iterdir", lambda d: exhausting(resource()(d).iterdir))

MAILBOXES = ("mbox", "Maildir")


def mailbox(kind: str) -> Callable[[Path], Any]:
    """What opens a mailbox with one message, whose changes are not yet on the disk."""

    def setup(directory: Path) -> Any:  # noqa: ANN401 - mailbox's objects
        make = partial(resolve(f"mailbox.{kind}"), directory / "new")
        first = make()
        first.add(MAIL)
        first.flush()
        return make()

    return setup


def first_key(directory: Path) -> tuple[object, ...]:
    """The key of the mailbox's only message."""
    kind = "Maildir" if (directory / "new").is_dir() else "mbox"
    return (next(iter(resolve(f"mailbox.{kind}")(directory / "new").keys())),)


methods_on_disk("mailbox.Mailbox", map(mailbox, MAILBOXES), {"add": (MAIL,), "get_message": first_key, "remove": first_key})


@CASES.exercises("mailbox.Mailbox.flush")
def flush_a_mailbox(directory: Path) -> None:
    """Of a file with many messages; a Maildir is on the disk at once."""
    box = mailbox("mbox")(directory)
    box.add(MAIL)
    observe_kernel(box.flush, at=directory)


# --- compiling -----------------------------------------------------------------------------------


def on_path(directory: Path) -> tuple[object, ...]:
    """Make the package's directory the whole of the import path."""
    package(directory)
    sys.path[:] = [str(directory / "packaged")]
    return ()


functions_on_disk(
    {
        "compileall.compile_dir": lambda d: (str(d / package(d)), 1, None, False, None, 2),
        "compileall.compile_file": lambda d: (str(d / package(d) / "__init__.py"), None, False, None, 2),
        "compileall.compile_path": lambda d: (True, 0, False, 2, *on_path(d)),
        "py_compile.compile": lambda d: (str(d / package(d) / "__init__.py"),),
    }
)
