"""Errors that have an HTTP status, and how every error becomes an answer with a reason."""

import logging
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)


class FarmError(HTTPException):
    """An error whose reason the client may read."""

    status = 500
    kind = "internal_error"

    def __init__(self, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, reason, headers)


class BadInput(FarmError):
    """What the client sent cannot be used."""

    status, kind = 400, "invalid_request_error"


class NotFound(FarmError):
    """There is no such thing."""

    status, kind = 404, "not_found_error"


class TooLarge(FarmError):
    """The body is over the limit."""

    status, kind = 413, "too_large_error"


class UnsupportedFile(FarmError):
    """A file of a kind that cannot be read, or that is not what its name says."""

    status, kind = 415, "unsupported_file_error"


class Overloaded(FarmError):
    """The queue is full: come back later."""

    status, kind = 503, "overloaded_error"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, {"Retry-After": "1"})


class ServiceUnavailable(FarmError):
    """Another service is away or failed."""

    status, kind = 502, "service_unavailable_error"


class ClientGone(FarmError):
    """The client closed the connection before the answer."""

    status, kind = 499, "client_gone_error"


class ErrorDetail(BaseModel):
    """What went wrong, in the form of OpenAI's API."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorReport(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorDetail


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorReport, "description": "the request cannot be answered"},
    "5XX": {"model": ErrorReport, "description": "the service cannot answer"},
}


def error_report(status: int, reason: str, kind: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as an answer."""
    report = ErrorReport(error=ErrorDetail(message=reason, type=kind))
    return JSONResponse(report.model_dump(), status_code=status, headers=dict(headers or {}))


def add_error_handlers(app: FastAPI) -> None:
    """Make every error of `app` an answer with a reason."""
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(TimeoutError, _timeout)
    app.add_exception_handler(httpx.TimeoutException, _timeout)
    app.add_exception_handler(Exception, _unexpected)


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    kind = error.kind if isinstance(error, FarmError) else "invalid_request_error"
    return error_report(error.status_code, str(error.detail), kind, error.headers)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    reasons = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return error_report(422, "; ".join(reasons), "invalid_request_error")


async def _timeout(request: Request, error: Exception) -> JSONResponse:
    logger.error("timed out", extra={"path": request.url.path})
    return error_report(504, "what this request waits for took too long", "timeout_error")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    return error_report(500, "an unexpected error; the service's log has it", "internal_error")
