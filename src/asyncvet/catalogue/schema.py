"""The form of the catalogue's files: what a library's calls do, and what types its objects have, as data.

One TOML file a distribution under `data/`, `python.toml` and its siblings `python-*.toml` for the standard library. Names are
dotted paths of the place where users import a thing from; a method is the path of its class, a dot and its name.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Effect = Literal[
    "blocks",  # the caller's thread waits
    "cpu-bound",  # the caller's thread computes for long
    "offloads",  # hands its argument to another thread or process
    "schedules",  # the event loop calls its argument later: a plain function
    "spawns",  # runs its arguments, awaitables, on the event loop: create_task, gather, wait_for
    "calls",  # calls its argument here and now: sorted(key=...), functools.reduce
    "defers",  # keeps its argument for a time when no loop runs: atexit.register
    "runs-loop",  # runs an event loop until its argument, a coroutine, is done: asyncio.run
    "pure",  # harmless: stands here for its `returns` only
]

Category = Literal[
    # of what blocks
    "sleep",
    "network",
    "database",
    "process",
    "file",
    "metadata",
    "archive",
    "lock",
    "queue",
    "future",
    "thread",
    "console",
    "broker",
    "celery-publish",
    "celery-result",
    # of what computes
    "model-load",
    "inference",
    "training",
    "embedding",
    "vector-search",
    "hash",
    "image",
    "audio",
    "dataframe",
    "document",
    "compression",
    "serialization",
    "numeric",
]

Stall = Literal["unbounded", "device", "short"]

Timeout = Literal["none"] | int | float


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A property of one argument of the call, given by keyword name, position (from 0, `self` not counted), or both.

    Exactly one of the tests is set. `equals`: a literal of this value. `present`: given at all (or, false, not given).
    `literal`: written out as a constant. `starts_with`: a string literal that starts so.
    `of`: `constructor` tests the arguments with which the receiver was made, where that is known.
    """

    argument: str | None = None
    position: int | None = None
    equals: str | int | float | bool | None = None
    is_none: bool | None = None
    present: bool | None = None
    literal: bool | None = None
    starts_with: str | None = None
    of: Literal["call", "constructor"] = "call"


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What calls of these names do.

    Attributes:
        names: The callables that share this entry. A name may stand in several entries: the first whose conditions hold counts.
            A last part ``*`` stands for every method of that type that is not named in another entry; names that start with an
            underscore are not among them. What syntax does is named by its special method: ``X.__iter__`` for `for`,
            ``X.__enter__`` for `with`, ``X.__getitem__`` for subscripting.
        effect: See `Effect`.
        category: Of a call that blocks or computes.
        stall: ``unbounded`` (network, locks, other processes), ``device`` (as long as the disk takes), ``short`` (microseconds on
            a local disk, unbounded on a network one).
        unless: The entry does not hold if any of these conditions does.
        only_if: The entry holds only if all of these conditions do.
        bound: The argument that bounds the stall, in seconds.
        timeout: How long the call, or the client that it makes, waits where nobody says: seconds, or ``none`` for as long as the
            other side is silent. What can be said stands in `bound`, by each of its names and positions.
        is_kept: The library keeps what it waited for as long as the process lives: only the first call waits.
        why: One sentence: what the caller waits for. Shown to users.
        replacement: What to write instead in a coroutine, as an expression or the name of an API, in which ``*`` stands for what
            the code calls: ``*_async``. Empty means `asyncio.to_thread`.
        returns: Type of the result (after `await`, if `is_async`): a dotted class name, ``self`` (the receiver), ``argument`` (an
            instance of the first argument, or the first argument itself), or ``list[X]``, ``dict[X]``, ``iterator[X]``,
            ``tuple[X]``, ``async-iterator[X]``, ``context[X]`` and ``async-context[X]`` (what `with` and `async with` open to
            give an X).
        is_async: The call gives an awaitable; it does not block.
        argument: The parameters that the effect is about, by name and position: `["func", 0]`; position -1 means all of them.
        since: Version of asyncvet that brought it.
        reference: Where it is documented.
    """

    names: tuple[str, ...]
    effect: Effect = "pure"
    category: Category | None = None
    stall: Stall = "unbounded"
    unless: tuple[Condition, ...] = ()
    only_if: tuple[Condition, ...] = ()
    bound: tuple[str | int, ...] = ()
    timeout: Timeout | None = None
    is_kept: bool = False
    why: str = ""
    replacement: str = ""
    returns: str = ""
    is_async: bool = False
    argument: tuple[str | int, ...] = ()
    since: str = "0.1.0"
    reference: str = ""


class Type(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class of a library.

    Attributes:
        names: Its paths; the first is canonical, the others are the same class under another path.
        bases: Canonical names of base classes whose methods and attributes it has.
        attributes: Types of its attributes and properties, in the notation of `Api.returns`.
        enter: What `with` gives its target; ``self`` if the object itself. Empty: no context manager known.
        aenter: The same for `async with`.
        iterates: What `for` gives its target.
        aiterates: What `async for` gives its target.
        call: What calling an instance gives.
        getitem: What subscripting gives.
        getattr: What an attribute gives that is named neither in `attributes` nor as a method.
        closed_by: Methods that release what its objects hold, the one to use first. Empty: nothing to release, or nothing lost.
        binds_loop: Its objects belong to the event loop in which they are first used, and fail in another one.
        timeout: How long its requests wait where neither they nor the constructor say; as in `Api`.
        bound: The constructor's arguments that say it, by name and position; one is enough. A type with `bound` and no `timeout`
            holds options: it is a timeout if one of these is given.
    """

    names: tuple[str, ...]
    bases: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    enter: str = ""
    aenter: str = ""
    iterates: str = ""
    aiterates: str = ""
    call: str = ""
    getitem: str = ""
    getattr: str = ""
    closed_by: tuple[str, ...] = ()
    binds_loop: bool = False
    timeout: Timeout | None = None
    bound: tuple[str | int, ...] = ()


class CatalogueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of the catalogue: a distribution (``python`` for the standard library) and the version that was read."""

    distribution: str
    version: str
    underivable: tuple[str, ...] = ()
    """In a derived file: the distribution's compiled modules, of which the source tells nothing."""
    api: tuple[Api, ...] = ()
    type: tuple[Type, ...] = ()
    alias: dict[str, str] = {}
    """Other import paths of a name or of a whole module: `"boto3.session.Session" = "boto3.Session"`."""
