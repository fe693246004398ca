"""A PostgreSQL client waits while the server is paused and while another transaction holds the table."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

import asyncio
import io
import subprocess
import time
from collections.abc import Callable, Iterator

import asyncpg
import pandas
import psycopg
import psycopg2
import psycopg2.extras
import psycopg2.pool
import psycopg_pool
import pytest
import sqlalchemy

from verification.observing import NotObservedError, observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await, observe_await_bound
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import Server

SECONDS = 0.2
LEAST_SECONDS = 2
"""The least that libpq takes for `connect_timeout`."""


class HeldTable:
    """A table that a transaction of another connection has locked."""

    def __init__(self, url: str) -> None:
        self._holder = psycopg.connect(url)
        self._holder.execute("CREATE TABLE IF NOT EXISTS held (number integer PRIMARY KEY)")
        self._holder.execute("TRUNCATE held")
        self._holder.commit()
        self._holder.execute("LOCK TABLE held")

    def release(self) -> None:
        """End the transaction."""
        self._holder.commit()

    def close(self) -> None:
        """Close the connection of the transaction."""
        self._holder.close()


@pytest.fixture
def held_table(postgresql_url: str) -> Iterator[HeldTable]:
    """The table `held`, which nobody else can read or write."""
    table = HeldTable(postgresql_url)
    yield table
    table.close()


@pytest.fixture
def connection(postgresql_url: str) -> Iterator[psycopg.Connection]:
    """A connection of psycopg."""
    with psycopg.connect(postgresql_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def connection2(postgresql_url: str) -> Iterator[psycopg2.extensions.connection]:
    """A connection of psycopg2."""
    connection = psycopg2.connect(postgresql_url)
    yield connection
    connection.close()


def observe_wait_with_everything(call: Callable[[], object], server: Server) -> None:
    """See that `call`, which keeps even the other threads of the interpreter from running, waits for the paused server."""
    server.pause()
    processes = [str(process.pid) for process in server.processes()]
    with subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -CONT {' '.join(processes)}"]):
        start = time.monotonic()
        call()
        elapsed = time.monotonic() - start
    if elapsed < 0.4:
        raise NotObservedError(f"the call returned {elapsed:.3f} s after the server was paused")


@exercises("psycopg.connect")
def test_psycopg_connect(postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused():
        observe_wait(lambda: psycopg.connect(postgresql_url), postgresql.resume).close()


@exercises("psycopg.connect", aspect="bound")
def test_psycopg_connect_is_bounded(postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused():
        observe_bound(lambda: psycopg.connect(postgresql_url, connect_timeout=LEAST_SECONDS), LEAST_SECONDS, raises=psycopg.Error)


@exercises("psycopg.Connection.execute")
def test_psycopg_execute(connection: psycopg.Connection, held_table: HeldTable) -> None:
    observe_wait(lambda: connection.execute("SELECT * FROM held"), held_table.release)


@exercises("psycopg.Cursor.execute", "psycopg.Cursor.executemany", "psycopg.Cursor.stream", "psycopg.Cursor.copy")
@pytest.mark.parametrize(
    "run",
    [
        lambda cursor: cursor.execute("SELECT * FROM held"),
        lambda cursor: cursor.executemany("INSERT INTO held VALUES (%s)", [(1,), (2,)]),
        lambda cursor: list(cursor.stream("SELECT * FROM held")),
        lambda cursor: cursor.copy("COPY held TO STDOUT").__enter__(),
    ],
    ids=["execute", "executemany", "stream", "copy"],
)
def test_psycopg_cursor(run: Callable[[psycopg.Cursor], object], postgresql_url: str, held_table: HeldTable) -> None:
    connection = psycopg.connect(postgresql_url)
    observe_wait(lambda: run(connection.cursor()), held_table.release)
    connection.close()


@exercises("psycopg.Connection.commit")
@pytest.mark.parametrize("method", ["commit", "rollback"])
def test_psycopg_commit(method: str, connection: psycopg.Connection, postgresql: Server) -> None:
    connection.execute("SELECT 1")
    with postgresql.paused():
        observe_wait(getattr(connection, method), postgresql.resume)


@exercises("psycopg.Connection.transaction")
def test_psycopg_transaction(connection: psycopg.Connection, postgresql: Server) -> None:
    def run() -> None:
        with connection.transaction():
            pass

    with postgresql.paused():
        observe_wait(run, postgresql.resume)


@exercises("psycopg.Connection.notifies")
def test_psycopg_notifies(postgresql_url: str) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as listener, psycopg.connect(postgresql_url, autocommit=True) as other:
        listener.execute("LISTEN news")
        notice = observe_wait(lambda: next(listener.notifies()), lambda: other.execute("NOTIFY news, 'a'"))
    assert notice.payload == "a"


@exercises("psycopg.Connection.cancel")
def test_psycopg_cancel(connection: psycopg.Connection, postgresql: Server) -> None:
    observe_wait_with_everything(connection.cancel, postgresql)


@exercises(
    "psycopg.Connection.cursor",
    "psycopg.Cursor.fetchone",
    "psycopg.Cursor.fetchmany",
    "psycopg.Connection.close",
    aspect=HARMLESS,
)
def test_psycopg_without_the_server(postgresql: Server, postgresql_url: str) -> None:
    """The rows of a client-side cursor are here once it has executed."""

    def use() -> object:
        connection.cursor()
        rows = [cursor.fetchone(), *cursor.fetchmany(2), *cursor.fetchall()]
        connection.close()
        return rows

    connection = psycopg.connect(postgresql_url)
    cursor = connection.execute("SELECT generate_series(1, 5)")
    with postgresql.paused():
        assert observe_no_wait(use) == [(1,), (2,), (3,), (4,), (5,)]


@exercises("psycopg.ServerCursor.fetchone", "psycopg.ServerCursor.fetchmany")
@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall"])
def test_psycopg_server_cursor(fetch: str, connection: psycopg.Connection, postgresql: Server) -> None:
    cursor = connection.cursor("name")
    cursor.execute("SELECT generate_series(1, 5)")
    with postgresql.paused():
        observe_wait(getattr(cursor, fetch), postgresql.resume)


@exercises("psycopg.AsyncConnection.connect", "psycopg.AsyncConnection.close", aspect=AWAITS)
def test_psycopg_async_connect(postgresql: Server, postgresql_url: str) -> None:
    async def connect() -> None:
        await (await psycopg.AsyncConnection.connect(postgresql_url)).close()

    with postgresql.paused():
        observe_await(connect, postgresql.resume)


@exercises("psycopg.AsyncConnection.connect", aspect="bound")
def test_psycopg_async_connect_is_bounded(postgresql: Server, postgresql_url: str) -> None:
    async def connect() -> None:
        with pytest.raises(psycopg.Error):
            await psycopg.AsyncConnection.connect(postgresql_url, connect_timeout=LEAST_SECONDS)

    with postgresql.paused():
        observe_await_bound(connect, LEAST_SECONDS)


@exercises("psycopg.AsyncConnection.execute", "psycopg.AsyncCursor.execute", aspect=AWAITS)
@pytest.mark.parametrize("with_cursor", [False, True])
def test_psycopg_async_execute(with_cursor: bool, postgresql_url: str, held_table: HeldTable) -> None:
    async def execute() -> object:
        async with await psycopg.AsyncConnection.connect(postgresql_url) as connection:
            cursor = await (connection.cursor() if with_cursor else connection).execute("SELECT * FROM held")
            return await cursor.fetchall()

    assert observe_await(execute, held_table.release) == []


@exercises("psycopg.AsyncConnection.cancel")
def test_psycopg_async_cancel(postgresql: Server, postgresql_url: str) -> None:
    """Of the asynchronous connection too: it is `cancel_safe` that is awaited."""

    async def cancel() -> None:
        async with await psycopg.AsyncConnection.connect(postgresql_url) as connection:
            observe_wait_with_everything(connection.cancel, postgresql)

    asyncio.run(cancel())


@exercises("psycopg2.connect")
def test_psycopg2_connect(postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused():
        observe_wait(lambda: psycopg2.connect(postgresql_url), postgresql.resume).close()


@exercises("psycopg2.connect", aspect="bound")
def test_psycopg2_connect_is_bounded(postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused():
        observe_bound(
            lambda: psycopg2.connect(postgresql_url, connect_timeout=LEAST_SECONDS), LEAST_SECONDS, raises=psycopg2.Error
        )


@exercises("psycopg2.extensions.cursor.execute", "psycopg2.extensions.cursor.copy_expert", "psycopg2.extras.execute_values")
@pytest.mark.parametrize(
    "run",
    [
        lambda cursor: cursor.execute("SELECT * FROM held"),
        lambda cursor: cursor.executemany("INSERT INTO held VALUES (%s)", [(1,), (2,)]),
        lambda cursor: cursor.copy_expert("COPY held TO STDOUT", io.BytesIO()),
        lambda cursor: psycopg2.extras.execute_values(cursor, "INSERT INTO held VALUES %s", [(1,), (2,)]),
    ],
    ids=["execute", "executemany", "copy_expert", "execute_values"],
)
def test_psycopg2_cursor(
    run: Callable[[psycopg2.extensions.cursor], object], connection2: psycopg2.extensions.connection, held_table: HeldTable
) -> None:
    observe_wait(lambda: run(connection2.cursor()), held_table.release)


@exercises("psycopg2.extensions.connection.commit")
@pytest.mark.parametrize("method", ["commit", "rollback"])
def test_psycopg2_commit(method: str, connection2: psycopg2.extensions.connection, postgresql: Server) -> None:
    connection2.cursor().execute("SELECT 1")
    with postgresql.paused():
        observe_wait(getattr(connection2, method), postgresql.resume)


@exercises("psycopg2.extensions.connection.cancel")
def test_psycopg2_cancel(connection2: psycopg2.extensions.connection, postgresql: Server) -> None:
    observe_wait_with_everything(connection2.cancel, postgresql)


@exercises("psycopg2.extensions.cursor.fetchone", "psycopg2.extensions.cursor.fetchmany", aspect=HARMLESS)
@exercises("psycopg2.extensions.connection.cursor", "psycopg2.extensions.connection.close", aspect=HARMLESS)
def test_psycopg2_without_the_server(postgresql: Server, postgresql_url: str) -> None:
    def use() -> object:
        connection.cursor()
        rows = [cursor.fetchone(), *cursor.fetchmany(2), *cursor.fetchall()]
        connection.close()
        return rows

    connection = psycopg2.connect(postgresql_url)
    cursor = connection.cursor()
    cursor.execute("SELECT generate_series(1, 5)")
    with postgresql.paused():
        assert observe_no_wait(use) == [(1,), (2,), (3,), (4,), (5,)]


@exercises(
    "psycopg2.pool.SimpleConnectionPool", "psycopg2.pool.ThreadedConnectionPool", "psycopg2.pool.SimpleConnectionPool.getconn"
)
@pytest.mark.parametrize("pool_type", [psycopg2.pool.SimpleConnectionPool, psycopg2.pool.ThreadedConnectionPool])
def test_psycopg2_pool(pool_type: type[psycopg2.pool.AbstractConnectionPool], postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused():
        pool = observe_wait(lambda: pool_type(1, 2, postgresql_url), postgresql.resume)
    first = pool.getconn()
    with postgresql.paused():
        second = observe_wait(pool.getconn, postgresql.resume)
    for connection in (first, second):
        pool.putconn(connection)
    pool.closeall()


@pytest.fixture
def pool(postgresql_url: str) -> Iterator[psycopg_pool.ConnectionPool]:
    """A pool of one connection."""
    with psycopg_pool.ConnectionPool(postgresql_url, min_size=1, max_size=1) as pool:
        yield pool


@exercises("psycopg_pool.ConnectionPool.connection", "psycopg_pool.ConnectionPool.getconn")
@pytest.mark.parametrize("take", [lambda pool: pool.getconn(), lambda pool: pool.connection().__enter__()])
def test_pool_without_a_free_connection(take: Callable[[psycopg_pool.ConnectionPool], object], postgresql_url: str) -> None:
    pool = psycopg_pool.ConnectionPool(postgresql_url, min_size=1, max_size=1, open=True)
    taken = pool.getconn()
    observe_wait(lambda: take(pool), lambda: pool.putconn(taken))
    pool.close()


@exercises("psycopg_pool.ConnectionPool.connection", "psycopg_pool.ConnectionPool.getconn", aspect="bound")
@pytest.mark.parametrize("take", [lambda pool: pool.getconn(SECONDS), lambda pool: pool.connection(timeout=SECONDS).__enter__()])
def test_pool_is_bounded(take: Callable[[psycopg_pool.ConnectionPool], object], pool: psycopg_pool.ConnectionPool) -> None:
    with pool.connection():
        observe_bound(lambda: take(pool), SECONDS, raises=psycopg_pool.PoolTimeout)


@exercises("psycopg_pool.ConnectionPool.wait")
def test_pool_opens(postgresql: Server, postgresql_url: str) -> None:
    with postgresql.paused(), psycopg_pool.ConnectionPool(postgresql_url, min_size=1) as pool:
        observe_wait(pool.wait, postgresql.resume)


@exercises("psycopg_pool.ConnectionPool.wait", aspect="bound")
def test_opening_is_bounded(postgresql: Server, postgresql_url: str) -> None:
    """After the bound the pool gives its worker threads up to five seconds more to end."""
    with postgresql.paused():
        pool = psycopg_pool.ConnectionPool(postgresql_url, min_size=1, open=True)
        observe_bound(lambda: pool.wait(timeout=SECONDS), SECONDS, raises=psycopg_pool.PoolTimeout)
        pool.close(timeout=0)


@exercises("psycopg_pool.AsyncConnectionPool.getconn", "psycopg_pool.AsyncConnectionPool.putconn", aspect=AWAITS)
@exercises("psycopg_pool.AsyncConnectionPool.close", aspect=AWAITS)
def test_async_pool(postgresql: Server, postgresql_url: str) -> None:
    async def take() -> None:
        pool = psycopg_pool.AsyncConnectionPool(postgresql_url, min_size=1, open=False)
        await pool.open()
        await pool.putconn(await pool.getconn())
        await pool.close()

    with postgresql.paused():
        observe_await(take, postgresql.resume)


@exercises("asyncpg.connect", "asyncpg.create_pool", "asyncpg.Connection.close", aspect=AWAITS)
@pytest.mark.parametrize("connect", [asyncpg.connect, asyncpg.create_pool])
def test_asyncpg_connect(connect: Callable[[str], object], postgresql: Server, postgresql_url: str) -> None:
    async def use() -> None:
        await (await connect(postgresql_url)).close()

    with postgresql.paused():
        observe_await(use, postgresql.resume)


@exercises("asyncpg.connect", "asyncpg.create_pool", aspect="bound")
@pytest.mark.parametrize("connect", [asyncpg.connect, asyncpg.create_pool])
@pytest.mark.usefixtures("held_table")
def test_asyncpg_commands_are_bounded(connect: Callable[..., object], postgresql_url: str) -> None:
    async def execute() -> None:
        connection = await connect(postgresql_url, command_timeout=SECONDS)
        with pytest.raises(TimeoutError):
            await connection.execute("SELECT * FROM held")
        connection.terminate()

    observe_await_bound(execute, SECONDS)


@exercises("asyncpg.Connection.execute", "asyncpg.Connection.fetch", "asyncpg.Connection.fetchrow", aspect=AWAITS)
@pytest.mark.parametrize("method", ["execute", "fetch", "fetchrow"])
def test_asyncpg_execute(method: str, postgresql_url: str, held_table: HeldTable) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(postgresql_url)
        await getattr(connection, method)("SELECT * FROM held")
        await connection.close()

    observe_await(execute, held_table.release)


@exercises("asyncpg.Connection.execute", "asyncpg.Connection.fetch", "asyncpg.Connection.fetchrow", aspect="bound")
@pytest.mark.parametrize("method", ["execute", "fetch", "fetchrow"])
@pytest.mark.usefixtures("held_table")
def test_asyncpg_execute_is_bounded(method: str, postgresql_url: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(postgresql_url)
        with pytest.raises(TimeoutError):
            await getattr(connection, method)("SELECT * FROM held", timeout=SECONDS)
        connection.terminate()

    observe_await_bound(execute, SECONDS)


@exercises("asyncpg.transaction.Transaction.start", aspect=AWAITS)
def test_asyncpg_commit(postgresql: Server, postgresql_url: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(postgresql_url)
        transaction = connection.transaction()
        await transaction.start()
        with postgresql.paused():
            await transaction.commit()
        await connection.close()

    observe_await(run, postgresql.resume)


@exercises("pandas.read_sql")
def test_pandas_read_sql(postgresql_url: str, held_table: HeldTable) -> None:
    engine = sqlalchemy.create_engine(postgresql_url.replace("postgresql", "postgresql+psycopg"))
    with engine.connect() as connection:
        observe_wait(lambda: pandas.read_sql("SELECT * FROM held", connection), held_table.release)
    engine.dispose()
