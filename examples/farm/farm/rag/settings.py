"""Settings of the workers, and of who calls them."""

from functools import cache
from pathlib import Path

from pydantic import Field

from farm.settings import FarmSettings


class RagSettings(FarmSettings):
    """Where tasks, results, documents and vectors go."""

    broker_url: str = Field("files://", description="or redis://host:port/number")
    result_backend: str = Field("", description="redis://host:port/number; by default files, in the data folder")
    broker_timeout: float = Field(3.0, gt=0, description="seconds that one operation of the broker may take")
    qdrant_url: str | None = Field(None, description="of a Qdrant that keeps vectors in place of SQLite")

    chunk_characters: int = Field(500, ge=100, le=500, description="no more than an encoder of 512 tokens takes in any script")
    embed_batch: int = Field(16, gt=0, le=256)
    embed_parallel: int = Field(2, gt=0)
    ingest_time_limit: int = Field(900, gt=0, description="seconds for one file")
    ingest_attempts: int = Field(10, gt=0, description="over some minutes; a runtime that is away longer makes an ingestion fail")
    lease_seconds: float = Field(20.0, gt=0, description="a worker that shows no sign of life for so long is taken for dead")
    republish_seconds: float = Field(30.0, gt=0, description="a task that nobody has begun by then is published again")

    @property
    def broker_dir(self) -> Path:
        """Where the filesystem broker keeps its messages."""
        return self.data_dir / "broker"

    @property
    def results_url(self) -> str:
        """The result backend, in Celery's terms."""
        if self.result_backend.startswith("redis"):
            return f"farm.rag.polled_redis.PolledRedis+{self.result_backend}"
        if self.result_backend:
            return self.result_backend
        return f"farm.rag.file_broker.FileResults+file://{(self.data_dir / 'results').resolve()}"

    @property
    def ledger_path(self) -> Path:
        """The database of ingestions."""
        return self.data_dir / "ledger.sqlite"

    @property
    def vectors_path(self) -> Path:
        """The database of vectors."""
        return self.data_dir / "vectors.sqlite"

    def create_folders(self) -> None:
        """Create the folders that are needed; they are for this user only."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("broker", "broker/messages", "broker/control", "results", "files"):
            (self.data_dir / name).mkdir(exist_ok=True)


@cache
def rag_settings() -> RagSettings:
    """The settings of this process."""
    return RagSettings()
