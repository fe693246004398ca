"""Orders: place one, follow one."""

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import select

from shop_worker import tasks

from ..clients import Reservation, ShippingClient
from ..concurrency import in_thread
from ..database import Order, Product
from ..dependencies import OrdersDep, SessionDep, UserDep
from ..services import InvoiceService
from ..telemetry import count

router = APIRouter(prefix="/orders")


@router.post("")
async def create_order(
    product_id: int, user_id: UserDep, orders: OrdersDep, session: SessionDep
) -> int:
    product = await in_thread(session.get_one, Product, product_id)
    order = orders.place(user_id, product)
    session.add(order)
    await in_thread(session.commit)
    await in_thread(tasks.send_receipt.delay, order.id)
    count("order")
    return order.id


@router.get("")
async def list_orders(user_id: UserDep, session: SessionDep) -> list[int]:
    orders = session.scalars(select(Order).where(Order.user_id == user_id))
    return [order.id for order in orders]


@router.get("/{order_id}")
def read_order(order_id: int, session: SessionDep) -> dict[str, int]:
    order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404)
    return {"id": order.id, "product_id": order.product_id}


@router.get("/{order_id}/payment")
async def payment(order_id: int, orders: OrdersDep, session: SessionDep) -> str:
    order = await in_thread(session.get_one, Order, order_id)
    return orders.payment_status(order)


@router.get("/{order_id}/parcel")
async def parcel(order_id: int, request: Request) -> str:
    shipping: ShippingClient = request.app.state.shipping
    return await shipping.tracking(order_id)


@router.get("/{order_id}/invoice")
async def invoice(order_id: int, session: SessionDep) -> Response:
    order = await in_thread(session.get_one, Order, order_id)
    pdf = InvoiceService().render(order)
    return Response(pdf, media_type="application/pdf")


@router.post("/{order_id}/repeat")
async def repeat_order(
    order_id: int, user_id: UserDep, orders: OrdersDep, session: SessionDep
) -> int:
    former = await in_thread(session.get_one, Order, order_id)
    product = await in_thread(session.get_one, Product, former.product_id)
    order = orders.place(user_id, product)
    session.add(order)
    await in_thread(session.commit)
    return order.id


@router.post("/{order_id}/exchange")
async def exchange(
    order_id: int, product_id: int, user_id: UserDep, orders: OrdersDep, session: SessionDep
) -> int:
    product = await in_thread(session.get_one, Product, product_id)
    with Reservation(product_id):
        order = await in_thread(orders.place, user_id, product)
    session.add(order)
    await in_thread(session.commit)
    return order.id
