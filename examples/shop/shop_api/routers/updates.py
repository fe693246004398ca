"""Updates that are pushed to the browser."""

import asyncio

from fastapi import APIRouter, WebSocket

from ..dependencies import SettingsDep
from ..security import TokenReader

router = APIRouter()

_news: asyncio.Queue[str] = asyncio.Queue(maxsize=100)


def publish(text: str) -> None:
    if not _news.full():
        _news.put_nowait(text)


@router.websocket("/updates")
async def updates(socket: WebSocket, token: str, settings: SettingsDep) -> None:
    await socket.accept()
    if TokenReader(settings).user_id(token) is None:
        await socket.close(code=1008)
        return
    while True:
        await socket.send_text(await _news.get())
        await asyncio.sleep(0.1)
