"""Requests and answers in the form of OpenAI's API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TextPart(BaseModel):
    """A part of a message's content."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of a chat."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """Its content as one text."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream has besides the text."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A chat to go on with."""

    model: ModelName = Field(examples=["smollm2-135m-instruct"])
    messages: list[Message] = Field(min_length=1, max_length=200, examples=[[{"role": "user", "content": "Hello!"}]])
    max_tokens: int | None = Field(None, ge=1, le=4096, examples=[16])
    max_completion_tokens: int | None = Field(None, ge=1, le=4096)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**32)
    stop: Text | Annotated[list[Text], Field(max_length=4)] | None = None
    n: Literal[1] = 1
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the number of its tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    def for_engine(self) -> dict[str, Any]:
        """The request as llama.cpp takes it: always streamed, so that it can be stopped."""
        roles = {"developer": "system"}
        sampling = self.model_dump(include={"temperature", "top_p", "seed", "stop"}, exclude_none=True)
        return sampling | {
            "messages": [{"role": roles.get(each.role, each.role), "content": each.text} for each in self.messages],
            "max_tokens": self.max_completion_tokens or self.max_tokens or 256,
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
        }


class EmbeddingRequest(BaseModel):
    """Texts to be turned into vectors."""

    model: ModelName = Field(examples=["all-minilm-l6-v2"])
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=256)] = Field(examples=["A text"])
    encoding_format: Literal["float", "base64"] = "float"

    @property
    def texts(self) -> list[str]:
        """The input as a list."""
        return [self.input] if isinstance(self.input, str) else self.input


class Embedding(BaseModel):
    """The vector of one text: numbers, or their little-endian 32-bit floats in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class Usage(BaseModel):
    """Tokens that a request took."""

    prompt_tokens: int
    completion_tokens: int = 0
    total_tokens: int


class EmbeddingResponse(BaseModel):
    """The vectors, in the order of the texts."""

    object: Literal["list"] = "list"
    model: str
    data: list[Embedding]
    usage: Usage


class AnswerMessage(BaseModel):
    """What the model says."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer."""

    index: int = 0
    message: AnswerMessage
    finish_reason: str | None


class ChatResponse(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class ModelCard(BaseModel):
    """A model there is."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "farm"


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class PredictRequest(BaseModel):
    """A text, and labels of which the nearest is wanted."""

    text: Text
    labels: list[Text] = Field(min_length=1, max_length=64)


class Prediction(BaseModel):
    """The label that is nearest to the text, and how near each is (cosine)."""

    label: str
    scores: dict[str, float]


class Health(BaseModel):
    """That the service runs."""

    status: Literal["ok"] = "ok"
    loaded: list[str]
