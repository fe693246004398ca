"""An HTTP server that answers clients of several services with as little as satisfies them: `python http_app.py PORT`."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_BUCKETS = '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets/></ListAllMyBucketsResult>'
_ANSWERS: dict[str, Any] = {
    "/v1/models": {"object": "list", "data": []},  # OpenAI
    "/v1/messages": _MESSAGE,  # Anthropic
    "/version": {"ApiVersion": "1.43", "Version": "24.0"},  # Docker
    "/v1.43/version": {"ApiVersion": "1.43", "Version": "24.0"},
    "/v1.43/containers/json": [],
    "/v1.43/images/json": [],
    "/v1.43/plugins": [],
    "/_cluster/health": {"status": "green"},  # Elasticsearch
    "/_bulk": {"errors": False, "items": [{"index": {"status": 201}}]},
    "/_search": {"_scroll_id": "1", "_shards": {"successful": 1, "skipped": 0, "total": 1}, "hits": {"hits": []}},
}

_FIRST, _REST = b"first\n", b"second\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rest = threading.Event()

    def do_GET(self) -> None:
        """Answer; `/drip` sends the beginning of a body, and its rest when somebody asks for `/rest`."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        if path in ("/drip", "/s3/drip/key"):
            rest = _Handler.rest
            self._send(_FIRST, "text/plain", length=len(_FIRST + _REST))
            rest.wait()
            self.wfile.write(_REST)
        elif path == "/rest":
            _Handler.rest.set()
            _Handler.rest = threading.Event()
            self._send(b"", "text/plain")
        elif path.startswith("/s3"):
            self._send(_BUCKETS.encode(), "application/xml")
        else:
            self._send(json.dumps(_ANSWERS.get(path, {"path": path})).encode(), "application/json")

    do_DELETE = do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def _send(self, body: bytes, content_type: str, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    _Server(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
