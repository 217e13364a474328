"""Refusals of requests as problems (RFC 9457), the one form of error that the console answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from hazardcast.service.problem import PROBLEM_JSON, problem

ANSWERS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457): why the request is refused.",
        "content": {
            PROBLEM_JSON: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                        "field": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""What every route may answer, as OpenAPI tells it."""


class RefusedError(Exception):
    """A request that gets a problem for an answer.

    Args:
        status: of the answer.
        detail: one sentence for a person.
        headers: of the answer.
        members: further members of the problem, such as `field`; None is left out.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.problem = problem(status, detail, **members)
        super().__init__(detail)


def not_found(what: str) -> RefusedError:
    """The one answer for what is not there and for what the viewer may not see."""
    return RefusedError(HTTPStatus.NOT_FOUND, what)


def no_camera() -> RefusedError:
    """The same for every camera that is unknown or not the viewer's: its name is not repeated."""
    return not_found("there is no such camera")


async def no_unknown_query(request: HTTPConnection) -> None:
    """A dependency of every route: a misspelt filter must not answer everything.

    Raises:
        RefusedError: 400, naming the parameter.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    fields = get_flat_params(route.dependant)
    known = {field.alias for field in fields if isinstance(field.field_info, params.Query)}
    for name in request.query_params:
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"{name[:40]!r} is no parameter here; there are: {allowed}",
                field=name[:40],
            )


def install(app: FastAPI) -> None:
    """Have every refusal answered as a problem."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)


def answer(error: RefusedError) -> Response:
    """The response of a refusal."""
    return Response(
        json.dumps(error.problem), error.status, headers=error.headers, media_type=PROBLEM_JSON
    )


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return answer(error)


def _invalid(_request: Request, error: Exception) -> Response:
    """What was sent is not repeated: it may be a password."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where, *path = (str(part) for part in first["loc"])
    field = ".".join(path) or where
    status = HTTPStatus.UNPROCESSABLE_ENTITY if where == "body" else HTTPStatus.BAD_REQUEST
    return answer(RefusedError(status, f"{field}: {first['msg']}", field=field))


def _other(_request: Request, error: Exception) -> Response:
    """Starlette's own: no such path, no such method."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return answer(RefusedError(status, status.description or status.phrase, headers=error.headers))
