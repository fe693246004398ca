"""What a review starts from: the files, the environment, and what is kept from earlier reviews. Finding it reads no source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from asyncvet.config import Settings
from asyncvet.engine import environment
from asyncvet.engine.contents import Contents
from asyncvet.engine.discovery import Discovery, discover
from asyncvet.engine.environment import Environment
from asyncvet.engine.store import Store, default_file


class Inputs(msgspec.Struct, frozen=True):
    """What a review starts from.

    Attributes:
        root: Folder that paths in answers are relative to.
        contents: What is known of the files without reading them, and the store behind it.
        installed: The environment whose packages may be read.
        is_whole: The program is read as far as it goes: folders are named, none of them a part of a package.
    """

    root: Path
    settings: Settings
    discovery: Discovery
    contents: Contents
    installed: Environment | None
    is_whole: bool


def gather(paths: Sequence[Path], settings: Settings, root: Path | None) -> Inputs:
    """Find what a review of the Python files at and below some paths starts from.

    Raises:
        UsageError: A path does not exist or holds no Python, or a setting names a file that is not right.
    """
    root = Path(os.path.normpath((root or Path.cwd()).absolute()))
    discovery = discover(paths, settings, root)
    starts = sorted({os.path.normpath(path.absolute()) for path in paths})
    subject = os.fsencode("\0".join([str(discovery.base), *starts]))
    installed = environment.find(settings.python, discovery.base)
    contents = Contents(Store(default_file() if settings.cache else None), subject)
    if installed is not None:
        installed.contents = contents
    is_whole = all(path.is_dir() and not (path.absolute().parent / "__init__.py").is_file() for path in paths)
    return Inputs(root, settings, discovery, contents, installed, is_whole)
