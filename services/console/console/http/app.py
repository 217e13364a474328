"""The application: every room's routes behind one guard."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import JSONResponse, Response

from console import problems
from console.doors.guard import Guard
from console.http import pages
from console.http.bodies import BoundedBodies
from console.http.headers import Headed, OwnPagesOnly
from console.http.under_way import SharedOut
from hazardcast import __version__
from hazardcast.service.metrics import Health

OPENAPI = "/api/v1/openapi.json"


def application(guard: Guard, health: Health, routers: Iterable[APIRouter] = ()) -> FastAPI:
    """The whole HTTP interface.

    Args:
        guard: who is let in.
        health: what `/healthz` and `/readyz` answer.
        routers: of the rooms; a parameter that a route does not declare is refused by name.
    """
    app = FastAPI(
        title="Hazardcast console",
        version=__version__,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
    )
    app.state.guard = guard
    app.add_middleware(BoundedBodies)
    app.add_middleware(SharedOut)
    app.add_middleware(OwnPagesOnly)
    app.add_middleware(Headed)
    problems.install(app)
    app.include_router(_checks(health))
    for router in routers:
        app.include_router(
            router,
            dependencies=[Depends(problems.no_unknown_query)],
            responses=problems.ANSWERS,
        )
    app.include_router(pages.router(pages.load()))
    return app


def _checks(health: Health) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/healthz", methods=["GET", "HEAD"])
    async def alive() -> Response:
        return _held(*health.alive())

    @routes.api_route("/readyz", methods=["GET", "HEAD"])
    async def ready() -> Response:
        return _held(*health.ready())

    return routes


def _held(holds: bool, detail: str) -> Response:
    status = HTTPStatus.OK if holds else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"ok": holds, "detail": detail}, status)
