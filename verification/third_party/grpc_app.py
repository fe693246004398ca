"""A gRPC server whose method `/echo.Echo/Say` gives back what it gets: `python grpc_app.py PORT`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

if __name__ == "__main__":

    def repeat(request: bytes, _context: grpc.ServicerContext) -> Iterator[bytes]:
        """Give the request back three times."""
        yield from (request,) * 3

    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(lambda request, _context: request),
        "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("echo.Echo", handlers)])
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()
