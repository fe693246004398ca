"""A real Celery worker with real processes: what its tasks do to event loops is told, and nothing of a task that is fine."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from asyncvet.monitor.celery import RUNS
from asyncvet.monitor.observation import Observation, read_observations

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent

SEND = f"""
import tasks
results = [task.delay() for task in (tasks.stalls, tasks.waits, tasks.fine)]
results += [tasks.leaves_open.delay() for _ in range(6)] + [tasks.crosses_loops.delay() for _ in range(4)]
results += [tasks.starts_loops.delay() for _ in range({2 * RUNS})]
for result in results:
    result.get(timeout=60, propagate=False)
"""


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> list[Observation]:
    """What two worker processes have told."""
    folder = tmp_path_factory.mktemp("celery")
    variables = {**os.environ, "FOLDER": str(folder), "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT / "src")])}
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "-c", "2", "--without-gossip", "--without-mingle"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, env=variables, cwd=folder, stdout=log, stderr=log) as worker,
    ):
        subprocess.run([sys.executable, "-c", SEND], env=variables, cwd=folder, check=True, timeout=120)
        time.sleep(0.5)  # the reporters write
        worker.terminate()
        worker.wait()
    found, faults = read_observations(folder / "observations")
    assert faults == []
    return found


def told(observed: list[Observation], kind: str) -> set[tuple[str, str, str]]:
    """Task, what it did, and the function that did it."""
    return {(each.request, each.primitive, each.stack[-1].function) for each in observed if each.kind == kind and each.stack}


def test_stalls(observed: list[Observation]) -> None:
    """A loop that a task runs is watched; the stall is the task's."""
    assert told(observed, "stall") == {("tasks.stalls", "time.sleep", "stalling")}


def test_waits(observed: list[Observation]) -> None:
    """A task that waits for another one is told, with the time that it waits."""
    assert told(observed, "result-wait") == {("tasks.waits", "celery.result.AsyncResult.get", "waits")}
    assert all((each.seconds or 0) > 0.05 for each in observed if each.kind == "result-wait")


def test_misuse(observed: list[Observation]) -> None:
    """Loops that are left open, used by a second run, or made by each run."""
    assert told(observed, "loop-misuse") == {
        ("tasks.leaves_open", "leaves its event loop open in each run; close it, or use `asyncio.run`", "leaves_open"),
        ("tasks.crosses_loops", "uses what belongs to the event loop of another run", "crosses_loops.<locals>.main"),
        (
            "tasks.starts_loops",
            f"starts event loops of its own: {RUNS} by now; start one for the worker, and hand coroutines to it",
            "starts_loops",
        ),
    }


def test_once(observed: list[Observation]) -> None:
    """What every run does is told once a process."""
    counts = Counter(
        (each.process, each.primitive) for each in observed if "loop" in each.primitive and "another run" not in each.primitive
    )
    assert set(counts.values()) == {1}


def test_no_celery() -> None:
    """A program that has no Celery gets a message that says where to call it."""
    script = "from asyncvet.monitor import celery\ncelery.connect()\n"
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=False)
    said = "RuntimeError: Celery is not imported here: call `connect` below `app = Celery(...)`"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, said)
