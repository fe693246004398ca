"""Unified diffs: which lines they change, and whether they fit the files."""

from pathlib import Path

import pytest

from asyncvet.config import UsageError
from asyncvet.engine.changes import Changes, Patch, from_diff, parse

HEAD = b"--- a/app.py\n+++ b/app.py\n"


def changed(body: bytes) -> list[tuple[int, int]]:
    (patch,) = parse(HEAD + body, "x.diff")
    return list(patch.changed)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"@@ -1,0 +2,3 @@\n+a\n+b\n+c\n", [(2, 4)]),
        (b"@@ -5 +5 @@ def f():\n-a\n+b\n", [(5, 5)]),
        (b"@@ -1,4 +1,5 @@\n a\n-b\n+c\n+d\n e\n f\n", [(2, 3)]),
        (b"@@ -1,3 +1,5 @@\n+x\n a\n+y\n b\n c\n", [(1, 1), (3, 3)]),
        (b"@@ -4,2 +3,0 @@\n-a\n-b\n", [(3, 4)]),
        (b"@@ -1,3 +1,2 @@\n a\n-b\n c\n", [(1, 2)]),
        (b"@@ -4 +3,0 @@\n-   \n", []),
        (b"@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n", [(2, 2)]),
        (b"@@ -1,2 +1,3 @@\n a\n\n+b\n", [(3, 3)]),
        (b"@@ -1 +1 @@\n--- a\n+++ b\n@@ -7,0 +8 @@\n+x\n", [(1, 1), (8, 8)]),
    ],
    ids=[
        "added",
        "altered",
        "with context",
        "two runs",
        "removed",
        "removed with context",
        "blank removed",
        "no newline",
        "blank context",
        "lines like headers",
    ],
)
def test_changed_lines(body: bytes, expected: list[tuple[int, int]]) -> None:
    """A removed line counts as a change of those on both sides of it."""
    assert changed(body) == expected


def test_files() -> None:
    """Deleted, renamed and binary files have no changed lines; names are unquoted, times cut off."""
    diff = b"""diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/old.py b/new.py
similarity index 100%
rename from old.py
rename to new.py
diff --git a/x.png b/x.png
Binary files a/x.png and b/x.png differ
--- "a/caf\\303\\251 \\"1\\".py"\t2026-01-01 10:00:00
+++ "b/caf\\303\\251 \\"1\\".py"\t2026-01-01 10:00:00
@@ -0,0 +1 @@
+y
"""
    assert parse(diff, "x.diff") == [Patch('b/café "1".py', ((1, 1),), {1: b"y"})]


@pytest.mark.parametrize(
    ("diff", "message"),
    [
        (b"hello\n", "x.diff: is not a unified diff"),
        (
            HEAD + b"@@ -1,2 +1,2 @@\n a\n",
            "x.diff:4: the diff breaks off within a hunk, or has lines there that are none of a diff",
        ),
        (
            HEAD + b"@@ -1 +1 @@\nhello\n",
            "x.diff:4: the diff breaks off within a hunk, or has lines there that are none of a diff",
        ),
        (b"diff --cc a.py\n@@@ -1,1 -1,1 +1,1 @@@\n", "x.diff:2: a diff of a merge, against several parents, cannot be used"),
    ],
)
def test_what_is_no_diff(diff: bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(diff, "x.diff")
    assert str(caught.value) == message


def test_an_empty_diff_changes_nothing(tmp_path: Path) -> None:
    assert from_diff(b"\n", "x.diff", [tmp_path]) == Changes({})


@pytest.mark.parametrize("prefix", ["b/", "w/", ""])
def test_the_files_are_found(prefix: str, tmp_path: Path) -> None:
    """Below the first folder that has all of them; other files than Python's need not be there."""
    (tmp_path / "below").mkdir()
    (tmp_path / "app.py").write_bytes(b"a\r\nb\r\n")
    (tmp_path / "other.py").write_bytes(b"x\n")
    (tmp_path / "below" / "other.py").write_bytes(b"x\n")
    diff = b"".join(
        b"--- x\n+++ " + prefix.encode() + name + b"\n@@ -1 +1 @@\n-old\n+" + new + b"\n"
        for name, new in ((b"app.py", b"a"), (b"other.py", b"x"), (b"README.md", b"gone"))
    )
    assert from_diff(diff, "x.diff", [tmp_path / "below", tmp_path]) == Changes(
        {str(tmp_path.resolve() / "app.py"): ((1, 1),), str(tmp_path.resolve() / "other.py"): ((1, 1),)}
    )


@pytest.mark.parametrize(
    ("diff", "message"),
    [
        (
            HEAD + b"@@ -1,2 +1,2 @@\n a\n-b\n+c\n",
            "x.diff: does not fit app.py as it is now: line 2 is another one; is the change made?",
        ),
        (HEAD + b"@@ -9,0 +9 @@\n+c\n", "x.diff: does not fit app.py as it is now: line 9 is another one; is the change made?"),
        (b"--- a/no.py\n+++ b/no.py\n@@ -0,0 +1 @@\n+c\n", "x.diff: does not fit the files here: there is no no.py"),
        (b"--- a/../no.py\n+++ b/../no.py\n@@ -0,0 +1 @@\n+c\n", "x.diff: does not fit the files here: there is no ../no.py"),
    ],
)
def test_a_diff_that_does_not_fit(diff: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("a\nb\n")
    with pytest.raises(UsageError) as caught:
        from_diff(diff, "x.diff", [tmp_path])
    assert str(caught.value) == message


def test_touch() -> None:
    changes = Changes({"/a.py": ((2, 3), (9, 9))})
    touched = [line for line in range(1, 12) if changes.touch("/a.py", line, line)]
    assert (touched, changes.touch("/a.py", 4, 9), changes.touch("/b.py", 1, 9)) == ([2, 3, 9], True, False)
