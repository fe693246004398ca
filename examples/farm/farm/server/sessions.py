"""Sessions: what was said, kept in memory for a while."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field

from farm.errors import NotFound, Overloaded
from farm.runtime_client import Messages


@dataclass(eq=False)
class Session:
    """A talk. Its lock keeps two questions of one talk in order, and holds up no other talk."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    messages: Messages = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_used: float = field(default_factory=time.monotonic)


class Sessions:
    """All sessions, by id.

    Args:
        timeout: seconds after which a session that nobody uses is forgotten.
        limit: how many there may be.
    """

    def __init__(self, timeout: float, limit: int) -> None:
        self._timeout = timeout
        self._limit = limit
        self._sessions: dict[str, Session] = {}

    def open(self, session_id: str | None) -> Session:
        """An earlier session, or a new one if no id is given.

        Raises:
            NotFound: there is no session with this id, or not any more.
            Overloaded: there are too many.
        """
        now = time.monotonic()
        self._sessions = {key: each for key, each in self._sessions.items() if now - each.last_used <= self._timeout}
        session = Session() if session_id is None else self._sessions.get(session_id)
        if session is None:
            raise NotFound(f"there is no session {session_id!r}, or not any more; begin a new one without an id")
        if session_id is None and len(self._sessions) >= self._limit:
            raise Overloaded("there are too many sessions; try again later")
        session.last_used = now
        self._sessions[session.id] = session
        return session
