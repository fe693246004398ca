"""What routes need."""

from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request
from sqlalchemy.orm import Session

from .clients import PaymentClient
from .database import get_session
from .security import TokenReader
from .services import OrderService
from .settings import Settings, get_settings

SettingsDep = Annotated[Settings, Depends(get_settings)]
SessionDep = Annotated[Session, Depends(get_session)]


async def get_payments(request: Request) -> PaymentClient:
    payments: PaymentClient = request.app.state.payments
    return payments


async def get_orders(payments: Annotated[PaymentClient, Depends(get_payments)]) -> OrderService:
    return OrderService(payments)


def current_user(settings: SettingsDep, authorization: Annotated[str, Header()]) -> int:
    user_id = TokenReader(settings).user_id(authorization.removeprefix("Bearer "))
    if user_id is None:
        raise HTTPException(401)
    return user_id


OrdersDep = Annotated[OrderService, Depends(get_orders)]
UserDep = Annotated[int, Depends(current_user)]
