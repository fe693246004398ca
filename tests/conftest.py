"""No test looks at what reviews of the machine's user have kept, or adds to it."""

import sys

import pytest

from asyncvet.graph.memo import RECURSION

# A review raises it, and Hypothesis warns of that where it happens within a test.
sys.setrecursionlimit(RECURSION)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.MonkeyPatch().setenv("ASYNCVET_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
