"""The words of code lenses: where a function runs and what it leads to, on one line."""

import pytest

from asyncvet.graph.whereabouts import Context, Run, Runs
from asyncvet.lsp.describing import lens_title
from asyncvet.model import Sink


def runs(*ways: tuple[Context, str]) -> Runs:
    """Where a function runs, by context and label."""
    return Runs(tuple(Run(where, label) for where, label in ways), 0, tuple(dict.fromkeys(where for where, _ in ways)))


@pytest.mark.parametrize(
    ("where", "sinks", "title"),
    [
        (runs(), [Sink("time.sleep", "sleep", "unbounded")], ""),
        (runs(("event-loop", "route GET /a")), [], "runs on the event loop: GET /a"),
        (
            runs(
                ("event-loop", "route GET /a"),
                ("event-loop", "route GET /b"),
                ("event-loop", "lifespan"),
                ("worker-thread", "route /c"),
            ),
            [],
            "runs on the event loop: GET /a, GET /b and 1 more, in a worker thread: /c",
        ),
        (
            runs(("event-loop", "route GET /a")),
            [
                Sink("requests.get", "network", "unbounded"),
                Sink("requests.post", "network", "unbounded"),
                Sink("socket.recv", "network", "unbounded"),
                Sink("time.sleep", "sleep", "unbounded", 0.5),
                Sink("open", "file", "device"),
                Sink("os.stat", "metadata", "short"),
                Sink("bcrypt.hashpw", "hashing", "cpu"),
            ],
            "runs on the event loop: GET /a; blocks without bound via requests.get, requests.post and 1 more; "
            "blocks up to 0.5 s via time.sleep; blocks as long as the disk takes via open; blocks shortly via os.stat; "
            "computes via bcrypt.hashpw",
        ),
    ],
)
def test_title(where: Runs, sinks: list[Sink], title: str) -> None:
    """Contexts with their entry points, then what stalls, grouped by how long."""
    assert lens_title(where, sinks) == title
