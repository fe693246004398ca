"""Invoices as PDF."""

import subprocess

from ..database import Order


class PdfMixin:
    """Prints HTML."""

    def _to_pdf(self, html: str) -> bytes:
        done = subprocess.run(
            ["wkhtmltopdf", "-", "-"], input=html.encode(), capture_output=True, check=True
        )
        return done.stdout


class InvoiceService(PdfMixin):
    def render(self, order: Order) -> bytes:
        return self._to_pdf(f"<h1>Invoice {order.id}</h1><p>Payment {order.payment_id}</p>")
