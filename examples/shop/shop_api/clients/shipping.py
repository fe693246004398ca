"""The shipping company."""

import httpx


class ShippingClient:
    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=10)

    async def tracking(self, order_id: int) -> str:
        response = await self._client.get(f"/parcels/{order_id}")
        response.raise_for_status()
        return str(response.json()["state"])

    async def close(self) -> None:
        await self._client.aclose()
