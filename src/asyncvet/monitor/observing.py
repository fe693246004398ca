"""What the light monitor tells of a stall: one observation for each culprit, or one that blames nobody."""

from __future__ import annotations

import os
from dataclasses import replace

from asyncvet.monitor.attribution import Work
from asyncvet.monitor.observation import Observation, Sample
from asyncvet.monitor.stall import Stall, Step
from asyncvet.monitor.watch import Watch

VICTIMS = 100
"""So many victims are named."""

SAMPLES = 32
"""So many stacks of a culprit are told, those that were seen longest."""

BLAMELESS = frozenset({"crowded", "starved", "descheduled", "unseen"})
"""Causes that no single step answers for. An observation has them as its category."""


def observations(stall: Stall, seconds: float, began: float, watch: Watch, bound: float) -> list[Observation]:
    """What there is to tell of a stall.

    Args:
        stall: What was sampled.
        seconds: How late the heartbeat was.
        began: When it was due, by `time.time`.
        watch: The loop.
        bound: Lag from which on there is a stall.
    """
    cause, culprits = stall.outcome(seconds, bound)
    blamed = {id(step.work) for step, _ in culprits}
    blank = Observation(
        kind="stall",
        primitive="",
        category=cause,
        stack=(),
        seconds=seconds,
        time=began,
        process=os.getpid(),
        thread=watch.thread,
        loop=watch.kind,
        victims=tuple(named(work) for key, work in stall.waiting.items() if key not in blamed)[:VICTIMS],
    )
    return [_of_culprit(step, own, bound / 4, blank) for step, own in culprits] or [blank]


def named(work: Work | None) -> str:
    """Work as observations have it: by its route where a framework has told of one."""
    return "" if work is None else work.route or work.name


def cause_of(observation: Observation) -> str:
    """Why the loop was late: see `asyncvet.monitor.stall.Cause`."""
    if observation.category in BLAMELESS:
        return observation.category
    return "computing" if observation.category == "cpu" else "blocked"


def _of_culprit(step: Step, seconds: float, interval: float, blank: Observation) -> Observation:
    longest = sorted(step.stacks, key=lambda stack: -step.stacks[stack])[:SAMPLES]
    snapshot = step.seen[longest[0]]
    user, called = snapshot.cut()
    primitive = snapshot.primitive()
    return replace(
        blank,
        primitive=primitive or called or snapshot.innermost,
        category="cpu" if step.cause == "computing" else "",
        stack=user,
        call=called or primitive,
        seconds=seconds,
        cpu_seconds=min(step.cpu, seconds),
        task=step.task,
        callback=step.callback,
        request=named(step.work),
        samples=tuple(Sample(step.seen[stack].whole(), max(round(step.stacks[stack] / interval), 1)) for stack in longest),
    )
