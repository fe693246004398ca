"""A web socket server that sends every message back: `python websocket_app.py PORT`."""

from __future__ import annotations

import sys

from websockets.sync.server import ServerConnection, serve

if __name__ == "__main__":

    def echo(connection: ServerConnection) -> None:
        """Send back what comes, until the client leaves."""
        for message in connection:
            connection.send(message)

    with serve(echo, "127.0.0.1", int(sys.argv[1])) as server:
        server.serve_forever()
