"""MiniLM, a small BERT that turns texts into vectors, computed with numpy alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Encoding, Tokenizer

from farm.errors import BadInput

Matrix: TypeAlias = NDArray[np.float32]
_BATCH = 16
_ROWS = 2048


class Encoder:
    """A sentence encoder: mean pooling over a BERT's last layer. All of its methods compute, so none belongs on the loop."""

    def __init__(self, weights: dict[str, Matrix], tokenizer: Tokenizer, config: dict[str, int]) -> None:
        self._weights = weights
        self._tokenizer = tokenizer
        self._layers = config["num_hidden_layers"]
        self._heads = config["num_attention_heads"]
        self._max_tokens = config["max_position_embeddings"]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the model in `folder`."""
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with safe_open(folder / "model.safetensors", "numpy") as tensors:
            return cls({name: _read(tensors.get_slice(name)) for name in tensors.keys()}, tokenizer, config)  # noqa: SIM118

    def embed(self, texts: Sequence[str]) -> tuple[Matrix, int]:
        """A row of length 1 for each text, and how many tokens they have together.

        Raises:
            BadInput: a text is too long.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        longest = max(len(each.ids) for each in encodings)
        if longest > self._max_tokens:
            raise BadInput(f"a text has {longest} tokens, over the limit of {self._max_tokens}; split it")
        rows = np.empty((len(texts), self._weights["embeddings.word_embeddings.weight"].shape[1]), np.float32)
        by_length = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
        for start in range(0, len(texts), _BATCH):
            batch = by_length[start : start + _BATCH]
            rows[batch] = self._pooled([encodings[index] for index in batch])
        return rows, sum(len(each.ids) for each in encodings)

    def _pooled(self, encodings: list[Encoding]) -> Matrix:
        length = max(len(each.ids) for each in encodings)
        tokens = np.zeros((len(encodings), length), np.int64)
        mask = np.zeros((len(encodings), length), np.float32)
        for row, each in enumerate(encodings):
            tokens[row, : len(each.ids)] = each.ids
            mask[row, : len(each.ids)] = 1.0
        state = self._embedded(tokens)
        hidden = (mask[:, None, None, :] - 1.0) * 1e9
        for layer in range(self._layers):
            state = self._layer(f"encoder.layer.{layer}", state, hidden)
        mean = (state * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        normal: Matrix = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return normal

    def _embedded(self, tokens: NDArray[np.int64]) -> Matrix:
        words = self._weights["embeddings.word_embeddings.weight"][tokens]
        places = self._weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        kinds = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._normal("embeddings.LayerNorm", words + places + kinds)

    def _layer(self, name: str, state: Matrix, hidden: Matrix) -> Matrix:
        attended = self._linear(f"{name}.attention.output.dense", self._attention(f"{name}.attention.self", state, hidden))
        state = self._normal(f"{name}.attention.output.LayerNorm", state + attended)
        wide = _gelu(self._linear(f"{name}.intermediate.dense", state))
        return self._normal(f"{name}.output.LayerNorm", state + self._linear(f"{name}.output.dense", wide))

    def _attention(self, name: str, state: Matrix, hidden: Matrix) -> Matrix:
        batch, length, width = state.shape

        def heads(part: str) -> Matrix:
            return self._linear(f"{name}.{part}", state).reshape(batch, length, self._heads, -1).transpose(0, 2, 1, 3)

        scores = heads("query") @ heads("key").swapaxes(-1, -2) / np.float32(np.sqrt(width // self._heads)) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        attended: Matrix = (scores @ heads("value")).transpose(0, 2, 1, 3).reshape(batch, length, width)
        return attended

    def _linear(self, name: str, state: Matrix) -> Matrix:
        mapped: Matrix = state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return mapped

    def _normal(self, name: str, state: Matrix) -> Matrix:
        centred = state - state.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        scaled: Matrix = centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return scaled


def _read(stored: Any) -> Matrix:  # noqa: ANN401
    """A tensor, read in pieces: the library holds the global lock for as long as it reads one, and the loop waits."""
    matrix: Matrix = np.empty(stored.get_shape(), np.float32)
    for start in range(0, len(matrix), _ROWS):
        end = min(start + _ROWS, len(matrix))
        matrix[start:end] = stored[start:end]
    return matrix


def _gelu(x: Matrix) -> Matrix:
    """The Gaussian error linear unit; its error function by a rational approximation that is good to 2e-7."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1.0 / (1.0 + np.float32(0.3275911) * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1.0 - series * np.exp(-z * z))
    activated: Matrix = (0.5 * x * (1.0 + erf)).astype(np.float32)
    return activated
