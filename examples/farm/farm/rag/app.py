"""The Celery application."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging

import farm.rag.file_broker  # noqa: F401 - makes `files://` known
from farm.logs import set_up_logs
from farm.rag.settings import RagSettings, rag_settings

INGEST_QUEUE, SEARCH_QUEUE = "ingest", "search"


def create_celery(settings: RagSettings) -> Celery:
    """The application with these settings. Every operation of its broker and of its results has a bound."""
    settings.create_folders()
    app = Celery("farm", broker=settings.broker_url, backend=settings.results_url, include=["farm.rag.tasks"])
    bounds = {"socket_timeout": settings.broker_timeout, "socket_connect_timeout": settings.broker_timeout}
    app.conf.update(
        broker_transport_options=_transport(settings, bounds),
        broker_connection_timeout=settings.broker_timeout,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2},
        result_backend_transport_options={**bounds, "retry_policy": {"max_retries": 1, "timeout": settings.broker_timeout}},
        redis_socket_timeout=settings.broker_timeout,
        redis_socket_connect_timeout=settings.broker_timeout,
        result_expires=3600,
        task_default_queue=SEARCH_QUEUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_track_started=True,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    return app


def _transport(settings: RagSettings, bounds: dict[str, float]) -> dict[str, Any]:
    if not settings.broker_url.startswith("files:"):
        return {**bounds, "visibility_timeout": 2 * settings.ingest_time_limit, "max_retries": 1}
    messages = str(settings.broker_dir / "messages")
    return {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(settings.broker_dir / "control"),
        "polling_interval": 0.02,  # the default of a second would be most of an answer's time
    }


@setup_logging.connect
def _set_up_logs(**_: object) -> None:
    set_up_logs("rag", rag_settings().log_level)


celery_app = create_celery(rag_settings())
