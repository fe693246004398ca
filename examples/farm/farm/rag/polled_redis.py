"""Results in Redis, asked for and never subscribed to.

Celery subscribes to the result of each task it publishes, over a connection that no two threads may use, and that stays broken
once Redis has been away. Nobody here waits on that subscription, so there is none.
"""

from celery.backends.redis import RedisBackend


class PolledRedis(RedisBackend):
    """Celery's backend without its subscriptions."""

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Subscribe to nothing."""
