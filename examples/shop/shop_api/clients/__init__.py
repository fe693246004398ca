"""Clients of other services."""

from .payments import PaymentClient
from .shipping import ShippingClient
from .warehouse import Reservation, WarehouseClient

__all__ = ["PaymentClient", "Reservation", "ShippingClient", "WarehouseClient"]
