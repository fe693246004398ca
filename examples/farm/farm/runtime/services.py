"""What the runtime holds between its start and its end, and how routes get at it."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Self

from fastapi import Depends, Query, Request

from farm.loop_watch import loop_watch
from farm.runtime.admission import Admission
from farm.runtime.models import EncoderModel, LanguageModel
from farm.runtime.registry import ModelRegistry, idle_cleaner
from farm.runtime.settings import RuntimeSettings


@dataclass(frozen=True)
class Services:
    """The models, and the queues before them."""

    languages: ModelRegistry[LanguageModel]
    encoders: ModelRegistry[EncoderModel]
    chats: Admission
    embeddings: Admission
    settings: RuntimeSettings

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: RuntimeSettings) -> AsyncGenerator[Self]:
        """The services while the block runs. No model is loaded yet."""
        limits = (settings.model_unload_timeout, settings.model_load_timeout)
        languages = {name: partial(LanguageModel.load, path, settings) for name, path in settings.language_models.items()}
        encoders = {name: partial(EncoderModel.load, folder) for name, folder in settings.encoder_models.items()}
        async with AsyncExitStack() as stack:
            services = cls(
                languages=ModelRegistry(languages, *limits),
                encoders=ModelRegistry(encoders, *limits),
                chats=Admission("chat", settings.chat_parallel, settings.max_waiting, settings.max_wait),
                embeddings=Admission("embedding", settings.embedding_parallel, settings.max_waiting, settings.max_wait),
                settings=settings,
            )
            stack.push_async_callback(services.languages.aclose)
            stack.push_async_callback(services.encoders.aclose)
            registries = (services.languages, services.encoders)
            await stack.enter_async_context(idle_cleaner(registries, settings.model_check_interval))
            await stack.enter_async_context(loop_watch())
            yield services


async def get_services(request: Request) -> Services:
    """The services of this app."""
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_encoder(services: ServicesDep, model: Annotated[str, Query(max_length=200)] = "") -> AsyncGenerator[EncoderModel]:
    """The encoder that the query names, or the usual one, kept in memory until the request is answered."""
    async with services.embeddings.enter(), services.encoders.lease(model or services.settings.encoder_model) as encoder:
        yield encoder


EncoderDep = Annotated[EncoderModel, Depends(get_encoder)]
