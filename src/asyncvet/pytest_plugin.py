"""The pytest plugin: `--asyncvet` fails each test in which the event loop was blocked.

Imports nothing of the monitor unless a run or a test asks for it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asyncvet.monitor.observation import Observation
    from asyncvet.monitor.session import strict

MODES = ("off", "warn", "fail")
_OUTPUT = "add what is seen to this file, one line of JSON each"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options, and their like in the configuration file."""
    group = parser.getgroup("asyncvet", "blocking calls on the event loop")
    group.addoption(
        "--asyncvet",
        nargs="?",
        const="fail",
        choices=MODES,
        metavar="MODE",
        help="report what blocks the event loop: fail the test (default), warn, or off, whatever markers say",
    )
    group.addoption("--asyncvet-output", metavar="FILE", help=_OUTPUT)
    parser.addini("asyncvet_mode", "what to do if a test blocks the event loop: off, warn or fail", default="off")
    parser.addini("asyncvet_allow", "calls to leave alone, one rule a line: CALL or CALL in PLACE", type="linelist")
    parser.addini("asyncvet_callback_bound", "seconds for which one callback of the loop may compute")
    parser.addini("asyncvet_output", _OUTPUT)


def pytest_configure(config: pytest.Config) -> None:
    """Read what is asked for, and switch strict mode on if it is for the whole run."""
    config.addinivalue_line(
        "markers",
        'asyncvet(mode="fail", allow=[]): what to do if this test blocks the event loop (off, warn, fail), and calls to leave alone',
    )
    mode = config.getoption("asyncvet") or config.getini("asyncvet_mode")
    if mode not in MODES:
        raise pytest.UsageError(f"asyncvet_mode is `{mode}`: write one of {', '.join(MODES)}")
    if config.getoption("asyncvet") != "off":
        config.pluginmanager.register(Strictness(config, mode), "asyncvet-strict")


@pytest.fixture
def asyncvet_strict(request: pytest.FixtureRequest) -> strict:
    """Strict mode over this test: `observations` are what was seen so far, and what the test takes by `taken()` does not fail it."""
    session = request.node.stash.get(_SESSION, None)
    if session is None:
        pytest.skip("strict mode is switched off by --asyncvet=off")
    found: strict = session
    return found


_SESSION = pytest.StashKey["strict"]()
_RULES, _USED = "asyncvet_rules", "asyncvet_used"


class Strictness:
    """Strict mode over a run, or over those of its tests that ask for it."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        """Read the configuration, and begin to record if the whole run is to be.

        Raises:
            pytest.UsageError: A rule, a number or the output file cannot be used.
        """
        self._config = config
        self._mode = mode
        self._run: strict | None = None
        self._rules: set[str] = set()
        self._used: set[str] = set()
        self._output: int | None = None
        path = config.getoption("asyncvet_output") or config.getini("asyncvet_output")
        if path:
            try:
                self._output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
            except OSError as error:
                raise pytest.UsageError(f"asyncvet_output: {path}: cannot be written: {error.strerror}") from error
        bound = config.getini("asyncvet_callback_bound") or "0.1"
        try:
            self._bound = float(bound)
        except ValueError as error:
            raise pytest.UsageError(f"asyncvet_callback_bound is `{bound}`: write a number of seconds") from error
        if mode != "off":
            self._run = self._session(config.getini("asyncvet_allow"), "asyncvet_allow")
            self._run.start()

    def pytest_unconfigure(self) -> None:
        """Leave everything as it was."""
        if self._run is not None:
            self._run.stop()
        if self._output is not None:
            os.close(self._output)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Record from before the test's fixtures are made."""
        mode, allow = self._asked(item)
        if mode != "off" or self._run is not None:
            session = self._session(allow, f"{item.nodeid}: allow", item.nodeid, is_off=mode == "off")
            item.stash[_SESSION] = session
            session.start()
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Say what was seen, once the fixtures are gone. An exception at the call itself might have been swallowed."""
        try:
            result = yield
        finally:
            session = item.stash.get(_SESSION, None)
            found = session.taken() if session is not None else []
            if session is not None:
                session.stop()
                if self._asked(item)[0] != "off":
                    self._count_rules(session)
                del item.stash[_SESSION]
        if found:
            self._complain(item, found)
        return result

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401
        """Name the allow rules that nothing needed."""
        if self._run is not None:
            self._count_rules(self._run)
        unused = sorted(self._rules - self._used)
        if unused:
            terminalreporter.section("asyncvet")
            for rule in unused:
                terminalreporter.line(f"allow rule that nothing needed: {rule}")

    def pytest_sessionfinish(self) -> None:
        """Tell the controller of a distributed run which rules were needed here."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            if self._run is not None:
                self._count_rules(self._run)
            output[_RULES], output[_USED] = sorted(self._rules), sorted(self._used)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401
        """Take in what a worker of a distributed run tells."""
        output = getattr(node, "workeroutput", {})
        self._rules.update(output.get(_RULES, ()))
        self._used.update(output.get(_USED, ()))

    def _asked(self, item: pytest.Item) -> tuple[str, list[str]]:
        """The mode for a test, and the rules of its markers, of the nearest one last."""
        mode, allow = self._mode, []
        for marker in reversed(list(item.iter_markers("asyncvet"))):
            unknown = set(marker.kwargs) - {"mode", "allow"}
            mode = marker.kwargs.get("mode", "fail" if mode == "off" else mode)
            if unknown or marker.args or mode not in MODES:
                raise pytest.UsageError(f'{item.nodeid}: write asyncvet(mode="off", "warn" or "fail", allow=[...])')
            allow += marker.kwargs.get("allow", [])
        if mode == "off" and "asyncvet_strict" in getattr(item, "fixturenames", ()):
            mode = "fail"
        return mode, allow

    def _session(self, allow: list[str], whose: str, label: str = "", is_off: bool = False) -> strict:
        from asyncvet.monitor.allowing import AllowError
        from asyncvet.monitor.session import strict

        rules = ["*"] if is_off else allow
        try:
            return strict(allow=rules, callback_bound=self._bound, then="record", tell=self._write, label=lambda: label)
        except AllowError as error:
            raise pytest.UsageError(f"{whose}: {error}") from error

    def _count_rules(self, session: strict) -> None:
        self._rules.update(rule.text for rule in session.allowances)
        self._used.update(rule.text for rule in session.allowances if rule.is_used)

    def _complain(self, item: pytest.Item, found: list[Observation]) -> None:
        from asyncvet.monitor.reporting import described
        from asyncvet.monitor.session import BlockingWarning

        text = f"the event loop was blocked\n{described(found)}"
        if self._asked(item)[0] == "fail":
            pytest.fail(text, pytrace=False)
        with warnings.catch_warnings():
            warnings.simplefilter("always", BlockingWarning)  # a suite that makes errors of warnings is only to be warned as well
            item.warn(BlockingWarning(text))

    def _write(self, observation: Observation) -> None:
        if self._output is not None:
            from asyncvet.monitor.observation import encode

            os.write(self._output, f"{encode(observation)}\n".encode())
