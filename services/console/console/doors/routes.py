"""Signing in and out over HTTP, and what the page learns of who looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from console.doors import attempts, passwords
from console.doors.asking import Looking, guard_of
from console.doors.reception import Reception, TooOftenError
from console.doors.sessions import KIOSK_LASTS_S
from console.doors.viewer import Role
from console.problems import RefusedError
from hazardcast import __version__
from hazardcast.config.site import Site
from hazardcast.machine.clock import Clock

Password = Annotated[str, Field(max_length=passwords.LONGEST_BYTES)]


class Login(BaseModel):
    """What is typed to sign in."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=attempts.LONGEST)]
    password: Password


class NewPassword(BaseModel):
    """A person's new password."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class SiteFacts(BaseModel):
    """Where the console stands."""

    id: str
    name: str
    time_zone: str
    lat: float
    lon: float


class SessionFacts(BaseModel):
    """Who looks, and at what."""

    name: str | None
    role: Role
    cameras: list[str] | None
    free_view: bool
    may_decide: bool
    may_export: bool
    may_administer: bool
    site: SiteFacts
    map: str | None
    """`geojson` where the site has a map of its own, at `/api/v1/map.geojson`."""
    languages: list[str]
    version: str
    now: float


def router(
    reception: Reception, site: Site, clock: Clock, *, has_map: Callable[[], bool] = lambda: False
) -> APIRouter:
    """The routes of one's own session."""
    routes = APIRouter(prefix="/api/v1", tags=["session"])
    _add_facts(routes, site, clock, has_map)
    _add_login(routes, reception)
    _add_password(routes, reception)
    return routes


def _add_facts(routes: APIRouter, site: Site, clock: Clock, has_map: Callable[[], bool]) -> None:
    @routes.get("/session")
    async def session(viewer: Looking) -> SessionFacts:
        """Who looks, what they may, and the site."""
        return SessionFacts(
            name=viewer.name,
            role=viewer.role,
            cameras=sorted(viewer.cameras) if viewer.cameras is not None else None,
            free_view=viewer.name is None,
            may_decide=viewer.may_decide,
            may_export=viewer.may_export,
            may_administer=viewer.may_administer,
            site=_facts(site),
            map="geojson" if await run_in_threadpool(has_map) else None,
            languages=list(site.languages),
            version=__version__,
            now=clock.now(),
        )


def _add_login(routes: APIRouter, reception: Reception) -> None:
    @routes.post("/login", status_code=HTTPStatus.NO_CONTENT)
    async def login(request: Request, typed: Login) -> Response:
        """Sign in: a session cookie for twelve hours."""
        guard = guard_of(request)
        address = guard.origin_of(request).address
        secret = await _begun(partial(reception.sign_in, typed.name, typed.password, address))
        if before := guard.secret_of(request):
            await run_in_threadpool(reception.sign_out, before)
        return _with_cookie(request, secret)

    @routes.post("/logout", status_code=HTTPStatus.NO_CONTENT)
    async def logout(request: Request) -> Response:
        """Sign out; the session is over for every tab."""
        if secret := guard_of(request).secret_of(request):
            await run_in_threadpool(reception.sign_out, secret)
        return _with_cookie(request, "")


def _add_password(routes: APIRouter, reception: Reception) -> None:
    @routes.post("/password", status_code=HTTPStatus.NO_CONTENT)
    async def change_password(request: Request, viewer: Looking, typed: NewPassword) -> Response:
        """Choose another password; every session of the account ends but this one, which is new."""
        guard = guard_of(request)
        if viewer.name is None or not guard.shows_a_session(request):
            raise RefusedError(HTTPStatus.FORBIDDEN, "sign in first")
        if problem := passwords.problem_of(typed.new):
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, problem, field="new")
        address = guard.origin_of(request).address
        change = partial(reception.change_password, viewer.name, typed.old, typed.new, address)
        return _with_cookie(request, await _begun(change))


async def _begun(begin: Callable[[], str | None]) -> str:
    """What the browser is to hold of a session that begins with a password."""
    try:
        secret = await run_in_threadpool(begin)
    except TooOftenError:
        raise RefusedError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too many tries: wait a moment",
            headers={"retry-after": f"{attempts.WAIT_S:.0f}"},
        ) from None
    if secret is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "name or password is wrong")
    return secret


def _with_cookie(request: Request, secret: str) -> Response:
    """A cookie that lasts as long as the longest session: the session itself ends by the clock."""
    guard = guard_of(request)
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    answer.set_cookie(
        guard.cookie_of(request),
        secret,
        max_age=int(KIOSK_LASTS_S) if secret else 0,
        path="/",
        secure=guard.origin_of(request).secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def _facts(site: Site) -> SiteFacts:
    return SiteFacts(
        id=site.key,
        name=site.name,
        time_zone=site.time_zone,
        lat=site.position.lat_deg,
        lon=site.position.lon_deg,
    )
