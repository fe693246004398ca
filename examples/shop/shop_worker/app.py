"""The Celery application. Start a worker with `celery -A shop_worker.app worker`."""

from celery import Celery

app = Celery("shop", broker="redis://localhost:6379/1", include=["shop_worker.tasks"])
