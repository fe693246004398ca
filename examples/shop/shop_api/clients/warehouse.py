"""The warehouse: what is in stock, and who has reserved it."""

from functools import partial
from types import TracebackType
from typing import Self

import redis
import requests

from ..settings import get_settings


class Reservation:
    """Keeps a product for one order while the block runs."""

    def __init__(self, product_id: int) -> None:
        self._key = f"reserved:{product_id}"
        self._redis = redis.Redis.from_url(get_settings().redis_url, socket_timeout=2, socket_connect_timeout=2)

    def __enter__(self) -> Self:
        if not self._redis.set(self._key, 1, nx=True, ex=30):
            raise LookupError(self._key)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._redis.delete(self._key)


def _fetch(base_url: str, path: str) -> dict[str, int]:
    stock: dict[str, int] = requests.get(base_url + path, timeout=10).json()
    return stock


class WarehouseClient:
    def __init__(self, base_url: str) -> None:
        self._fetch = partial(_fetch, base_url)

    def in_stock(self, product_id: int) -> int:
        return self._fetch(f"/products/{product_id}")["count"]
