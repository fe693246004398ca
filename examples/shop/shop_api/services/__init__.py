"""What the shop does, apart from HTTP."""

from .invoices import InvoiceService
from .orders import OrderService
from .recommendations import Recommender, get_recommender

__all__ = ["InvoiceService", "OrderService", "Recommender", "get_recommender"]
