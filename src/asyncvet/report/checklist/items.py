"""The checklist: nineteen items that a review of asynchronous code gives a verdict on, in order."""

from __future__ import annotations

import msgspec

from asyncvet.model import Severity

_CRITICAL, _HIGH, _MEDIUM, _LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW

_BASICS = "Async Function Basics"
_CONTROL = "Concurrency Control"
_TASKS = "Task Management"
_GENERATORS = "Async Generators"
_EXECUTION = "Concurrent Execution"
_FASTAPI = "FastAPI Specific"
_CELERY = "Celery Integration"
_ERRORS = "Error Handling"
CATEGORIES = (_BASICS, _CONTROL, _TASKS, _GENERATORS, _EXECUTION, _FASTAPI, _CELERY, _ERRORS)


class Item(msgspec.Struct, frozen=True):
    """One item of the checklist.

    Attributes:
        number: From 1.
        checks: What is looked at.
        passes: When it passes.
        recommendation: What to do where it fails.
        subject: What the code has that the item speaks of, in the plural.
        good: What the pattern that it asks for looks like, in the plural.
    """

    number: int
    category: str
    name: str
    severity: Severity
    checks: str
    passes: str
    recommendation: str
    subject: str
    good: str


ITEMS = (
    Item(
        1,
        _BASICS,
        "No Blocking Calls in Async Functions",
        _CRITICAL,
        "Async functions must not call blocking I/O",
        "No blocking calls inside async functions, nor in what they call",
        "Await an asynchronous client, or hand the call to a thread with `asyncio.to_thread()`",
        "functions that the event loop runs",
        "awaited calls",
    ),
    Item(
        2,
        _BASICS,
        "Use asyncio.to_thread for CPU-Bound Work",
        _HIGH,
        "Offload CPU-bound operations to thread pool",
        "CPU-bound work that async code starts runs in a thread or process",
        "Load models, hash and parse in `asyncio.to_thread()` or a process pool",
        "CPU-bound calls",
        "calls that hand work to a thread or process",
    ),
    Item(
        3,
        _BASICS,
        "Async Context Managers",
        _MEDIUM,
        "Use async context managers for async resources",
        "Every async resource that is opened is closed on every path",
        "Open clients, sessions and files with `async with`",
        "async resources made",
        "`async with` over async resources",
    ),
    Item(
        4,
        _CONTROL,
        "asyncio.Lock for Shared State",
        _HIGH,
        "Use locks to prevent race conditions",
        "Double-checked locking pattern for lazy initialization",
        "Hold an `asyncio.Lock` over test and set, and test again once it is held",
        "places where coroutines set shared state",
        "asyncio locks taken with `async with`",
    ),
    Item(
        5,
        _CONTROL,
        "Avoid Global Lock Contention",
        _MEDIUM,
        "Use fine-grained locks or lock-free structures",
        "No lock of the whole process is held over slow work that has a key",
        "Keep one lock for each resource, and drop those that nobody uses",
        "asyncio locks taken",
        "locks chosen by a key",
    ),
    Item(
        6,
        _TASKS,
        "Background Tasks with asyncio.create_task",
        _MEDIUM,
        "Long-running background work should use create_task",
        "Background work runs as a task that is kept, and cancelled at shutdown",
        "Keep the task, and cancel and await it where the service stops",
        "tasks made",
        "tasks that are kept or awaited",
    ),
    Item(
        7,
        _TASKS,
        "Handle Task Cancellation",
        _HIGH,
        "Background tasks must handle CancelledError",
        "A cancellation ends the task, and an error does not end a background loop in silence",
        "Leave the loop or raise again on `CancelledError`; log other errors inside the loop and go on",
        "coroutines that run as tasks",
        "handlers of `CancelledError` that end the work",
    ),
    Item(
        8,
        _TASKS,
        "Use suppress for Expected Cancellation",
        _LOW,
        "Use contextlib.suppress for expected cancellation",
        "Who cancels a task awaits it, with the cancellation suppressed",
        "Write `with suppress(asyncio.CancelledError): await task` after `task.cancel()`",
        "tasks cancelled",
        "uses of `suppress` for an expected cancellation",
    ),
    Item(
        9,
        _GENERATORS,
        "AsyncGenerator Return Type",
        _MEDIUM,
        "Async generators should have proper type hints",
        "Every async generator says what it yields",
        "Annotate the result as `AsyncGenerator[...]` or `AsyncIterator[...]`",
        "async generators",
        "async generators that say what they yield",
    ),
    Item(
        10,
        _GENERATORS,
        "Async For Loops",
        _MEDIUM,
        "Use `async for` with async iterables",
        "Streams are passed on item by item, and no loop over a blocking source runs on the event loop",
        "Use `async for` and yield each item as it comes",
        "async generators and comprehensions",
        "`async for` loops",
    ),
    Item(
        11,
        _EXECUTION,
        "asyncio.gather for Parallel Operations",
        _MEDIUM,
        "Use gather for independent async operations",
        "Work that runs at once has a limit, and every result and error of it is looked at",
        "Use `asyncio.gather` with `return_exceptions=True` and look at each result, or a `TaskGroup`",
        "calls that wait for several awaitables at once",
        "calls of `asyncio.gather`",
    ),
    Item(
        12,
        _EXECUTION,
        "TaskGroup for Structured Concurrency (Python 3.11+)",
        _LOW,
        "Consider TaskGroup for better error handling",
        "No code builds by hand what a task group does",
        "Write `async with asyncio.TaskGroup() as group` instead of a list of tasks that is gathered",
        "calls that wait for several awaitables at once",
        "task groups",
    ),
    Item(
        13,
        _FASTAPI,
        "Async Route Handlers",
        _MEDIUM,
        "Use async def for I/O-bound route handlers",
        "An `async def` route awaits its I/O; a route that can only block is a `def`",
        "Await the I/O in an `async def` route, or make the route a `def`",
        "routes",
        "`async def` routes that await",
    ),
    Item(
        14,
        _FASTAPI,
        "Lifespan Context Manager",
        _MEDIUM,
        "Use lifespan for startup/shutdown logic",
        "What the application needs for as long as it runs is opened and closed in its lifespan",
        "Open it before the `yield` of a lifespan and close it after",
        "functions that run at start-up or shutdown",
        "lifespans",
    ),
    Item(
        15,
        _FASTAPI,
        "Dependency Injection with Async",
        _LOW,
        "FastAPI dependencies can be async",
        "No dependency takes a thread for work that neither blocks nor computes for long",
        "Make a dependency that does no blocking work an `async def`",
        "dependencies",
        "`async def` dependencies",
    ),
    Item(
        16,
        _CELERY,
        "Async in Celery Tasks",
        _MEDIUM,
        "Celery tasks are synchronous by default",
        "Tasks are plain functions; what is asynchronous in them runs in one `asyncio.run()`",
        "Write the task as a `def`, and run coroutines with `asyncio.run()` inside it",
        "Celery tasks",
        "tasks that are plain functions",
    ),
    Item(
        17,
        _CELERY,
        "Calling Celery from Async Code",
        _MEDIUM,
        "Use `.delay()` or `.apply_async()` (they don't block)",
        "Async code starts tasks and does not wait for their results on the event loop",
        "Start the task with `.apply_async()` and return its id; fetch the result in a later request or in a thread",
        "uses of Celery on the event loop",
        "calls of `.delay()`, `.apply_async()` or `.send_task()`",
    ),
    Item(
        18,
        _ERRORS,
        "Async Exception Handling",
        _HIGH,
        "Handle exceptions in async code appropriately",
        "Errors are raised on, chained to their cause or recorded, and HTTP errors keep their status",
        "Log the error, and raise the new one `from` it",
        "handlers in async functions",
        "handlers that raise on, chain or record the error",
    ),
    Item(
        19,
        _ERRORS,
        "Timeout for Async Operations",
        _HIGH,
        "Use timeouts for external calls",
        "Every call to another system is bounded, and a timeout is answered as one",
        "Bound the call with `asyncio.timeout()` or the client's timeout, and answer 504 when it expires",
        "calls to other systems",
        "timeouts given",
    ),
)
"""All items, by number."""
