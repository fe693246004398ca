"""On a real server under a real load, whoever stalls the loop is named, and nobody else is."""

import asyncio
from pathlib import Path

import pytest

from asyncvet.monitor.observation import read_observations
from tests.monitor.service import CULPRITS, INNOCENT
from tests.monitor.serving import load, served

INNOCENT_REQUESTS = [f"/innocent/{name}/{number}" for name in INNOCENT for number in range(10)]

TRIES = 5
"""A culprit that computes in C can end before the watchdog's thread gets a turn among all that wait for one."""


def blamed(output: Path) -> set[tuple[str, str]]:
    """Whom the observations of a file blame: requests, and the functions that stood still."""
    observations, faults = read_observations(output)
    assert faults == []
    return {(each.request, each.stack[-1].function.partition(".")[0]) for each in observations if each.stack}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_culprits(loop: str, tmp_path: Path) -> None:
    """Each of eight culprits is named by route and function, and none of the forty innocent requests that each one stalls.

    A watchdog that gets its turn only after a culprit that computes in C has gone on may find another function of the same
    request, or none.
    """
    output = tmp_path / "observations.jsonl"
    wanted = {name: (f"GET /culprit/{name}/{{number}}", name) for name in CULPRITS}
    with served("service:watched", loop, OBSERVATIONS=str(output)) as port:
        for _ in range(TRIES):
            for name in [name for name, culprit in wanted.items() if culprit not in blamed(output)]:
                statuses = asyncio.run(load(port, f"/culprit/{name}/1", INNOCENT_REQUESTS))
                assert set(statuses) == {200}
    found = blamed(output)
    assert set(wanted.values()) <= found
    assert {request for request, _ in found} - {""} == {request for request, _ in wanted.values()}
