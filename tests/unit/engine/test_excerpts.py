"""The source text that a report shows for a place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from asyncvet.engine.excerpts import Excerpts, excerpts
from asyncvet.model import Finding, Frame, Severity, Span


def reader(folder: Path) -> Callable[[str], bytes | None]:
    """Reads the files of a folder; None for one that is gone."""
    return lambda path: (folder / path).read_bytes() if (folder / path).exists() else None


def marked(found: Excerpts) -> dict[tuple[str, int, int], str]:
    """The texts, with the code at each place between guillemets."""
    return {
        place: f"{text[:start]}«{text[start:end]}»{text[end:]}"
        for (place, text), (start, end) in zip(found.texts.items(), found.marks.values(), strict=True)
    }


def at(path: str, line: int, column: int = 1, chain: tuple[Frame, ...] = ()) -> Finding:
    return Finding(
        code="AV101",
        name="blocking-call",
        item=1,
        severity=Severity.CRITICAL,
        span=Span(path, line, column, line, column + 1),
        function="a.main",
        message="blocks",
        chain=chain,
    )


def test_a_line_is_stripped_of_comments_and_decoded_as_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\n\r\n    call('\xc3\xa9#')  # why\r\n\x0cx = 1")
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\nname = '\xe9'\r")
    (tmp_path / "odd.py").write_bytes(b"# coding: nonsense\n'\xff'\n" + b"x" * 300)
    frames = [Frame("a.py", 3, 5, "f"), Frame("latin.py", 2, 1, "f"), Frame("odd.py", 2, 1, "f"), Frame("odd.py", 3, 1, "f")]
    findings = [at("a.py", 3, 5, tuple(frames)), at("a.py", 4, 2), at("a.py", 99), at("gone.py", 1)]
    assert marked(excerpts(findings, reader(tmp_path))) == {
        ("a.py", 3, 5): "«call('é#')»",
        ("a.py", 4, 2): "«x = 1»",
        ("latin.py", 2, 1): "«name = 'é'»",
        ("odd.py", 2, 1): "«'�'»",
        ("odd.py", 3, 1): f"«{'x' * 200}»",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = @run(a, b)", "x = «run(a, b)»"),
        ("if @run(a).ok and other(\n    b\n):", "if «run(a).ok» and other("),
        ("done = @run(\n    [a],  # why\n    b=(1, ),\n)", "«run([a], b=(1, ))»"),
        ("x = @run(\n    a\n).text.strip() or None", "«run(a).text.strip()»"),
        ("(\n    @session.query(A)\n    .where(\n        B,\n    )\n    .all()\n)", "«session.query(A).where(B).all()»"),
        ("@run(\n    '''\n      SELECT 1)\n    ''', \"(\"\n)", "«run(''' SELECT 1) ''', \"(\")»"),
        ("other(\n    @run(a,\n        b), c)", "«run(a, b)»"),
        ("with @connect(\n    a\n) as b, c:", "«connect(a)»"),
        ("@connect \\\n    (a)", "«connect (a)»"),
        ("@self.ready\n[1]", "«self.ready»"),
        ("@run(\n    a", "«run(a»"),
        ("@run('\n", "«run('»"),
        ("@a[\n    run()]\n", "«a[run()]»"),
    ],
)
def test_a_call_over_several_lines_is_shown_alone_and_on_one(source: str, expected: str, tmp_path: Path) -> None:
    """The place is marked by an at-sign, which is taken out."""
    before = source[: source.index("@")]
    place = ("a.py", before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
    (tmp_path / "a.py").write_text(source.replace("@", ""))
    assert marked(excerpts([at(*place)], reader(tmp_path))) == {place: expected}


def test_the_end_of_a_call_is_not_looked_for_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("run(\n" + "    1,\n" * 100_000 + ")\n")
    assert marked(excerpts([at("a.py", 1)], reader(tmp_path))) == {("a.py", 1, 1): "«run(" + "1, " * 58 + "1,»"}
