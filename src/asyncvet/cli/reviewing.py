"""`asyncvet check` and `asyncvet review`."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from asyncvet import report
from asyncvet.cli import configuring, watching
from asyncvet.cli.command import FOUND, UNABLE, Command, common_folder, level, write
from asyncvet.cli.terminal import shows_links
from asyncvet.config import Settings, UsageError, hint
from asyncvet.engine import Phases, Progress, git, observed, review
from asyncvet.engine.changes import Changes, from_diff
from asyncvet.engine.collector import uncollected
from asyncvet.engine.observed import Observed
from asyncvet.model import Severity
from asyncvet.report import Output, Render, Report, checklist, statistics

PATIENCE = 0.5
"""Seconds after which a person wants to see that something goes on."""


def _add_check_arguments(parser: argparse.ArgumentParser) -> None:
    _add_reviewing_arguments(parser, report.formats(), Severity.LOW)
    parser.add_argument("--statistics", action="store_true", help="count the findings by rule; as text or json")
    parser.add_argument("--watch", action="store_true", help="check again whenever a file is saved, until Ctrl-C")


def _add_review_arguments(parser: argparse.ArgumentParser) -> None:
    _add_reviewing_arguments(parser, checklist.FORMATS, Severity.HIGH)


def _add_reviewing_arguments(parser: argparse.ArgumentParser, formats: Sequence[str], bound: Severity) -> None:
    """The arguments of the commands that report what the rules find."""
    add = parser.add_argument
    configuring.add_rule_arguments(parser)
    add("--fail-on", type=level, default=bound, metavar="SEVERITY", help=f"exit with 1 from here on (default: {bound.word})")
    _add_scope_arguments(parser)
    _add_baseline_arguments(parser)
    seen = "mark what was seen at run time: files that `asyncvet monitor` or the monitor in production wrote"
    add("--observations", action="append", type=Path, metavar="FILE", help=seen)
    add("--learn-edges", action="store_true", help="follow calls that were seen, where nothing else tells what they call")
    add("--format", choices=formats, default="text", help="how to write the report (default: text)")
    add("--output", type=Path, metavar="FILE", help="where to write the report (default: standard output)")
    add(
        "--report",
        action="append",
        type=_format_and_file,
        default=[],
        metavar="FORMAT=FILE",
        help="write the same report in another format too, into a file; can be given more than once",
    )
    configuring.add_reading_arguments(parser)
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--verbose", action="store_true", help="leave nothing out of the report, and say where the time went")


def _format_and_file(text: str) -> tuple[str, Path]:
    """The format and the file that an argument names."""
    name, _, file = text.partition("=")
    if not name or not file:
        raise argparse.ArgumentTypeError(f"`{text}` is not a format, an equals sign and a file")
    return name, Path(file)


def _add_scope_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_mutually_exclusive_group().add_argument
    add("--since", metavar="REV", help="report only what has changed since the branch left this revision of git")
    add("--diff", metavar="FILE", help="report only what this unified diff, already applied, brings about (-: standard input)")


def _add_baseline_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_mutually_exclusive_group().add_argument
    add("--baseline", type=Path, metavar="FILE", help="accept the findings in this file, which `asyncvet baseline` writes")
    add("--no-baseline", action="store_true", help="report what the baseline accepts too")


def _check(options: argparse.Namespace) -> int:
    render = statistics.FORMATS.get(options.format) if options.statistics else report.load(options.format)
    if render is None:
        raise UsageError(f"--statistics can be written as {' or '.join(sorted(statistics.FORMATS))}, not as {options.format}")
    further = _further(options, report.formats(), report.load)
    if not options.watch:
        return _reviewing(options, render, further, examine=False)
    if options.diff == "-":
        raise UsageError("`--watch` checks again and again, and standard input can be read only once; give `--diff` a file")
    return watching.watch(options.paths, lambda: _reviewing(options, render, further, examine=False))


def _review(options: argparse.Namespace) -> int:
    further = _further(options, checklist.FORMATS, checklist.load)
    return _reviewing(options, checklist.load(options.format), further, examine=True)


def _further(options: argparse.Namespace, formats: Sequence[str], format_of: Callable[[str], Render]) -> dict[Path, Render]:
    """What writes the files that `--report` names."""
    for name, file in options.report:
        if name not in formats:
            raise UsageError(f"--report {name}={file}: there is no format `{name}`; {hint(name, formats)}")
    return {file: format_of(name) for name, file in options.report}


def _reviewing(options: argparse.Namespace, render: Render, further: dict[Path, Render], examine: bool) -> int:
    settings = _settings(options)
    changes = _changes(options)
    phases = Phases()
    with uncollected():
        with progress_bar() as progress:
            outcome = review(
                options.paths,
                settings,
                progress=progress,
                changes=changes,
                examine=examine,
                phases=phases,
                observed=_observed(options),
            )
        with phases.phase("render"):
            for file, render_further in further.items():
                write(render_further(outcome, Output(verbose=options.verbose)), file)
            _write(outcome, render, options)
        if options.verbose:
            sys.stderr.write(phases.table())
        if not getattr(options, "watch", False):
            gc.freeze()  # the process ends here; a last collection of all that was linked would take a tenth of the whole time
    if outcome.failed_rules:
        return UNABLE
    found = any(finding.severity >= options.fail_on for finding in outcome.findings)
    return FOUND if found and not options.exit_zero else 0


def _observed(options: argparse.Namespace) -> Observed | None:
    """What was seen at run time; None if nothing is given."""
    if options.observations is None:
        if options.learn_edges:
            raise UsageError("--learn-edges learns from observations: give --observations FILE")
        return None
    return observed.read(options.observations, options.learn_edges)


def _changes(options: argparse.Namespace) -> Changes | None:
    """What the change is that the review is about; None if it is about everything."""
    if options.since is None and options.diff is None:
        return None
    folder = common_folder(options.paths)
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
    settings = configuring.settings(options)
    if options.no_baseline:
        return replace(settings, baseline=None)
    return replace(settings, baseline=options.baseline) if options.baseline is not None else settings


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
    if not stream.isatty() and not os.environ.get("FORCE_COLOR"):
        columns = os.environ.get("COLUMNS", "")
        return Output(width=int(columns) or None if columns.isdecimal() else None, encoding=encoding, verbose=verbose)
    from rich.console import Console  # noqa: PLC0415  # slow to import, and most runs are not at a terminal

    console = Console(file=stream)
    colour = console.is_terminal and not console.no_color
    links = Path.cwd() if colour and shows_links(os.environ) else None
    return Output(colour=colour, links=links, width=console.width, encoding=encoding, verbose=verbose)


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress | None]:
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


COMMANDS = {
    "check": Command(
        "Report what stalls the event loop, loses tasks or races on shared state.",
        _add_check_arguments,
        _check,
        {
            "asyncvet check src": "all findings below src",
            "asyncvet check src --min-severity high": "the grave ones only",
            "asyncvet check --since main": "what this branch brings about",
            "asyncvet check src --select AV101,AV3": "some rules only",
            "asyncvet check src --statistics": "how many of each rule",
            "asyncvet check src --watch": "again on each save",
            "asyncvet check src --format sarif --output asyncvet.sarif": "for code scanning",
        },
    ),
    "review": Command(
        "Give a verdict on each item of the checklist for asynchronous code.",
        _add_review_arguments,
        _review,
        {
            "asyncvet review src": "the verdicts, then what fails",
            "asyncvet review src --format html --output review.html": "a page to keep",
            "git diff main | asyncvet review --diff -": "of a change only",
        },
    ),
}
