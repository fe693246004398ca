"""The same text with async and await taken away: what is left has no coroutine in it."""

from __future__ import annotations

import io
import itertools
import tokenize


def strip_async(text: str) -> str:
    """Take away `async` and `await` with the blanks behind them; lines stay where they are, columns move."""
    lines = text.splitlines(keepends=True)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    for token, following in reversed(list(itertools.pairwise(tokens))):
        if token.type == tokenize.NAME and token.string in {"async", "await"}:
            row, start = token.start
            end = following.start[1] if following.start[0] == row else token.end[1]
            line = lines[row - 1]
            lines[row - 1] = line[:start] + line[end:]
    return "".join(lines)
