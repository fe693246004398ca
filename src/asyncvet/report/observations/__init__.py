"""Reports of what was seen at run time, without a review: as text, and as a page with a time line and flame graphs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asyncvet.model import Seen
from asyncvet.monitor.observation import Observation
from asyncvet.report import harmless, in_words


class Culprit(NamedTuple):
    """All observations of one call at one place.

    Attributes:
        place: Path and line of the innermost of the user's frames; empty where there is none.
    """

    place: str
    function: str
    call: str
    seen: Seen
    observations: tuple[Observation, ...]


def culprits(observations: Sequence[Observation]) -> list[Culprit]:
    """The observations by place and call, what took longest first."""
    groups: defaultdict[tuple[str, str, str], list[Observation]] = defaultdict(list)
    for each in observations:
        innermost = each.stack[-1] if each.stack else None
        place = f"{innermost.path}:{innermost.line}" if innermost else ""
        groups[place, innermost.function if innermost else "", called(each)].append(each)
    found = [Culprit(*key, seen_of(group), tuple(group)) for key, group in groups.items()]
    return sorted(found, key=lambda culprit: (-culprit.seen.seconds, culprit.place, culprit.call))


def called(observation: Observation) -> str:
    """What was called; of a stall that nobody answers for, why the loop stood still."""
    return observation.call or observation.primitive or observation.category


def seen_of(observations: Sequence[Observation]) -> Seen:
    """Observations as numbers."""
    requests: Counter[str] = Counter()
    for each in observations:
        requests[each.request] += each.calls
    del requests[""]
    return Seen(
        times=sum(each.calls for each in observations),
        seconds=sum(each.seconds or 0.0 for each in observations),
        p95=_quantile(
            [(each.seconds / each.calls, each.calls) for each in observations if each.seconds is not None and each.calls > 0]
        ),
        requests=tuple(sorted(requests, key=lambda request: (-requests[request], request))),
    )


def _quantile(durations: list[tuple[float, int]]) -> float | None:
    """Seconds that 95 of 100 calls do not exceed. Of several calls that were told as one only the sum is known: they count as equal."""
    wanted = 0.95 * sum(calls for _, calls in durations)
    counted = 0
    for seconds, calls in sorted(durations):
        counted += calls
        if counted >= wanted:
            return seconds
    return None


def render(observations: Sequence[Observation]) -> str:
    """The observations as text: one entry for each place and call, what took longest first."""
    return "\n".join(_lines(observations)) + "\n"


def _lines(observations: Sequence[Observation]) -> Iterator[str]:
    for culprit in culprits(observations):
        yield f"{harmless(culprit.place or 'no place')}: {harmless(culprit.call)}"
        yield (
            f"  in {harmless(culprit.function)}: {harmless(in_words(culprit.seen))}"
            if culprit.function
            else f"  {in_words(culprit.seen)}"
        )
        if victims := sum(len(each.victims) for each in culprit.observations):
            yield f"  {victims} requests had to wait"
    yield f"{len(observations)} observations"
