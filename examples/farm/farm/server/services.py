"""What the server holds between its start and its end, and how routes get at it."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import Depends, Request

from farm.loop_watch import loop_watch
from farm.runtime_client import RuntimeClient
from farm.server.agent import ChatAgent
from farm.server.ingestions import Ingestions
from farm.server.retrieval import Retriever
from farm.server.schemas import ChatRequest
from farm.server.sessions import Sessions
from farm.server.settings import ServerSettings
from farm.server.workers import Workers


@dataclass(frozen=True)
class Services:
    """The other services, and the sessions."""

    runtime: RuntimeClient
    workers: Workers
    ingestions: Ingestions
    retriever: Retriever
    sessions: Sessions
    settings: ServerSettings

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: ServerSettings) -> AsyncGenerator[Self]:
        """The services while the block runs."""
        async with AsyncExitStack() as stack:
            runtime = await stack.enter_async_context(RuntimeClient.open(settings))
            workers = await stack.enter_async_context(Workers.open(settings.broker_timeout * 2))
            ingestions = await stack.enter_async_context(Ingestions.running(workers, settings))
            await stack.enter_async_context(loop_watch())
            sessions = Sessions(settings.session_timeout, settings.max_sessions)
            yield cls(runtime, workers, ingestions, Retriever(workers, settings), sessions, settings)


async def get_services(request: Request) -> Services:
    """The services of this app."""
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_agent(body: ChatRequest, services: ServicesDep) -> ChatAgent:
    """The agent of the session that the request names, or of a new one."""
    session = services.sessions.open(body.session_id)
    return ChatAgent(session, services.runtime, services.retriever, services.settings)


AgentDep = Annotated[ChatAgent, Depends(get_agent)]
