"""`asyncvet monitor`: the command runs as it would, its exit status is kept, and what blocked in it is reported."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asyncvet.monitor.observation import read_observations

PROGRAM = """
import asyncio, subprocess, sys, time

async def main():
    time.sleep(0.001)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD)
    await process.wait()

CHILD = '''
import asyncio, os
async def child():
    os.stat("/")
asyncio.run(child())
'''
if __name__ == "__main__":
    asyncio.run(main())
    print("printed", sys.argv[1:])
    sys.exit(int(sys.argv[1]))
"""


def monitor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `asyncvet monitor` in a folder that holds the program."""
    (folder / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "asyncvet", "monitor", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


REPORT = r"""time\.sleep \(sleep\) blocked the event loop for [\d.]+ ms
    program\.py:\d+ <module>
    program\.py:\d+ main
    in task Task-1, callback main
os\.stat \(metadata\) blocked the event loop for [\d.]+ .?s
    <string>:5 <module>
    <string>:4 child
    in task Task-1, callback child
asyncvet monitor: 2 calls blocked an event loop
"""


@pytest.mark.parametrize("command", [["program.py"], ["-m", "program"], [sys.executable, "program.py"]])
def test_a_program_and_its_child(command: list[str], tmp_path: Path) -> None:
    """A script, a module and a program are run with their arguments, and what they start is watched, too."""
    done = monitor(tmp_path, "--output", "seen.jsonl", "--", *command, "7", "--output")
    assert (done.returncode, done.stdout) == (7, "printed ['7', '--output']\n")
    assert re.fullmatch(REPORT + r"asyncvet monitor: seen\.jsonl holds 2 observations\n", done.stderr), done.stderr
    observations, faults = read_observations(tmp_path / "seen.jsonl")
    assert ([each.primitive for each in observations], faults) == (["time.sleep", "os.stat"], [])


def test_a_program_that_becomes_another(tmp_path: Path) -> None:
    """A process that executes Python anew keeps its id, and is watched all the same."""
    (tmp_path / "first.py").write_text("import os, sys; os.execv(sys.executable, [sys.executable, 'program.py', '7'])")
    done = monitor(tmp_path, "--", "first.py")
    assert (done.returncode, done.stdout) == (7, "printed ['7']\n")
    assert re.fullmatch(REPORT, done.stderr), done.stderr


def test_rules(tmp_path: Path) -> None:
    """What rules name is left alone."""
    done = monitor(tmp_path, "--allow", "time.sleep in program.main", "--allow", "metadata", "--", "program.py", "0")
    assert (done.returncode, done.stderr) == (0, "asyncvet monitor: nothing blocked an event loop in 2 processes\n")


def test_a_program_that_is_no_python(tmp_path: Path) -> None:
    """It is run, and the report says that nothing was watched."""
    done = monitor(tmp_path, "--", "sh", "-c", "echo out; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (
        3,
        "out\n",
        "asyncvet monitor: no Python process was watched: run a command of the environment in which asyncvet is installed\n",
    )


def test_its_own_sitecustomize(tmp_path: Path) -> None:
    """A module of that name that the environment has runs as well, and is the one that is found."""
    (tmp_path / "sitecustomize.py").write_text("print('customized')\n")
    (tmp_path / "plain.py").write_text("import sitecustomize\nprint(sitecustomize.__file__)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "asyncvet", "monitor", "--", "plain.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-2:] == ["customized", str(tmp_path / "sitecustomize.py")]


def test_a_signal(tmp_path: Path) -> None:
    """A signal that ends the command is told by the exit status; one that asks the monitor to end is handed on."""
    assert monitor(tmp_path, "--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL
    (tmp_path / "waits.py").write_text("import time\nprint('waits', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "asyncvet", "monitor", "--", "waits.py"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        began = time.monotonic()
        process.terminate()
        assert process.wait() == 128 + signal.SIGTERM
        assert time.monotonic() - began < 30


BAD = [
    ([], "nothing to run: write `asyncvet monitor -- COMMAND`"),
    (["--"], "nothing to run: write `asyncvet monitor -- COMMAND`"),
    (["--", "no-such-command"], "no-such-command: command not found"),
    (["--", "none.py"], "none.py: no such file"),
    (["--", "-m"], "`-m` needs the name of a module"),
    (["--allow", "a b", "--", "true"], 'allow rule "a b": write CALL or CALL in PLACE, for example "os.stat in app.settings.*"'),
    (["--output", "no/such/folder", "--", "true"], "no/such/folder: cannot be written: No such file or directory"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_what_cannot_be_run(words: list[str], said: str, tmp_path: Path) -> None:
    """A message says what is wrong, and the exit status is 2."""
    done = monitor(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"asyncvet: error: {said}\n")
