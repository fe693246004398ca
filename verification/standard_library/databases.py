"""Databases inside the process: sqlite3 on disk and in memory, dbm, shelve."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from verification.observing import observe_kernel_after
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

# --- sqlite3 -------------------------------------------------------------------------------------

CONNECTIONS = ("sqlite3.connect", "sqlite3.Connection")
ROW = "x" * 20_000
"""A value of several pages, so that the next row is on other ones."""

MEMORY = {"=:memory:": ":memory:", "^=file::memory:": "file::memory:?cache=shared"}
"""How a condition on the database ends, and a database that meets it."""


def connection(database: str | Path) -> Any:  # noqa: ANN401 - sqlite3's objects
    """A database with rows, some of them not yet committed."""
    made = resolve("sqlite3.connect")(database, uri=str(database).startswith("file:"))
    made.execute("CREATE TABLE t (value TEXT)")
    made.executemany("INSERT INTO t VALUES (?)", [(ROW,)] * 50)
    made.commit()
    made.execute("INSERT INTO t VALUES ('new')")
    return made


def reopened(database: str | Path) -> Any:  # noqa: ANN401 - sqlite3's objects
    """A connection that has nothing of the database in its cache; in memory there is only one."""
    made = connection(database)
    made.commit()
    if isinstance(database, str):
        return made
    made.close()
    return resolve("sqlite3.connect")(database)


def cursor(database: str | Path) -> Any:  # noqa: ANN401 - sqlite3's objects
    """A cursor that has run nothing."""
    return reopened(database).cursor()


def selected(database: str | Path) -> Any:  # noqa: ANN401 - sqlite3's objects
    """A cursor that stands before the second row."""
    made = cursor(database).execute("SELECT value FROM t")
    made.fetchone()
    return made


def dumping(database: str | Path) -> Callable[[], object]:
    """The generator that dumps a database, and the loop over it."""
    resolve("sqlite3.dump")  # imported by the first call only
    return exhausting(reopened(database).iterdump)


INSERT = "INSERT INTO t VALUES (?)"
STATEMENTS: dict[str, tuple[object, ...]] = {
    "execute": ("SELECT value FROM t",),
    "executemany": (INSERT, [("text",)]),
    "executescript": ("INSERT INTO t VALUES ('text')",),
}
FETCHES: dict[str, tuple[object, ...]] = dict.fromkeys(("fetchall", "fetchmany", "fetchone", "__iter__", "__next__"), ())
MAKERS: list[tuple[str, Callable[[str | Path], Any], dict[str, tuple[object, ...]]]] = [
    ("sqlite3.Connection", reopened, STATEMENTS),
    ("sqlite3.Connection", connection, {"commit": (), "rollback": (), "__exit__": ()}),
    ("sqlite3.Cursor", cursor, STATEMENTS),
    ("sqlite3.Cursor", selected, FETCHES),
]

for _owner, _make, _table in MAKERS:
    methods_on_disk(_owner, [lambda d, make=_make: make(d / "database")], _table)  # type: ignore[misc]
    for _name, _given in _table.items():
        for _test, _database in MEMORY.items():
            _call = lambda _, make=_make, at=_database, name=_name, given=_given: method(make(at), name, *given)  # noqa: E731
            in_memory(f"{_owner}.{_name}", f"constructor database{_test}", _call)

methods_on_disk(
    "sqlite3.Connection",
    [lambda d: reopened(d / "database")],
    {"backup": lambda d: (resolve("sqlite3.connect")(d / "backup"),)},
)
on_disk("sqlite3.Connection.iterdump", lambda d: dumping(d / "database"))
for _test, _database in MEMORY.items():
    _aspect = f"constructor database{_test}"
    in_memory(
        "sqlite3.Connection.backup",
        _aspect,
        lambda _, at=_database: partial(reopened(at).backup, resolve("sqlite3.connect")(":memory:")),  # type: ignore[misc]
    )
    in_memory("sqlite3.Connection.iterdump", _aspect, lambda _, at=_database: dumping(at))  # type: ignore[misc]
    for _name in CONNECTIONS:
        in_memory(
            _name,
            f"database{_test}",
            lambda _, name=_name, at=_database: partial(resolve(name), at, uri=at.startswith("file:")),  # type: ignore[misc]
        )
for _name in CONNECTIONS:
    on_disk(_name, lambda d, name=_name: partial(resolve(name), d / "database"))  # type: ignore[misc]

# --- dbm, shelve ---------------------------------------------------------------------------------

functions_on_disk(
    {f"{module}.open": lambda d: (str(d / "new"), "c") for module in ("dbm", "dbm.dumb", "dbm.gnu", "dbm.ndbm", "dbm.sqlite3")}
)
functions_on_disk(
    {
        "dbm.whichdb": lambda d: (str(d / "file"),),
        **dict.fromkeys(("shelve.open", "shelve.DbfilenameShelf"), lambda d: (str(d / "new"),)),
    }
)


def shelf(directory: Path) -> Any:  # noqa: ANN401 - a shelf of whichever database there is
    """A shelf with a value that is changed in memory only."""
    made = resolve("shelve.open")(str(directory / "new"), writeback=True)
    made["key"] = ROW
    made.sync()
    made["key"] = "changed"
    return made


def each(view: Callable[[], Iterable[object]]) -> list[object]:
    """All that a shelf gives, whose views read as they are iterated."""
    return list(view())


def stored(directory: Path) -> Any:  # noqa: ANN401 - a shelf of whichever database there is
    """A shelf whose values are on the disk, opened anew."""
    shelf(directory).close()
    return resolve("shelve.open")(str(directory / "new"))


methods_on_disk(
    "shelve.Shelf",
    [stored],
    {
        "__getitem__": ("key",),
        "__setitem__": ("new", ROW),
        "__delitem__": ("key",),
        "get": ("key",),
        "update": ({"new": ROW},),
    },
)
methods_on_disk("shelve.Shelf", [shelf], {"sync": (), "close": (), "__exit__": ()})


@CASES.exercises("shelve.Shelf.__iter__")
def iterate_a_shelf(directory: Path) -> None:
    """The keys of one kind of database are in memory."""
    if type(shelf(directory).dict).__module__ == "dbm.dumb":
        pytest.skip("this build of Python has dbm.dumb only, which keeps its keys in memory")
    observe_kernel_after(lambda: method(stored(directory), "__iter__"), at=directory)


for _name in ("items", "values"):
    on_disk(f"shelve.Shelf.{_name}", lambda d, name=_name: partial(each, getattr(stored(d), name)))  # type: ignore[misc]
