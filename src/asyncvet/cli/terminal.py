"""What the terminal shows."""

from __future__ import annotations

from collections.abc import Mapping

_PROGRAMS = frozenset({"ghostty", "Hyper", "iTerm.app", "mintty", "rio", "Tabby", "WezTerm"})
"""Values of TERM_PROGRAM. The terminal of VS Code is none of them: it makes better links of places by itself."""

_KINDS = ("alacritty", "foot", "xterm-kitty", "xterm-ghostty", "wezterm")
"""What TERM begins with."""

_SIGNS = ("DOMTERM", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "WT_SESSION")
"""Variables that such a terminal sets."""


def shows_links(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to make links of what OSC 8 marks as such.

    No terminal answers the question, so it goes by what they set in the environment. FORCE_HYPERLINK decides where it is set.
    """
    if forced := environment.get("FORCE_HYPERLINK"):
        return forced != "0"
    if environment.get("TMUX") or environment.get("TERM", "").startswith("screen"):
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in _PROGRAMS
        or environment.get("TERM", "").startswith(_KINDS)
        or any(environment.get(sign) for sign in _SIGNS)
        or (vte.isdecimal() and int(vte) >= 5000)
    )
