"""What every verification needs of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from verification.kernel import why_unsupported


@pytest.fixture(scope="session", autouse=True)
def _kernel() -> None:
    """Nothing is verified where system calls cannot be held."""
    if reason := why_unsupported():
        pytest.exit(reason, returncode=2)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of the test's own, without symbolic links in its path: the kernel names files so."""
    return tmp_path.resolve()
