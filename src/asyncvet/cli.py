"""The command line.

It is made with argparse: a command line needs no dependency of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from msgspec.structs import replace

from asyncvet import __version__, report, rules
from asyncvet.config import Settings, UsageError, load, load_file, severity
from asyncvet.engine import Progress, environment, explaining, git, learning, review
from asyncvet.engine.changes import Changes, from_diff
from asyncvet.engine.reading import uncollected
from asyncvet.engine.selection import unknown_rule
from asyncvet.graph.neighbourhood import CallGraph
from asyncvet.model import Severity
from asyncvet.report import Output, Render, Report, checklist, explanations
from asyncvet.report.explanations import graph_dot, graph_svg, graph_text, why_text

FOUND, UNABLE, INTERRUPTED = 1, 2, 130
"""Exit statuses beside 0: findings at or above the bound; the tool could not do its work; Ctrl-C."""

PATIENCE = 0.5
"""Seconds after which a person wants to see that something goes on."""


class Command(NamedTuple):
    """A subcommand: what `--help` says about it, its arguments, and what it does and exits with."""

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run asyncvet and give its exit status.

    Args:
        arguments: Without the name of the program; None means those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        status = COMMANDS[options.command].run(options)
        sys.stdout.flush()
    except UsageError as error:
        return _complain(f"error: {error}", UNABLE)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has seen enough. What the interpreter flushes at its end must not find the pipe closed once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # people get a sentence; --verbose is for who mends it
        if getattr(options, "verbose", False):
            traceback.print_exc()
        return _complain(f"this is a fault of asyncvet: {type(error).__name__}: {error}; --verbose shows where", UNABLE)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="asyncvet", description="Review async Python: FastAPI and Celery services.")
    parser.add_argument("--version", action="version", version=f"asyncvet {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.summary, description=command.summary))
    return parser


def _complain(message: str, status: int) -> int:
    print(f"asyncvet: {report.harmless(message)}", file=sys.stderr)
    return status


# --- asyncvet check, asyncvet review ------------------------------------------------------------


def _add_check_arguments(parser: argparse.ArgumentParser) -> None:
    _add_reviewing_arguments(parser, report.formats(), Severity.LOW)


def _add_review_arguments(parser: argparse.ArgumentParser) -> None:
    _add_reviewing_arguments(parser, checklist.FORMATS, Severity.HIGH)


def _add_reviewing_arguments(parser: argparse.ArgumentParser, formats: Sequence[str], bound: Severity) -> None:
    """The arguments of the commands that run the rules."""
    add = parser.add_argument
    add("paths", nargs="*", type=Path, default=[Path()], metavar="PATH", help="files and folders (default: this folder)")
    kinds = "codes, names, prefixes (AV1), separated by commas"
    add("--select", action="append", type=_selectors, metavar="RULES", help=f"rules to run, not the configured ones: {kinds}")
    add("--ignore", action="append", type=_selectors, metavar="RULES", help="rules not to run, besides the configured")
    levels = "low, medium, high or critical"
    add("--min-severity", type=_level, metavar="SEVERITY", help=f"leave out lighter findings: {levels}")
    add("--fail-on", type=_level, default=bound, metavar="SEVERITY", help=f"exit with 1 from here on (default: {bound.word})")
    _add_scope_arguments(parser)
    add("--include-tests", action="store_true", default=None, help="report findings in test files too")
    add("--format", choices=formats, default="text", help="how to write the report (default: text)")
    add("--output", type=Path, metavar="FILE", help="where to write the report (default: standard output)")
    add(
        "--python",
        type=Path,
        metavar="ENV",
        help="virtual environment whose packages are read (default: a .venv beside the code)",
    )
    add("--config", type=Path, metavar="FILE", help="configuration to use instead of the nearest one")
    add("--jobs", type=_whole_number, metavar="N", help="processes that read files (default: one for each processor)")
    add("--no-cache", action="store_true", help="keep nothing of installed packages for later reviews, and use nothing kept")
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--verbose", action="store_true", help="leave nothing out of the report")


def _add_scope_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_mutually_exclusive_group().add_argument
    add("--since", metavar="REV", help="report only what has changed since the branch left this revision of git")
    add("--diff", metavar="FILE", help="report only what this unified diff, already applied, brings about (-: standard input)")


def _check(options: argparse.Namespace) -> int:
    return _reviewing(options, report.load(options.format), examine=False)


def _review(options: argparse.Namespace) -> int:
    return _reviewing(options, checklist.load(options.format), examine=True)


def _reviewing(options: argparse.Namespace, render: Render, examine: bool) -> int:
    settings = _settings(options)
    changes = _changes(options)
    with uncollected():
        with _progress_bar() as progress:
            outcome = review(options.paths, settings, progress=progress, changes=changes, examine=examine)
        _write(outcome, render, options)
        gc.freeze()  # the process ends here; a last collection of all that was linked would take a tenth of the whole time
    if outcome.failed_rules:
        return UNABLE
    found = any(finding.severity >= options.fail_on for finding in outcome.findings)
    return FOUND if found and not options.exit_zero else 0


def _changes(options: argparse.Namespace) -> Changes | None:
    """What the change is that the review is about; None if it is about everything."""
    if options.since is None and options.diff is None:
        return None
    folder = _common_folder(options.paths)
    folder = folder if folder.is_dir() else folder.parent
    if options.since is not None:
        return git.since(options.since, folder)
    try:
        diff = sys.stdin.buffer.read() if options.diff == "-" else Path(options.diff).read_bytes()
    except OSError as error:
        raise UsageError(f"{options.diff}: cannot be read: {error.strerror}") from error
    name = "standard input" if options.diff == "-" else options.diff
    return from_diff(diff, name, [Path.cwd(), *filter(None, [git.top_of(folder)])])


def _settings(options: argparse.Namespace) -> Settings:
    """The configuration, with what the command line says in its place."""
    settings = load_file(options.config) if options.config else load(_common_folder(options.paths))
    select = tuple(selector for group in options.select or () for selector in group)
    ignore = tuple(selector for group in options.ignore or () for selector in group)
    changes: dict[str, object] = {}
    if select:
        # What is asked for by name on the command line is wanted even where the configuration ignores it.
        changes["select"] = select
        codes = {rule.name: rule.code for rule in rules.load()}
        wanted = {codes.get(selector, selector) for selector in select}
        ignore += tuple(selector for selector in settings.ignore if codes.get(selector, selector) not in wanted)
    else:
        ignore += settings.ignore
    changes["ignore"] = ignore
    for name in ("min_severity", "include_tests", "jobs", "python"):
        if (value := getattr(options, name)) is not None:
            changes[name] = value
    if options.no_cache:
        changes["cache"] = False
    return replace(settings, **changes)


def _common_folder(paths: Sequence[Path]) -> Path:
    """The folder whose configuration counts: the one that holds all of the paths."""
    return Path(os.path.commonpath([path.absolute() for path in paths]))


def _write(outcome: Report, render: Render, options: argparse.Namespace) -> None:
    try:
        if options.output:
            options.output.write_text(render(outcome, Output(verbose=options.verbose)), encoding="utf-8")
        else:
            sys.stdout.write(render(outcome, _output(sys.stdout, options.verbose)))
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"{options.output or 'the report'}: cannot be written: {error.strerror}") from error


def _output(stream: TextIO, verbose: bool) -> Output:
    encoding = stream.encoding or "utf-8"
    if not stream.isatty():
        columns = os.environ.get("COLUMNS", "")
        return Output(width=int(columns) or None if columns.isdecimal() else None, encoding=encoding, verbose=verbose)
    from rich.console import Console  # noqa: PLC0415  # slow to import, and most runs are not at a terminal

    console = Console(file=stream)
    colour = console.is_terminal and not console.no_color
    return Output(colour=colour, width=console.width, encoding=encoding, verbose=verbose)


@contextlib.contextmanager
def _progress_bar() -> Iterator[Progress | None]:
    """A bar on standard error once the work has gone on for a while, if a person can see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415  # slow to import, and most runs are not at a terminal
    from rich.progress import Progress as Bar  # noqa: PLC0415

    # It is drawn by hand, as a thread that draws it would forbid to fork the processes that read.
    bar = Bar(console=Console(stderr=True), transient=True, auto_refresh=False)
    task = bar.add_task("")
    started = drawn = time.monotonic()

    def show(stage: str, done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        bar.update(task, description=stage, completed=done, total=total)
        if now - started > PATIENCE and now - drawn > 0.1:
            drawn = now
            bar.start()
            bar.refresh()

    try:
        yield show
    finally:
        bar.stop()


def _selectors(text: str) -> list[str]:
    return [selector.strip() for selector in text.split(",") if selector.strip()]


def _level(text: str) -> Severity:
    try:
        return severity(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _whole_number(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number above 0")
    return int(text)


# --- asyncvet rule -------------------------------------------------------------------------------


def _add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", nargs="?", metavar="NAME|CODE", help="the rule whose page to show (default: list all rules)")


def _rule(options: argparse.Namespace) -> int:
    known = rules.load()
    if options.rule is None:
        for each in known:
            preview = "  (only if selected by name)" if each.preview else ""
            print(f"{each.code}  {each.severity.word:8}  {each.name}{preview}")
        return 0
    rule = next((rule for rule in known if options.rule.lower() in (rule.code.lower(), rule.name)), None)
    if rule is None:
        raise UsageError(unknown_rule(options.rule, known))
    _show_page(f"# {rule.name} ({rule.code}, {rule.severity.word})\n\n{rule.page.text}")
    return 0


def _show_page(page: str) -> None:
    if not sys.stdout.isatty():
        print(page)
        return
    from rich.console import Console  # noqa: PLC0415  # slow to import, and most runs are not at a terminal
    from rich.markdown import Markdown  # noqa: PLC0415

    console = Console()
    console.print(Markdown(page), width=min(console.width, 100))


# --- asyncvet why, asyncvet graph ----------------------------------------------------------------


def _add_why_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place", type=_place, metavar="FILE:LINE", help="the line; a column after it, as reports give it, is ignored"
    )
    _add_project_argument(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to write the answer (default: text)")


def _add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("function", metavar="FUNCTION", help="its qualified name, or the end of it: Class.method")
    _add_project_argument(parser)
    kinds = ", ".join(f"*{suffix}" for suffix in DRAWINGS)
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"draw into this file: {kinds} (default: a tree of text)")
    parser.add_argument("--depth", type=_whole_number, default=6, metavar="N", help="calls to follow up and down (default: 6)")


def _add_project_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, default=[Path()], metavar="PATH", help="the project (default: this folder)"
    )


def _place(text: str) -> tuple[Path, int]:
    found = re.fullmatch(r"(.+?):(\d+)(?::\d+)?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not a file, a colon and the number of a line")
    return Path(found[1]), int(found[2])


def _why(options: argparse.Namespace) -> int:
    with uncollected():
        file, line = options.place
        answer = explaining.why(file, line, options.paths, load(_common_folder(options.paths)))
    sys.stdout.write(explanations.as_json(answer) if options.format == "json" else why_text.render(answer))
    return 0


def _graph(options: argparse.Namespace) -> int:
    draw = DRAWINGS.get(options.output.suffix.lower()) if options.output else graph_text.render
    if draw is None:
        raise UsageError(f"{options.output}: can be drawn into a file whose name ends in {', '.join(DRAWINGS)} only")
    with uncollected():
        graph = explaining.around(options.function, options.depth, options.paths, load(_common_folder(options.paths)))
    if options.output is None:
        sys.stdout.write(draw(graph))
        return 0
    try:
        options.output.write_text(draw(graph), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{options.output}: cannot be written: {error.strerror}") from error
    return 0


DRAWINGS: dict[str, Callable[[CallGraph], str]] = {
    ".svg": graph_svg.render,
    ".dot": graph_dot.render,
    ".json": explanations.as_json,
}

# --- asyncvet learn ------------------------------------------------------------------------------


def _add_learn_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("distribution", metavar="DISTRIBUTION", help="name under which it is installed")
    parser.add_argument("--python", type=Path, metavar="ENV", help="environment that holds it (default: a .venv here or above)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write the catalogue file (default: standard output)"
    )


def _learn(options: argparse.Namespace) -> int:
    library = environment.find(options.python, Path.cwd())
    if library is None:
        raise UsageError("there is no virtual environment here; name one by --python")
    with uncollected():
        text = learning.learn(options.distribution, library)
    if options.output is None:
        sys.stdout.write(text)
        return 0
    try:
        options.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{options.output}: cannot be written: {error.strerror}") from error
    return 0


COMMANDS = {
    "check": Command("Report what stalls the event loop, loses tasks or races on shared state.", _add_check_arguments, _check),
    "review": Command("Give a verdict on each item of the checklist for asynchronous code.", _add_review_arguments, _review),
    "why": Command(
        "Tell where the code on a line runs, what it reaches, and why that is reported or not.", _add_why_arguments, _why
    ),
    "graph": Command("Draw the calls around a function.", _add_graph_arguments, _graph),
    "learn": Command("Derive a catalogue file from the source of an installed distribution.", _add_learn_arguments, _learn),
    "rule": Command("List the rules, or show the page of one.", _add_rule_arguments, _rule),
}
