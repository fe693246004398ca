"""Services that several tests share; each is started once, when the first test needs it."""

from collections.abc import Iterator

import pytest

from tests.services import Service, farm, runtime


@pytest.fixture(scope="session")
def a_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with runtime(tmp_path_factory.mktemp("runtime")) as service:
        yield service


@pytest.fixture(scope="session")
def a_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with farm(tmp_path_factory.mktemp("farm")) as service:
        yield service
