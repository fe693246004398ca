"""asyncvet: a whole-program reviewer of async Python for FastAPI and Celery services."""

__version__ = "0.1.0"
