"""Products: what there is, what it looks like, what goes with it."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import aiofiles
from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from ..clients import PaymentClient, WarehouseClient
from ..concurrency import in_process, in_thread
from ..database import Product
from ..dependencies import SessionDep, SettingsDep, get_payments
from ..services import Recommender, get_recommender

router = APIRouter(prefix="/products")

RecommenderDep = Annotated[Recommender, Depends(get_recommender)]


@router.get("")
def list_products(session: SessionDep) -> list[str]:
    return [product.title for product in session.scalars(select(Product))]


@router.get("/export")
async def export(session: SessionDep) -> StreamingResponse:
    products = await in_thread(lambda: list(session.scalars(select(Product))))
    return StreamingResponse(lines(products), media_type="text/csv")


async def lines(products: list[Product]) -> AsyncIterator[str]:
    for product in products:
        line = io.StringIO()
        csv.writer(line).writerow([product.id, product.title, product.price])
        yield line.getvalue()


@router.get("/{product_id}/stock")
async def stock(product_id: int, settings: SettingsDep) -> int:
    warehouse = WarehouseClient(settings.warehouse_url)
    return warehouse.in_stock(product_id)


@router.get("/{product_id}/price")
async def price(
    product_id: int,
    currency: str,
    session: SessionDep,
    payments: Annotated[PaymentClient, Depends(get_payments)],
) -> float:
    product = await in_thread(session.get_one, Product, product_id)
    return product.price * payments.rate(currency)


@router.get("/{product_id}/similar")
async def similar(product_id: int, recommender: RecommenderDep) -> list[int]:
    return await in_process(recommender.similar, product_id)


def picture_of(product_id: int, pictures: Path) -> Path:
    path = pictures / f"{product_id}.jpg"
    return path if path.exists() else pictures / "none.jpg"


async def chunks(path: Path) -> AsyncIterator[bytes]:
    async with aiofiles.open(path, "rb") as picture:
        while chunk := await picture.read(65536):
            yield chunk


@router.get("/{product_id}/picture")
async def picture(product_id: int, settings: SettingsDep) -> StreamingResponse:
    path = picture_of(product_id, settings.pictures)
    return StreamingResponse(chunks(path), media_type="image/jpeg")


@router.get("/{product_id}/manual")
async def manual(product_id: int, settings: SettingsDep) -> StreamingResponse:
    path = settings.pictures / f"{product_id}.txt"
    return StreamingResponse(numbered(path), media_type="text/plain")


async def numbered(path: Path) -> AsyncIterator[str]:
    for number, line in read_lines(path):
        yield f"{number}: {line}"


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open() as manual:
        yield from enumerate(manual, start=1)
