"""Strict mode, for tests: every blocking call on a thread whose event loop is running is recorded, however short.

with asyncvet.monitor.strict() as seen:
    asyncio.run(main())
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import warnings
from asyncio.events import Handle
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Literal, Self

from asyncvet.monitor import callbacks, foreign, importing, standins
from asyncvet.monitor.allowing import Allowance
from asyncvet.monitor.hooks import add_hook
from asyncvet.monitor.observation import Observation
from asyncvet.monitor.recording import RECORDER, Session
from asyncvet.monitor.reporting import described
from asyncvet.monitor.wrapping import Wrapping

CALLBACK_BOUND = 0.1
"""Seconds that one callback may compute for, where nobody says otherwise."""


class BlockingError(AssertionError):
    """The event loop was blocked. The text says by what, where, and for how long."""


class BlockingWarning(UserWarning):
    """The same, where it is only warned of."""


def _nothing(_: Observation) -> None: ...


class strict:  # noqa: N801  # used as a function is
    """Records what blocks an event loop, in all threads, while it is open; it can be opened within another one.

    Attributes:
        observations: What was seen so far, in the order in which the callbacks ended.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        callback_bound: float = CALLBACK_BOUND,
        then: Literal["raise", "warn", "record"] = "raise",
        tell: Callable[[Observation], None] = _nothing,
        label: Callable[[], str] = lambda: "",
    ) -> None:
        """Take the rules; nothing is recorded before it is entered.

        Args:
            allow: What to leave alone: rules as in `asyncvet.monitor.allowing.Allowance`.
            callback_bound: Seconds that one callback may compute for, or wait in a C extension.
            then: What to do at the end if something was seen: raise `BlockingError` (or add it as a note to the exception that is
                on its way), give a `BlockingWarning`, or nothing.
            tell: Called with each observation as it is recorded.
            label: Gives a name for what is served where no request is known, such as a test's id.

        Raises:
            AllowError: A rule cannot be read.
        """
        self.allowances = [Allowance(text) for text in allow]
        self.observations: list[Observation] = []
        self._bound = callback_bound
        self._then = then
        self._session = Session(self.observations, self.allowances, tell, label)

    @property
    def unused_rules(self) -> list[str]:
        """The allow rules that nothing needed so far."""
        return [rule.text for rule in self.allowances if not rule.is_used]

    def start(self) -> None:
        """Begin to record; as entering it."""
        _SWITCH.on(self._session, self._bound)

    def stop(self) -> None:
        """Stop to record; nothing is raised."""
        _SWITCH.off(self._session)

    def taken(self) -> list[Observation]:
        """What was seen since this was last asked for; it is forgotten here."""
        RECORDER.flush_all()
        found = list(self.observations)
        del self.observations[: len(found)]
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()
        if not self.observations or self._then == "record":
            return
        text = described(self.observations)
        if self._then == "warn":
            warnings.warn(text, BlockingWarning, stacklevel=2)
        elif error is not None:
            error.add_note(text)
        else:
            raise BlockingError(text)


class _Switch:
    """Puts everything in place when the first session is opened, and takes it away with the last."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._wrapping: Wrapping | None = None
        self._timing = callbacks.Timing()
        self._bounds: list[float] = []
        self._is_wrapping = False
        self._is_registered = False
        self._known = 0
        self._has = {"sqlite3": False, "uvloop": False, "ctypes": False}

    def on(self, session: Session, bound: float) -> None:
        with self._lock:
            if not RECORDER.sessions:
                self._put_in_place()
            self._bounds.append(bound)
            self._timing.bound = bound
            RECORDER.sessions.append(session)

    def off(self, session: Session) -> None:
        RECORDER.flush_all()
        with self._lock:
            if session not in RECORDER.sessions:
                return
            place = RECORDER.sessions.index(session)
            del RECORDER.sessions[place], self._bounds[place]
            if RECORDER.sessions:
                self._timing.bound = self._bounds[-1]
            else:
                self._take_away()

    def _put_in_place(self) -> None:
        add_hook()
        wrapping = self._wrapping = Wrapping()
        self._has = dict.fromkeys(self._has, False)
        for pair in standins.stand_ins():
            wrapping.stand_in(*pair)
        wrapping.replace(Handle, "_run", callbacks.timed_run(self._timing, Handle._run))
        system = importing.SYSTEM
        wrapping.replace(system, "_find_and_load", importing.finding(system._find_and_load, self._wrap_loaded))
        self._wrap_loaded()
        self._timing.start_sampling()
        if not self._is_registered:
            self._is_registered = True
            os.register_at_fork(after_in_child=self._after_fork)

    def _take_away(self) -> None:
        self._timing.stop_sampling()
        wrapping, self._wrapping = self._wrapping, None
        if wrapping is not None:
            wrapping.undo()

    def _wrap_loaded(self) -> None:
        """Wrap what has been imported since; not while that is being done, nor once it has been undone."""
        wrapping = self._wrapping
        if wrapping is None or self._is_wrapping:
            return
        self._is_wrapping = True
        try:
            if not self._has["sqlite3"] and hasattr(sys.modules.get("sqlite3.dbapi2"), "connect"):
                self._has["sqlite3"] = True
                for pair in standins.database_stand_ins(sys.modules["sqlite3.dbapi2"]):
                    wrapping.stand_in(*pair)
            loop = getattr(sys.modules.get("uvloop"), "Loop", None)
            if not self._has["uvloop"] and loop is not None:
                self._has["uvloop"] = True
                for name, method in callbacks.timed_methods(self._timing, loop).items():
                    wrapping.replace(loop, name, method)
            ctypes = sys.modules.get("ctypes")
            if not self._has["ctypes"] and ctypes is not None and hasattr(ctypes, "pythonapi"):  # which is made last
                self._has["ctypes"] = True
                call = foreign.calling(ctypes)
                for functions in foreign.function_classes(ctypes):
                    wrapping.replace(functions, "__call__", call)
                made = functools.partial(wrapping.replace, attribute="__call__", replacement=call)
                wrapping.replace(ctypes.CDLL, "__init__", foreign.loading(ctypes.CDLL.__init__, made))
            wrapping.wrap_loaded()
        finally:
            self._is_wrapping = False

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        RECORDER.forget_threads()
        if RECORDER.sessions:
            for session in RECORDER.sessions:
                session.observations.clear()
            self._timing.start_sampling()


_SWITCH = _Switch()
