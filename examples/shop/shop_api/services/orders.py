"""Orders."""

from ..clients import PaymentClient
from ..database import Order, Product


class OrderService:
    def __init__(self, payments: PaymentClient) -> None:
        self._payments = payments

    def place(self, user_id: int, product: Product) -> Order:
        payment_id = self._payments.charge(user_id, product.price)
        return Order(user_id=user_id, product_id=product.id, payment_id=payment_id)

    def payment_status(self, order: Order) -> str:
        return self._payments.status(order.payment_id)
