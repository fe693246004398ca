"""Users: register and log in."""

import asyncio

import requests
from fastapi import APIRouter, BackgroundTasks, HTTPException
from pydantic import BaseModel
from sqlalchemy import select

from ..concurrency import in_thread
from ..database import User
from ..dependencies import SessionDep, SettingsDep
from ..security import hash_password, issue_token, verify_password
from ..settings import get_settings

router = APIRouter(prefix="/users")


class Credentials(BaseModel):
    email: str
    password: str


def tell_statistics(event: str) -> None:
    requests.post(get_settings().statistics_url, json={"event": event}, timeout=5)


@router.post("")
async def register(
    credentials: Credentials, session: SessionDep, background: BackgroundTasks
) -> int:
    user = User(email=credentials.email, password_hash=hash_password(credentials.password))
    session.add(user)
    await in_thread(session.commit)
    background.add_task(tell_statistics, "registered")
    return user.id


@router.post("/login")
async def log_in(credentials: Credentials, session: SessionDep, settings: SettingsDep) -> str:
    user = await in_thread(session.scalar, select(User).where(User.email == credentials.email))
    if user is None or not await asyncio.to_thread(
        verify_password, credentials.password, user.password_hash
    ):
        raise HTTPException(401)
    return await in_thread(issue_token, user.id, settings)
