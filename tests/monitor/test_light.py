"""The light monitor in a running process: what it tells, and that it leaves nothing behind."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from asyncvet import monitor
from asyncvet.monitor.observation import Observation, read_observations
from asyncvet.monitor.watchdog import MONITOR

ROOT = Path(__file__).resolve().parents[2]
ORIGINAL = asyncio.BaseEventLoop.run_forever


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    monitor.stop()
    assert asyncio.BaseEventLoop.run_forever is ORIGINAL
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("asyncvet-")]


@pytest.fixture
def told() -> list[Observation]:
    """What the sinks are told of, complete once the monitor is stopped."""
    found: list[Observation] = []
    monitor.start(sinks=[found.append])
    return found


def blame(observations: list[Observation]) -> list[tuple[str, str, str]]:
    """Of each observation with a culprit: kind, call and function."""
    return [(each.kind, each.call, each.stack[-1].function.rpartition(".")[2]) for each in observations if each.stack]


async def stalling(seconds: float = 0.3) -> None:
    await asyncio.sleep(0.06)
    time.sleep(seconds)


def test_last_step(told: list[Observation]) -> None:
    """A loop that stalls in the last step of its life is told of, though no heartbeat follows."""
    asyncio.run(stalling())
    monitor.stop()
    assert blame(told) == [("stall", "time.sleep", "stalling")]
    assert [each.callback for each in told if each.stack] == ["stalling"]


def test_running_loop() -> None:
    """Started and stopped within a loop that runs: what comes between is told, and nothing else."""
    found: list[Observation] = []

    async def main() -> None:
        await stalling()
        monitor.start(sinks=[found.append])
        await stalling()
        await asyncio.sleep(0.1)
        monitor.stop()
        await stalling()

    asyncio.run(main())
    assert blame(found) == [("stall", "time.sleep", "stalling")]


def test_callback(told: list[Observation]) -> None:
    """A plain function that the loop calls back is told by its name; it has no task."""

    def callback() -> None:
        time.sleep(0.3)

    async def main() -> None:
        await asyncio.sleep(0.06)
        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(0.1)

    asyncio.run(main())
    monitor.stop()
    assert blame(told) == [("stall", "time.sleep", "callback")]
    assert [each.task for each in told if each.stack] == [""]


def test_threads(told: list[Observation]) -> None:
    """Loops in several threads are watched each for itself."""
    threads = [threading.Thread(target=asyncio.run, args=(stalling(),), name=f"loop {number}") for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monitor.stop()
    assert sorted(each.thread for each in told if each.stack) == ["loop 0", "loop 1", "loop 2"]


def test_nested(told: list[Observation]) -> None:
    """A loop that runs within another one's step stalls both."""

    async def outer() -> None:
        await asyncio.sleep(0.06)
        running = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            inner = asyncio.new_event_loop()
            inner.run_until_complete(stalling())
            inner.close()
        finally:
            asyncio._set_running_loop(running)

    asyncio.run(outer())
    monitor.stop()
    assert {(each.callback, each.call) for each in told if each.stack and each.call == "time.sleep"} >= {
        ("stalling", "time.sleep")
    }


def test_failing_sink() -> None:
    """A sink that fails keeps nothing from the next one."""
    found: list[Observation] = []

    def fail(observation: Observation) -> None:
        raise OSError(observation.kind)

    monitor.start(sinks=[fail, found.append])
    asyncio.run(stalling())
    monitor.stop()
    assert blame(found) == [("stall", "time.sleep", "stalling")]


def test_histogram_of_lag(told: list[Observation]) -> None:
    """The lag of all loops is counted, also of those that are over."""
    asyncio.run(stalling())
    lag = MONITOR.lag()
    assert told is not None
    assert lag.count >= 2
    assert 0.2 < lag.longest < 5


def test_hang(tmp_path: Path) -> None:
    """A stall that goes on is told while it lasts, and the stacks of all threads are written down."""
    found: list[Observation] = []
    with (tmp_path / "stacks").open("w") as dump:
        monitor.start(hang=0.2, dump=dump, sinks=[found.append])
        asyncio.run(stalling(0.8))
        monitor.stop()
    assert blame(found) == [("hang", "time.sleep", "stalling"), ("stall", "time.sleep", "stalling")]
    stacks = (tmp_path / "stacks").read_text()
    assert re.search(r'^Timeout \(0:00:00\.200000\)!\n(.*\n)*  File ".*test_light\.py", line \d+ in stalling\n', stacks)


def test_idle_loop_writes_no_stacks(tmp_path: Path) -> None:
    """Neither a loop that waits, nor a process without one, hangs."""
    with (tmp_path / "stacks").open("w") as dump:
        monitor.start(hang=0.2, dump=dump)
        asyncio.run(asyncio.sleep(0.6))
        time.sleep(0.4)
        monitor.stop()
    assert (tmp_path / "stacks").read_text() == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_fork(tmp_path: Path) -> None:
    """A child process, which has none of the threads, watches its own loops."""
    script = (
        "import asyncio, os, sys, time\n"
        "from asyncvet import monitor\n"
        "async def main():\n    await asyncio.sleep(0.06)\n    time.sleep(0.3)\n"
        "monitor.start(output=sys.argv[1])\n"
        "asyncio.run(asyncio.sleep(0.2))\n"
        "child = os.fork()\n"
        "asyncio.run(main())\n"
        "monitor.stop()\n"
        "child and os.waitpid(child, 0)\n"
    )
    done = run_script(tmp_path, script, str(tmp_path / "observations"))
    assert (done.returncode, done.stdout) == (0, "")
    found, faults = read_observations(tmp_path / "observations")
    assert faults == []
    assert blame(found) == [("stall", "time.sleep", "main")] * 2
    assert len({each.process for each in found}) == 2


def run_script(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program in a process of its own."""
    (folder / "script.py").write_text(script)
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(folder / "script.py"), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)


def test_end_of_interpreter(tmp_path: Path) -> None:
    """A program that ends while it is watched, or in the midst of a stall, ends as it would without."""
    script = "import asyncio, sys, time\nfrom asyncvet import monitor\nmonitor.start()\n"
    script += "async def main():\n    await asyncio.sleep(0.06)\n    time.sleep(0.15)\n    sys.exit(7)\nasyncio.run(main())\n"
    done = run_script(tmp_path, script)
    assert (done.returncode, done.stdout) == (7, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("variable", "is_on"), [("off", False), ("0", False), ("on", True)])
def test_environment(variable: str, is_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment keeps the monitor off."""
    monkeypatch.setenv("ASYNCVET_MONITOR", variable)
    monitor.start()
    assert MONITOR.is_on == is_on


def test_signal() -> None:
    """A signal switches it off, and on again."""
    before = signal.getsignal(signal.SIGUSR2)
    monitor.start(switch=signal.SIGUSR2)
    states = []
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGUSR2)
        states.append(MONITOR.is_on)
    signal.signal(signal.SIGUSR2, before)
    assert states == [False, True, False]


def test_off_costs_nothing() -> None:
    """A process that has used the monitor and switched it off has no thread, timer or wrapper of it: see `_stopped`."""
    monitor.start()
    asyncio.run(asyncio.sleep(0.06))
    monitor.stop()

    async def timers() -> int:
        return len(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]

    assert asyncio.run(timers()) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bound": 0.001}, "bound=0.001: must be 0.01 seconds or more; the strict mode sees shorter stalls"),
        ({"bound": 1.0, "hang": 0.5}, "hang=0.5: must not be below bound=1.0; 0 writes no stacks"),
    ],
)
def test_settings(settings: dict[str, float], message: str) -> None:
    """Settings that make no sense are refused, and the monitor stays off."""
    with pytest.raises(ValueError, match=re.escape(message)):
        monitor.start(**settings)
    assert not MONITOR.is_on


def test_signal_in_thread() -> None:
    """Only the main thread can have a signal set."""
    errors: list[Exception] = []

    def begin() -> None:
        try:
            monitor.start(switch=signal.SIGUSR2)
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert [str(error) for error in errors] == [
        "switch: only the main thread can set a signal; call `start` there, or leave `switch` out"
    ]


def test_uvloop(told: list[Observation]) -> None:
    """Loops of uvloop are watched from their start as well, plain callbacks too."""
    uvloop: ModuleType = pytest.importorskip("uvloop")
    monitor.stop()
    monitor.start(sinks=[told.append])

    def callback() -> None:
        time.sleep(0.3)

    async def main() -> None:
        await stalling()
        await asyncio.sleep(0.06)
        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(0.1)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    monitor.stop()
    assert [(each.loop, *kind) for each, kind in zip([each for each in told if each.stack], blame(told), strict=True)] == [
        ("uvloop", "stall", "time.sleep", "stalling"),
        ("uvloop", "stall", "time.sleep", "callback"),
    ]
