"""A stack as it was at one moment. It is taken quickly, without a call that gives up the interpreter, and read later."""

from __future__ import annotations

import builtins
import inspect
import linecache
import re
from itertools import islice
from types import CodeType, FrameType, ModuleType
from typing import Any

from asyncvet.monitor.observation import StackFrame
from asyncvet.monitor.stacks import displayed, origin

DEPTH = 200
"""So many frames are read, from the innermost on."""

_CALL = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\(")
_WITH = re.compile(r"with ([A-Za-z_]\w*):")
_NOTHING = object()


class Snapshot:
    """A stack of one moment.

    Attributes:
        key: Equal for two snapshots of the same stack, as long as both are kept.
    """

    __slots__ = ("_frames", "_lasti", "key")

    def __init__(self, frame: FrameType) -> None:
        """Take it of a frame and those that called it."""
        self._lasti = frame.f_lasti
        frames: list[tuple[CodeType, int, dict[str, Any]]] = []
        outer: FrameType | None = frame
        while outer is not None and len(frames) < DEPTH:
            frames.append((outer.f_code, outer.f_lineno or outer.f_code.co_firstlineno, outer.f_globals))
            outer = outer.f_back
        self._frames = frames
        self.key = tuple(number for code, line, _ in frames for number in (id(code), line))

    def whole(self) -> tuple[StackFrame, ...]:
        """All frames but the monitor's, the outermost first."""
        return tuple(_described(code, line) for code, line, _ in reversed(self._frames) if _origin(code) != "monitor")

    def cut(self) -> tuple[tuple[StackFrame, ...], str]:
        """The user's frames, the outermost first, and the function that the innermost of them called, if it has a frame.

        Where no frame is the user's, those of libraries stand for them, else all.
        """
        frames = [each for each in self._frames if _origin(each[0]) != "monitor"]
        for wanted in ("user", "library"):
            places = [place for place, (code, _, _) in enumerate(frames) if _origin(code) == wanted]
            if places:
                called = _function_name(frames[places[0] - 1]) if places[0] else ""
                return tuple(_described(*frames[place][:2]) for place in reversed(places)), called
        return self.whole(), ""

    @property
    def innermost(self) -> str:
        """Name of the innermost function."""
        return _function_name(self._frames[0])

    def primitive(self) -> str:
        """The dotted name of what the innermost frame was calling in C: ``time.sleep``; as the source has it where it is not found.

        Empty where it was at no call of a name, or the source is not there. Nothing of the program is run for it.
        """
        code, _, names = self._frames[0]
        text = _source(code, self._lasti, names)
        found = _CALL.match(text)
        if found is None or _closing(text, found.end()) < len(text) - 1:
            return ""
        first, *rest = found[1].split(".")
        value = _NOTHING if first in code.co_varnames else names.get(first, vars(builtins).get(first, _NOTHING))
        for name in rest:
            value = _attribute(value, name)
        return _name(value, found[1].rpartition(".")[2]) or found[1]

    def entered(self) -> str:
        """The type of what the innermost frame's `with` enters, where it is a name of the module: ``_thread.lock``; else empty."""
        code, line, names = self._frames[0]
        found = _WITH.match(linecache.getline(code.co_filename, line, names).strip())
        value = names.get(found[1]) if found and found[1] not in code.co_varnames else None
        return "" if value is None else f"{type(value).__module__}.{type(value).__qualname__}"


def _origin(code: CodeType) -> str:
    return origin(code.co_filename)


def _described(code: CodeType, line: int) -> StackFrame:
    return StackFrame(displayed(code.co_filename), line, code.co_qualname)


def _function_name(frame: tuple[CodeType, int, dict[str, Any]]) -> str:
    code, _, names = frame
    module = names.get("__name__", "")
    return f"{module}.{code.co_qualname}" if module else code.co_qualname


def _source(code: CodeType, lasti: int, names: dict[str, Any]) -> str:
    """The text of the expression that an instruction belongs to, as far as it stands on its first line."""
    line, end_line, column, end_column = next(islice(code.co_positions(), max(lasti, 0) // 2, None), (None,) * 4)
    if line is None or column is None:
        return ""
    encoded = linecache.getline(code.co_filename, line, names).encode()
    return encoded[column : end_column if line == end_line else None].decode(errors="replace")


def _closing(text: str, start: int) -> int:
    """Where the bracket that was opened before `start` is closed; the end of the text where it is not."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if depth == 0:
            return place
    return len(text)


def _attribute(value: object, name: str) -> object:
    """An attribute without what properties and `__getattr__` would run."""
    if isinstance(value, ModuleType):
        return vars(value).get(name, _NOTHING)
    return inspect.getattr_static(value, name, _NOTHING)


def _name(value: object, last: str) -> str:
    if value is _NOTHING:
        return ""
    owner = getattr(value, "__objclass__", None)  # of a method that is written in C
    if isinstance(owner, type):
        return f"{owner.__module__}.{owner.__qualname__}.{last}"
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""
