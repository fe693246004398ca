"""Observations survive being written and read, and what cannot be read is named, line by line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncvet.monitor.observation import Observation, ObservationError, Sample, StackFrame, decode, encode, read_observations

FRAMES = st.builds(StackFrame, path=st.text(), line=st.integers(0), function=st.text())
STACKS = st.lists(FRAMES, max_size=3).map(tuple)
SECONDS = st.integers(0, 10**12).map(lambda number: round(number / 1e6, 6))
OBSERVATIONS = st.builds(
    Observation,
    kind=st.sampled_from(["blocking-call", "long-callback", "stall"]),
    primitive=st.text(),
    category=st.text(),
    stack=STACKS,
    call=st.text(),
    seconds=st.none() | SECONDS,
    cpu_seconds=st.none() | SECONDS,
    calls=st.integers(1),
    time=SECONDS,
    task=st.text(),
    request=st.text(),
    victims=st.lists(st.text(), max_size=2).map(tuple),
    samples=st.lists(st.builds(Sample, stack=STACKS, count=st.integers(1)), max_size=2).map(tuple),
)
ONE = Observation(kind="blocking-call", primitive="time.sleep", category="sleep", stack=(StackFrame("app.py", 3, "main"),))


@given(OBSERVATIONS)
def test_written_and_read(observation: Observation) -> None:
    """An observation is the same after it was written and read, and takes one line of ASCII whatever it holds."""
    line = encode(observation)
    assert (decode(line), line.isascii(), line.splitlines()) == (observation, True, [line])


@given(OBSERVATIONS, st.data())
def test_cut_short(observation: Observation, data: st.DataObject) -> None:
    """A line that was cut short anywhere is said not to be whole."""
    line = encode(observation)
    with pytest.raises(ObservationError, match="not a whole line of JSON"):
        decode(line[: data.draw(st.integers(0, len(line) - 1))])


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_any_json(value: object) -> None:
    """No JSON, whatever it is, does anything but be refused."""
    import json  # noqa: PLC0415

    with pytest.raises(ObservationError):
        decode(json.dumps(value))


BAD = [
    ("[]", "not an object of JSON"),
    ("{}", "version None, and only 1 can be read"),
    (encode(ONE).replace('"version":1', '"version":2'), "version 2, and only 1 can be read"),
    (encode(ONE).replace('"blocking-call"', '"other"'), "not an observation: unknown kind 'other'"),
    (encode(ONE).replace('"calls":1', '"calls":1,"more":0'), "not an observation: unknown keys more"),
    (encode(ONE).replace('"seconds":null', '"seconds":"long"'), "not an observation: seconds is no number"),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_refused(line: str, said: str) -> None:
    """What is wrong with a line is said."""
    with pytest.raises(ObservationError) as caught:
        decode(line)
    assert str(caught.value) == said


def test_file(tmp_path: Path) -> None:
    """Of a file all is read that can be, and each other line has a message."""
    path = tmp_path / "observations.jsonl"
    path.write_text(f"{encode(ONE)}\nnonsense\n\n{encode(ONE)}\n{{}}\n", encoding="utf-8")
    assert read_observations(path) == (
        [ONE, ONE],
        [
            "line 2: not a whole line of JSON: Expecting value: line 1 column 1 (char 0)",
            "line 5: version None, and only 1 can be read",
        ],
    )
