"""What every answer says to the browser: run nothing but ours, embed nowhere, guess no type."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection

from console.doors import origins
from console.doors.asking import guard_of
from console.problems import RefusedError, answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "worker-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
)
HEADERS = {
    "content-security-policy": "; ".join(POLICY),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
NOT_KEPT = "no-store"
"""What is said to one viewer is for no cache, unless a route says otherwise."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Headed:
    """Middleware that adds the headers to every answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    said.setdefault(name, value)
                said.setdefault("cache-control", NOT_KEPT)
            await send(message)

        await self._app(scope, receive, headed if scope["type"] == "http" else send)


class OwnPagesOnly:
    """Middleware that refuses what would change something and comes from a foreign page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it before anything is read of it."""
        if scope["type"] == "http" and scope["method"] not in SAFE:
            refusal = _refusal(scope)
            if refusal:
                await answer(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(scope: Scope) -> RefusedError | None:
    connection = HTTPConnection(scope)
    if not guard_of(connection).is_own_origin(connection):
        return RefusedError(HTTPStatus.FORBIDDEN, "this request comes from a page of another site")
    if not origins.carries_json(Headers(scope=scope)):
        detail = f"send the body as {origins.JSON}"
        return RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    return None
