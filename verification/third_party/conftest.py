"""The servers that the calls wait for: each starts when first asked for, and ends with the run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from verification.third_party.servers import (
    HOST,
    FullListener,
    Server,
    SilentListener,
    SilentNameServer,
    running,
    running_postgresql,
    start_python,
    start_redis,
    start_smtp,
)


@pytest.fixture(scope="session", autouse=True)
def _no_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clients read no settings, credentials and proxies of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [
            name for name in os.environ if name.lower().endswith("_proxy") or name.startswith(("AWS_", "PG", "DOCKER_"))
        ]:
            patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def http() -> Iterator[Server]:
    """A server that answers."""
    with running(start_python("http_app.py")) as server:
        yield server


@pytest.fixture
def paused_http(http: Server) -> Iterator[Server]:
    """The HTTP server, which says nothing until it is resumed."""
    with http.paused():
        yield http


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """A server that answers."""
    with running(start_redis()) as server:
        yield server


@pytest.fixture
def paused_redis(redis_server: Server) -> Iterator[Server]:
    """The Redis server, which says nothing until it is resumed."""
    with redis_server.paused():
        yield redis_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server that answers; a pause ends with the test that made it."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    """The address of the PostgreSQL server's database; the server runs again after the test."""
    yield f"postgresql://postgres@{HOST}:{postgresql.port}/postgres"
    postgresql.resume()


@pytest.fixture(scope="session")
def grpc_server() -> Iterator[Server]:
    """A server that answers."""
    with running(start_python("grpc_app.py")) as server:
        yield server


@pytest.fixture(scope="session")
def websocket_server() -> Iterator[Server]:
    """A server that sends back what it gets."""
    with running(start_python("websocket_app.py")) as server:
        yield server


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[Server]:
    """A server that takes mail."""
    with running(start_smtp()) as server:
        yield server


@pytest.fixture(scope="session")
def ssh_server() -> Iterator[Server]:
    """A server whose commands answer nothing."""
    with running(start_python("ssh_app.py")) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[SilentListener]:
    """A listener that takes connections and says nothing."""
    listener = SilentListener()
    yield listener
    listener.close()


@pytest.fixture
def full() -> Iterator[FullListener]:
    """A listener that does not even take connections."""
    listener = FullListener()
    yield listener
    listener.close()


@pytest.fixture
def name_server() -> Iterator[SilentNameServer]:
    """A name server that says nothing."""
    server = SilentNameServer()
    yield server
    server.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test waits for ever. What libraries warn of, and sockets that they leave to the garbage collector, are not what is verified."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))
            item.add_marker(pytest.mark.timeout(120))
