"""Tests that block the loop, and would pass: written to a file of their own and run with a tool's plugin by `pytest_trial`."""

import asyncio
import time

import pytest


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_a_loop_of_its_own():
    async def main():
        time.sleep(0.15)

    asyncio.run(main())


@pytest.mark.asyncio
async def test_pytest_asyncio():
    time.sleep(0.15)


@pytest.mark.anyio
async def test_anyio():
    time.sleep(0.15)


@pytest.mark.asyncio
async def test_short():
    time.sleep(0.002)


@pytest.mark.asyncio
async def test_swallowed():
    try:
        time.sleep(0.15)
    except Exception:
        pass


@pytest.fixture
async def resource():
    yield 1
    time.sleep(0.15)


@pytest.mark.anyio
async def test_fixture(resource):
    assert resource == 1


def test_client():
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    async def page(request):
        time.sleep(0.15)
        return PlainTextResponse("page")

    assert TestClient(Starlette(routes=[Route("/", page)])).get("/").text == "page"
