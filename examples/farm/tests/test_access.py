"""The access token."""

import base64

import httpx
import openai
import pytest

from tests.services import LANGUAGE, Service, farm

TOKEN = "a long secret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_every_endpoint_needs_the_token(tmp_path):
    """With a token set, the whole farm works with it, and nothing answers without."""
    with farm(tmp_path, FARM_ACCESS_TOKEN=TOKEN) as service:
        server, runtime = service.url, service.runtime_url
        paths = {url: httpx.get(f"{url}/openapi.json", headers=BEARER).json()["paths"] for url in (server, runtime)}
        asked = [(url, method.upper(), path) for url in paths for path in paths[url] for method in paths[url][path]]
        asked += [(server, "GET", "/page/chat.js"), (server, "GET", "/docs"), (runtime, "GET", "/nowhere")]
        assert len(asked) > 15
        refused = {httpx.request(method, url + path).status_code for url, method, path in asked}
        assert refused == {401}
        for wrong in ("Bearer wrong", "Bearer", "Basic !", "Basic " + base64.b64encode(b"user:wrong").decode(), "nonsense"):
            answer = httpx.get(f"{server}/health", headers={"Authorization": wrong})
            assert (answer.status_code, answer.json()["error"]["message"]) == (401, "an access token is needed")
        with httpx.Client(base_url=server, headers=BEARER, timeout=60) as client:
            file_id = client.post("/v1/files", params={"name": "a.txt"}, content=b"The gate is blue.").json()["file_id"]
            body = {"files": [{"file_id": file_id, "name": "a.txt"}]}
            (entry,) = client.post("/v1/ingestions", json=body).json()["ingestions"]
            while client.get(f"/v1/ingestions/{entry['id']}").json()["state"] not in {"done", "failed"}:
                pass
            answer = client.post("/v1/chat", json={"message": "What colour is the gate?"}).json()
            assert [source["document"] for source in answer["sources"]] == ["a.txt"]
        browser = httpx.get(f"{server}/", auth=("", TOKEN))
        assert (browser.status_code, browser.headers["content-type"]) == (200, "text/html; charset=utf-8")
        client = openai.OpenAI(base_url=f"{runtime}/v1", api_key=TOKEN)
        message = {"role": "user", "content": "hello"}
        assert client.chat.completions.create(model=LANGUAGE, messages=[message], max_tokens=2).choices
        with pytest.raises(openai.AuthenticationError, match="an access token is needed"):
            openai.OpenAI(base_url=f"{runtime}/v1", api_key="wrong").models.list()


def test_without_a_token_no_other_name_leads_here(a_farm: Service):
    """A web page whose name was made to mean this machine is turned away."""
    for url in (a_farm.url, a_farm.runtime_url):
        answers = [httpx.get(f"{url}/health", headers={"Host": host}).status_code for host in ("evil.example", "localhost:8100")]
        assert answers == [400, 200]
