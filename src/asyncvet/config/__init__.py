"""Settings: the form in which they are written, where they are found, and what they give."""

from asyncvet.config.reading import BASELINE, NAMES, as_written, load, load_file, load_folder, parse_toml
from asyncvet.config.settings import PathSettings, Settings
from asyncvet.config.words import UsageError, hint, nearest, severity

__all__ = [
    "BASELINE",
    "NAMES",
    "PathSettings",
    "Settings",
    "UsageError",
    "as_written",
    "hint",
    "load",
    "load_file",
    "load_folder",
    "nearest",
    "parse_toml",
    "severity",
]
