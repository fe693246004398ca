"""What surely blocks, and what only may."""

from textwrap import dedent

import pytest

from asyncvet.catalogue import Catalogue
from asyncvet.engine.learning.certainty import Certainty, end_of
from asyncvet.engine.learning.outcomes import Outcome, Outcomes
from asyncvet.facts import extract
from asyncvet.graph import link

HEAD = "import time, socket, contextlib, functools\nimport urllib.request as web\n\n"
SURE = {
    "a call": """
        def f():
            time.sleep(1)
    """,
    "a call of a function that calls it": """
        def g():
            time.sleep(1)

        def f():
            return [g()]
    """,
    "behind a check that raises": """
        def f(x):
            if not x:
                raise ValueError
            time.sleep(1)
    """,
    "in both arms": """
        def f(x):
            if x:
                time.sleep(1)
            else:
                web.urlopen('u')
    """,
    "in the body of a try": """
        def f(x):
            try:
                time.sleep(1)
            except OSError:
                pass
    """,
    "in a loop": """
        def f(x):
            for _ in range(3):
                time.sleep(1)
    """,
    "in an endless loop that returns": """
        def f(x):
            while True:
                try:
                    return web.urlopen(x)
                except OSError:
                    pass
    """,
    "in a condition": """
        def f(x):
            if web.urlopen(x):
                return 1
    """,
    "in the first part of a condition": """
        def f(x):
            return web.urlopen(x) or x
    """,
    "in a function that is handed on": """
        def g(do):
            return do()

        def f(x):
            return g(lambda: web.urlopen(x))
    """,
    "behind a decorator": """
        def d(f):
            @functools.wraps(f)
            def w(*a):
                return f(*a)
            return w

        @d
        def f(x):
            web.urlopen(x)
    """,
    "in an object's hook": """
        class A:
            def run(self):
                self.go()
            def go(self):
                raise NotImplementedError

        class B(A):
            def go(self):
                time.sleep(1)

        def f():
            B().run()
    """,
}
NOT_SURE = {
    "in one arm": """
        def f(x):
            if x:
                time.sleep(1)
    """,
    "behind an early return": """
        def f(x):
            if x:
                return 1
            time.sleep(1)
    """,
    "when an error occurs": """
        def f(x):
            try:
                return x.y
            except KeyError:
                time.sleep(1)
    """,
    "in the second part of a condition": """
        def f(x):
            return x and web.urlopen(x)
    """,
    "later": """
        def f(x):
            return lambda: web.urlopen(x)
    """,
    "in a generator that nobody runs": """
        def g():
            yield web.urlopen('u')

        def f():
            return g()
    """,
    "by an argument that is unknown": """
        def f(x):
            x()

        def g():
            f(time.sleep)
    """,
    "on an argument that only callers in the library tell of": """
        def f(s):
            return s.recv(1)

        def g():
            f(socket.socket())
    """,
    "on itself": """
        def f(x):
            return f(x - 1)
    """,
    "by an option that is off": """
        def f(x, wait=False):
            if wait:
                time.sleep(1)
    """,
}


def outcome(code: str) -> Outcome:
    """What is found out about the function `f`."""
    project = link({"lib.py": extract((HEAD + dedent(code)).encode())}, Catalogue.stated())
    function = next(each for each in project.functions if each.qualname == "lib.f")
    return Outcomes(Certainty(project, project.functions)).of_function(function)


@pytest.mark.parametrize("code", SURE.values(), ids=SURE)
def test_what_surely_blocks(code: str) -> None:
    """Every way through the function that does not end in an error waits."""
    found = outcome(code).sink
    assert found is not None
    assert found.api.stall == "unbounded"


@pytest.mark.parametrize("code", NOT_SURE.values(), ids=NOT_SURE)
def test_what_only_may_block(code: str) -> None:
    """One way through the function does not wait, or nothing tells that it does."""
    assert outcome(code) == Outcome()


def test_the_gravest_call_counts() -> None:
    """A network goes before a file that is nearer."""
    found = outcome("def g():\n    web.urlopen('u')\n\ndef f():\n    open('p').read()\n    g()\n").sink
    assert found is not None
    assert found.name == "urllib.request.urlopen"


def test_the_lighter_arm_counts() -> None:
    """Nothing graver is told than what happens on every way."""
    found = outcome("def f(x):\n    if x:\n        web.urlopen(x)\n    else:\n        open(x)\n").sink
    assert found is not None
    assert found.name == "builtins.open"


def test_files_that_the_caller_names() -> None:
    """What a library does with files of its own is its own business."""
    found = outcome("def g(path, mode):\n    open(path, mode)\n\ndef f(x):\n    g(x + '.txt', 'r')\n").sink
    assert found is not None
    assert found.name == "builtins.open"
    assert outcome("def g(path, mode):\n    open('p', mode)\n\ndef f(x):\n    g(x, 'r')\n") == Outcome()


def test_an_option_that_is_left_alone() -> None:
    """What depends on a default is told with the condition that the argument is not given."""
    found = outcome("def f(x, wait=True):\n    if wait:\n        time.sleep(x)\n")
    assert found.unless_given == (("wait", 1),)


def test_a_coroutine_function_is_no_generator() -> None:
    """The call of an asynchronous generator gives nothing to await."""
    assert outcome("async def f():\n    return 1\n") == Outcome(is_async=True)
    assert outcome("async def f():\n    yield time.sleep(1)\n") == Outcome()


def test_a_timeout_that_flows_on() -> None:
    """The parameter bounds the stall if it goes into the call that waits."""
    assert outcome("def f(x, timeout=3):\n    web.urlopen(x, timeout=timeout)\n").bound == ("timeout", 1)
    assert outcome("def f(x, timeout=3):\n    web.urlopen(x)\n").bound == ()


def test_what_a_cache_keeps() -> None:
    """Only the first call of a memoised function waits."""
    assert outcome("@functools.lru_cache\ndef f():\n    time.sleep(1)\n").is_kept


def test_the_end_of_a_way() -> None:
    """A way ends at a call that the catalogue knows."""
    project = link({"lib.py": extract((HEAD + "def f():\n    time.sleep(1)\n").encode())}, Catalogue.stated())
    state = Certainty(project, project.functions).of(project.functions[0])
    assert state is not None
    assert end_of(state.way).name == "time.sleep"
