"""How far a review is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told the stage (``reading``, ``linking``, ``checking``), how much of it is done, and how much there is."""
