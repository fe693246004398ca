"""Clients of services that speak HTTP wait while the server is silent: the models' APIs, AWS, Elasticsearch, Docker."""

# ruff: noqa: D103 - the names of the tests say what they show

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import boto3
import botocore.client
import botocore.config
import botocore.session
import docker
import elasticsearch
import elasticsearch.helpers
import openai
import pytest

from verification.observing import observe_bound, observe_no_wait, observe_wait
from verification.third_party.awaiting import observe_await, observe_await_bound
from verification.third_party.registry import AWAITS, HARMLESS, exercises
from verification.third_party.servers import Server

SECONDS = 0.2
QUESTION: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hello?"}]}


def openai_client(server: Server) -> openai.OpenAI:
    """A client of the server, without retries."""
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", max_retries=0)


@exercises("openai._resource.SyncAPIResource.*")
@pytest.mark.parametrize("ask", [lambda c: c.models.list(), lambda c: c.chat.completions.create(model="m", messages=[])])
def test_openai(ask: Callable[[openai.OpenAI], object], paused_http: Server) -> None:
    observe_wait(lambda: ask(openai_client(paused_http)), paused_http.resume)


@exercises("openai._resource.SyncAPIResource.*", aspect="bound")
def test_openai_is_bounded(paused_http: Server) -> None:
    observe_bound(lambda: openai_client(paused_http).models.list(timeout=SECONDS), SECONDS, raises=openai.APITimeoutError)


@exercises("openai.OpenAI.get")
def test_openai_request(paused_http: Server) -> None:
    observe_wait(lambda: openai_client(paused_http).get("/models", cast_to=object), paused_http.resume)


@exercises("openai.OpenAI.with_options", "openai.OpenAI.close", aspect=HARMLESS)
def test_openai_client_is_made_at_once(paused_http: Server) -> None:
    observe_no_wait(lambda: openai_client(paused_http).with_options(timeout=1).close())


@exercises("openai._resource.AsyncAPIResource.*", "openai.AsyncOpenAI.get", "openai.AsyncOpenAI.close", aspect=AWAITS)
@pytest.mark.parametrize("ask", [lambda c: c.models.list(), lambda c: c.get("/models", cast_to=object)])
def test_async_openai(ask: Callable[[openai.AsyncOpenAI], Any], paused_http: Server) -> None:
    async def wait() -> None:
        client = openai.AsyncOpenAI(base_url=f"{paused_http.url}/v1", api_key="key")
        await ask(client)
        await client.close()

    observe_await(wait, paused_http.resume)


@exercises("openai._resource.AsyncAPIResource.*", aspect="bound")
def test_async_openai_is_bounded(paused_http: Server) -> None:
    async def wait() -> None:
        async with openai.AsyncOpenAI(base_url=f"{paused_http.url}/v1", api_key="key", max_retries=0) as client:
            with pytest.raises(openai.APITimeoutError):
                await client.models.list(timeout=SECONDS)

    observe_await_bound(wait, SECONDS)


def anthropic_client(server: Server) -> anthropic.Anthropic:
    """A client of the server, without retries."""
    return anthropic.Anthropic(base_url=server.url, api_key="key", max_retries=0)


@exercises(
    "anthropic._resource.SyncAPIResource.*", "anthropic.Anthropic.post", "anthropic.resources.messages.messages.Messages.create"
)
@exercises("anthropic.resources.messages.messages.Messages.stream")
@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.models.list(),
        lambda c: c.post("/v1/messages", cast_to=object),
        lambda c: c.messages.create(**QUESTION),
        lambda c: c.messages.stream(**QUESTION).__enter__(),
    ],
    ids=["resource", "post", "create", "stream"],
)
def test_anthropic(ask: Callable[[anthropic.Anthropic], object], paused_http: Server) -> None:
    observe_wait(lambda: ask(anthropic_client(paused_http)), paused_http.resume)


@exercises("anthropic._resource.SyncAPIResource.*", "anthropic.resources.messages.messages.Messages.create", aspect="bound")
@exercises("anthropic.resources.messages.messages.Messages.stream", aspect="bound")
@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.models.list(timeout=SECONDS),
        lambda c: c.messages.create(**QUESTION, timeout=SECONDS),
        lambda c: c.messages.stream(**QUESTION, timeout=SECONDS).__enter__(),
    ],
    ids=["resource", "create", "stream"],
)
def test_anthropic_is_bounded(ask: Callable[[anthropic.Anthropic], object], paused_http: Server) -> None:
    observe_bound(lambda: ask(anthropic_client(paused_http)), SECONDS, raises=anthropic.APITimeoutError)


@exercises(
    "anthropic._resource.AsyncAPIResource.*", "anthropic.AsyncAnthropic.post", "anthropic.AsyncAnthropic.close", aspect=AWAITS
)
@exercises("anthropic.resources.messages.messages.AsyncMessages.create", aspect=AWAITS)
@pytest.mark.parametrize(
    "ask",
    [lambda c: c.models.list(), lambda c: c.post("/v1/messages", cast_to=object), lambda c: c.messages.create(**QUESTION)],
    ids=["resource", "post", "create"],
)
def test_async_anthropic(ask: Callable[[anthropic.AsyncAnthropic], Any], paused_http: Server) -> None:
    async def wait() -> None:
        client = anthropic.AsyncAnthropic(base_url=paused_http.url, api_key="key")
        await ask(client)
        await client.close()

    observe_await(wait, paused_http.resume)


@exercises("anthropic._resource.AsyncAPIResource.*", "anthropic.resources.messages.messages.AsyncMessages.create", aspect="bound")
@pytest.mark.parametrize(
    "ask",
    [lambda c: c.models.list(timeout=SECONDS), lambda c: c.messages.create(**QUESTION, timeout=SECONDS)],
    ids=["resource", "create"],
)
def test_async_anthropic_is_bounded(ask: Callable[[anthropic.AsyncAnthropic], Any], paused_http: Server) -> None:
    async def wait() -> None:
        async with anthropic.AsyncAnthropic(base_url=paused_http.url, api_key="key", max_retries=0) as client:
            with pytest.raises(anthropic.APITimeoutError):
                await ask(client)

    observe_await_bound(wait, SECONDS)


def aws(make: Callable[..., Any], server: Server) -> Any:  # noqa: ANN401 - made at run time
    """What `make` makes to speak with S3 at the server."""
    return make(
        "s3",
        endpoint_url=f"{server.url}/s3",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )


@exercises("botocore.client.BaseClient.*", "botocore.client.BaseClient.get_object", "botocore.client.BaseClient.upload_file")
@exercises(
    "botocore.paginate.PageIterator.__iter__", "botocore.paginate.PageIterator.build_full_result", "botocore.waiter.Waiter.wait"
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.list_buckets(),
        lambda client: client.get_object(Bucket="bucket", Key="key"),
        lambda client: client.upload_file(__file__, "bucket", "key"),
        lambda client: list(client.get_paginator("list_buckets").paginate()),
        lambda client: client.get_paginator("list_buckets").paginate().build_full_result(),
        lambda client: client.get_waiter("bucket_exists").wait(Bucket="bucket"),
    ],
    ids=["any", "get_object", "upload_file", "pages", "full_result", "waiter"],
)
def test_boto3_client(ask: Callable[[Any], object], paused_http: Server) -> None:
    client = aws(boto3.client, paused_http)
    observe_wait(lambda: ask(client), paused_http.resume)


@exercises("botocore.response.StreamingBody.read")
def test_boto3_body(http: Server) -> None:
    body = aws(boto3.client, http).get_object(Bucket="drip", Key="key")["Body"]
    observe_wait(body.read, lambda: openai_client(http).get(f"{http.url}/rest", cast_to=bytes))


@exercises(
    "boto3.client", "boto3.resource", "boto3.Session.client", "boto3.resources.base.ServiceResource.Bucket", aspect=HARMLESS
)
@exercises(
    "boto3.resources.collection.CollectionManager.all", "botocore.client.BaseClient.generate_presigned_url", aspect=HARMLESS
)
@exercises("botocore.client.BaseClient.get_paginator", "botocore.session.Session.create_client", aspect=HARMLESS)
def test_boto3_makes_clients_at_once(paused_http: Server) -> None:
    def make() -> None:
        client = aws(boto3.client, paused_http)
        client.get_paginator("list_buckets").paginate()
        client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
        aws(boto3.Session().client, paused_http)
        aws(botocore.session.Session().create_client, paused_http)
        aws(boto3.resource, paused_http).Bucket("bucket").objects.all()

    observe_no_wait(make)


@exercises("boto3.resources.base.ServiceResource.*", "boto3.resources.collection.ResourceCollection.__iter__")
@exercises("boto3.resources.collection.CollectionManager.delete")
@pytest.mark.parametrize(
    "ask",
    [
        lambda bucket: bucket.put_object(Key="key", Body=b"body"),
        lambda bucket: list(bucket.objects.all()),
        lambda bucket: bucket.objects.delete(),
    ],
    ids=["put_object", "iteration", "delete"],
)
def test_boto3_resource(ask: Callable[[Any], object], paused_http: Server) -> None:
    bucket = aws(boto3.resource, paused_http).Bucket("bucket")
    observe_wait(lambda: ask(bucket), paused_http.resume)


@exercises("elasticsearch.Elasticsearch.*", "elasticsearch._sync.client.utils.NamespacedClient.*", "elasticsearch.helpers.bulk")
@exercises("elasticsearch.helpers.scan", "elasticsearch.helpers.streaming_bulk")
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.info(),
        lambda client: client.cluster.health(),
        lambda client: elasticsearch.helpers.bulk(client, [{"_index": "index"}]),
        lambda client: list(elasticsearch.helpers.scan(client)),
        lambda client: list(elasticsearch.helpers.streaming_bulk(client, [{"_index": "index"}])),
    ],
    ids=["any", "namespace", "bulk", "scan", "streaming_bulk"],
)
def test_elasticsearch(ask: Callable[[elasticsearch.Elasticsearch], object], paused_http: Server) -> None:
    with elasticsearch.Elasticsearch(paused_http.url) as client:
        observe_wait(lambda: ask(client), paused_http.resume)


@exercises("elasticsearch.Elasticsearch.options", "elasticsearch.Elasticsearch.close", aspect=HARMLESS)
def test_elasticsearch_client_is_made_at_once(paused_http: Server) -> None:
    observe_no_wait(lambda: elasticsearch.Elasticsearch(paused_http.url).options(request_timeout=1).close())


@exercises("elasticsearch.AsyncElasticsearch.*", "elasticsearch._async.client._base.NamespacedClient.*", aspect=AWAITS)
@exercises("elasticsearch.AsyncElasticsearch.close", aspect=AWAITS)
@pytest.mark.parametrize("ask", [lambda client: client.info(), lambda client: client.cluster.health()])
def test_async_elasticsearch(ask: Callable[[elasticsearch.AsyncElasticsearch], Any], paused_http: Server) -> None:
    async def wait() -> None:
        client = elasticsearch.AsyncElasticsearch(paused_http.url)
        await ask(client)
        await client.close()

    observe_await(wait, paused_http.resume)


def docker_url(server: Server) -> str:
    """The server as Docker's clients write it."""
    return server.url.replace("http", "tcp")


@exercises("docker.DockerClient.ping", "docker.models.containers.ContainerCollection.list", "docker.APIClient.*")
@exercises("docker.models.resource.Collection.*", "docker.models.images.ImageCollection.list")
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.ping(),
        lambda client: client.containers.list(),
        lambda client: client.images.list(),
        lambda client: client.plugins.list(),
        lambda client: client.api.containers(),
    ],
    ids=["ping", "containers", "images", "plugins", "api"],
)
def test_docker(ask: Callable[[docker.DockerClient], object], paused_http: Server) -> None:
    client = docker.DockerClient(docker_url(paused_http), version="1.43")
    observe_wait(lambda: ask(client), paused_http.resume)
    client.close()


@exercises("docker.from_env", "docker.DockerClient", "docker.APIClient")
@exercises("docker.from_env", "docker.DockerClient", "docker.APIClient", aspect="version=auto")
@pytest.mark.parametrize("options", [{}, {"version": "auto"}], ids=["no version", "auto"])
@pytest.mark.parametrize("make", ["from_env", "DockerClient", "APIClient"])
def test_docker_client_asks_for_the_version(
    make: str, options: dict[str, str], paused_http: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_url(paused_http))
    address = {} if make == "from_env" else {"base_url": docker_url(paused_http)}
    observe_wait(lambda: getattr(docker, make)(**address, **options), paused_http.resume).close()


@exercises("docker.from_env", "docker.DockerClient", "docker.APIClient", aspect="version present")
@exercises("docker.from_env", "docker.DockerClient.close", "docker.APIClient.close", aspect=HARMLESS)
@pytest.mark.parametrize("make", [docker.from_env, docker.DockerClient, docker.APIClient])
def test_docker_client_that_is_told_the_version(
    make: Callable[..., Any], paused_http: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_url(paused_http))
    observe_no_wait(lambda: make(version="1.43").close())
