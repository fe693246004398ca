"""The proofs over wheels see what they are there to see."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from asyncvet.model import Finding, Severity, Span
from asyncvet.report.fixes import Applied, Fixing, Rewritten
from verification.fixes.proofs import PROOFS, compiles, misplaced_imports, proved, strangers

BEFORE = b"import os\n\n\ndef neighbour():\n    return 1\n\n\nclass Service:\n    def start(self):\n        return os.name\n"
FINDING = Finding(
    code="AV101",
    name="blocking-call",
    item=1,
    severity=Severity.HIGH,
    span=Span("main.py", 9, 9, 9, 20),
    function="main.Service.start",
    message="",
)


def rewritten(old: bytes, new: bytes) -> Rewritten:
    """The file with some of its text replaced."""
    return Rewritten("main.py", BEFORE, BEFORE.replace(old, new))


def test_confined() -> None:
    """The function, imports, declarations and new functions may change; a neighbour and other statements may not."""
    functions = ["main.Service.start"]
    assert strangers(rewritten(b"os.name", b"os.sep"), functions) == []
    assert strangers(rewritten(b"import os", b"import os\nlock = object()"), functions) == []
    assert strangers(rewritten(b"def neighbour", b"def new():\n    return 2\n\n\ndef neighbour"), functions) == []
    assert strangers(rewritten(b"return 1", b"return 2"), functions) == ["neighbour"]
    assert strangers(rewritten(b"def neighbour", b"def renamed"), functions) == ["neighbour"]
    assert strangers(rewritten(b"def neighbour", b"print(1)\n\n\ndef neighbour"), functions) == ["<Expr>"]


def test_compiles() -> None:
    """What parses and does not compile is seen too."""
    assert [compiles(text) for text in (b"x = 1", b"x = ", b"return 1")] == [True, False, False]


def test_imports(tmp_path: Path) -> None:
    """A block of imports out of order is counted at its file."""
    (tmp_path / "good.py").write_text("import os\nimport sys\n\nprint(os, sys)\n")
    (tmp_path / "bad.py").write_text("import sys\nimport os\n\nprint(os, sys)\n")
    assert misplaced_imports(tmp_path, ["good.py", "bad.py"]) == Counter({"bad.py": 1})


def test_proved() -> None:
    """A fix that holds passes all proofs; one of which nothing is as it should be passes none."""
    key = ("main.py", "main.Service.start", "AV101")
    applied = (Applied(FINDING, "safe", ""),)
    good = Fixing(applied=applied, files=(rewritten(b"os.name", b"os.sep"),))
    assert list(proved(Counter({key: 1}), Counter(), good, Fixing(), Counter())) == [PROOFS]
    bad = Fixing(applied=applied, files=(rewritten(b"return 1", b"return 2"),))
    assert list(proved(Counter({key: 1}), Counter({key: 2}), bad, bad, Counter({"main.py": 1}))) == [("compiles",)]
