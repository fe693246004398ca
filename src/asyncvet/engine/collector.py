"""The garbage collector, and when to keep it away."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away while millions of objects are made and all of them kept.

    It would walk the growing heap again and again and find nothing. Measured on 15 MB of source: a quarter of the time of reading
    and more than half of that of linking.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
