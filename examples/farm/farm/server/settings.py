"""Settings of the server."""

from functools import cache
from pathlib import Path

from pydantic import Field

from farm.rag.settings import RagSettings


class ServerSettings(RagSettings):
    """What the server allows, and how long it waits."""

    max_upload_bytes: int = Field(50_000_000, gt=0)
    upload_timeout: float = Field(600.0, gt=0, description="seconds that one upload may take")
    search_timeout: float = Field(20.0, gt=0, description="seconds that a worker may take to answer")
    republish_interval: float = Field(2.0, gt=0, description="seconds between two looks for tasks that nobody works on")
    status_interval: float = Field(0.2, gt=0, description="seconds between two looks at an ingestion that is watched")
    status_timeout: float = Field(3600.0, gt=0, description="seconds that an ingestion may be watched")
    passages: int = Field(3, gt=0, le=20, description="that an answer is based on")
    min_score: float = Field(0.2, ge=-1, le=1, description="of a passage; what is less near is left out")
    answer_tokens: int = Field(256, gt=0)
    history_messages: int = Field(4, ge=0, description="earlier messages that the model is told")
    session_timeout: float = Field(3600.0, gt=0, description="seconds after which a session nobody uses is forgotten")
    max_sessions: int = Field(1000, gt=0)

    @property
    def files_dir(self) -> Path:
        """Where uploads are kept."""
        return self.data_dir / "files"


@cache
def server_settings() -> ServerSettings:
    """The settings of this process."""
    return ServerSettings()
