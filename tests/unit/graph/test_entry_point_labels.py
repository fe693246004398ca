"""What a reader knows entry points by."""

from asyncvet.catalogue import Catalogue
from asyncvet.facts import extract
from asyncvet.graph import link


def labels(**files: str) -> list[str]:
    """Labels of the entry points of modules, in the order of the text."""
    modules = {f"{name}.py": extract(text.encode()) for name, text in files.items()}
    entries = link(modules, Catalogue.bundled()).entry_points
    return [entry.label for entry in sorted(entries, key=lambda entry: (entry.function.module.path, entry.function.node.start))]


ROUTER = """
from fastapi import APIRouter
from settings import BASE

router = APIRouter(prefix=BASE)


@router.get("/{key}")
async def read(key: str) -> None: ...


@router.post("")
async def create() -> None: ...


@router.websocket("/watch")
async def watch(socket) -> None: ...
"""


def test_the_prefix_of_a_router_stands_before_its_paths() -> None:
    """It may come from a constant of another module."""
    assert labels(items=ROUTER, settings='BASE = "/items"\n') == [
        "route GET /items/{key}",
        "route POST /items",
        "websocket /items/watch",
    ]


def test_the_prefixes_with_which_routers_are_included_are_joined() -> None:
    """A router that is included several times is known by the first path, sorted."""
    main = """
from fastapi import APIRouter, FastAPI
from items import router

app = FastAPI()
api = APIRouter(prefix="/api")
api.include_router(router, prefix="/v2")
api.include_router(router, prefix="/v1")
app.include_router(api)
"""
    assert labels(items=ROUTER, main=main, settings='BASE = "/items"\n') == [
        "route GET /api/v1/items/{key}",
        "route POST /api/v1/items",
        "websocket /api/v1/items/watch",
    ]


def test_a_prefix_that_is_no_constant_is_left_out() -> None:
    main = "from items import router\n\n\ndef attach(app, prefix):\n    app.include_router(router, prefix=prefix)\n"
    assert labels(items=ROUTER, main=main)[0] == "route GET /{key}"


def test_routers_that_include_each_other_end() -> None:
    source = """
from fastapi import APIRouter

first, second = APIRouter(prefix="/a"), APIRouter(prefix="/b")
first.include_router(second)
second.include_router(first)
first.include_router(first, prefix="/c")


@first.get("/x")
async def read() -> None: ...
"""
    (label,) = labels(main=source)
    assert label.startswith("route GET /")
    assert label.endswith("/a/x")


def test_a_route_with_no_path_is_known_by_its_function() -> None:
    source = """
from fastapi import FastAPI

app = FastAPI()


@app.get("")
async def root() -> None: ...


async def added() -> None: ...


app.add_api_route("/added", added)


async def applied() -> None: ...


app.put("")(applied)
"""
    assert labels(main=source) == ["route GET root", "route /added", "route PUT applied"]


def test_a_name_that_says_it_already_is_not_repeated() -> None:
    source = """
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app): yield


@asynccontextmanager
async def life(app): yield


first, second = FastAPI(lifespan=lifespan), FastAPI(lifespan=life)


@first.on_event("startup")
async def startup() -> None: ...


@first.on_event("shutdown")
async def close() -> None: ...
"""
    assert labels(main=source) == ["lifespan", "lifespan life", "startup", "shutdown close"]


def test_a_callback_of_the_loop_is_known_by_class_and_method() -> None:
    source = """
import asyncio


class Reporter:
    def start(self) -> None:
        asyncio.get_running_loop().call_later(1, self._tick)

    def _tick(self) -> None: ...


def beat() -> None: ...


async def main() -> None:
    asyncio.get_running_loop().call_soon(beat)


asyncio.run(main())
"""
    assert labels(main=source) == ["loop callback Reporter._tick", "loop callback beat", "main coroutine main"]


def test_handlers_of_other_frameworks_are_known_by_what_calls_them() -> None:
    """A coroutine runs on the loop whatever the framework; the label says which one it is."""
    bot = """
import discord
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from arq import cron
from discord.ext import commands
from taskiq import InMemoryBroker

bot = commands.Bot("!")
broker = InMemoryBroker()
scheduler = AsyncIOScheduler()


@bot.event
async def on_message(message) -> None: ...


@broker.task
def send(to: str) -> None: ...


async def refresh() -> None: ...


async def clean(ctx) -> None: ...


scheduler.add_job(refresh, "interval", minutes=1)


class WorkerSettings:
    functions = []
    cron_jobs = [cron(clean, hour=3)]
"""
    assert labels(bot=bot) == [
        "Discord handler on_message",
        "taskiq task send",
        "scheduled job refresh",
        "arq job clean",
    ]


def test_routes_of_other_web_frameworks_have_their_paths() -> None:
    """Litestar's decorators are functions; aiohttp's router is given the handler; Django's paths name views by class."""
    site = """
from aiohttp import web
from django.urls import path
from django.views import View
from litestar import get


@get("/books")
def books() -> None: ...


async def orders(request): ...


class Items(View):
    async def get(self, request): ...


app = web.Application()
app.router.add_post("/orders", orders)
urlpatterns = [path("items", Items.as_view())]
"""
    assert labels(site=site) == ["route GET /books", "route POST /orders", "route GET /items"]
