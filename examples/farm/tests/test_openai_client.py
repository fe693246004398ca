"""The official client of OpenAI's API works with the runtime as it is."""

import openai
import pytest

from tests.services import ENCODER, LANGUAGE, Service

CHAT = {"model": LANGUAGE, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 20, "temperature": 0}


def test_sync(a_runtime: Service):
    """Models, embeddings, a chat and a streamed one."""
    with openai.OpenAI(base_url=f"{a_runtime.url}/v1", api_key="none") as client:
        assert [model.id for model in client.models.list()] == [LANGUAGE, ENCODER]
        assert client.models.retrieve(ENCODER).id == ENCODER
        embedded = client.embeddings.create(model=ENCODER, input=["This is an example sentence", "another"])
        assert [len(each.embedding) for each in embedded.data] == [384, 384]
        assert embedded.data[0].embedding[:4] == pytest.approx([0.06765686, 0.0634959, 0.04871306, 0.07930498], abs=1e-6)
        floats = client.embeddings.create(model=ENCODER, input="This is an example sentence", encoding_format="float")
        assert floats.data[0].embedding == pytest.approx(embedded.data[0].embedding, abs=1e-6)
        answer = client.chat.completions.create(**CHAT)
        text = answer.choices[0].message.content
        assert text
        assert answer.usage is not None
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        with client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}) as stream:
            chunks = list(stream)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
        assert chunks[-1].usage == answer.usage or chunks[-1].usage.completion_tokens == answer.usage.completion_tokens


async def test_async(a_runtime: Service):
    """The same with the asynchronous client, which leaves a stream half-way too."""
    async with openai.AsyncOpenAI(base_url=f"{a_runtime.url}/v1", api_key="none") as client:
        assert [model.id async for model in client.models.list()] == [LANGUAGE, ENCODER]
        embedded = await client.embeddings.create(model=ENCODER, input="text")
        assert len(embedded.data[0].embedding) == 384
        assert (await client.chat.completions.create(**CHAT)).choices[0].message.content
        async with await client.chat.completions.create(**{**CHAT, "max_tokens": 200}, stream=True) as stream:
            tokens = [(await anext(stream)).choices[0].delta.content for _ in range(4)]
        assert [type(token) for token in tokens[1:]] == [str] * 3


def test_errors(a_runtime: Service):
    """What is wrong is said in the client's own exceptions."""
    with openai.OpenAI(base_url=f"{a_runtime.url}/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(
            openai.NotFoundError, match="there is no model 'gpt-9' of this kind; there are: smollm2-135m-instruct"
        ):
            client.chat.completions.create(**{**CHAT, "model": "gpt-9"})
        with pytest.raises(openai.BadRequestError, match="exceeds the available context size"):
            client.chat.completions.create(**{**CHAT, "messages": [{"role": "user", "content": "word " * 5000}]})
        with pytest.raises(openai.BadRequestError, match="exceeds the available context size"):
            client.chat.completions.create(**{**CHAT, "messages": [{"role": "user", "content": "word " * 5000}]}, stream=True)
        with pytest.raises(openai.BadRequestError, match="a text has 5002 tokens, over the limit of 512; split it"):
            client.embeddings.create(model=ENCODER, input="word " * 5000)
