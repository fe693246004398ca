"""Found by each Python process that `asyncvet monitor` starts, since this folder stands first in its path: begins strict mode there.

The environment's own module of this name, if there is one, runs first and stands where it always does.
"""

import os
import sys


def _begin() -> None:
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != folder]
    own = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        if own is not None:
            sys.modules["sitecustomize"] = own
    settings = os.environ.get("ASYNCVET_MONITOR")
    if settings is None:
        return
    try:
        from asyncvet.monitor.programs import begin
    except ImportError as error:
        sys.stderr.write(f"asyncvet monitor: {sys.executable} is not watched: {error}; install asyncvet in its environment\n")
        return
    begin(settings)


_begin()
