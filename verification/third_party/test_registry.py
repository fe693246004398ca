"""What this folder exercises is of the catalogue, is exercised in full, and is not little."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

import importlib
from importlib.metadata import version
from pathlib import Path

import pytest

from verification.third_party.registry import EXERCISED, Entry, third_party

for _path in sorted(Path(__file__).parent.glob("test_*.py")):
    if _path != Path(__file__):
        importlib.import_module(f"verification.third_party.{_path.stem}")

INSTALLED = {"psycopg2": "psycopg2-binary"}
"""The distribution that is installed here for one of the catalogue."""


def exercised() -> list[Entry]:
    """The entries of which some name is exercised."""
    return [entry for _, _, entries in third_party() for entry in entries if entry.subjects() & EXERCISED]


def test_every_subject_is_of_the_catalogue() -> None:
    known = {subject for _, _, entries in third_party() for entry in entries for subject in entry.subjects()}
    assert sorted(map(str, EXERCISED - known)) == []


def test_every_entry_is_exercised_in_full() -> None:
    """Where one name of an entry is exercised, so are its effect and each of its conditions and bounds, by any of its names."""
    missing = []
    for entry in exercised():
        wanted = {subject.aspect for subject in entry.subjects()}
        there = {subject.aspect for subject in entry.subjects() & EXERCISED}
        missing += [f"{entry.distribution}: {entry.api.names[0]}[{aspect}]" for aspect in wanted - there]
    assert sorted(missing) == []


def test_enough_is_exercised() -> None:
    entries = exercised()
    assert len(entries) >= 40
    assert len({entry.distribution for entry in entries}) >= 20


@pytest.mark.parametrize("distribution", sorted({entry.distribution for entry in exercised()}))
def test_what_runs_is_what_was_read(distribution: str) -> None:
    """The installed version is the one that the catalogue's file gives."""
    read = next(version for name, version, _ in third_party() if name == distribution)
    assert version(INSTALLED.get(distribution, distribution)) == read
