"""The harm lab: its bad forms are reported, and what pages say of it is what its run has measured."""

import ast
import re
from pathlib import Path

import msgspec

from asyncvet import config, rules
from asyncvet.engine import review

ROOT = Path(__file__).resolve().parents[2]
FARM = ROOT / "examples" / "farm"
VARIANTS = FARM / "harm" / "variants.py"
SELECT = ("AV", "AV308", "AV501", "AV505", "AV707", "AV802", "AV805")
CITATION = re.compile(r"^In \[the harm lab\].+?(?=\n\n)", re.MULTILINE | re.DOTALL)


def reported() -> dict[tuple[str, str], set[str]]:
    """Codes of the findings in the farm and its lab, by file and definition at the top of it."""
    settings = msgspec.structs.replace(config.load(ROOT), exclude=(), select=SELECT)
    found: dict[tuple[str, str], set[str]] = {}
    for finding in review([FARM], settings, root=ROOT).findings:
        path, line = ROOT / finding.span.path, finding.span.line
        tree = ast.parse(path.read_text(encoding="utf-8"))
        definitions = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        (name,) = [node.name for node in definitions if node.lineno <= line <= (node.end_lineno or 0)]
        found.setdefault((path.relative_to(FARM).as_posix(), name), set()).add(finding.code)
    return found


def test_bad_forms_are_reported() -> None:
    """Each by its rule and no other, and nothing else in the farm; the searches in turn and the fragile loop are missed."""
    assert reported() == {
        ("harm/variants.py", name): {code}
        for name, code in {
            "blocking_open": "AV101",
            "SleepingIngestions": "AV101",
            "RequestsClient": "AV101",
            "LoopLoadedEncoder": "AV101",
            "parsing_on_the_loop": "AV103",
            "UnlockedRegistry": "AV201",
            "UncheckedRegistry": "AV202",
            "GlobalLockRegistry": "AV204",
            "DroppingIngestions": "AV301",
            "swallowed_cancellation": "AV304",
            "collected_stream": "AV402",
            "UnboundedClient": "AV803",
            "LoopWorkers": "AV707",
        }.items()
    }


def test_figures() -> None:
    """What the pages of rules say was measured stands on the page of the lab. `make harm` writes both."""
    page = " ".join((ROOT / "docs" / "harm.md").read_text(encoding="utf-8").split())
    cited = set()
    for rule in rules.load():
        for citation in CITATION.findall(rule.page.sections["Why is this bad?"] + "\n\n"):
            text = " ".join(citation.split())
            parts = re.findall(r"\[[^]]+\]\(../../harm\.md#([\w-]+)\)[,:] (.+?)\.(?= \[|$)", text)
            assert [anchor for anchor, says in parts if f"{says[0].upper()}{says[1:]}. Rule: [{rule.name}]" not in page] == []
            cited |= {anchor for anchor, _ in parts}
    assert cited == set(re.findall(r"\]\(#([\w-]+)\) \| bad", page))


def test_plots() -> None:
    """Each plot that the page shows is there and small, and there is no other."""
    shown = re.findall(r"\]\(harm/([\w-]+\.svg)\)", (ROOT / "docs" / "harm.md").read_text(encoding="utf-8"))
    plots = {path.name: path.stat().st_size for path in (ROOT / "docs" / "harm").iterdir()}
    assert sorted(shown) == sorted(plots)
    assert {name: size for name, size in plots.items() if size > 60_000} == {}


def test_planted_lines() -> None:
    """The page of strict mode names the lines that block as they stand now, says that each was reported, and has no other report."""
    page = (ROOT / "docs" / "reference" / "monitor-harm.md").read_text(encoding="utf-8")
    rows = [re.split(r" *\| *", line.strip("| ")) for line in page.splitlines() if line.startswith("| [")]
    source = VARIANTS.read_text(encoding="utf-8").splitlines()
    lines = {re.findall(r"#([\w-]+)\)", row[0])[0]: re.findall(r"`harm/variants\.py:(\d+)`", row[1]) for row in rows}
    planted = {anchor: [source[int(line) - 1].strip() for line in found] for anchor, found in lines.items() if found}
    assert planted == {
        "blocking-open": ['with open(folder / file_id, "wb") as file:', "file.write(data)"],
        "sleep-in-a-handler": ["time.sleep(self._settings.status_interval)"],
        "requests-in-a-handler": ["requests.get(url, timeout=self._settings.request_timeout).raise_for_status()"],
        "model-load-on-the-loop": ["return cls(Encoder.load(folder))"],
        "parsing-on-the-loop": ["PdfReader(folder / file_id).pages[0].extract_text()"],
        "publish-with-the-broker-away": ["return task.apply_async(args=args, expires=expires)"],
    }
    assert {(row[2], *row[4:]) for row in rows} == {("yes", "0", "0"), ("-", "0", "0")}
    assert list(lines) == re.findall(r"\]\(#([\w-]+)\) \| bad", (ROOT / "docs" / "harm.md").read_text(encoding="utf-8"))
