"""One stall of an event loop, from what a watchdog samples of it: what stood in the way, and whose work that was.

Between two heartbeats of a loop each task runs one step at most. So a task that is seen by two samples in between has run all the time from
one to the other, and one that is seen by a single sample may have been quick.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from asyncvet.monitor.attribution import Work
from asyncvet.monitor.snapshot import Snapshot

Cause = Literal["blocked", "computing", "crowded", "starved", "descheduled", "unseen"]
"""Why a loop was late. A step on it ``blocked`` (waited) or was ``computing``; it was ``crowded`` by many short steps; other threads held
the interpreter (``starved``); the process had no processor (``descheduled``); or no sample tells (``unseen``)."""

Stack = tuple[int, ...]
"""A stack as it is quickly told from others: identities of its code objects, each followed by a line."""

MANY = 64
"""So many different steps of a stall, and stacks of a step, are kept; further ones count for the last."""

STANDING = 3
"""So often must a stack be seen, while other threads compute, to be one that stands still."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Readings of one moment, in seconds.

    Attributes:
        loop: Processor time of the loop's thread; 0 where the system does not tell.
        delay: How long that thread could have run and got no processor; 0 where the system does not tell.
        process: Processor time of all threads.
    """

    wall: float
    loop: float
    delay: float
    process: float


@dataclass(frozen=True, slots=True)
class Look:
    """A look of the watchdog: when it was, and how often the watchdog's own thread has waited until then.

    The thread waits every 5 ms while it waits for the interpreter, and never while the process is stopped.
    """

    wall: float
    turns: int

    def is_late(self, before: Look, interval: float) -> bool:
        """Whether the watchdog was kept from looking."""
        return self.wall - before.wall > 3 * interval

    def was_held(self, before: Look) -> bool:
        """Whether it waited for the interpreter all the time."""
        return self.turns - before.turns >= (self.wall - before.wall) / 0.02


def causes(clocks: tuple[Clocks, Clocks], looks: tuple[Look, Look], interval: float) -> dict[str, float]:
    """What the loop's thread did between two looks, in seconds by cause; ``contended`` may be the work of other threads.

    Args:
        clocks: Readings of the look before, and of this one.
        looks: The watchdog's look before, and this one.
        interval: Seconds that should lie between them.
    """
    (before, after), (previous, look) = clocks, looks
    seconds = after.wall - before.wall
    own = min(after.loop - before.loop, seconds)
    delay = min(after.delay - before.delay, seconds - own)
    others = after.process - before.process - own
    rest = seconds - own - delay
    if not look.is_late(previous, interval):
        resting = "contended" if others >= rest / 2 else "blocked"
    elif not look.was_held(previous):
        resting = "descheduled"  # the watchdog was late and did not wait for the interpreter: nothing of the process ran
    else:
        resting = "starved" if others >= rest / 20 else "blocked"
    split = defaultdict(float, {"computing": own, "descheduled": delay})
    split[resting] += rest
    return dict(split)


@dataclass(slots=True)
class Step:
    """What the loop was seen to run without a pause: a task's step, or a callback.

    Attributes:
        task: Name of the task; empty for a callback.
        callback: Qualified name of the task's coroutine, or of the callback's function.
        work: What it works at.
        seconds: How long it was seen, by cause.
        stacks: How long each stack was seen, in seconds.
        certain: Seconds that it surely blocked or computed itself.
        seen: The stacks themselves.
        contended: Seconds and number of the samples of a stack that other threads may account for.
    """

    task: str
    callback: str
    work: Work | None
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    stacks: defaultdict[Stack, float] = field(default_factory=lambda: defaultdict(float))
    certain: float = 0.0
    seen: dict[Stack, Snapshot] = field(default_factory=dict)
    contended: dict[Stack, tuple[float, int]] = field(default_factory=dict)

    def add(self, snapshot: Snapshot, split: Mapping[str, float], is_certain: bool) -> None:
        """Count a sample: so many seconds of each cause, at the end of which the step was at this stack.

        Args:
            snapshot: The stack.
            split: The seconds.
            is_certain: All of them were this step's, as the sample before saw it too.
        """
        stack = snapshot.key
        if stack not in self.seen:
            if len(self.seen) >= MANY:
                stack = next(reversed(self.seen))
            else:
                self.seen[stack] = snapshot
        self.stacks[stack] += sum(split.values())
        for cause, seconds in split.items():
            if cause == "contended":
                known, count = self.contended.get(stack, (0.0, 0))
                self.contended[stack] = (known + seconds, count + 1)
            else:
                self.seconds[cause] += seconds
                if is_certain and cause in ("blocked", "computing"):
                    self.certain += seconds

    def settle(self) -> None:
        """Decide about the samples at which other threads were computing: a stack that stands still is blocked, others are starved."""
        for seconds, count in self.contended.values():
            is_standing = count >= STANDING
            self.seconds["blocked" if is_standing else "starved"] += seconds
            self.certain += seconds if is_standing else 0.0
        self.contended.clear()

    @property
    def cause(self) -> Cause:
        """Whether it waited or computed for the larger part."""
        return "computing" if self.seconds["computing"] > self.seconds["blocked"] else "blocked"


class Outcome(NamedTuple):
    """What the samples of a stall come to: why the loop was late, the culprits with the seconds that each lasted, and who had to wait."""

    cause: Cause
    culprits: tuple[tuple[Step, float], ...]
    victims: tuple[Work, ...]


class Stall:
    """A stall under way.

    Attributes:
        turn: Number of the heartbeat that is late.
        waiting: Work that was under way on the loop, by identity.
        last: The step of the last sample.
        is_told: It has been told as a hang, while it lasts.
    """

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.waiting: dict[int, Work] = {}
        self.is_told = False
        self.last: Step | None = None
        self._steps: dict[int, Step] = {}
        self._identities: list[object] = []

    def step(self, identity: object) -> Step | None:
        """The step of a task, or of a callback's outermost frame, if it was sampled before."""
        return self._steps.get(id(identity))

    def begin(self, identity: object, step: Step) -> Step:
        """A step that is sampled for the first time. What identifies it is kept alive: nothing else may get its identity."""
        if len(self._steps) >= MANY:
            return next(reversed(self._steps.values()))
        self._identities.append(identity)
        self._steps[id(identity)] = step
        return step

    def outcome(self, lag: float, bound: float) -> Outcome:
        """What the samples come to. A culprit is a step that surely took a quarter of the bound or more by itself.

        Args:
            lag: Seconds that the heartbeat was late.
            bound: Lag from which on there is a stall.
        """
        total: defaultdict[str, float] = defaultdict(float)
        for step in self._steps.values():
            step.settle()
            for cause, seconds in step.seconds.items():
                total[cause] += seconds
        sampled = sum(total.values())
        # The first sample comes a while after the stall began: what was not seen is shared out like what was.
        scale = lag / sampled if sampled else 0.0
        culprits = sorted((step for step in self._steps.values() if step.certain >= bound / 4), key=lambda step: -step.certain)
        blamed = {id(step.work) for step in culprits}
        victims = tuple(work for key, work in self.waiting.items() if key not in blamed)
        if culprits:
            shares = tuple((step, sum(step.seconds.values()) * scale) for step in culprits)
            return Outcome(culprits[0].cause, shares, victims)
        blameless: dict[Cause, float] = {
            "crowded": total["blocked"] + total["computing"],
            "starved": total["starved"],
            "descheduled": total["descheduled"],
        }
        return Outcome(max(blameless, key=lambda cause: blameless[cause]) if sampled else "unseen", (), victims)


def step_of(identity: object) -> Step:
    """The step of a task, or of the callback that runs in a frame; what it works at is not known yet."""
    if isinstance(identity, asyncio.Task):
        return Step(identity.get_name(), getattr(identity.get_coro(), "__qualname__", ""), None)
    code = getattr(identity, "f_code", None)
    return Step("", getattr(code, "co_qualname", ""), None)
