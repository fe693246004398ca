"""The application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from . import routers
from .clients import PaymentClient, ShippingClient
from .database import wait_for_database
from .settings import get_settings
from .telemetry import Reporter


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = get_settings()
    wait_for_database()
    app.state.payments = PaymentClient(settings.payments_url)
    app.state.shipping = ShippingClient(settings.shipping_url)
    reporter = Reporter()
    reporter.start()
    yield
    reporter.stop()
    await app.state.shipping.close()


app = FastAPI(title="Shop", lifespan=lifespan)
app.include_router(routers.orders)
app.include_router(routers.products)
app.include_router(routers.updates)
app.include_router(routers.users)
