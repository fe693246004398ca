"""Recommendations by a model that was trained elsewhere."""

import asyncio
from pathlib import Path

import joblib

from ..settings import get_settings


class Recommender:
    def __init__(self, path: Path) -> None:
        self._model = joblib.load(path)

    def similar(self, product_id: int) -> list[int]:
        _, neighbours = self._model.kneighbors([[product_id]])
        return [int(neighbour) for neighbour in neighbours[0]]


_lock = asyncio.Lock()
_recommender: Recommender | None = None


async def get_recommender() -> Recommender:
    global _recommender
    async with _lock:
        if _recommender is None:
            _recommender = Recommender(get_settings().model_file)
    return _recommender
