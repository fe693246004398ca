"""The routes."""

from .orders import router as orders
from .products import router as products
from .updates import router as updates
from .users import router as users

__all__ = ["orders", "products", "updates", "users"]
