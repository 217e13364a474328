"""The second door: `POST /alert` over HTTP, and what the alerter shows of itself."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from alerter.doors.answers import Answer, Door
from alerter.exports.formats import CONTENT_TYPES, Format, encode
from alerter.ingest.refusal import Reason, Refusal
from hazardcast import __version__
from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.messages import MAX_MESSAGE_BYTES, Alert, Incident
from hazardcast.service.metrics import Health
from hazardcast.service.problem import PROBLEM_JSON, problem

STATUS_OF: dict[Reason, HTTPStatus] = {
    Reason.UNKNOWN_EVENT: HTTPStatus.NOT_FOUND,
    Reason.ENDED: HTTPStatus.CONFLICT,
}


@dataclass(frozen=True)
class Doors:
    """What the webhook needs of the alerter."""

    accept: Callable[[bytes, Door], Answer]
    alerts: Callable[[], list[Alert]]
    health: Health
    token: str


class RequestRefusedError(Exception):
    """A request that gets a problem (RFC 9457) for an answer."""

    def __init__(self, status: HTTPStatus, detail: str, **members: Any) -> None:
        self.status = status
        self.problem = problem(status, detail, **members)
        super().__init__(detail)


def application(doors: Doors) -> FastAPI:
    """The whole HTTP interface."""
    app = FastAPI(title="Hazardcast alerter", version=__version__, docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestRefusedError, _answer_problem)
    _add_ingest(app, doors)
    _add_views(app, doors)
    return app


def _add_ingest(app: FastAPI, doors: Doors) -> None:
    schema = {"application/json": {"schema": Incident.model_json_schema()}}
    body = {"requestBody": {"required": True, "content": schema}}

    @app.post("/alert", status_code=HTTPStatus.ACCEPTED, openapi_extra=body)
    async def report_incident(request: Request) -> Response:
        """Report an incident; answers with the alert's event id. Needs the bearer token."""
        _check_token(request, doors.token)
        door = Door("http", request.client.host if request.client else None)
        told = doors.accept(await _body(request), door)
        return JSONResponse(_answer(told), HTTPStatus.ACCEPTED)


def _add_views(app: FastAPI, doors: Doors) -> None:
    @app.head("/alerts", include_in_schema=False)
    @app.get("/alerts")
    async def alerts_in_force() -> Response:
        """The alerts in force, as broadcast."""
        texts = ",".join(alert.encode() for alert in doors.alerts())
        return Response(f'{{"alerts":[{texts}]}}', media_type="application/json")

    @app.head("/alerts/{event_id}", include_in_schema=False)
    @app.get("/alerts/{event_id}")
    async def one_alert(event_id: str, form: str = Format.JSON.value) -> Response:
        """One alert in force: `?form=json`, `cap`, `denm-json` or `denm-uper`."""
        return _one(doors.alerts(), event_id, form)

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    async def alive() -> Response:
        """Whether the process does its work."""
        return _health(*doors.health.alive())

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz")
    async def ready() -> Response:
        """Whether every door is open."""
        return _health(*doors.health.ready())

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics")
    async def show_metrics() -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _one(alerts: list[Alert], event_id: str, form: str) -> Response:
    if form not in list(Format):
        detail = f"form: there are {', '.join(Format)}"
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST, detail, field="form")
    alert = next((alert for alert in alerts if alert.event_id == event_id), None)
    if alert is None:
        raise RequestRefusedError(HTTPStatus.NOT_FOUND, f"no alert {event_id!r} is in force")
    try:
        content = encode(alert, Format(form))
    except (HazardcastError, ImportError) as error:
        raise RequestRefusedError(HTTPStatus.NOT_IMPLEMENTED, str(error), field="form") from None
    return Response(content, media_type=CONTENT_TYPES[Format(form)])


def _check_token(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not right:
        detail = "send the header `Authorization: Bearer …` with the alerter's token"
        raise RequestRefusedError(HTTPStatus.UNAUTHORIZED, detail)


async def _body(request: Request) -> bytes:
    """The request's body, given up on as soon as it is too long."""
    length = request.headers.get("content-length", "0")
    body = bytearray()
    if length.isdecimal() and int(length) <= MAX_MESSAGE_BYTES:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_MESSAGE_BYTES:
                break
        else:
            return bytes(body)
    detail = f"at most {MAX_MESSAGE_BYTES} bytes are accepted"
    raise RequestRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _answer(told: Answer) -> dict[str, Any]:
    outcome = told.outcome
    odd = {"warnings": [warning.shown() for warning in told.warnings]} if told.warnings else {}
    if isinstance(outcome, Refusal):
        raise RequestRefusedError(
            _status(outcome), str(outcome), field=outcome.field, reason=outcome.reason.value, **odd
        )
    return {
        "event_id": outcome.event_id, "revision": outcome.revision, "result": outcome.action, **odd
    }  # fmt: skip


def _status(refusal: Refusal) -> HTTPStatus:
    if refusal.reason is Reason.SCHEMA and refusal.field is None:
        return HTTPStatus.BAD_REQUEST
    return STATUS_OF.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)


def _health(holds: bool, detail: str) -> Response:
    status = HTTPStatus.OK if holds else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"ok": holds, "detail": detail}, status)


def _answer_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
    return Response(
        json.dumps(error.problem), error.status, headers=headers, media_type=PROBLEM_JSON
    )
