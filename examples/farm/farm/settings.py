"""Settings that all services share, from the environment (`FARM_...`) or a file `.env`."""

from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class FarmSettings(BaseSettings):
    """What more than one service has to know."""

    model_config = SettingsConfigDict(env_prefix="FARM_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("farm-data")
    host: str = "127.0.0.1"
    access_token: SecretStr | None = None
    log_level: str = "INFO"
    max_body_bytes: int = Field(1_000_000, gt=0, description="of a JSON request; uploads have a limit of their own")

    runtime_port: int = Field(8101, gt=0, lt=65536)
    runtime_url: str = Field("", description="of a runtime elsewhere; by default it is on this machine")
    server_port: int = Field(8100, gt=0, lt=65536)
    keep_alive: int = Field(
        75, gt=5, description="seconds; clients keep idle connections for 5, and must be the first to close one"
    )
    connect_timeout: float = Field(3.0, gt=0, description="seconds")
    request_timeout: float = Field(60.0, gt=0, description="seconds a call to another service may take")

    encoder_model: str = "all-minilm-l6-v2"
    language_model: str = "smollm2-135m-instruct"

    @model_validator(mode="after")
    def check_access(self) -> Self:
        """Without an access token nobody but this machine may connect."""
        if self.access_token is None and not _is_loopback(self.host):
            raise ValueError(
                f"set FARM_ACCESS_TOKEN to listen on {self.host}: without a token the farm listens on 127.0.0.1 only"
            )
        return self

    @property
    def server_address(self) -> str:
        """Where the server is, as seen from this machine."""
        return self._address(self.server_port)

    @property
    def runtime_address(self) -> str:
        """Where the runtime is."""
        return self.runtime_url or self._address(self.runtime_port)

    def _address(self, port: int) -> str:
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{port}"  # noqa: S104

    @property
    def authorization(self) -> dict[str, str]:
        """Headers with which one service calls another."""
        return {"Authorization": f"Bearer {self.access_token.get_secret_value()}"} if self.access_token else {}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def farm_settings() -> FarmSettings:
    """The settings of this process."""
    return FarmSettings()
