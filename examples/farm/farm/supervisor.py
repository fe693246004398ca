"""Starts all services of the farm, starts again what dies, and leaves nothing behind when it stops."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiofiles
import httpx

import farm.late_imports  # noqa: F401
from farm.processes import python_process
from farm.settings import FarmSettings

logger = logging.getLogger(__name__)
_MAX_PAUSE = 10.0


@dataclass(frozen=True)
class Service:
    """A service, and the arguments to Python that start it."""

    name: str
    arguments: Sequence[str]


SERVICES = (
    Service("runtime", ("-m", "farm.runtime")),
    Service("ingest", ("-m", "farm.rag", "ingest")),
    Service("search", ("-m", "farm.rag", "search")),
    Service("server", ("-m", "farm.server")),
)


class NotReadyError(Exception):
    """The farm did not become healthy in time."""


@asynccontextmanager
async def running_farm(settings: FarmSettings, timeout: float) -> AsyncGenerator[None]:
    """All services, healthy when the block begins and gone when it has ended.

    Raises:
        NotReadyError: a port is taken, or they were not healthy within `timeout` seconds.
    """
    _check_ports(settings)
    logs = settings.data_dir / "logs"
    await asyncio.to_thread(logs.mkdir, parents=True, exist_ok=True)
    keepers = [asyncio.create_task(_keep_running(service, logs)) for service in SERVICES]
    try:
        await _wait_until_healthy(settings, timeout, logs)
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


def _check_ports(settings: FarmSettings) -> None:
    for name, port in (("FARM_SERVER_PORT", settings.server_port), ("FARM_RUNTIME_PORT", settings.runtime_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError as error:
                raise NotReadyError(
                    f"cannot listen on {settings.host}:{port} ({error.strerror}); {name} sets another port"
                ) from error


async def _keep_running(service: Service, logs: Path) -> None:
    pause = 0.5
    while True:
        started = asyncio.get_running_loop().time()
        try:
            status = await _run(service, logs)
            logger.warning("a service ended; starting it again", extra={"name_of_service": service.name, "status": status})
        except Exception:
            logger.exception("a service cannot be started; trying again", extra={"name_of_service": service.name})
        lived_long = asyncio.get_running_loop().time() - started > 2 * _MAX_PAUSE
        pause = 0.5 if lived_long else min(2 * pause, _MAX_PAUSE)
        await asyncio.sleep(pause)


async def _run(service: Service, logs: Path) -> int:
    """Run a service to its end; what it prints goes into its log."""
    async with (
        aiofiles.open(logs / f"{service.name}.log", "ab") as log,
        python_process(*service.arguments, output=log.fileno(), errors=log.fileno()) as process,
    ):
        return await process.wait()


async def _wait_until_healthy(settings: FarmSettings, timeout: float, logs: Path) -> None:
    """Return when the server says that it, the runtime and the workers are ready."""
    url = f"{settings.server_address}/ready"
    try:
        async with (
            asyncio.timeout(timeout),
            await asyncio.to_thread(httpx.AsyncClient, timeout=10, headers=settings.authorization) as client,
        ):
            while not await _is_ready(client, url):
                await asyncio.sleep(0.25)
    except TimeoutError as error:
        raise NotReadyError(f"the farm is not healthy after {timeout:.0f} s; its logs are in {logs}") from error


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
