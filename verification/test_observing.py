"""What is not so is not observed: each way to see fails on a call that does otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from verification.observing import (
    NEW_PROCESS,
    NotObservedError,
    isolated,
    observe_bound,
    observe_computation,
    observe_kernel,
    observe_no_kernel,
    observe_wait,
)


def spin() -> None:
    """Work, and never sleep, for a while."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        pass


def nothing() -> None:
    """Do nothing."""


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a wait that is none": (lambda _: observe_wait(nothing, nothing), "the call returned None before anybody answered"),
    "a wait that works": (lambda _: observe_wait(spin, nothing), "the call returned None before anybody answered"),
    "a wait that fails": (lambda _: observe_wait(lambda: 1 // 0, nothing), "the call failed: ZeroDivisionError"),
    "a bound that is missed": (lambda _: observe_bound(nothing, 0.1), "its bound is 0.1 s"),
    "no system call": (lambda d: observe_kernel(nothing, at=d), "the call made no system call about"),
    "another file": (lambda d: observe_kernel(Path("/").stat, at=d), "the call made no system call about"),
    "no new process": (lambda d: observe_kernel(d.stat, through=NEW_PROCESS), "the call made no system call among"),
    "a system call": (lambda d: observe_no_kernel(lambda: d.stat), "the call made system calls: [SystemCall(name="),
    "a constant time": (lambda _: observe_computation(lambda _: sum(range(100_000)), 1), "of processor time"),
    "an error": (lambda _: isolated(lambda: 1 // 0), "ZeroDivisionError"),
    "no end": (lambda _: isolated(threading.Event().wait, seconds=0.2), "no verdict within 0.2 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_told(fault: str, directory: Path) -> None:
    """The message says what was seen instead."""
    observe, message = FAULTS[fault]
    with pytest.raises(NotObservedError) as raised:
        isolated(partial(observe, directory))
    assert message in str(raised.value)
