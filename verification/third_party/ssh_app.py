"""An SSH server that takes any password, and whose commands answer nothing, for ever: `python ssh_app.py PORT`."""

from __future__ import annotations

import socket
import sys

import paramiko


class _Server(paramiko.ServerInterface):
    def check_auth_password(self, *_: str) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, *_: object) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, *_: object) -> bool:
        return True


if __name__ == "__main__":
    key = paramiko.ECDSAKey.generate()
    transports = []
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        while True:
            transport = paramiko.Transport(listener.accept()[0])
            transport.add_server_key(key)
            transports.append(transport)
            try:
                transport.start_server(server=_Server())
            except paramiko.SSHException:
                continue  # the client only asked whether somebody listens
