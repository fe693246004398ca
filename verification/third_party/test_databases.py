"""What stands between a program and its database waits as the driver does: for a lock of PostgreSQL, for a writer of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import aiosqlite
import diskcache
import peewee
import pytest
import sqlalchemy
import sqlalchemy.ext.asyncio
import sqlalchemy.orm
import sqlmodel
import sqlmodel.ext.asyncio.session

from verification.observing import observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import Server
from verification.third_party.test_postgresql import HeldTable, held_table

__all__ = ["held_table"]


class Held(sqlmodel.SQLModel, table=True):
    """The table that another transaction has locked."""

    __tablename__ = "held"
    number: int = sqlmodel.Field(primary_key=True)


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[sqlalchemy.Engine]:
    """An engine over PostgreSQL."""
    engine = sqlalchemy.create_engine(postgresql_url.replace("postgresql", "postgresql+psycopg"))
    yield engine
    engine.dispose()


@exercises("sqlalchemy.Engine.connect", "sqlalchemy.Engine.begin", "sqlalchemy.Engine.raw_connection")
@pytest.mark.parametrize(
    "connect",
    [lambda e: e.connect(), lambda e: e.begin().__enter__(), lambda e: e.raw_connection()],
    ids=["connect", "begin", "raw"],
)
def test_engine_connects(connect: Callable[[sqlalchemy.Engine], object], engine: sqlalchemy.Engine, postgresql: Server) -> None:
    with postgresql.paused():
        observe_wait(lambda: connect(engine), postgresql.resume)


@exercises(
    "sqlalchemy.create_engine",
    "sqlalchemy.Engine.dispose",
    "sqlalchemy.orm.Session.query",
    "sqlalchemy.orm.Session.add",
    aspect=HARMLESS,
)
def test_engine_is_made_at_once(postgresql: Server, postgresql_url: str) -> None:
    def make() -> None:
        engine = sqlalchemy.create_engine(postgresql_url.replace("postgresql", "postgresql+psycopg"))
        with sqlalchemy.orm.Session(engine) as session:
            session.query(Held).filter_by(number=1)
            session.add(Held(number=1))
        engine.dispose()

    with postgresql.paused():
        observe_no_wait(make)


@exercises("sqlalchemy.Connection.execute", "sqlalchemy.Connection.scalar", "sqlalchemy.Connection.scalars")
@pytest.mark.parametrize("method", ["execute", "scalar", "scalars"])
def test_connection(method: str, engine: sqlalchemy.Engine, held_table: HeldTable) -> None:
    with engine.connect() as connection:
        observe_wait(lambda: getattr(connection, method)(sqlalchemy.select(Held.number)), held_table.release)


@exercises("sqlalchemy.Connection.commit", "sqlalchemy.Connection.begin_nested", "sqlalchemy.Transaction.commit")
@pytest.mark.parametrize(
    "end", [lambda c: c.commit(), lambda c: c.rollback(), lambda c: c.begin_nested(), lambda c: c.get_transaction().commit()]
)
def test_connection_ends_transactions(
    end: Callable[[sqlalchemy.Connection], object], engine: sqlalchemy.Engine, postgresql: Server
) -> None:
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1"))
        with postgresql.paused():
            observe_wait(lambda: end(connection), postgresql.resume)


@exercises("sqlalchemy.MetaData.create_all", "sqlalchemy.Table.create", "sqlalchemy.engine.reflection.Inspector.get_table_names")
@pytest.mark.parametrize(
    "run",
    [
        lambda engine, _: sqlmodel.SQLModel.metadata.create_all(engine),
        lambda engine, _: Held.__table__.create(engine, checkfirst=True),
        lambda _, inspector: inspector.get_table_names(),
    ],
    ids=["create_all", "create", "inspect"],
)
def test_schema(run: Callable[..., object], engine: sqlalchemy.Engine, postgresql: Server) -> None:
    inspector = sqlalchemy.inspect(engine)
    with postgresql.paused():
        observe_wait(lambda: run(engine, inspector), postgresql.resume)


@exercises(
    "sqlalchemy.orm.Session.execute",
    "sqlalchemy.orm.Session.scalars",
    "sqlalchemy.orm.Session.scalar",
    "sqlalchemy.orm.Session.get",
)
@exercises(
    "sqlalchemy.orm.Session.merge", "sqlalchemy.orm.Query.all", "sqlalchemy.orm.Query.first", "sqlalchemy.orm.Query.update"
)
@exercises("sqlalchemy.orm.Query.__iter__")
@pytest.mark.parametrize(
    "run",
    [
        lambda session: session.execute(sqlalchemy.select(Held)),
        lambda session: session.scalars(sqlalchemy.select(Held)),
        lambda session: session.scalar(sqlalchemy.select(Held)),
        lambda session: session.get(Held, 1),
        lambda session: session.merge(Held(number=1)),
        lambda session: session.query(Held).all(),
        lambda session: session.query(Held).first(),
        lambda session: session.query(Held).update({"number": 2}),
        lambda session: list(session.query(Held)),
    ],
    ids=["execute", "scalars", "scalar", "get", "merge", "all", "first", "update", "iteration"],
)
def test_session(run: Callable[[sqlalchemy.orm.Session], object], engine: sqlalchemy.Engine, held_table: HeldTable) -> None:
    with sqlalchemy.orm.Session(engine) as session:
        observe_wait(lambda: run(session), held_table.release)


@exercises("sqlalchemy.orm.Session.flush", "sqlalchemy.orm.Session.commit", "sqlalchemy.orm.Session.begin_nested")
@pytest.mark.parametrize("method", ["flush", "commit", "begin_nested"])
def test_session_writes(method: str, engine: sqlalchemy.Engine, held_table: HeldTable) -> None:
    with sqlalchemy.orm.Session(engine) as session:
        session.add(Held(number=1))
        observe_wait(getattr(session, method), held_table.release)


@exercises("sqlalchemy.orm.Session.rollback", "sqlalchemy.orm.Session.connection")
@pytest.mark.parametrize("method", ["rollback", "connection"])
def test_session_transactions(method: str, engine: sqlalchemy.Engine, postgresql: Server) -> None:
    with sqlalchemy.orm.Session(engine) as session:
        if method != "connection":
            session.execute(sqlalchemy.text("SELECT 1"))
        with postgresql.paused():
            observe_wait(getattr(session, method), postgresql.resume)


@exercises("sqlalchemy.orm.Session.refresh")
def test_session_refreshes(engine: sqlalchemy.Engine, held_table: HeldTable, postgresql: Server) -> None:
    held_table.release()
    with sqlalchemy.orm.Session(engine) as session:
        session.add(held := Held(number=1))
        session.commit()
        with postgresql.paused():
            observe_wait(lambda: session.refresh(held), postgresql.resume)


def asynchronous(url: str) -> sqlalchemy.ext.asyncio.AsyncEngine:
    """An asynchronous engine over PostgreSQL."""
    return sqlalchemy.ext.asyncio.create_async_engine(url.replace("postgresql", "postgresql+asyncpg"))


@exercises("sqlalchemy.ext.asyncio.AsyncEngine.dispose", "sqlalchemy.ext.asyncio.AsyncConnection.execute", aspect=AWAITS)
def test_async_connection(postgresql_url: str, held_table: HeldTable) -> None:
    async def execute() -> object:
        engine = asynchronous(postgresql_url)
        async with engine.connect() as connection:
            rows = (await connection.execute(sqlalchemy.select(Held))).all()
        await engine.dispose()
        return rows

    assert observe_await(execute, held_table.release) == []


@exercises("sqlalchemy.ext.asyncio.AsyncSession.execute", "sqlalchemy.ext.asyncio.AsyncSession.get", aspect=AWAITS)
@exercises("sqlalchemy.ext.asyncio.AsyncSession.flush", aspect=AWAITS)
@pytest.mark.parametrize("run", [lambda s: s.execute(sqlalchemy.select(Held)), lambda s: s.get(Held, 1), lambda s: s.flush()])
def test_async_session(
    run: Callable[[sqlalchemy.ext.asyncio.AsyncSession], object], postgresql_url: str, held_table: HeldTable
) -> None:
    async def execute() -> None:
        engine = asynchronous(postgresql_url)
        async with sqlalchemy.ext.asyncio.AsyncSession(engine) as session:
            session.add(Held(number=1))
            await run(session)
        await engine.dispose()

    observe_await(execute, held_table.release)


@exercises("sqlmodel.Session.exec")
def test_sqlmodel_session(engine: sqlalchemy.Engine, held_table: HeldTable) -> None:
    with sqlmodel.Session(engine) as session:
        observe_wait(lambda: session.exec(sqlmodel.select(Held)), held_table.release)


@exercises("sqlmodel.ext.asyncio.session.AsyncSession.exec", aspect=AWAITS)
def test_sqlmodel_async_session(postgresql_url: str, held_table: HeldTable) -> None:
    async def execute() -> None:
        engine = asynchronous(postgresql_url)
        async with sqlmodel.ext.asyncio.session.AsyncSession(engine) as session:
            await session.exec(sqlmodel.select(Held))
        await engine.dispose()

    observe_await(execute, held_table.release)


class Writer:
    """A connection to a SQLite file that lets nobody else write."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        """End the transaction."""
        self._connection.execute("COMMIT")
        self._connection.close()


@exercises("peewee.Model.get_or_none", "peewee.Model.get_or_create", "peewee.Model.save", "peewee.Model.drop_table")
@exercises("peewee.ModelSelect.count", "peewee.ModelInsert.execute")
@pytest.mark.parametrize(
    "run",
    [
        lambda model: model.get_or_none(number=2),
        lambda model: model.get_or_create(number=2),
        lambda model: model(number=2).save(force_insert=True),
        lambda model: model.drop_table(),
        lambda model: model.select().count(),
        lambda model: model.insert(number=2).execute(),
    ],
    ids=["get", "get_or_create", "save", "drop_table", "count", "insert"],
)
def test_peewee(run: Callable[..., object], postgresql_url: str, held_table: HeldTable) -> None:
    database = peewee_database(postgresql_url)

    class Model(peewee.Model):
        number = peewee.IntegerField(primary_key=True)

        class Meta:
            table_name = "held"

    Model.bind(database)
    observe_wait(lambda: run(Model), held_table.release)


def peewee_database(url: str) -> peewee.Database:
    """The database at `url`, for peewee."""
    parts = sqlalchemy.make_url(url)
    return peewee.PostgresqlDatabase(parts.database, host=parts.host, port=parts.port, user=parts.username)


@exercises("peewee.Database.connect", "peewee.Database.execute_sql", "peewee.Database.atomic")
@pytest.mark.parametrize("use", [lambda d: d.connect(), lambda d: d.execute_sql("SELECT 1"), lambda d: d.atomic().__enter__()])
def test_peewee_database(use: Callable[[peewee.Database], object], postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused():
        observe_wait(lambda: use(peewee_database(postgresql_url)), postgresql.resume)


@exercises("aiosqlite.Connection.execute", "aiosqlite.Connection.commit", "aiosqlite.Connection.close", aspect=AWAITS)
def test_aiosqlite(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "database").execute("CREATE TABLE held (number)").connection.close()
    writer = Writer(tmp_path / "database")

    async def insert() -> None:
        connection = await aiosqlite.connect(tmp_path / "database", timeout=60)
        await connection.execute("INSERT INTO held VALUES (1)")
        await connection.commit()
        await connection.close()

    observe_await(insert, writer.release)


@exercises("diskcache.Cache.set", "diskcache.Cache.transact", "diskcache.FanoutCache.set", "diskcache.FanoutCache.transact")
@exercises("diskcache.Deque.append", "diskcache.Index.pop", "diskcache.Index.__setitem__")
@pytest.mark.parametrize(
    ("make", "run"),
    [
        (diskcache.Cache, lambda cache: cache.set("key", 1)),
        (diskcache.Cache, lambda cache: cache.transact().__enter__()),
        (lambda folder: diskcache.FanoutCache(folder, shards=1, timeout=60), lambda cache: cache.set("key", 1)),
        (lambda folder: diskcache.FanoutCache(folder, shards=1, timeout=60), lambda cache: cache.transact().__enter__()),
        (lambda folder: diskcache.Deque(directory=folder), lambda deque: deque.append(1)),
        (lambda folder: diskcache.Index(str(folder)), lambda index: index.pop("key", None)),
        (lambda folder: diskcache.Index(str(folder)), lambda index: index.__setitem__("key", 1)),
    ],
)
def test_diskcache(make: Callable[[Path], object], run: Callable[..., object], tmp_path: Path) -> None:
    cache = make(tmp_path)
    (file,) = tmp_path.rglob("cache.db")
    writer = Writer(file)
    observe_wait(lambda: run(cache), writer.release)
