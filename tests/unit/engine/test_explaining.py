"""`asyncvet why` and the call graph: answers over the example service, and a reason for every way in which a call is silent."""

from pathlib import Path
from textwrap import dedent

import pytest

from asyncvet.config import Settings, UsageError
from asyncvet.engine.explaining import around, why
from asyncvet.graph.explanation import Explanation, Reason
from asyncvet.model import Severity
from asyncvet.report.explanations import graph_text, why_text

ROOT = Path(__file__).resolve().parents[3]
SHOP = ROOT / "examples" / "shop"

TRANSITIVE = """\
examples/shop/shop_api/clients/payments.py:33
    answer = self._post("/charges", {"customer": user_id, "amount": amount})

def shop_api.clients.payments.PaymentClient.charge  (examples/shop/shop_api/clients/payments.py:31)
  runs on the event loop: route POST /orders
      │ examples/shop/shop_api/routers/orders.py:23   orders.place(...)
      ╰ examples/shop/shop_api/services/orders.py:12  self._payments.charge(...)
  runs on the event loop: route POST /orders/{order_id}/repeat
      │ examples/shop/shop_api/routers/orders.py:70   orders.place(...)
      ╰ examples/shop/shop_api/services/orders.py:12  self._payments.charge(...)
  runs in a worker thread: handed over by `in_thread(...)` in shop_api.routers.orders.exchange
      │ examples/shop/shop_api/routers/orders.py:82   in_thread(...)
      │ examples/shop/shop_api/concurrency.py:19      loop.run_in_executor(...)
      ╰ examples/shop/shop_api/services/orders.py:12  self._payments.charge(...)

  self._post(...)  (column 18)
    runs shop_api.clients.payments.PaymentClient._post  (examples/shop/shop_api/clients/payments.py:53)
    reaches requests.Session.post, which blocks its thread (network, unbounded)
      │ examples/shop/shop_api/clients/payments.py:33  self._post(...)
      ╰ examples/shop/shop_api/clients/payments.py:54  self._session.post(...)
    → told-elsewhere: AV101 at examples/shop/shop_api/routers/orders.py:23 stands for it: its chain ends nearer, in `time.sleep`

no finding on this line
"""

LAMBDA = """\
examples/shop/shop_api/routers/products.py:32
    products = await in_thread(lambda: list(session.scalars(select(Product))))

async def shop_api.routers.products.export  (examples/shop/shop_api/routers/products.py:31)
  runs on the event loop: route GET /products/export

  await in_thread(...)  (column 22)
    makes the coroutine shop_api.concurrency.in_thread  (examples/shop/shop_api/concurrency.py:16)
    runs in a thread shop_api.routers.products.export.<lambda>  (examples/shop/shop_api/routers/products.py:32)
      ╰ examples/shop/shop_api/concurrency.py:19  loop.run_in_executor(...)
    → coroutine: awaited: the lines of `in_thread` are looked at where they stand
    → handed-off: `<lambda>` runs in a thread or process of its own, where it may call `sqlalchemy.orm.Session.scalars`

shop_api.routers.products.export.<lambda>  (examples/shop/shop_api/routers/products.py:32)
  runs in a worker thread: handed over by `in_thread(...)` in shop_api.routers.products.export
      │ examples/shop/shop_api/routers/products.py:32  in_thread(...)
      ╰ examples/shop/shop_api/concurrency.py:19       loop.run_in_executor(...)

  list(...)  (column 40)
    calls builtins.list
    → harmless: resolved; it runs nothing that waits or computes for long

  session.scalars(...)  (column 45)
    calls sqlalchemy.orm.Session.scalars: blocks, database, unbounded; sends SQL to the database and waits for its answer
    blocks its thread
    → not-on-the-loop: `sqlalchemy.orm.Session.scalars` keeps a worker-thread waiting, not the event loop

  select(...)  (column 61)
    calls sqlalchemy.select: pure
    → harmless: the catalogue knows `sqlalchemy.select` as harmless for the thread that calls it

no finding on this line
"""

ONCE = """\
examples/shop/shop_api/database.py:54
    with engine.connect() as connection:

def shop_api.database.wait_for_database  (examples/shop/shop_api/database.py:50)
  runs on the event loop: lifespan (once)
      ╰ examples/shop/shop_api/main.py:18  wait_for_database()

  engine.connect()  (column 18)
    calls sqlalchemy.Engine.connect: blocks, database, unbounded; waits for a connection: from the pool (30 s at most), or a new \
one to the database server
    blocks its thread
    → told-elsewhere: AV101 blocking-call at examples/shop/shop_api/main.py:18, where the event loop's own code gets here

no finding on this line
"""


@pytest.mark.parametrize(
    ("place", "line", "text"),
    [
        ("shop_api/clients/payments.py", 33, TRANSITIVE),
        ("shop_api/routers/products.py", 32, LAMBDA),
        ("shop_api/database.py", 54, ONCE),
    ],
)
def test_shop(place: str, line: int, text: str) -> None:
    """The whole answer, as people read it."""
    assert why_text.render(why(SHOP / place, line, [SHOP], Settings(jobs=1), root=ROOT)) == text


SERVICE = """\
import asyncio, queue, time

import outside
from fastapi import FastAPI

app = FastAPI()
work = queue.Queue()


class Store:
    def __init__(self, store):
        self.store = store
        self.made = build()

    def save(self):
        self.store.save()
        self.made.go()
        self.nothing.go()


def build():
    return loads[0]


def pause(really=True):
    if really:
        time.sleep(2)


def lonely():
    time.sleep(3)


def nap():
    time.sleep(4)
    time.sleep(5)


def numbers():
    yield 1


def tick():
    pass


def call(function):
    function()


@app.get("/plain")
def plain():
    time.sleep(6)


@app.get("/")
async def index(given):
    nap()
    time.sleep(1)  # asyncvet: ignore[AV101] a test
    pause(really=False)
    await asyncio.to_thread(nap)
    asyncio.get_running_loop().call_soon(tick)
    work.get(block=False)
    numbers()
    await outside.fetch()
    outside.work()
    await other()
    given.go()
    unknown()
    time.sleep(7); time.sleep(8)
    time.strftime("%Y")
    Store(given).save()


async def other():
    call(len)


time.sleep(9)
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    (folder / "main.py").write_text(SERVICE)
    return folder


def explained(service: Path, text: str, settings: Settings | None = None) -> Explanation:
    """The answer about the only line that holds a text."""
    (line,) = (number for number, line in enumerate(SERVICE.splitlines(), start=1) if text in line)
    return why(service / "main.py", line, [service], settings or Settings(jobs=1), root=service)


def reasons(answer: Explanation) -> list[tuple[str, str, str]]:
    return [(call.text, reason.kind, reason.text) for part in answer.parts for call in part.calls for reason in call.reasons]


REASONS = {
    "    time.sleep(1)": [("time.sleep(...)", "suppressed", "a comment in the code silences AV101 blocking-call")],
    "sleep(2)": [
        (
            "time.sleep(...)",
            "ruled-out",
            "code of the event loop calls this function, but not with such arguments, not on such an object, "
            "or only after a check that no loop runs",
        )
    ],
    "pause(really=False)": [
        ("pause(...)", "ruled-out", "what is passed here, or the class of the object, rules out the branch that waits")
    ],
    "sleep(3)": [
        ("time.sleep(...)", "unreached", "nothing that was read calls `lonely`, so no event loop is known to wait for it")
    ],
    "sleep(4)": [
        ("time.sleep(...)", "told-elsewhere", "AV101 blocking-call at main.py:58, where the event loop's own code gets here")
    ],
    "sleep(5)": [
        ("time.sleep(...)", "told-elsewhere", "AV101 at main.py:58 stands for it: its chain ends nearer, in `time.sleep`")
    ],
    "sleep(6)": [("time.sleep(...)", "not-on-the-loop", "`time.sleep` keeps a worker-thread waiting, not the event loop")],
    "sleep(8)": [
        ("time.sleep(...)", "reported", "AV101 blocking-call, critical, on this line"),
        ("time.sleep(...)", "told-elsewhere", "AV101 at column 5 stands for this line"),
    ],
    "sleep(9)": [("time.sleep(...)", "not-on-the-loop", "`time.sleep` runs at import time, when no event loop waits for it")],
    "to_thread": [
        (
            "asyncio.to_thread(...)",
            "handed-off",
            "`nap` runs in a thread or process of its own, where it may call `time.sleep`",
        )
    ],
    "call_soon": [
        (
            "asyncio.get_running_loop().call_soon(...)",
            "later",
            "`tick` runs later, as a callback of the event loop: it is looked at where it stands",
        ),
        (
            "asyncio.get_running_loop()",
            "harmless",
            "the catalogue knows `asyncio.get_running_loop` as harmless for the thread that calls it",
        ),
    ],
    "work.get": [("work.get(...)", "condition", "`queue.Queue.get` could wait (queue), but not with `block=False`")],
    "    numbers()": [("numbers()", "later", "`numbers` is a generator: its lines run where it is iterated")],
    "outside.work": [("outside.work()", "not-in-catalogue", "`outside.work` is not in the catalogue: it counts as harmless")],
    "await other": [("other()", "coroutine", "awaited: the lines of `other` are looked at where they stand")],
    "    function()": [("function()", "from-callers", "`function` is passed in: what it runs is told at the calls that pass it")],
    "given.go": [
        (
            "given.go()",
            "unresolved",
            "`given` is a parameter of `index` (main.py:57) with no annotation, and no caller was found",
        )
    ],
    "unknown()": [("unknown()", "unresolved", "nothing that was read defines `unknown`")],
    "self.store.save": [
        (
            "self.store.save()",
            "unresolved",
            "the type of `self.store` is not known: it is assigned from `store` in main.py:12: `store` is a parameter of "
            "`__init__` (main.py:11) with no annotation, and its callers do not tell the type either",
        )
    ],
    "self.made.go": [
        (
            "self.made.go()",
            "unresolved",
            "the type of `self.made` is not known: it is assigned from `build()` in main.py:13: what `build()` gives is not "
            "known: `build` is `main.build`: `build` (main.py:21) has no annotation of its result that is known: "
            "nothing that was read defines `loads`",
        )
    ],
    "self.nothing.go": [
        ("self.nothing.go()", "unresolved", "nothing that was read says what `nothing` is: `self` is a `main.Store`")
    ],
    "Store(given)": [
        (
            "Store(...).save()",
            "harmless",
            "nothing that it runs keeps its thread: one function was followed, in which 3 calls are unresolved",
        ),
        ("Store(...)", "harmless", "nothing that it runs keeps its thread: 2 functions were followed"),
    ],
}


@pytest.mark.parametrize("text", REASONS)
def test_reasons(service: Path, text: str) -> None:
    """Each call on the line is reported or silent for these reasons and no others."""
    assert reasons(explained(service, text)) == REASONS[text]


def test_settings_decide_what_is_reported(service: Path) -> None:
    """A rule that is not selected, or too light, still says so."""
    ignored = explained(service, "    nap()", Settings(jobs=1, ignore=("AV101",)))
    assert reasons(ignored) == [("nap()", "not-selected", "AV101 blocking-call is not among the rules that are selected")]
    assert [(told.code, told.status) for told in ignored.findings] == [("AV101", "not-selected")]
    critical = explained(service, "    nap()", Settings(jobs=1, min_severity=Severity.CRITICAL))
    assert [(told.code, told.status) for told in critical.findings] == [("AV101", "reported")]


def test_lowered() -> None:
    """What happens once is reported, and it is said why it weighs less."""
    answer = why(SHOP / "shop_api" / "main.py", 18, [SHOP], Settings(jobs=1), root=ROOT)
    assert answer.parts[0].calls[0].reasons == (
        Reason("reported", "AV101 blocking-call, high, on this line"),
        Reason("lowered", "high and not critical, as it happens once"),
    )


def test_a_line_with_no_call(service: Path) -> None:
    """The function is told all the same; a call that goes on over several lines is told on each."""
    answer = explained(service, "async def other")
    assert [(part.function, part.kind, part.calls) for part in answer.parts] == [("main.other", "async def", ())]
    inside = why(SHOP / "shop_api" / "routers" / "users.py", 43, [SHOP], Settings(jobs=1), root=ROOT)
    assert [call.text for part in inside.parts for call in part.calls] == ["asyncio.to_thread(...)"]


def test_paths_are_those_of_the_current_folder(service: Path, tmp_path: Path) -> None:
    """A project elsewhere is named as one gets there from here."""
    answer = why(service / "main.py", 34, [service], Settings(jobs=1), root=tmp_path)
    (run,) = answer.parts[0].runs.shown[:1]
    assert {answer.path, answer.parts[0].path, run.chain[0].path} == {answer.path}
    assert (tmp_path / answer.path).resolve() == (service / "main.py").resolve()


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("gone.py", 1, "gone.py: there is no such file"),
        ("", 1, ": is not a file"),
        ("main.py", 1000, "main.py: there is no line 1000; the file has 79"),
        ("main.py", 0, "main.py: there is no line 0; the file has 79"),
        ("../elsewhere.py", 1, "it may be elsewhere, ignored or excluded"),
    ],
)
def test_bad_input(service: Path, file: str, line: int, said: str) -> None:
    (service.parent / "elsewhere.py").write_text("")
    with pytest.raises(UsageError) as error:
        why(service / file, line, [service], Settings(jobs=1), root=service)
    assert said in str(error.value)


def test_graph_as_text() -> None:
    """Callers up to the routes, the hand-off among them, and callees down to what blocks."""
    graph = around("PaymentClient.charge", 6, [SHOP], Settings(jobs=1), root=ROOT)
    assert graph_text.render(graph) == dedent("""\
        shop_api.clients.payments.PaymentClient.charge  examples/shop/shop_api/clients/payments.py:31  [event-loop, worker-thread]
        called by:
          shop_api.services.orders.OrderService.place  examples/shop/shop_api/services/orders.py:11  [event-loop, worker-thread]
            shop_api.routers.orders.create_order  examples/shop/shop_api/routers/orders.py:19  [event-loop, route POST /orders]
            shop_api.routers.orders.repeat_order  examples/shop/shop_api/routers/orders.py:65  \
[event-loop, route POST /orders/{order_id}/repeat]
            in a thread: shop_api.routers.orders.exchange  examples/shop/shop_api/routers/orders.py:77  \
[event-loop, route POST /orders/{order_id}/exchange]
        calls:
          shop_api.clients.payments.Throttle.wait  examples/shop/shop_api/clients/payments.py:16  [event-loop, worker-thread]
            time.sleep  [blocks, sleep, unbounded]
          shop_api.clients.payments.PaymentClient._post  examples/shop/shop_api/clients/payments.py:53  [event-loop, worker-thread]
            requests.Session.post  [blocks, network, unbounded]
        """)


def test_depth(service: Path) -> None:
    """What lies further is counted."""
    graph = around("index", 1, [service], Settings(jobs=1), root=service)
    assert (max(node.rank for node in graph.nodes if not node.keeps), graph.left_out) == (1, 2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "no function is called `nothing`; give its qualified name or the end of it, as `Class.method`"),
        ("send", "several functions are called `send`; give more of the name: shop_api.telemetry.send, shop_worker.mail.send"),
    ],
)
def test_names_that_do_not_tell(name: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        around(name, 6, [SHOP], Settings(jobs=1), root=ROOT)
    assert str(error.value) == said
