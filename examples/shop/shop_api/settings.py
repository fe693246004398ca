"""Settings, from the environment."""

from functools import lru_cache
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")

    database_url: str = "sqlite:///shop.db"
    redis_url: str = "redis://localhost:6379/0"
    payments_url: str = "https://payments.example.com"
    shipping_url: str = "https://shipping.example.com"
    warehouse_url: str = "https://warehouse.example.com"
    statistics_url: str = "https://statistics.example.com"
    signing_key_file: Path = Path("/run/secrets/signing-key")
    model_file: Path = Path("/models/recommender.joblib")
    pictures: Path = Path("/pictures")

    @property
    def signing_key(self) -> bytes:
        """The key that signs tokens; it is rotated while the service runs."""
        return self.signing_key_file.read_bytes().strip()


@lru_cache
def get_settings() -> Settings:
    return Settings()
