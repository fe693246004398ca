"""From the watchdog's samples to who is blamed: nobody is for what the machine or other threads did."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncvet.monitor.histogram import Histogram
from asyncvet.monitor.stall import Clocks, Look, causes

INTERVAL = 0.025
START = Clocks(0.0, 0.0, 0.0, 0.0)

seconds = st.floats(0, 10)


@pytest.mark.parametrize(
    ("after", "turns", "cause"),
    [
        (Clocks(0.025, 0.0, 0.0, 0.0), 1, "blocked"),
        (Clocks(0.025, 0.0, 0.0, 0.025), 1, "contended"),
        (Clocks(0.025, 0.025, 0.0, 0.025), 1, "computing"),
        (Clocks(0.025, 0.0, 0.025, 0.0), 1, "descheduled"),
        (Clocks(1.0, 0.0, 0.0, 0.0), 1, "descheduled"),
        (Clocks(1.0, 0.0, 0.0, 0.0), 200, "blocked"),
        (Clocks(1.0, 0.0, 0.0, 1.0), 200, "starved"),
        (Clocks(1.0, 1.0, 0.0, 1.0), 200, "computing"),
        (Clocks(1.0, 0.0, 1.0, 0.0), 200, "descheduled"),
    ],
)
def test_causes(after: Clocks, turns: int, cause: str) -> None:
    """Each cause alone; the last five with a watchdog that was late itself."""
    split = causes((START, after), (Look(0.0, 0), Look(after.wall, turns)), INTERVAL)
    assert {name: lasted for name, lasted in split.items() if lasted} == {cause: after.wall}


@given(wall=st.floats(0.001, 10), own=seconds, delay=seconds, others=seconds, turns=st.integers(0, 10_000))
def test_causes_add_up(wall: float, own: float, delay: float, others: float, turns: int) -> None:
    """Whatever the clocks say, a sample speaks for the time since the look before, all of it, and for nothing less than none."""
    after = Clocks(wall, own, delay, own + others)
    split = causes((START, after), (Look(0.0, 0), Look(wall, turns)), INTERVAL)
    assert min(split.values()) >= 0
    assert math.isclose(sum(split.values()), wall, abs_tol=1e-9)


@given(st.lists(st.floats(0, 100)))
def test_histogram(durations: list[float]) -> None:
    """The buckets hold every duration, and two histograms merged are the one of all."""
    whole, first, second = Histogram(), Histogram(), Histogram()
    for number, duration in enumerate(durations):
        whole.add(duration)
        (first if number % 2 else second).add(duration)
    first.merge(second)
    assert first.counts == whole.counts
    assert math.isclose(first.total, whole.total, abs_tol=1e-9)
    assert whole.cumulative()[-1] == (math.inf, len(durations))
    assert [(bound, sum(duration <= bound for duration in durations)) for bound, _ in whole.cumulative()] == whole.cumulative()
    assert whole.longest == max(durations, default=0.0)
