"""What the light monitor tells of a stall: one observation for each culprit, or one that blames nobody."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Literal

from asyncvet.monitor.observation import Observation, Sample
from asyncvet.monitor.stall import Outcome, Step
from asyncvet.monitor.watch import Watch

VICTIMS = 100
"""So many victims are named."""

SAMPLES = 16
"""So many stacks of a culprit are told, those that were seen longest."""

BLAMELESS = frozenset({"crowded", "starved", "descheduled", "unseen"})
"""Causes that no single step answers for. An observation has them as its category."""


def observations(
    kind: Literal["stall", "hang"], outcome: Outcome, watch: Watch, seconds: float, began: float
) -> list[Observation]:
    """What there is to tell of a stall.

    Args:
        kind: Whether it is over, or goes on as a hang.
        outcome: What the samples came to.
        watch: The loop.
        seconds: How late the heartbeat was.
        began: When it was due, by `time.time`.
    """
    blank = Observation(
        kind=kind,
        primitive="",
        category=outcome.cause,
        stack=(),
        seconds=seconds,
        time=began,
        process=os.getpid(),
        thread=watch.thread,
        loop=watch.kind,
        victims=tuple(work.name for work in outcome.victims[:VICTIMS]),
    )
    return [_of_culprit(step, own, watch.interval, blank) for step, own in outcome.culprits] or [blank]


def cause_of(observation: Observation) -> str:
    """Why the loop was late: see `asyncvet.monitor.stall.Cause`."""
    if observation.category in BLAMELESS:
        return observation.category
    return "computing" if observation.category == "cpu" else "blocked"


def _of_culprit(step: Step, seconds: float, interval: float, blank: Observation) -> Observation:
    longest = sorted(step.stacks, key=lambda stack: -step.stacks[stack])[:SAMPLES]
    snapshot = step.seen[longest[0]]
    user, called = snapshot.cut()
    primitive = snapshot.primitive() or snapshot.entered()
    return replace(
        blank,
        primitive=primitive or called or snapshot.innermost,
        category="cpu" if step.cause == "computing" else "",
        stack=user,
        call=called or primitive,
        seconds=seconds,
        cpu_seconds=min(step.seconds["computing"], seconds),
        task=step.task,
        callback=step.callback,
        request="" if step.work is None else step.work.name,
        samples=tuple(Sample(step.seen[stack].whole(), max(round(step.stacks[stack] / interval), 1)) for stack in longest),
    )
