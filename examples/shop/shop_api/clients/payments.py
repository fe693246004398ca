"""The payment provider, which allows four calls a second."""

import threading
import time

import requests


class Throttle:
    """Keeps calls apart."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = 0.0

    def wait(self) -> None:
        delay = self._next - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        self._next = time.monotonic() + self._interval


class PaymentClient:
    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._throttle = Throttle(0.25)
        self._refresh = threading.Lock()
        self._rates: dict[str, float] = {"EUR": 1.0}

    def charge(self, user_id: int, amount: int) -> str:
        self._throttle.wait()
        answer = self._post("/charges", {"customer": user_id, "amount": amount})
        return str(answer["id"])

    def status(self, payment_id: str) -> str:
        response = self._session.get(f"{self._base_url}/charges/{payment_id}", timeout=10)
        response.raise_for_status()
        return str(response.json()["status"])

    def rate(self, currency: str) -> float:
        """The rate known last; a new one is fetched meanwhile."""
        if self._refresh.acquire(blocking=False):
            threading.Thread(target=self._load_rates, daemon=True).start()
        return self._rates.get(currency, 1.0)

    def _load_rates(self) -> None:
        try:
            self._rates = self._session.get(f"{self._base_url}/rates", timeout=10).json()
        finally:
            self._refresh.release()

    def _post(self, path: str, body: dict[str, int]) -> dict[str, str]:
        response = self._session.post(self._base_url + path, json=body, timeout=10)
        response.raise_for_status()
        answer: dict[str, str] = response.json()
        return answer
