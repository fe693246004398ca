"""One stall of an event loop, from what a watchdog samples of it: what stood in the way, and whose work that was.

Between two heartbeats of a loop each task runs one step at most. So a task that is seen by two samples in between has run all the time from
one to the other, and one that is seen by a single sample may have been quick.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

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
    """Readings of one moment, in seconds, and the turns that the watchdog's own thread had.

    Attributes:
        loop: Processor time of the loop's thread; None where the system does not tell.
        process: Processor time of all threads.
        turns: How often the watchdog waited. It does so every 5 ms while it waits for the interpreter, and never while it is stopped.
    """

    wall: float
    loop: float | None
    process: float
    turns: int

    def since(self, before: Clocks) -> float:
        """Processor time of the loop's thread since then; 0 where it is not known."""
        return 0.0 if before.loop is None or self.loop is None else self.loop - before.loop


def why_late(before: Clocks, after: Clocks, interval: float) -> Cause | Literal["contended"]:
    """What the loop's thread did between two samples; ``contended`` if other threads were computing while it did not.

    Args:
        before: Clocks of the sample before.
        after: Clocks of this sample.
        interval: Seconds that should lie between them.
    """
    seconds = after.wall - before.wall
    own = after.since(before)
    others = after.process - before.process - own
    if seconds <= 3 * interval:
        if own >= seconds / 5:  # a busy machine leaves less than all of a processor
            return "computing"
        return "contended" if others >= seconds / 2 else "blocked"
    # The watchdog was late as well: someone held the interpreter, or nothing of the process ran.
    is_held = after.turns - before.turns >= seconds / 0.02
    enough = seconds / (20 if is_held else 2)
    if own >= max(others, enough):
        return "computing"
    if others >= enough:
        return "starved"
    return "blocked" if is_held else "descheduled"


@dataclass(slots=True)
class Step:
    """What the loop was seen to run without a pause: a task's step, or a callback.

    Attributes:
        task: Name of the task; empty for a callback.
        callback: Qualified name of the task's coroutine, or of the callback's function.
        work: What it works at.
        seconds: How long it was seen, by cause.
        cpu: Processor time of the loop's thread meanwhile.
        stacks: How long each stack was seen, in seconds.
        seen: The stacks themselves.
        contended: Seconds and number of the samples of a stack that other threads may account for.
    """

    task: str
    callback: str
    work: Work | None
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: float = 0.0
    stacks: defaultdict[Stack, float] = field(default_factory=lambda: defaultdict(float))
    seen: dict[Stack, Snapshot] = field(default_factory=dict)
    contended: dict[Stack, tuple[float, int]] = field(default_factory=dict)

    def add(self, snapshot: Snapshot, seconds: float, cause: str, cpu: float = 0.0) -> None:
        """Count a sample: so many seconds, at the end of which the step was at this stack."""
        stack = snapshot.key
        if stack not in self.seen:
            if len(self.seen) >= MANY:
                stack = next(reversed(self.seen))
            else:
                self.seen[stack] = snapshot
        self.cpu += cpu
        self.stacks[stack] += seconds
        if cause == "contended":
            known, count = self.contended.get(stack, (0.0, 0))
            self.contended[stack] = (known + seconds, count + 1)
        else:
            self.seconds[cause] += seconds

    def settle(self) -> None:
        """Decide on the samples at which other threads were computing: a stack that stands still is blocked, others are starved."""
        for seconds, count in self.contended.values():
            self.seconds["blocked" if count >= STANDING else "starved"] += seconds
        self.contended.clear()

    @property
    def own(self) -> float:
        """Seconds that the step itself took."""
        return self.seconds["blocked"] + self.seconds["computing"]

    @property
    def cause(self) -> Cause:
        """Whether it waited or computed for the larger part."""
        return "computing" if self.seconds["computing"] > self.seconds["blocked"] else "blocked"


class Stall:
    """A stall under way.

    Attributes:
        turn: Number of the heartbeat that is late.
        waiting: Work that was under way on the loop, by identity.
        is_told: It has been told as a hang, while it lasts.
    """

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.waiting: dict[int, Work] = {}
        self.is_told = False
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

    def outcome(self, lag: float, bound: float) -> tuple[Cause, list[tuple[Step, float]]]:
        """Why the loop was late, and the culprits with the seconds that each took: steps that took half of the bound or more.

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
        if not sampled:
            return "unseen", []
        culprits = sorted((step for step in self._steps.values() if step.own >= bound / 2), key=lambda step: -step.own)
        if culprits:
            # The first sample comes a while after the stall began: what was not seen is shared out like what was.
            return culprits[0].cause, [(step, step.own * lag / sampled) for step in culprits]
        causes: dict[Cause, float] = {
            "crowded": total["blocked"] + total["computing"],
            "starved": total["starved"],
            "descheduled": total["descheduled"],
        }
        return max(causes, key=lambda cause: causes[cause]), []


def step_of(identity: object, work: Work | None) -> Step:
    """The step of a task, or of the callback that runs in a frame."""
    if isinstance(identity, asyncio.Task):
        return Step(identity.get_name(), getattr(identity.get_coro(), "__qualname__", ""), work)
    code = getattr(identity, "f_code", None)
    return Step("", getattr(code, "co_qualname", ""), work)
