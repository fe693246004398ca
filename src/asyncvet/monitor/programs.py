"""Strict mode over whole programs: how they are started so that they record, and what they do then."""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Mapping, Sequence

from asyncvet.monitor.observation import Observation, encode

_SETTINGS = "ASYNCVET_MONITOR"
_BOOTSTRAP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap")


def recording_environment(
    environment: Mapping[str, str], output: str, seen: str, allow: Sequence[str], callback_bound: float
) -> dict[str, str]:
    """The environment in which a command records, and every Python process that it starts.

    Args:
        environment: That of this process.
        output: The file to which observations are added.
        seen: A folder in which each process leaves a file named after its id.
        allow: Rules of what to leave alone.
        callback_bound: Seconds for which one callback may compute.
    """
    settings = {"output": os.path.abspath(output), "seen": seen, "allow": list(allow), "callback_bound": callback_bound}
    path = environment.get("PYTHONPATH")
    return {
        **environment,
        "PYTHONPATH": f"{_BOOTSTRAP}{os.pathsep}{path}" if path else _BOOTSTRAP,
        _SETTINGS: json.dumps(settings),
    }


def begin(settings: str) -> None:
    """Record in this process until it ends; called before the program itself."""
    from asyncvet.monitor.session import strict  # noqa: PLC0415  # who only starts programs does not record

    given = json.loads(settings)
    output = os.open(given["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.set_inheritable(output, False)

    def write(observation: Observation) -> None:
        os.write(output, f"{encode(observation)}\n".encode())
        session.observations.clear()  # they are in the file

    session = strict(allow=given["allow"], callback_bound=given["callback_bound"], then="record", tell=write)
    with open(os.path.join(given["seen"], str(os.getpid())), "a", encoding="ascii"):  # a process may become another program
        pass
    session.start()
    atexit.register(session.stop)
