"""What stands before every endpoint: the access token, or without one the rule that only this machine may ask."""

import base64
import binascii
import secrets

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from farm.errors import error_report
from farm.settings import FarmSettings


def guard(app: FastAPI, settings: FarmSettings) -> None:
    """Let nobody in but who has the token; if there is none, no web page that has its own name lead to this machine."""
    if settings.access_token is not None:
        app.add_middleware(AccessToken, token=settings.access_token.get_secret_value())
    else:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])


class AccessToken:
    """Turns away requests without the token, given as a bearer or, by browsers, as the password of basic authentication."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass or answer 401."""
        if scope["type"] == "lifespan" or secrets.compare_digest(_given_token(Headers(scope=scope)), self._token):
            await self._app(scope, receive, send)
            return
        ask = {"WWW-Authenticate": 'Basic realm="farm", charset="UTF-8"'}
        await error_report(401, "an access token is needed", "authentication_error", ask)(scope, receive, send)


def _given_token(headers: Headers) -> bytes:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
