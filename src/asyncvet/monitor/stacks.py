"""Stacks of the running program: which frames are the user's, and what a frame is called."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from types import FrameType
from typing import Literal

from asyncvet.monitor.observation import StackFrame

_LIBRARY_FRAMES = 5

Origin = Literal["user", "library", "standard-library", "event-loop", "monitor"]

_PATHS = sysconfig.get_paths()
_STANDARD = tuple({os.path.realpath(_PATHS[key]) + os.sep for key in ("stdlib", "platstdlib")})
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
# Not the tests of asyncvet, nor a program that happens to stand in a folder of that name.
_MONITOR = os.path.dirname(os.path.realpath(__file__)) + os.sep
_LOOPS = (f"{os.sep}asyncio{os.sep}", f"{os.sep}uvloop{os.sep}")


@functools.cache
def origin(path: str) -> Origin:
    """Whose code a file is, by its path as code objects have it."""
    if path.startswith("<frozen"):
        return "standard-library"
    real = os.path.realpath(path) if not path.startswith("<") else path
    if real.startswith(_MONITOR) or real == _PLUGIN:
        return "monitor"
    if any(folder in real for folder in _INSTALLED):
        return "event-loop" if _LOOPS[1] in real else "library"
    if real.startswith(_STANDARD):
        return "event-loop" if _LOOPS[0] in real else "standard-library"
    return "user"


_PLUGIN = os.path.join(os.path.dirname(_MONITOR.rstrip(os.sep)), "pytest_plugin.py")


def frames_of(frame: FrameType | None) -> list[FrameType]:
    """A frame and those that called it, innermost first."""
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def described(frame: FrameType) -> StackFrame:
    """A frame as observations have it."""
    return StackFrame(
        displayed(frame.f_code.co_filename), frame.f_lineno or frame.f_code.co_firstlineno, frame.f_code.co_qualname
    )


def whole(frame: FrameType | None) -> tuple[StackFrame, ...]:
    """The whole stack, outermost frame first, without the monitor's own frames."""
    return tuple(described(each) for each in reversed(frames_of(frame)) if origin(each.f_code.co_filename) != "monitor")


def cut(frame: FrameType | None) -> tuple[tuple[StackFrame, ...], str]:
    """The user's frames of a stack, outermost first, and the function that the innermost of them called.

    Where no frame is the user's, the innermost few of libraries stand for them; where there are none either, all but the monitor's.
    The called function's name is empty if the innermost kept frame is also the innermost of the stack: it called something in C.
    """
    frames = [each for each in frames_of(frame) if origin(each.f_code.co_filename) != "monitor"]
    for wanted in ("user", "library"):
        places = [place for place, each in enumerate(frames) if origin(each.f_code.co_filename) == wanted]
        if places:
            nearest = places[0]
            called = function_name(frames[nearest - 1]) if nearest else ""
            kept = places if wanted == "user" else places[:_LIBRARY_FRAMES]
            return tuple(described(frames[place]) for place in reversed(kept)), called
    return tuple(described(each) for each in reversed(frames)), ""


def function_name(frame: FrameType) -> str:
    """The dotted name of a frame's function: its module, by the name under which it is imported, and its qualified name."""
    module = frame.f_globals.get("__name__", "")
    if module == "__main__":
        spec = frame.f_globals.get("__spec__")
        module = spec.name if spec is not None else os.path.splitext(os.path.basename(frame.f_code.co_filename))[0]
    return f"{module}.{frame.f_code.co_qualname}" if module else frame.f_code.co_qualname


@functools.cache
def displayed(path: str) -> str:
    """A file's path as reports show it: relative to the current folder where it lies below it, with slashes."""
    real = path if path.startswith("<") else os.path.realpath(path)
    folder = _START + os.sep
    return (real[len(folder) :] if real.startswith(folder) else path).replace(os.sep, "/")


_START = os.path.realpath(os.getcwd()) if sys.platform != "emscripten" else ""
