"""The source stays readable: functions and modules keep to their budgets."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
MODULES = sorted(SOURCE.rglob("*.py"))

FUNCTION_LINES = 30  # of the function at the 90th percentile
FUNCTION_LINES_AT_MOST = 60
MODULE_LINES = 500  # of the module at the 90th percentile
MODULE_LINES_AT_MOST = 800
RULE_LINES_AT_MOST = 250


def percentile_90(lengths: dict[str, int]) -> int:
    """The length that nine in ten do not exceed."""
    return sorted(lengths.values())[int(len(lengths) * 0.9)]


def over(lengths: dict[str, int], bound: int) -> dict[str, int]:
    """Those that are longer than a bound."""
    return {name: length for name, length in lengths.items() if length > bound}


@pytest.fixture(scope="module")
def functions() -> dict[str, int]:
    """Lines of each function, decorators not counted, by place."""
    return {
        f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.fixture(scope="module")
def modules() -> dict[str, int]:
    """Lines of each module, by path."""
    return {path.relative_to(SOURCE).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}


def test_functions(functions: dict[str, int]) -> None:
    """No function is too long, and nine in ten fit on a screen."""
    assert over(functions, FUNCTION_LINES_AT_MOST) == {}
    assert percentile_90(functions) <= FUNCTION_LINES


def test_modules(modules: dict[str, int]) -> None:
    """No module is too long to be read in one go."""
    assert over(modules, MODULE_LINES_AT_MOST) == {}
    assert percentile_90(modules) <= MODULE_LINES


def test_rules(modules: dict[str, int]) -> None:
    """A rule that needs more lines is missing a query of `Project`."""
    rules = {path: lines for path, lines in modules.items() if path.startswith("asyncvet/rules/")}
    assert over(rules, RULE_LINES_AT_MOST) == {}


def test_names() -> None:
    """A helper lives with its only user; a module named for nothing collects everything."""
    assert [path for path in MODULES if path.stem in {"utils", "common", "core", "helpers"}] == []


def test_depth() -> None:
    """Packages nest three deep at most."""
    assert [path for path in MODULES if len(path.relative_to(SOURCE).parts) > 4] == []
